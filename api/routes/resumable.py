"""Uploads that go on where a bad link broke off: tus 1.0 with creation, expiration, checksum and termination.

Kept-up libraries (tuspyserver) bring a router of their own with its own idea of users, sizes and errors, and had a
path traversal in 2026; what a watch needs of the protocol is the few requests below. What is written lies on local
disk (`store.partial`), its length is the offset, and a finished upload goes the way of every other file.
"""

import base64
import fcntl
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import ratelimit
from api.access import Asker, Caller, SessionId
from api.problems import ANSWERS, MEDIA_TYPE, Problem
from api.routes.uploads import MAX_FILE, receive
from api.subject import Subject
from store import partial

VERSION = "1.0.0"
TUS = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
CHECKSUMS = ("sha1", "sha256")
#: What `OPTIONS` tells; no login is needed for it.
OFFERED = {
    "Tus-Version": VERSION,
    "Tus-Max-Size": str(MAX_FILE),
    "Tus-Extension": "creation,expiration,checksum,termination",
    "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
}
OCTETS = {"content": {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}}
TUS_ANSWERS: dict[int | str, dict[str, Any]] = {
    412: {"description": "Not a version of tus that is spoken here", **PROBLEM},
    460: {"description": "The checksum is not that of the bytes", **PROBLEM},
}


async def _spoken(tus_resumable: Annotated[str, Header()] = VERSION) -> None:
    """Older watches name no version; who names one names ours."""
    if tus_resumable != VERSION:
        raise Problem(412, f"Tus-Resumable is {tus_resumable[:20]!r}, must be {VERSION}.", {"Tus-Version": VERSION})


router = Subject("uploads", "/api/sessions/{session_id}/upload/resumable", ANSWERS | TUS_ANSWERS)
SPOKEN = [Depends(_spoken)]


@router.options("", status_code=204, include_in_schema=False)
@router.options("/{upload_id}", status_code=204, include_in_schema=False)
def offered(response: Response) -> None:
    """What of the tus protocol is spoken."""
    response.headers.update(TUS | OFFERED)


@router.post("", status_code=201, dependencies=SPOKEN)
def begin(
    session_id: SessionId,
    caller: Asker,
    request: Request,
    response: Response,
    upload_length: Annotated[int, Header(ge=1)],
    upload_metadata: Annotated[str, Header(max_length=2000)] = "",
) -> None:
    """Begin: `Upload-Length` bytes will come; `Location` says where to."""
    with caller.look() as tx:
        caller.own_session(tx, session_id)
    if upload_length > MAX_FILE:
        raise Problem(413, f"Upload-Length is {upload_length}, must be at most {MAX_FILE}.")
    ratelimit.count(request, caller.state.limiter, "bytes", caller.user_id, upload_length)
    partial.forget_old(caller.state.settings.home)
    about = {"session_id": str(session_id), "user_id": caller.user_id, "length": upload_length}
    given = {"name": _name(upload_metadata), "metadata": upload_metadata}
    upload_id = partial.begin(caller.state.settings.home, about | given)
    _, part = partial.find(caller.state.settings.home, upload_id)
    response.headers.update(TUS | _expires(part) | {"Location": f"{request.url.path}/{upload_id}"})


def _expires(part: Path) -> dict[str, str]:
    return {"Upload-Expires": formatdate(part.stat().st_mtime + partial.KEEP_S, usegmt=True)}


def _name(metadata: str) -> str:
    """The `filename` of `Upload-Metadata`, as a name and never a path."""
    pairs = (pair.strip().split(" ", 1) for pair in metadata.split(","))
    value = next((pair[1] for pair in pairs if pair[0] == "filename" and len(pair) == 2), "")
    with suppress(ValueError):
        return base64.b64decode(value).decode().replace("\\", "/").rpartition("/")[2].replace("\0", "")[:200]
    return "recording"


@router.head("/{upload_id}", dependencies=SPOKEN)
def offset(session_id: SessionId, upload_id: uuid.UUID, caller: Asker, response: Response) -> None:
    """How much has arrived."""
    about, part = _known(caller, session_id, upload_id)
    arrived = {"Upload-Offset": str(part.stat().st_size), "Upload-Length": str(about["length"])}
    said = {"Upload-Metadata": about["metadata"]} if about.get("metadata") else {}
    response.headers.update(TUS | _expires(part) | arrived | said)


def _known(caller: Caller, session_id: uuid.UUID, upload_id: uuid.UUID) -> tuple[dict[str, Any], Path]:
    about, part = partial.find(caller.state.settings.home, upload_id)
    if (about.get("user_id"), about.get("session_id")) != (caller.user_id, str(session_id)):
        raise Problem(404, f"There is no upload {upload_id} under way in this session; begin again.")
    return about, part


@router.patch(
    "/{upload_id}", status_code=204, dependencies=SPOKEN, openapi_extra={"requestBody": {"required": True, **OCTETS}}
)
async def go_on(
    session_id: SessionId,
    upload_id: uuid.UUID,
    caller: Asker,
    request: Request,
    response: Response,
    upload_offset: Annotated[int, Header(ge=0, le=MAX_FILE)],
    upload_checksum: Annotated[str | None, Header(max_length=200, description="`sha256 BASE64` of this part")] = None,
) -> None:
    """Send on from `Upload-Offset`; with the last byte the recording is accepted, its job named in `Upload-Job`."""
    if request.headers.get("content-type") != "application/offset+octet-stream":
        raise Problem(415, "Content-Type must be application/offset+octet-stream.")
    about, part = await run_in_threadpool(_known, caller, session_id, upload_id)
    with _locked(part) as target:
        held = target.seek(0, 2)
        if held != upload_offset:
            raise Problem(409, f"Upload-Offset is {upload_offset}, must be {held}; ask with HEAD.")
        held = await _taken(request, target, about["length"], _expected(upload_checksum))
        response.headers.update(TUS | _expires(part) | {"Upload-Offset": str(held)})
        if held == about["length"]:
            target.seek(0)
            given = "file", target, about["name"], "application/octet-stream", MAX_FILE
            answer, _ = await run_in_threadpool(receive, caller, session_id, *given)
            response.headers.update({"Upload-Job": answer["job_id"], "Upload-Id": answer["upload_id"]})
            partial.forget(part)
    response.status_code = 204


def _expected(checksum: str | None) -> tuple[str, bytes] | None:
    """Algorithm and digest of an `Upload-Checksum`."""
    if checksum is None:
        return None
    algorithm, _, value = checksum.partition(" ")
    with suppress(ValueError):
        if algorithm in CHECKSUMS:
            return algorithm, base64.b64decode(value, validate=True)
    raise Problem(400, f"Upload-Checksum must be one of {', '.join(CHECKSUMS)} and a digest in base64.")


async def _taken(request: Request, target: IO[bytes], most: int, expected: tuple[str, bytes] | None) -> int:
    """Write what comes behind what is there; the new length. With a checksum all of it is kept, or nothing."""
    began = held = target.tell()
    digest = hashlib.new(expected[0]) if expected else None
    with suppress(ClientDisconnect):  # what came before the line broke is kept
        async for piece in request.stream():
            held += len(piece)
            if held > most:
                raise Problem(413, f"More than the {most} bytes that were announced.")
            if digest is not None:
                digest.update(piece)
            await run_in_threadpool(target.write, piece)
    target.flush()
    if digest is not None and expected is not None and digest.digest() != expected[1]:
        target.truncate(began)
        raise Problem(460, "The checksum is not that of the bytes which came; send them again.")
    return held


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    """One writer at a time, of all processes."""
    with part.open("r+b") as target:
        try:
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(409, "This upload is being written by another request; ask with HEAD again.") from None
        yield target


@router.delete("/{upload_id}", status_code=204, dependencies=SPOKEN)
def give_up(session_id: SessionId, upload_id: uuid.UUID, caller: Asker, response: Response) -> None:
    """Give an upload up."""
    _, part = _known(caller, session_id, upload_id)
    partial.forget(part)
    response.headers.update(TUS)
