"""What happens to a session, as server-sent events: jobs, points, insights."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header
from sqlalchemy import select
from sse_starlette import EventSourceResponse, JSONServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.access import Asker, Caller, SessionId
from api.problems import ANSWERS
from api.subject import Subject
from api.wire import iso
from store.tables import SessionEvent

router = Subject("events", "/api/sessions/{session_id}", ANSWERS)

POLL_S = 0.5
HEARTBEAT_S = 15
#: Before anything is told, and at least so often, it is looked whether the caller may still know.
LOOK_AGAIN_S = 20.0
#: Then the client comes again, with a token that is good by then.
LIFE_S = 3600
STREAM: dict[int | str, dict[str, Any]] = {200: {"description": "Events", "content": {"text/event-stream": {}}}}


@router.get("/events", response_class=EventSourceResponse, responses=STREAM)
def events(
    session_id: SessionId, caller: Asker, last_event_id: Annotated[str | None, Header(max_length=20)] = None
) -> EventSourceResponse:
    """A stream from the beginning, or from what `Last-Event-ID` names; a comment each 15 s says that it lives."""
    with caller.look() as tx:
        caller.seen_session(tx, session_id, "events")
    after = int(last_event_id) if last_event_id and last_event_id.isdecimal() else 0
    return EventSourceResponse(_stream(caller, str(session_id), min(after, 1 << 62)), ping=HEARTBEAT_S)


async def _stream(caller: Caller, session_id: str, after: int) -> AsyncIterator[JSONServerSentEvent]:
    began = looked = time.monotonic()
    while time.monotonic() - began < LIFE_S:
        found = await run_in_threadpool(_read, caller, session_id, after)
        if found or time.monotonic() - looked > LOOK_AGAIN_S:
            looked = time.monotonic()
            if not await run_in_threadpool(caller.still_sees, session_id):
                return
        for event in found:
            after = event.event_id
            data = {**event.data, "at": iso(event.created_at)}
            yield JSONServerSentEvent(data, event=event.event, id=str(after))
        await asyncio.sleep(POLL_S)


def _read(caller: Caller, session_id: str, after: int) -> list[SessionEvent]:
    query = select(SessionEvent).where(SessionEvent.session_id == session_id, SessionEvent.event_id > after)
    with caller.look() as tx:
        return list(tx.scalars(query.order_by(SessionEvent.event_id).limit(500)))
