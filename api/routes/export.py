"""Take everything along: one zip with what devices sent, as it came, and what was made of it."""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from fastapi.responses import FileResponse
from sqlalchemy import select
from starlette.background import BackgroundTask

from api.access import Asker, Caller
from api.problems import ANSWERS
from api.routes.auth import me
from api.routes.sessions import shown
from api.subject import Subject
from squashlib.errors import NotFoundError
from store.points import events_of, fold
from store.tables import SessionRow, Upload

router = Subject("auth", "/api/auth/me", ANSWERS)

ZIP: dict[int | str, dict[str, Any]] = {200: {"description": "A zip", "content": {"application/zip": {}}}}


@router.get("/export", response_class=FileResponse, responses=ZIP)
def export(caller: Asker) -> FileResponse:
    """All my data: account, sessions, points, analyses, reports, and the recordings as they came."""
    with tempfile.NamedTemporaryFile(prefix="squash-export-", suffix=".zip", delete=False) as target:
        path = Path(target.name)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("account.json", me(caller).model_dump_json(indent=1))
            with caller.look() as tx:
                rows = list(tx.scalars(select(SessionRow).where(SessionRow.user_id == caller.user_id)))
            for row in rows:
                _add(archive, caller, row)
    return FileResponse(
        path, media_type="application/zip", filename="squash-export.zip", background=BackgroundTask(path.unlink)
    )


def _add(archive: zipfile.ZipFile, caller: Caller, row: SessionRow) -> None:
    store, folder = caller.store, f"sessions/{row.session_id}"
    with caller.look() as tx:
        points = fold(events_of(tx, row.session_id))
        uploads: list[Upload] = store.uploads.of_session(tx, row.session_id)
    archive.writestr(f"{folder}/session.json", json.dumps(shown(row), indent=1))
    archive.writestr(f"{folder}/points.json", json.dumps(points, indent=1))
    for upload in uploads:
        archive.writestr(f"{folder}/uploads/{upload.upload_id}-{upload.kind}", store.uploads.read(upload.sha256))
    if row.analysis_key is not None and row.deleted_at is None:
        archive.writestr(f"{folder}/analysis.json", json.dumps(store.sessions.analysis(row.session_id).document))
        try:
            archive.writestr(f"{folder}/report.html", store.reports.get(row.session_id))
        except NotFoundError:
            return  # analysed, its page not yet made
