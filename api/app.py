"""The API facade: devices and players come in here."""

import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from prometheus_client import Counter, Histogram

from api import problems
from api.routes import auth, devices, health, insights, pages, points, sessions, uploads
from api.state import opened

log = logging.getLogger("api.access")

REQUESTS = Counter("squash_requests_total", "Requests by route and status", ["method", "route", "status"])
SECONDS = Histogram("squash_request_seconds", "Time to answer by route", ["route"])


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.squash = opened()
    yield
    app.state.squash.hands.shutdown(wait=False)


def create_app() -> FastAPI:
    """The application, without a store until it starts."""
    app = FastAPI(title="squashlib", version="2026.1", lifespan=_lifespan, description=__doc__)
    problems.install(app)
    for module in (auth, devices, sessions, uploads, points, insights, health, pages):
        app.include_router(module.router)
    app.middleware("http")(_watched)
    return app


async def _watched(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Count and time each request, name it, and say what browsers may not do with answers."""
    request_id = uuid.uuid4().hex[:12]
    began = time.perf_counter()
    response = await call(request)
    route = getattr(request.scope.get("route"), "path", "unknown")
    REQUESTS.labels(request.method, route, response.status_code).inc()
    SECONDS.labels(route).observe(time.perf_counter() - began)
    log.info("%s %s %s %s", request_id, request.method, route, response.status_code)
    response.headers["X-Request-Id"] = request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    for name, value in getattr(request.state, "rate_limit", {}).items():
        response.headers[name] = value
    return response


app = create_app()
