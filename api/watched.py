"""Each request named, counted, timed and logged (never its body, its query or its token), each answer made safe."""

import logging
import time
import uuid
from functools import lru_cache
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("api.access")

REQUESTS = Counter("squash_requests_total", "Requests by route and status", ["method", "route", "status"])
SECONDS = Histogram("squash_request_seconds", "Time to answer by route", ["route"])
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000",
    "Cache-Control": "private, no-store",
}
#: The docs page draws itself with a script and a style of its own.
OPEN_PAGES = ("/docs", "/redoc")
_SAFE = [(name.lower().encode(), value.encode()) for name, value in SAFE.items()]
_POLICY = b"content-security-policy"


class Watched:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, began, status = uuid.uuid4().hex[:12], time.perf_counter(), 500
        scope.setdefault("state", {})["request_id"] = request_id

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _finished(message["headers"], scope, request_id)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            _note(scope, status, time.perf_counter() - began, request_id)


Headers = list[tuple[bytes, bytes]]


def _finished(headers: Headers, scope: Scope, request_id: str) -> Headers:
    """With the request's id, its limits, and what makes it safe where its route said nothing else."""
    said = {name for name, _ in headers}
    safe = [item for item in _SAFE if item[0] not in said]
    if scope["path"] in OPEN_PAGES:
        safe = [item for item in safe if item[0] != _POLICY]
    limits = scope["state"].get("rate_limit", {}).items()
    told = [(name.lower().encode(), value.encode()) for name, value in limits]
    return [*headers, (b"x-request-id", request_id.encode()), *safe, *told]


@lru_cache(1024)
def _counters(method: str, route: str, status: int) -> tuple[Any, Any]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(route)


def _note(scope: Scope, status: int, took_s: float, request_id: str) -> None:
    route = getattr(scope.get("route"), "path", "unknown")
    requests, seconds = _counters(scope["method"], route, status)
    requests.inc()
    seconds.observe(took_s)
    fields = {"request_id": request_id, "method": scope["method"], "route": route, "status": status}
    if log.isEnabledFor(logging.INFO):
        # Not by `info`, which looks for the line that it was called from: that took longer than all of the rest.
        record = logging.LogRecord(log.name, logging.INFO, __file__, 0, "request", None, None)
        record.__dict__.update(fields, ms=round(took_s * 1000, 1))
        log.handle(record)
