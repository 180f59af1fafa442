"""Two recordings of one match (watch and chest strap, player and phone): found by overlap, joined at a word."""

import uuid
from datetime import timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.access import Asker, SessionId
from api.answers import Merged, Overlap
from api.problems import ANSWERS, Problem
from api.routes.sessions import shown
from api.subject import Subject
from api.wire import Wire
from store import jobs
from store.tables import SessionRow
from store.uploads import hold_bytes

router = Subject("sessions", "/api/sessions/{session_id}", ANSWERS)

#: Recordings of one match share at least this part of the shorter one; a start time alone says nothing.
MIN_SHARE = 0.5
#: What an unfinished session is taken to last.
OPEN_FOR = timedelta(hours=3)


class Join(Wire):
    """The other recording."""

    other_session_id: uuid.UUID = Field(examples=["0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d"])


def shared_part(one: SessionRow, other: SessionRow) -> float:
    """Overlap of two sessions as a part of the shorter one."""
    ends = [row.end_time or row.start_time + OPEN_FOR for row in (one, other)]
    shorter = min(end - row.start_time for end, row in zip(ends, (one, other), strict=True))
    common = min(ends) - max(one.start_time, other.start_time)
    return max(0.0, common / shorter) if shorter > timedelta(0) else 0.0


@router.get("/overlaps", response_model=list[Overlap])
def overlaps(session_id: SessionId, caller: Asker) -> list[dict[str, Any]]:
    """My other sessions of the same sport that look like recordings of the same match."""
    with caller.look() as tx:
        row = caller.own_session(tx, session_id)
        return [shown(other) | {"overlap": round(shared_part(row, other), 3)} for other in _near(tx, row)]


def _near(tx: Session, row: SessionRow) -> list[SessionRow]:
    day = timedelta(days=1)
    mine = SessionRow.user_id == row.user_id, SessionRow.sport == row.sport, SessionRow.session_id != row.session_id
    when = SessionRow.start_time.between(row.start_time - day, row.start_time + day), SessionRow.deleted_at.is_(None)
    others = tx.scalars(select(SessionRow).where(*mine, *when, SessionRow.linked_to.is_(None)))
    return [other for other in others if shared_part(row, other) >= MIN_SHARE]


@router.post("/merge", status_code=202, response_model=Merged)
def merge(session_id: SessionId, join: Join, caller: Asker) -> dict[str, Any]:
    """Join another recording to this session: each stream comes from the device that measured it better."""
    uploads = caller.store.uploads
    with caller.begin() as tx:
        row = caller.held_session(tx, session_id)
        other = caller.own_session(tx, join.other_session_id)
        if row.session_id == other.session_id or row.linked_to or other.linked_to not in (None, row.session_id):
            raise Problem(409, "A session is joined to one other session, once; these are joined already or the same.")
        if row.sport != other.sport or shared_part(row, other) == 0:
            raise Problem(
                409, "The two sessions do not overlap in time or are of different sports; they are two matches."
            )
        theirs = uploads.of_session(tx, other.session_id)
        hold_bytes(tx, (up.sha256 for up in theirs))
        for up in theirs:
            given = up.kind, up.sha256, up.bytes, up.name, up.content_type
            uploads.journal(tx, row.session_id, caller.user_id, *given)
        other.linked_to = row.session_id
        job_id = jobs.enqueue(tx, "process", row.session_id, caller.user_id).job_id
    caller.state.hand_over(job_id)
    return {"status": "processing", "job_id": job_id, "session_id": str(session_id)}
