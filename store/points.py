"""Points of a session, folded from their append-only events.

A watch presses one every few seconds of play: what it waits for goes through plain statements, not the ORM.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from squashlib.dual_scoring import settle, source_of
from store.tables import PointEvent, SessionEvent, now
from store.trips import Errand

_POINTS = PointEvent.__table__
EVENTS = (
    select(_POINTS.c.event_id, _POINTS.c.point_id, _POINTS.c.op, _POINTS.c.body)
    .where(_POINTS.c.session_id == bindparam("session_id"))
    .order_by(_POINTS.c.event_id)
)
_APPEND = insert(PointEvent.__table__)  # type: ignore[arg-type]
_TELL = insert(SessionEvent.__table__)  # type: ignore[arg-type]


class Event(Protocol):
    """What of an event its points are folded from."""

    @property
    def event_id(self) -> int:
        """Events count up in the order in which they were taken."""

    @property
    def point_id(self) -> str:
        """The point that it is about."""

    @property
    def op(self) -> str:
        """`add`, `edit`, `delete` or `undo`."""

    @property
    def body(self) -> Mapping[str, Any]:
        """The wire form of a press, or what an undo takes back."""


class Taken(NamedTuple):
    """An event as it lies in the journal."""

    event_id: int
    point_id: str
    op: str
    body: Mapping[str, Any]


def events_of(tx: Session, session_id: str) -> list[Taken]:
    """All events in the order in which they were taken."""
    return taken(tx.connection().execute(EVENTS, {"session_id": session_id}))


def taken(rows: Iterable[Any]) -> list[Taken]:
    """The rows of `EVENTS`."""
    return [Taken._make(row) for row in rows]


def append(
    errand: Errand, session_id: str, user_id: str, point_id: str, op: str, body: Mapping[str, Any],
    *, server_clock: bool,
) -> Taken:  # fmt: skip
    """Append an event, for the journal and for those who watch; its number is 0 until it is read again."""
    moment, common = now(), {"session_id": session_id, "user_id": user_id}
    event = common | {"point_id": point_id, "op": op, "body": body, "server_clock": server_clock}
    errand.tell(_APPEND, event | {"received_at": moment})
    told = {"event": "point", "data": {"point_id": point_id, "op": op}, "created_at": moment}
    errand.tell(_TELL, common | told)
    return Taken(0, point_id, op, body)


def fold(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Presses that hold now, of every device, in wire form, in order of their time: the newest event of each counts.

    `undo` takes back the edit or the removal that it names by its `event_id`, else the point itself; an `add` that
    comes again (a lost answer) changes nothing. What takes a rally away names the other devices' presses of it in
    `also`.
    """
    held: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    for event in standing(events):
        if event.op == "add" and event.point_id not in held:
            held[event.point_id] = dict(event.body)
        elif event.op == "edit" and event.point_id in held:
            held[event.point_id] |= event.body
        elif event.op in ("delete", "undo"):
            gone |= {event.point_id, *event.body.get("also", ())}
    kept = [{**body, "point_id": point_id} for point_id, body in held.items() if point_id not in gone]
    return sorted(kept, key=lambda point: str(point.get("timestamp")))


def standing(events: Iterable[Event]) -> Sequence[Event]:
    """Events without those that were taken back, and without what took them back."""
    events = list(events)
    undone = {event.body["event_id"] for event in events if event.op == "undo" and "event_id" in event.body}
    return [event for event in events if event.event_id not in undone and "event_id" not in event.body]


def counted(events: Iterable[Event], system: str | None = None) -> list[dict[str, Any]]:
    """Of the presses that hold those that count: one for each rally, whichever devices recorded it."""
    presses = fold(events)
    return [press for press, verdict in zip(presses, settle(presses, system), strict=True) if verdict.counts]


def whole_rally(events: Iterable[Event], point_id: str, system: str | None = None) -> dict[str, Any]:
    """What an event that takes `point_id` away says: that the presses which it stood for go with it."""
    presses = fold(events)
    ids = [str(press["point_id"]) for press in presses]
    verdicts = settle(presses, system)
    also = [ids[i] for i, one in enumerate(verdicts) if one.beaten_by is not None and ids[one.beaten_by] == point_id]
    return {"also": also} if also else {}


def to_undo(
    events: Iterable[Event], system: str | None = None, source: str | None = None
) -> tuple[str, dict[str, Any]] | None:
    """What an undo takes back, as point and body of its event: a correction made last, else the last point by time.

    With a `source` only what this device did, so that another's press of the rally counts; without one the rally goes,
    whoever recorded it.
    """
    left = standing(events)
    for event in [event for event in left if event.op == "undo"]:
        removed = {event.point_id, *event.body.get("also", ())}
        left = [event for event in left if event.point_id not in removed]
    if source is not None:
        theirs = {event.point_id for event in left if event.op == "add" and source_of(event.body) == source.lower()}
        left = [event for event in left if event.point_id in theirs]
    if left and left[-1].op in ("edit", "delete"):
        return left[-1].point_id, {"event_id": left[-1].event_id}
    held = counted(left, system)
    if not held:
        return None
    last = str(held[-1]["point_id"])
    return last, whole_rally(left, last, system)
