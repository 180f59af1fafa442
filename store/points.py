"""Points of a session, folded from their append-only events."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import PointEvent


def events_of(tx: Session, session_id: str) -> list[PointEvent]:
    """All events in the order in which they were taken."""
    query = select(PointEvent).where(PointEvent.session_id == session_id).order_by(PointEvent.event_id)
    return list(tx.scalars(query))


def fold(events: Iterable[PointEvent]) -> list[dict[str, Any]]:
    """Points that hold now, in wire form, in order of their time: the newest event of a point counts.

    `undo` takes back the edit or the removal that it names by its `event_id`, else the point itself; an `add` that
    comes again (a lost answer) changes nothing.
    """
    held: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    for event in standing(events):
        if event.op == "add" and event.point_id not in held:
            held[event.point_id] = dict(event.body)
        elif event.op == "edit" and event.point_id in held:
            held[event.point_id] |= event.body
        elif event.op in ("delete", "undo"):
            gone.add(event.point_id)
    kept = [{**body, "point_id": point_id} for point_id, body in held.items() if point_id not in gone]
    return sorted(kept, key=lambda point: str(point.get("timestamp")))


def standing(events: Iterable[PointEvent]) -> list[PointEvent]:
    """Events without those that were taken back, and without what took them back."""
    events = list(events)
    undone = {event.body["event_id"] for event in events if event.op == "undo" and "event_id" in event.body}
    return [event for event in events if event.event_id not in undone and "event_id" not in event.body]


def to_undo(events: Iterable[PointEvent]) -> tuple[str, dict[str, Any]] | None:
    """What an undo takes back, as point and body of its event: a correction made last, else the last point by time."""
    left = standing(events)
    removed = {event.point_id for event in left if event.op == "undo"}
    left = [event for event in left if event.point_id not in removed]
    if left and left[-1].op in ("edit", "delete"):
        return left[-1].point_id, {"event_id": left[-1].event_id}
    held = fold(left)
    return (held[-1]["point_id"], {}) if held else None
