"""Corrections: the player says what a rally was, the analysis follows, and every version is kept."""

from typing import Any, Literal, Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from api.access import Asker, SessionId
from api.problems import ANSWERS
from api.wire import Moment, Wire
from store import corrections, jobs

router = APIRouter(prefix="/api/sessions/{session_id}/corrections", tags=["corrections"], responses=ANSWERS)


class Said(Wire):
    """One rally by its time, and what it was."""

    start: Moment
    end: Moment
    what: Literal["no_rally", "me", "opponent", "let"]

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Corrections(Wire):
    """All that holds from now on."""

    corrections: list[Said] = Field(max_length=500)


@router.get("")
def held(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """What holds, and its version; 0 is none yet."""
    with caller.look() as tx:
        row = caller.seen_session(tx, session_id, "corrections")
        found = corrections.newest(tx, row.session_id)
        return {"version": found.version if found else 0, "corrections": found.labels["corrections"] if found else []}


@router.put("", status_code=202)
def put(session_id: SessionId, given: Corrections, caller: Asker) -> dict[str, Any]:
    """Let these hold; the session is analysed anew."""
    with caller.begin() as tx:
        row = caller.own_session(tx, session_id)
        said = [one.model_dump(mode="json") for one in given.corrections]
        made = corrections.replace(tx, row, caller.user_id, said)
        job = jobs.enqueue(tx, "process", row.session_id, caller.user_id)
        version = made.version
    caller.state.hand_over(job.job_id)
    return {"version": version, "job_id": job.job_id}
