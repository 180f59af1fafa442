"""Corrections: the player says what a rally was, the analysis follows, and every version is kept."""

from typing import Literal, Self

from pydantic import Field, model_validator

from api.access import Asker, SessionId
from api.problems import ANSWERS
from api.subject import Subject
from api.wire import Moment, Wire
from store import corrections, jobs

router = Subject("corrections", "/api/sessions/{session_id}/corrections", ANSWERS)


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


EXAMPLE = {"start": "2026-01-12T19:20:00.000Z", "end": "2026-01-12T19:20:09.500Z", "what": "no_rally"}


class Corrections(Wire):
    """All that holds from now on."""

    corrections: list[Said] = Field(max_length=500, examples=[[EXAMPLE]])


class Held(Wire):
    """What holds now; `version` counts changes, 0 is none yet."""

    version: int
    corrections: list[Said]


class Taken(Wire):
    """The new version, and the job that analyses the session by it."""

    version: int
    job_id: str


@router.get("")
def held(session_id: SessionId, caller: Asker) -> Held:
    """What holds, and its version; 0 is none yet."""
    with caller.look() as tx:
        row = caller.seen_session(tx, session_id, "corrections")
        found = corrections.newest(tx, row.session_id)
        said = found.labels["corrections"] if found else []
        return Held(version=found.version if found else 0, corrections=said)


@router.put("", status_code=202)
def put(session_id: SessionId, given: Corrections, caller: Asker) -> Taken:
    """Let these hold; the session is analysed anew."""
    with caller.begin() as tx:
        row = caller.own_session(tx, session_id)
        said = [one.model_dump(mode="json") for one in given.corrections]
        made = corrections.replace(tx, row, caller.user_id, said)
        job = jobs.enqueue(tx, "process", row.session_id, caller.user_id)
        version = made.version
    caller.state.hand_over(job.job_id)
    return Taken(version=version, job_id=job.job_id)
