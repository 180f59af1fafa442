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

    `undo` takes away the point that it names; an `add` that comes again (a lost answer) changes nothing.
    """
    held: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    for event in events:
        if event.op == "add" and event.point_id not in held:
            held[event.point_id] = dict(event.body)
        elif event.op == "edit" and event.point_id in held:
            held[event.point_id] |= event.body
        elif event.op in ("delete", "undo"):
            gone.add(event.point_id)
    kept = [{**body, "point_id": point_id} for point_id, body in held.items() if point_id not in gone]
    return sorted(kept, key=lambda point: str(point.get("timestamp")))
