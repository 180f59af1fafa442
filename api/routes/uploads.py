"""What devices send: recordings, and batches while a match goes on. Bytes are kept and journaled; workers decode."""

from typing import Any

from fastapi import Request, Response
from sqlalchemy import bindparam, select
from starlette.datastructures import UploadFile

from api import ratelimit
from api.access import Asker, Caller, SessionId, unknown_session
from api.answers import BatchReceived, Received, UploadsShown, UploadStatus
from api.problems import ANSWERS, Problem, known
from api.subject import Subject, in_thread
from api.wire import iso, rendered
from squashlib.errors import DecodeError, NotFoundError
from store import jobs
from store.tables import Job, Upload
from store.trips import Errand
from store.uploads import LostBytesError

router = Subject("uploads", "/api/sessions/{session_id}", ANSWERS)

MAX_FILE = 256 << 20
MAX_BATCH = 32 << 20
#: What else a form may hold; nobody needs more.
FIELDS = 8


FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "FIT, GPX, TCX"}},
}


@router.post(
    "/upload/fit",
    status_code=202,
    responses=known(Received),
    response_model=Received,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}},
)
async def upload_fit(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Upload a recording: FIT, GPX or TCX, plain, gzipped or zipped. The same bytes again are known again."""
    async with request.form(max_files=1, max_fields=FIELDS) as form:  # here, so that a stranger's is never read
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(422, "file is missing, must be a form's part 'file' with a file name.")
        name = (file.filename or "recording").replace("\\", "/").rpartition("/")[2][:200]
        kind, size = file.content_type, file.size or 0

        def taken() -> Response:
            ratelimit.count(request, caller.state.limiter, "bytes", caller.user_id, size)
            return rendered(*receive(caller, session_id, "file", file.file, name, kind, MAX_FILE))

        return await in_thread(taken)


def receive(
    caller: Caller, session_id: Any, kind: str, content: Any, name: str | None, content_type: str | None,
    max_bytes: int,
) -> tuple[dict[str, Any], int]:  # fmt: skip
    """Keep bytes, journal them and promise their processing, in this order; the answer and its status."""
    store = caller.store
    caller.must_own(session_id)
    try:
        sha256, size = store.uploads.keep(content, max_bytes)
    except DecodeError as error:
        raise Problem(413, str(error)) from error
    if size == 0:
        raise Problem(422, "The upload is empty; send the recording's bytes.")
    with caller.errand() as errand:
        try:
            upload, duplicate = store.uploads.journal(
                errand, str(session_id), caller.user_id, kind, sha256, size, name, content_type
            )
        except LostBytesError as error:
            raise Problem(503, str(error), {"Retry-After": "1"}) from error
        except NotFoundError as error:
            raise unknown_session(session_id) from error
        found = errand.ask((_LAST_JOB, {"session_id": str(session_id)}))[0] if duplicate else None
        job_id = found[0].job_id if found else _promise(errand, session_id, caller)
        answer: dict[str, Any] = {"status": "processing", "job_id": job_id, "upload_id": upload.upload_id}
    if duplicate:
        return answer | {"duplicate": True}, 200
    caller.state.hand_over(job_id)
    return answer, 202


_LAST_JOB = (
    select(Job.__table__.c.job_id)
    .where(Job.__table__.c.session_id == bindparam("session_id"), Job.__table__.c.kind == "process")
    .order_by(Job.__table__.c.created_at.desc())
    .limit(1)
)


def _promise(errand: Errand, session_id: Any, caller: Caller) -> str:
    return jobs.enqueue(errand, "process", str(session_id), caller.user_id).job_id


async def _body(request: Request) -> bytes:
    """The whole body of a batch, within its limit."""
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > MAX_BATCH:
            raise Problem(413, f"The batch is larger than {MAX_BATCH} bytes; send it in parts.")
    return bytes(pieces)


async def _batch(session_id: Any, caller: Caller, request: Request, kind: str) -> Response:
    body = await _body(request)
    content_type = request.headers.get("content-type", "application/json")

    def taken() -> Response:
        ratelimit.count(request, caller.state.limiter, "bytes", caller.user_id, len(body))
        count = _counted(body, content_type, kind)
        answer, status = receive(caller, session_id, kind, body, None, content_type, MAX_BATCH)
        return rendered({"message": f"{count} samples accepted", "count": count, **answer}, status)

    return await in_thread(taken)


def _counted(body: bytes, content_type: str, kind: str) -> int:
    """How many samples a batch holds; 422 for what is no batch, so that an app learns of its fault at once."""
    from store.batches import count_samples

    try:
        return count_samples(body, content_type, kind)
    except DecodeError as error:
        raise Problem(422, str(error)) from error


AT = "2026-01-15T10:00:00.000Z"
PACKED = {"schema": {"type": "string", "format": "binary"}}


def _takes(example: dict[str, Any]) -> dict[str, Any]:
    """How a route of batches is declared: what it takes, plain or packed, and what it answers."""
    plain = {"schema": {"type": "object", "additionalProperties": True}, "example": example}
    content = {"application/json": plain, "application/gzip": PACKED, "application/msgpack": PACKED}
    return {
        "status_code": 202,
        "responses": known(BatchReceived),
        "response_model": BatchReceived,
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


def _data(**sample: Any) -> dict[str, Any]:
    return {"data": [{"timestamp": AT, **sample}]}


MOTION = {
    "start_time": AT,
    "sample_rate_hz": 10,
    "accelerometer": {"x": [0.1, 0.2], "y": [0.0, 0.1], "z": [9.8, 9.7]},
    "gyroscope": {"x": [0.0, 0.1], "y": [0.0, 0.0], "z": [0.2, 0.1]},
}


@router.post("/hr-data", **_takes(_data(heart_rate=145, confidence=0.95)))
async def hr_data(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Heart rates in bulk, in any order, again or late; nothing is counted twice."""
    return await _batch(session_id, caller, request, "hr")


@router.post("/heart-rate", **_takes({"data_points": [{"bpm": 151, "timestamp": AT}]}))
async def heart_rate(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Heart rates as the first watch app sends them (`data_points` of `bpm`)."""
    return await _batch(session_id, caller, request, "hr")


@router.post("/sensor-data", **_takes(MOTION))
async def sensor_data(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Accelerometer (m/s²) and gyroscope (rad/s) at a fixed rate from a start time."""
    return await _batch(session_id, caller, request, "sensor")


@router.post("/gps", **_takes(_data(latitude=52.37, longitude=4.89)))
async def gps(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Positions."""
    return await _batch(session_id, caller, request, "gps")


@router.post("/spo2", **_takes(_data(spo2=97)))
async def spo2(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Oxygen saturation."""
    return await _batch(session_id, caller, request, "spo2")


@router.post("/temperature", **_takes(_data(temperature=33.5)))
async def temperature(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Skin temperature."""
    return await _batch(session_id, caller, request, "temperature")


@router.post("/activity", **_takes(_data(steps=12, calories=1.5)))
async def activity(session_id: SessionId, caller: Asker, request: Request) -> Response:
    """Steps, energy, distance."""
    return await _batch(session_id, caller, request, "activity")


@router.get("/upload/status", response_model=UploadStatus, response_model_exclude_unset=True)
def status(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """How far the newest processing is."""
    with caller.look() as tx:
        caller.seen_session(tx, session_id, "status")
        query = select(Job).where(Job.session_id == str(session_id), Job.kind == "process")
        job = tx.scalar(query.order_by(Job.created_at.desc()).limit(1))
        if job is None:
            raise Problem(404, "Nothing was uploaded to this session yet.")
        answer = {"status": job.status, "progress": job.progress, "stage": job.stage, "job_id": job.job_id}
        return answer | ({"error": job.error} if job.error else {})


@router.get("/uploads", response_model=UploadsShown)
def uploads(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """What was received, what of it could not be read, and which gaps remain (null before the first processing)."""
    with caller.look() as tx:
        caller.seen_session(tx, session_id, "uploads")
        rows = tx.scalars(select(Upload).where(Upload.session_id == str(session_id)).order_by(Upload.received_at))
        received = [
            {
                "upload_id": row.upload_id,
                "kind": row.kind,
                "name": row.name,
                "bytes": row.bytes,
                "sha256": row.sha256,
                "received_at": iso(row.received_at),
                "error": row.error,
            }
            for row in rows
        ]
    return {"uploads": received, "gaps": _gaps(caller, str(session_id))}


def _gaps(caller: Caller, session_id: str) -> dict[str, Any] | None:
    from store.gaps import gaps

    try:
        return gaps(caller.store, session_id)
    except NotFoundError:
        return None
