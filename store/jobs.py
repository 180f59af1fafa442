"""Jobs: an outbox row is the promise that work will be done; a lock row says by whom it is being done."""

import hashlib
import os
import socket
import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from store.catalog import Catalog
from store.tables import Job, Lock, SessionEvent, SessionRow, now
from store.trips import Errand

STALE = timedelta(seconds=60)  # a lock that has not beaten for this long may be taken over
MAX_ATTEMPTS = 3


#: As a job begins.
NEW = {"status": "queued", "stage": "queued", "progress": 0, "attempts": 0}


class Promise(NamedTuple):
    """A job that will be done."""

    job_id: str


_JOBS: Any = Job.__table__
_WAITING = (
    select(_JOBS.c.job_id)
    .where(_JOBS.c.session_id == bindparam("of"), _JOBS.c.kind == bindparam("what"), _JOBS.c.status == "queued")
    .with_for_update(read=True)
)
_LOCKS: Any = Lock.__table__
#: Two who ask at the same instant make one row: the index lets no second in, and nobody fails by it.
_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_PROMISE = {name: made(_JOBS).on_conflict_do_nothing().returning(_JOBS.c.job_id) for name, made in _INSERT.items()}
_TAKE = {name: made(_LOCKS).on_conflict_do_nothing().returning(_LOCKS.c.name) for name, made in _INSERT.items()}


def enqueue(tx: Session | Errand, kind: str, session_id: str | None, user_id: str | None) -> Promise:
    """Promise work in the caller's transaction; a session's job that nobody has begun is used again.

    The job found is held until the caller commits, so that no worker begins it without seeing the caller's changes.
    """
    errand = tx if isinstance(tx, Errand) else Errand.within(tx)
    promise = _PROMISE[errand.connection.dialect.name]
    while True:
        job = {"job_id": str(uuid.uuid4()), "session_id": session_id, "user_id": user_id, "kind": kind}
        made, waiting = errand.ask((promise, job | NEW | _dated()), (_WAITING, {"of": session_id, "what": kind}))
        if found := made or waiting:
            return Promise._make(found[0])


def _dated() -> dict[str, Any]:
    return dict.fromkeys(("created_at", "updated_at"), now())


def holder() -> str:
    """Name the running process: where process numbers hold, its number, and something no two holders share."""
    return f"{_place()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


@cache
def _place() -> str:
    """The host, and on Linux this boot of it and this namespace of process numbers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        inside = hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:8]
    except OSError:
        inside = "?"
    return f"{socket.gethostname()}/{inside}"


def is_dead(who: str) -> bool:
    """Whether a holder surely died: its process was one of this machine's and is not there any more."""
    place, _, number = who.rpartition(":")[0].rpartition(":")
    if place != _place() or place.endswith("?"):
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def lock(catalog: Catalog, name: str, who: str) -> bool:
    """Take a lock; one that has not beaten for a minute, or whose holder's process is gone, is taken over."""
    return _take(catalog, name, who) or (_freed(catalog, name) and _take(catalog, name, who))


def _take(catalog: Catalog, name: str, who: str) -> bool:
    with catalog.begin() as tx:
        row = {"name": name, "holder": who, "beaten_at": now()}
        return tx.execute(_TAKE[tx.get_bind().dialect.name], row).first() is not None


def _freed(catalog: Catalog, name: str) -> bool:
    """Whether the lock's holder was found dead, and the lock taken from it."""
    with catalog.begin() as tx:
        held = tx.get(Lock, name)
        if held is not None and not (held.beaten_at < now() - STALE or is_dead(held.holder)):
            return False
        if held is not None:
            tx.execute(delete(Lock).where(Lock.name == name, Lock.holder == held.holder))
        return True


def of(session_id: str) -> str:
    """Name of a session's lock."""
    return f"session:{session_id}"


def alive(catalog: Catalog, names: Iterable[str]) -> bool:
    """Whether any of these locks is held by somebody who has beaten within a minute."""
    with catalog.look() as tx:
        held = select(Lock.name).where(Lock.name.in_(list(names)), Lock.beaten_at > now() - STALE)
        return tx.scalar(held.limit(1)) is not None


def beat(catalog: Catalog, name: str, who: str) -> bool:
    """Say that the holder lives; False if the lock was taken over."""
    with catalog.begin() as tx:
        done = tx.execute(update(Lock).where(Lock.name == name, Lock.holder == who).values(beaten_at=now()))
        return bool(done.rowcount)  # type: ignore[attr-defined]


def unlock(catalog: Catalog, name: str, who: str) -> None:
    """Give a lock back."""
    with catalog.begin() as tx:
        tx.execute(delete(Lock).where(Lock.name == name, Lock.holder == who))


def start(catalog: Catalog, job_id: str) -> Job | None:
    """Count an attempt and mark the job as processing; None if it is done, or has failed too often."""
    with catalog.begin() as tx:
        job = tx.get(Job, job_id)
        if job is None or job.status in ("completed", "failed"):
            return None
        if job.attempts >= MAX_ATTEMPTS:
            _close(tx, job, "failed", job.error or f"gave up: its worker died in each of {job.attempts} attempts")
            return None
        job.attempts += 1
        job.status, job.stage = "processing", "started"
        _tell(tx, job)
        return job


def label(catalog: Catalog, job_id: str) -> str:
    """A job for people to read, without a player's name: its session's id and date."""
    with catalog.look() as tx:
        job = tx.get(Job, job_id)
        session = tx.get(SessionRow, job.session_id) if job is not None and job.session_id is not None else None
        return f"job {job_id}" if session is None else f"session {session.session_id} {session.start_time.date()}"


def session_of(catalog: Catalog, job_id: str) -> str | None:
    """The session of a job that is still to be done, None for one that is not."""
    with catalog.begin() as tx:
        job = tx.get(Job, job_id)
        return None if job is None or job.status in ("completed", "failed") else job.session_id


def progress(catalog: Catalog, job_id: str, stage: str, percent: int) -> None:
    """Move a job on, for everybody who watches."""
    with catalog.begin() as tx:
        job = tx.get(Job, job_id)
        if job is not None and job.status == "processing":
            job.stage, job.progress = stage, percent
            _tell(tx, job)


def postpone(catalog: Catalog, job_id: str, error: str, *, counts: bool) -> None:
    """Put a job back to be tried again; `counts` False if the attempt was none of its own fault (a full disk)."""
    with catalog.begin() as tx:
        job = tx.get(Job, job_id)
        if job is not None and job.status == "processing":
            job.status, job.error = "queued", error
            job.attempts -= 0 if counts else 1
            _tell(tx, job)


def finish(catalog: Catalog, job_id: str) -> None:
    """The work is done."""
    with catalog.begin() as tx:
        if (job := tx.get(Job, job_id)) is not None:
            job.progress = 100
            _close(tx, job, "completed", None)


def fail(catalog: Catalog, job_id: str, error: str) -> None:
    """The work cannot be done; the error is for the player to read."""
    with catalog.begin() as tx:
        if (job := tx.get(Job, job_id)) is not None:
            _close(tx, job, "failed", error)


def waiting(catalog: Catalog, older_s: float) -> Sequence[Job]:
    """Jobs that were promised, or begun, and not moved for a while: their worker never came, or died.

    Those that a worker already died of come last, so that they cost no other its turn.
    """
    with catalog.begin() as tx:
        late = now() - timedelta(seconds=older_s)
        query = select(Job).where(Job.status.in_(("queued", "processing")), Job.updated_at < late)
        return list(tx.scalars(query.order_by(Job.attempts, Job.created_at).limit(500)))


def _close(tx: Session, job: Job, status: str, error: str | None) -> None:
    job.status, job.error, job.finished_at = status, error, now()
    job.stage = "done" if status == "completed" else job.stage
    _tell(tx, job)


def _tell(tx: Session, job: Job) -> None:
    if job.session_id is None or job.user_id is None:
        return
    data = {"job_id": job.job_id, "status": job.status, "stage": job.stage, "progress": job.progress}
    tx.add(SessionEvent(session_id=job.session_id, user_id=job.user_id, event="job", data=data))
