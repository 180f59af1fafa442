"""Sessions: create, list, look, change, delete."""

import json
import uuid
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import Field, field_validator
from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from api.access import Asker, Caller, SessionId, unknown_session
from api.answers import SessionMade, SessionShown
from api.problems import ANSWERS, Problem, known
from api.subject import Subject
from api.wire import Day, Moment, Wire, in_zone, iso, rendered, storable
from store import jobs
from store.tables import AnalysisRow, PointEvent, SessionRow, Upload, now

router = Subject("sessions", "/api/sessions", ANSWERS)

Kind = Literal["match", "training"]
Score = Annotated[int | None, Field(ge=0, le=99)]


#: Marks metadata that came as a JSON string: its client wants to read a string again.
AS_TEXT = "_as_text"
#: A session without a start time starts by the server's clock and ends by the phone's.
CLOCKS_APART = timedelta(hours=1)


class Editable(Wire):
    """What of a session may be changed at any time."""

    end_time: Moment | None = Field(None, examples=["2026-01-15T11:00:00Z"])
    final_score_me: Score = None
    final_score_opponent: Score = None
    total_games: Score = None
    total_lets: int | None = Field(None, ge=0, le=999)
    notes: str | None = Field(None, max_length=10_000)
    opponent_name: str | None = Field(None, max_length=200)
    location: str | None = Field(None, max_length=200)
    scoring_system: str | None = Field(None, max_length=40)
    metadata: dict[str, Any] | None = Field(None, examples=[{"watch_position": "playing_hand"}])
    summary: dict[str, Any] | None = Field(None, examples=[{"final_score": {"me": 3, "opponent": 1}}])

    @field_validator("metadata", mode="before")
    @classmethod
    def _object(cls, value: Any) -> Any:
        """Deployed clients send metadata as a JSON string."""
        if isinstance(value, str):
            try:
                value = json.loads(value) if value else {}
            except (ValueError, RecursionError) as error:
                raise ValueError("metadata must be an object or a JSON string of one") from error
            value = {**storable(value), AS_TEXT: True} if isinstance(value, dict) else value
        if value is not None and len(json.dumps(value)) > 65_536:
            raise ValueError("metadata must be at most 64 KiB")
        return value


class New(Editable):
    """A session to begin."""

    session_id: uuid.UUID | None = None
    session_type: Kind = "match"
    sport: str = Field("squash", max_length=50)
    start_time: Moment | None = Field(None, examples=["2026-01-15T10:00:00Z"])


_SESSIONS, _ANALYSES = SessionRow.__table__, AnalysisRow.__table__
_ITS_ANALYSIS = (_ANALYSES.c.session_id == _SESSIONS.c.session_id) & (
    _ANALYSES.c.analysis_key == _SESSIONS.c.analysis_key
)
#: A page of somebody's sessions with their figures and the number of all: one plain statement, since apps ask it often.
_PAGE = (
    select(
        *(
            _SESSIONS.c[attribute.columns[0].name].label(attribute.key)
            for attribute in SessionRow.__mapper__.column_attrs
        ),
        _ANALYSES.c.summary.label("figures"),
        func.count().over().label("total"),
    )
    .select_from(_SESSIONS.outerjoin(_ANALYSES, _ITS_ANALYSIS))
    .where(_SESSIONS.c.user_id == bindparam("user_id"), _SESSIONS.c.deleted_at.is_(None))
    .order_by(_SESSIONS.c.start_time.desc(), _SESSIONS.c.session_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)


def shown(row: SessionRow | Row[Any], summary: dict[str, Any] | None = None) -> dict[str, Any]:
    """A session as the API shows it."""
    duration_s = max(0.0, (row.end_time - row.start_time).total_seconds()) if row.end_time else None
    if summary and summary.get("total_session_duration"):
        duration_s = summary["total_session_duration"]
    return {
        "session_id": row.session_id,
        "user_id": row.user_id,
        "session_type": row.session_type,
        "sport": row.sport,
        "scoring_system": row.scoring_system,
        "opponent_name": row.opponent_name,
        "location": row.location,
        "notes": row.notes,
        "start_time": iso(row.start_time),
        "end_time": iso(row.end_time) if row.end_time else None,
        "duration_seconds": duration_s,
        "sync_status": "analysed" if row.analysis_key else "pending",
        "final_score_me": row.final_score_me,
        "final_score_opponent": row.final_score_opponent,
        "total_games": row.total_games,
        "total_lets": row.total_lets,
        "metadata": _metadata(row.details),
        "summary": summary,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }


def _metadata(details: dict[str, Any]) -> dict[str, Any] | str:
    """Metadata in the form in which its client sent it."""
    kept = {name: value for name, value in details.items() if name != AS_TEXT}
    return json.dumps(kept) if AS_TEXT in details else kept


@router.post("", status_code=201, responses=known(SessionMade), response_model=SessionMade)
def create(new: New, caller: Asker, response: Response) -> dict[str, Any]:
    """Begin a session; the same `session_id` again gives the same session."""
    session_id = str(new.session_id or uuid.uuid4())
    row = SessionRow(
        session_id=session_id,
        user_id=caller.user_id,
        session_type=new.session_type,
        sport=new.sport,
        start_time=new.start_time or now(),
    )
    _apply(row, new)
    try:
        with caller.begin() as tx:
            tx.add(row)
    except IntegrityError:  # it came before, perhaps in this very instant
        row = _earlier(caller, session_id)
        response.status_code = 200
    return shown(row) | {"upload_url": f"/api/sessions/{session_id}/upload/fit"}


def _earlier(caller: Caller, session_id: str) -> SessionRow:
    """The caller's session that has this id already; 409 if it is another's, or was deleted."""
    with caller.look() as tx:
        held = tx.get(SessionRow, session_id)
    if held is None or held.user_id != caller.user_id or held.deleted_at is not None:
        raise Problem(409, f"The id {session_id} is taken; choose another.")
    return held


def _apply(row: SessionRow, change: Editable) -> None:
    given = change.model_dump(exclude_unset=True)
    for name in given.keys() & set(Editable.model_fields) - {"metadata", "summary"}:
        setattr(row, name, given[name])
    if given.get("metadata") is not None:
        row.details = {**(row.details or {}), **given["metadata"]}
    score = (given.get("summary") or {}).get("final_score")
    if isinstance(score, dict):
        for name, side in (("final_score_me", "me"), ("final_score_opponent", "opponent")):
            value = score.get(side)
            if isinstance(value, int) and 0 <= value <= 99:
                setattr(row, name, value)
    if row.end_time is not None and row.end_time < row.start_time - CLOCKS_APART:
        raise Problem(422, f"end_time is {iso(row.end_time)}, must not be before start_time {iso(row.start_time)}.")


@router.get("", response_model=list[SessionShown])
def list_sessions(
    caller: Asker,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    session_type: Kind | None = None,
    start_date: Day | None = None,
    end_date: Day | None = None,
) -> Response:
    """My sessions, newest first; `Link` and `X-Total-Count` tell of more. A day begins where I live."""
    page = _PAGE
    if session_type:
        page = page.where(_SESSIONS.c.session_type == session_type)
    for moment, after in ((start_date, True), (end_date, False)):
        if moment is not None:
            edge = in_zone(moment, caller.timezone)
            page = page.where(_SESSIONS.c.start_time >= edge if after else _SESSIONS.c.start_time < edge)
    rows, total = _read(caller, page, {"user_id": caller.user_id, "limit": limit, "offset": offset})
    headers = {"X-Total-Count": str(total)}
    if offset + limit < total:
        headers["Link"] = f'<{request.url.include_query_params(offset=offset + limit)}>; rel="next"'
    return rendered([shown(row, row.figures) for row in rows], headers=headers)


def _read(caller: Caller, page: Select[Any], values: dict[str, Any]) -> tuple[list[Any], int]:
    """The rows of a page, and how many there are in all."""
    rows = caller.store.catalog.at_once((page, values))[0]
    if rows or not values["offset"]:
        return rows, rows[0].total if rows else 0
    first = caller.store.catalog.glance(page, values | {"limit": 1, "offset": 0})  # beyond the last page
    return [], first.total if first else 0


def _summaries(tx: Any, rows: list[SessionRow]) -> dict[str, dict[str, Any]]:
    keys = [row.analysis_key for row in rows if row.analysis_key]
    found = tx.scalars(select(AnalysisRow).where(AnalysisRow.analysis_key.in_(keys)))
    return {row.session_id: row.summary for row in found}


@router.get("/{session_id}", response_model=SessionShown)
def get(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """One session with its figures."""
    with caller.look() as tx:
        row = caller.seen_session(tx, session_id, "session")
        return shown(row, _summaries(tx, [row]).get(row.session_id))


def _update(session_id: uuid.UUID, change: Editable, caller: Caller) -> dict[str, Any]:
    with caller.begin() as tx:
        row = caller.held_session(tx, session_id)
        _apply(row, change)
        tx.flush()
        if "end_time" in change.model_fields_set and _has_content(tx, row):
            # Not handed over: the recording usually follows at once and joins this job; if none does, the workers
            # find the job themselves.
            jobs.enqueue(tx, "process", row.session_id, caller.user_id)
        return shown(row, _summaries(tx, [row]).get(row.session_id))


def _has_content(tx: Any, row: SessionRow) -> bool:
    """Whether there is anything to analyse."""
    return any(
        tx.scalar(select(table.session_id).where(table.session_id == row.session_id).limit(1))
        for table in (Upload, PointEvent)
    )


@router.put("/{session_id}", response_model=SessionShown)
def put(session_id: SessionId, change: Editable, caller: Asker) -> dict[str, Any]:
    """Change a session."""
    return _update(session_id, change, caller)


@router.patch("/{session_id}", response_model=SessionShown)
def patch(session_id: SessionId, change: Editable, caller: Asker) -> dict[str, Any]:
    """Change a session."""
    return _update(session_id, change, caller)


@router.delete("/{session_id}", status_code=204)
def delete(session_id: SessionId, caller: Asker, purge: bool = False) -> None:
    """Delete a session; with `purge` everything of it is erased for good, of one that was deleted before too."""
    with caller.begin() as tx:
        row = tx.get(SessionRow, str(session_id))
        if row is None or row.user_id != caller.user_id or (row.deleted_at is not None and not purge):
            raise unknown_session(session_id)
        row.deleted_at = row.deleted_at or now()
    if purge:
        from store.erasure import erase_session

        erase_session(caller.state.store, str(session_id))
