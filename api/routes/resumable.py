"""Uploads that go on where a bad link broke off: the core of tus 1.0 with creation and termination, on local disk.

Kept-up libraries (tuspyserver) bring a router of their own with its own idea of users, sizes and errors, and had a
path traversal in 2026; what a watch needs of the protocol is the three requests below. What is written lies under
`SQUASH_HOME/partial`, its length is the offset, and a finished upload goes the way of every other file.
"""

import base64
import fcntl
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import ratelimit
from api.access import Asker, Caller, SessionId
from api.problems import ANSWERS, Problem
from api.routes.uploads import MAX_FILE, receive
from api.subject import Subject

router = Subject("uploads", "/api/sessions/{session_id}/upload/resumable", ANSWERS)

TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
KEEP_S = 7 * 86_400
OCTETS = {"content": {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


def _folder(caller: Caller) -> Path:
    folder = caller.state.settings.home / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@router.post("", status_code=201)
def begin(
    session_id: SessionId,
    caller: Asker,
    request: Request,
    response: Response,
    upload_length: Annotated[int, Header(ge=1, le=MAX_FILE)],
    upload_metadata: Annotated[str, Header(max_length=2000)] = "",
) -> None:
    """Begin: `Upload-Length` bytes will come; `Location` says where to."""
    with caller.look() as tx:
        caller.own_session(tx, session_id)
    ratelimit.count(request, caller.state.limiter, "bytes", caller.user_id, upload_length)
    _forget_old(_folder(caller))
    upload_id = uuid.uuid4()
    about = {"session_id": str(session_id), "user_id": caller.user_id, "length": upload_length}
    (_folder(caller) / f"{upload_id}.json").write_text(json.dumps(about | {"name": _name(upload_metadata)}))
    (_folder(caller) / f"{upload_id}.part").touch(mode=0o600)
    response.headers.update(TUS | {"Location": f"{request.url.path}/{upload_id}"})


def _name(metadata: str) -> str:
    """The `filename` of `Upload-Metadata`, as a name and never a path."""
    pairs = (pair.strip().split(" ", 1) for pair in metadata.split(","))
    value = next((pair[1] for pair in pairs if pair[0] == "filename" and len(pair) == 2), "")
    with suppress(ValueError):
        return base64.b64decode(value).decode().replace("\\", "/").rpartition("/")[2].replace("\0", "")[:200]
    return "recording"


def _forget_old(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - KEEP_S:
                path.unlink()


@router.head("/{upload_id}")
def offset(session_id: SessionId, upload_id: uuid.UUID, caller: Asker, response: Response) -> None:
    """How much has arrived."""
    about, part = _known(caller, session_id, upload_id)
    response.headers.update(TUS | {"Upload-Offset": str(part.stat().st_size), "Upload-Length": str(about["length"])})


def _known(caller: Caller, session_id: uuid.UUID, upload_id: uuid.UUID) -> tuple[dict[str, Any], Path]:
    path = _folder(caller) / f"{upload_id}.json"
    about = json.loads(path.read_text()) if path.exists() else {}
    if (about.get("user_id"), about.get("session_id")) != (caller.user_id, str(session_id)):
        raise Problem(404, f"There is no upload {upload_id} under way in this session; begin again.")
    return about, path.with_suffix(".part")


@router.patch("/{upload_id}", status_code=204, openapi_extra={"requestBody": {"required": True, **OCTETS}})
async def go_on(
    session_id: SessionId,
    upload_id: uuid.UUID,
    caller: Asker,
    request: Request,
    response: Response,
    upload_offset: Annotated[int, Header(ge=0, le=MAX_FILE)],
) -> None:
    """Send on from `Upload-Offset`; with the last byte the recording is accepted, its job named in `Upload-Job`."""
    if request.headers.get("content-type") != "application/offset+octet-stream":
        raise Problem(415, "Content-Type must be application/offset+octet-stream.")
    about, part = await run_in_threadpool(_known, caller, session_id, upload_id)
    with _locked(part) as target:
        held = target.seek(0, 2)
        if held != upload_offset:
            raise Problem(409, f"Upload-Offset is {upload_offset}, must be {held}; ask with HEAD.")
        with suppress(ClientDisconnect):  # what came before the line broke is kept
            async for piece in request.stream():
                held += len(piece)
                if held > about["length"]:
                    raise Problem(413, f"More than the {about['length']} bytes that were announced.")
                await run_in_threadpool(target.write, piece)
        target.flush()
        if held == about["length"]:
            target.seek(0)
            given = "file", target, about["name"], "application/octet-stream", MAX_FILE
            answer = await run_in_threadpool(receive, caller, session_id, response, *given)
            response.headers.update({"Upload-Job": answer["job_id"], "Upload-Id": answer["upload_id"]})
            for path in (part, part.with_suffix(".json")):
                path.unlink(missing_ok=True)
    response.status_code = 204
    response.headers.update(TUS | {"Upload-Offset": str(held)})


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    """One writer at a time, of all processes."""
    with part.open("r+b") as target:
        try:
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(409, "This upload is being written by another request; ask with HEAD again.") from None
        yield target


@router.delete("/{upload_id}", status_code=204)
def give_up(session_id: SessionId, upload_id: uuid.UUID, caller: Asker, response: Response) -> None:
    """Give an upload up."""
    _, part = _known(caller, session_id, upload_id)
    for path in (part, part.with_suffix(".json")):
        path.unlink(missing_ok=True)
    response.headers.update(TUS)
