"""Take everything along: one zip with what devices sent, as it came, and what was made of it."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from fastapi.responses import StreamingResponse
from sqlalchemy import select

from api.access import Asker, Caller
from api.problems import ANSWERS
from api.routes.auth import me
from api.routes.sessions import shown
from api.subject import Subject
from squashlib.errors import NotFoundError
from store import corrections
from store.points import events_of, fold
from store.tables import SessionRow, Upload

router = Subject("auth", "/api/auth/me", ANSWERS)

BINARY = {"schema": {"type": "string", "format": "binary"}}
ZIP: dict[int | str, dict[str, Any]] = {200: {"description": "A zip", "content": {"application/zip": BINARY}}}


@router.get("/export", response_class=StreamingResponse, responses=ZIP)
def export(caller: Asker) -> StreamingResponse:
    """All my data: account, sessions, points, corrections, analyses, reports, and the recordings as they came."""
    # A file without a name: it is gone with whoever holds it, when the client hangs up or the server is killed too.
    target = tempfile.TemporaryFile(prefix="squash-export-")  # noqa: SIM115 - closed by `_pieces`
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("account.json", me(caller).model_dump_json(indent=1))
        with caller.look() as tx:
            rows = list(tx.scalars(select(SessionRow).where(SessionRow.user_id == caller.user_id)))
        for row in rows:
            _add(archive, caller, row)
    headers = {"Content-Length": str(target.tell()), "Content-Disposition": 'attachment; filename="squash-export.zip"'}
    target.seek(0)
    return StreamingResponse(_pieces(target), media_type="application/zip", headers=headers)


def _pieces(target: IO[bytes]) -> Iterator[bytes]:
    with target:
        while piece := target.read(1 << 20):
            yield piece


def _add(archive: zipfile.ZipFile, caller: Caller, row: SessionRow) -> None:
    store, folder = caller.store, f"sessions/{row.session_id}"
    with caller.look() as tx:
        points = fold(events_of(tx, row.session_id))
        uploads: list[Upload] = store.uploads.of_session(tx, row.session_id)
    archive.writestr(f"{folder}/session.json", json.dumps(shown(row), indent=1))
    archive.writestr(f"{folder}/points.json", json.dumps(points, indent=1))
    if said := corrections.of_session(store.catalog, row.session_id):
        archive.writestr(f"{folder}/corrections.json", json.dumps(said, indent=1))
    for upload in uploads:
        with suppress(NotFoundError):  # of what a player lets go after three months the row is kept
            archive.writestr(f"{folder}/uploads/{upload.upload_id}-{upload.kind}", store.uploads.read(upload.sha256))
    if row.analysis_key is not None and row.deleted_at is None:
        archive.writestr(f"{folder}/analysis.json", json.dumps(store.sessions.analysis(row.session_id).document))
        try:
            archive.writestr(f"{folder}/report.html", store.reports.get(row.session_id))
        except NotFoundError:
            return  # analysed, its page not yet made
