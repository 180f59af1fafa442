"""The API facade: devices and players come in here."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from api import dashboard_proxy, idempotency, logs, problems
from api.bodies import Bounded
from api.routes import (
    auth,
    changes,
    corrections,
    dashboards,
    devices,
    events,
    export,
    grants,
    health,
    insights,
    matches,
    pages,
    points,
    research,
    resumable,
    sessions,
    shares,
    statistics,
    uploads,
    watches,
    webhooks,
)
from api.state import opened
from api.watched import Watched

#: A path is looked for in this order: first what watches ask for while a match goes on.
ROUTES = (
    points, sessions, uploads, resumable, insights, changes, events, corrections, shares, matches, auth, devices,
    watches, export, grants, statistics, webhooks, research, health, dashboards, pages,
)  # fmt: skip


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    logs.set_up()
    app.state.squash = opened()
    idempotency.forget_old(app.state.squash)
    gc.collect()
    gc.freeze()  # what lives as long as the server is not looked through again: that kept everybody waiting for 100 ms
    yield
    gc.unfreeze()
    await dashboard_proxy.close(app)
    app.state.squash.hands.shutdown(wait=False)


class Api(FastAPI):
    """FastAPI, with the body of every error in its OpenAPI."""

    def openapi(self) -> dict[str, Any]:
        """The document, with `ProblemBody` among its schemas."""
        if self.openapi_schema is None:
            document = super().openapi()
            schema = problems.ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
            named = {**schema.pop("$defs", {}), "ProblemBody": schema}
            document.setdefault("components", {}).setdefault("schemas", {}).update(named)
        return super().openapi()


def create_app() -> FastAPI:
    """The application, without a store until it starts."""
    app = Api(
        title="squashlib",
        version="2026.1",
        lifespan=_lifespan,
        description=__doc__,
        separate_input_output_schemas=False,  # generators give both one name
    )
    problems.install(app)
    for module in ROUTES:  # one by one: `include_router` would look for each request's path twice
        app.router.routes.extend(module.router.routes)
    app.add_middleware(idempotency.Idempotency)
    app.add_middleware(Bounded)
    app.add_middleware(Watched)
    return app


app = create_app()
