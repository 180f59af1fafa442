"""Sessions of players who agreed to research: under pseudonyms, without names, places or notes."""

import uuid
from typing import Annotated, Any

from fastapi import Query

from api.access import Asker, Caller
from api.answers import ResearchSession
from api.answers_analysis import AnalysisShown
from api.problems import ANSWERS, Problem
from api.subject import Subject
from api.wire import iso
from store.pseudonym import pseudonym as known_as
from store.tables import AccessLog, SessionRow

router = Subject("research", "/api/research", ANSWERS)


def pseudonym(caller: Caller, what: str) -> str:
    """The id under which researchers know a session or player, in the lab too."""
    return known_as(caller.state.secret_key, what)


def _consented(caller: Caller) -> list[SessionRow]:
    if caller.role not in ("researcher", "admin"):
        raise Problem(403, "This is for researchers; ask an administrator for the role.")
    return caller.state.store.sessions.find(consented=True, limit=10_000)


@router.get("/sessions", response_model=list[ResearchSession])
def list_sessions(
    caller: Asker,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> list[dict[str, Any]]:
    """Consented sessions that are analysed, under pseudonyms."""
    rows = [row for row in _consented(caller) if row.analysis_key]
    return [_shown(caller, row) for row in rows[offset : offset + limit]]


def _shown(caller: Caller, row: SessionRow) -> dict[str, Any]:
    return {
        "session_id": pseudonym(caller, row.session_id),
        "player_id": pseudonym(caller, row.user_id),
        "session_type": row.session_type,
        "sport": row.sport,
        "month": iso(row.start_time)[:7],
    }


@router.get("/sessions/{session_id}/analysis", response_model=AnalysisShown)
def analysis(session_id: uuid.UUID, caller: Asker) -> dict[str, Any]:
    """The analysis of a consented session, without what names its player, device or day."""
    from store.research import undated

    row = next((row for row in _consented(caller) if pseudonym(caller, row.session_id) == str(session_id)), None)
    if row is None or row.analysis_key is None:
        raise Problem(404, f"There is no consented session {session_id}.")
    with caller.state.store.catalog.begin() as tx:
        tx.add(AccessLog(actor_id=caller.user_id, user_id=row.user_id, session_id=row.session_id, what="research"))
    document = caller.state.store.sessions.analysis(row.session_id).document
    return undated(document) | {"session_id": str(session_id)}
