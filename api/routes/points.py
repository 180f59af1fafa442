"""Points: pressed on a watch or by a referee, corrected, undone; what breaks the laws is flagged, never refused."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BeforeValidator, Field

from api.access import Asker, Caller, OwnSession, SessionId
from api.answers import PointShown
from api.problems import ANSWERS, Problem, known
from api.subject import Subject
from api.wire import Moment, Wire, iso, rendered
from squashlib.dual_scoring import settle, source_of
from squashlib.scoring import parse_points, referee
from store import jobs
from store.points import Taken, append, events_of, fold, to_undo, whole_rally
from store.tables import SessionRow, now
from store.trips import Errand

router = Subject("points", "/api/sessions/{session_id}/points", ANSWERS)

Score = Annotated[int | None, Field(ge=0, le=99)]


def _flag(value: Any) -> Any:
    """Deployed clients send "true" and "false", and read them back."""
    if value is None:
        return False
    return value.lower() if isinstance(value, str) else value


class After(Wire):
    """The score after a point."""

    me: Score = None
    opponent: Score = None


class Press(Wire):
    """One press on the watch."""

    point_id: uuid.UUID | None = None
    timestamp: Moment | None = Field(None, examples=["2026-01-15T10:15:23Z"])
    winner: Literal["me", "opponent"] | None = Field(None, examples=["me"])
    score_me_before: Score = None
    score_opponent_before: Score = None
    score_me_after: Score = None
    score_opponent_after: Score = None
    score_after: After | None = None
    game_number: Annotated[int | None, Field(ge=1, le=99)] = None
    is_let: Annotated[bool | Literal["true", "false"], BeforeValidator(_flag)] = False
    hr_at_point_end: float | None = Field(None, ge=0, le=300)
    source: str | None = Field(None, max_length=40, examples=["watch", "phone", "referee"])


def _body(press: Press) -> dict[str, Any]:
    given = press.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"point_id"})
    after = given.pop("score_after", None) or {}
    for name, side in (("score_me_after", "me"), ("score_opponent_after", "opponent")):
        if after.get(side) is not None:
            given.setdefault(name, after[side])
    return given


def _shown(point: dict[str, Any], session_id: Any, number: int, flags: tuple[str, ...] = ()) -> dict[str, Any]:
    names = (
        "score_me_before",
        "score_opponent_before",
        "score_me_after",
        "score_opponent_after",
        "game_number",
        "winner",
    )
    after = {"me": point.get("score_me_after"), "opponent": point.get("score_opponent_after")}
    return {
        **dict.fromkeys(names),
        "is_let": False,
        **point,
        "score_after": after,
        "source": source_of(point),
        "session_id": str(session_id),
        "point_number": number,
        "flags": list(flags),
    }


def _held(events: list[Taken], row: OwnSession | SessionRow) -> list[dict[str, Any]]:
    """Presses that hold, with the laws' flags; those that another device's press stands for are flagged and named."""
    presses = fold(events)
    verdicts = settle(presses, row.scoring_system)
    counting = [(i, presses[i]) for i, verdict in enumerate(verdicts) if verdict.counts]
    rulings = referee(parse_points([press for _, press in counting], row.start_time), row.scoring_system).rulings
    shown: dict[int, dict[str, Any]] = {}
    for number, ((i, press), ruling) in enumerate(zip(counting, rulings, strict=True), 1):
        flags = (*ruling.flags, "sources_disagree") if verdicts[i].disputed else ruling.flags
        shown[i] = _shown(press, row.session_id, number, flags)
    for i, verdict in enumerate(verdicts):
        if verdict.beaten_by is not None:
            better = shown[verdict.beaten_by]
            beaten = _shown(presses[i], row.session_id, better["point_number"], ("superseded",))
            shown[i] = beaten | {"superseded_by": better["point_id"]}
    return [shown[i] for i in range(len(presses))]


def _settled(caller: Caller, errand: Errand, row: OwnSession) -> str | None:
    """Once a session is analysed, a later point changes its analysis."""
    if row.revision is None:
        return None
    return jobs.enqueue(errand, "process", row.session_id, caller.user_id).job_id


@router.post("", status_code=201, responses=known(PointShown), response_model=PointShown)
def add(session_id: SessionId, press: Press, caller: Asker) -> Response:
    """Record a point; the same `point_id` again is the same point. Without `timestamp` the server's clock counts."""
    if press.winner is None and str(press.is_let).lower() != "true":
        raise Problem(422, "winner is missing, must be 'me' or 'opponent' for a point that is no let.")
    point_id = str(press.point_id or uuid.uuid4())
    body = _body(press)
    body.setdefault("timestamp", iso(now()))
    with caller.errand() as errand:
        row, events = caller.held(errand, session_id)
        if press.point_id is None:
            point_id = _repeated(events, press, body) or point_id
        again = _is_known(events, point_id, body, press)
        job_id = None
        if not again:
            clock = press.timestamp is None
            events.append(append(errand, row.session_id, row.user_id, point_id, "add", body, server_clock=clock))
            job_id = _settled(caller, errand, row)
        held = _held(events, row)
    caller.state.hand_over(job_id)
    found = next((point for point in held if point["point_id"] == point_id), None)
    found = found or _shown({**body, "point_id": point_id}, session_id, len(held))
    return rendered(found, 200 if again else 201)


def _is_known(events: list[Taken], point_id: str, body: dict[str, Any], press: Press) -> bool:
    """Whether this point was sent before; 409 if it was another one."""
    first = next((event for event in events if event.point_id == point_id and event.op == "add"), None)
    if first is None:
        return False
    skipped = {"timestamp"} if press.timestamp is None else set()
    if any(first.body.get(name) != value for name, value in body.items() if name not in skipped):
        raise Problem(409, f"Point {point_id} was sent before with other content; correct it with PUT.")
    return True


def _repeated(events: list[Taken], press: Press, body: dict[str, Any]) -> str | None:
    """The last point, if this one is word for word the same: a lost answer, since no two rallies end at one score."""
    scored = press.score_me_after is not None and press.score_opponent_after is not None
    if not scored or press.timestamp is not None or str(press.is_let).lower() == "true":
        return None
    held = [point for point in fold(events) if point.get("source") == body.get("source")]
    last = {name: value for name, value in held[-1].items() if name not in ("timestamp", "point_id")} if held else None
    same = {name: value for name, value in body.items() if name != "timestamp"} == last
    return str(held[-1]["point_id"]) if same else None


@router.get("", response_model=list[PointShown])
def list_points(session_id: SessionId, caller: Asker, superseded: bool = False) -> Response:
    """The points that count, in order, with what the laws find odd; with `superseded` every device's presses."""
    with caller.look() as tx:
        row = caller.seen_session(tx, session_id, "points")
        held = _held(events_of(tx, row.session_id), row)
    return rendered([point for point in held if superseded or point.get("superseded_by") is None])


@router.delete("/last", status_code=204)
def undo(session_id: SessionId, caller: Asker, source: Annotated[str | None, Query(max_length=40)] = None) -> None:
    """Undo what was done last: a correction gives the earlier values back, else the last rally goes.

    With `source` only what that device did last, so that another's press of the rally counts.
    """
    with caller.errand() as errand:
        row, events = caller.held(errand, session_id)
        found = to_undo(events, row.scoring_system, source)
        if found is None:
            raise Problem(404, "There is no point to undo.")
        append(errand, row.session_id, row.user_id, found[0], "undo", found[1], server_clock=True)
        job_id = _settled(caller, errand, row)
    caller.state.hand_over(job_id)


@router.put("/{point_id}", response_model=PointShown)
def edit(session_id: SessionId, point_id: uuid.UUID, press: Press, caller: Asker) -> dict[str, Any]:
    """Correct a point; what was there before stays in the history."""
    with caller.errand() as errand:
        row, events = caller.held(errand, session_id)
        _must_hold(events, point_id)
        body = _body(press)
        events.append(append(errand, row.session_id, row.user_id, str(point_id), "edit", body, server_clock=False))
        job_id = _settled(caller, errand, row)
        held = _held(events, row)
    caller.state.hand_over(job_id)
    return next(point for point in held if point["point_id"] == str(point_id))


@router.delete("/{point_id}", status_code=204)
def remove(session_id: SessionId, point_id: uuid.UUID, caller: Asker) -> None:
    """Take a point away, with every device's press of it."""
    with caller.errand() as errand:
        row, events = caller.held(errand, session_id)
        _must_hold(events, point_id)
        body = whole_rally(events, str(point_id), row.scoring_system)
        append(errand, row.session_id, row.user_id, str(point_id), "delete", body, server_clock=True)
        job_id = _settled(caller, errand, row)
    caller.state.hand_over(job_id)


def _must_hold(events: list[Taken], point_id: uuid.UUID) -> None:
    """404 if the point is none that holds."""
    if not any(point["point_id"] == str(point_id) for point in fold(events)):
        raise Problem(404, f"There is no point {point_id} in this session.")
