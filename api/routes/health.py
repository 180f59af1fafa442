"""Whether the platform is well, and its figures."""

import os
from typing import Any

import httpx
from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.access import State
from api.answers import Health
from api.subject import Subject

router = Subject("health")


@router.get(
    "/health",
    response_model=Health,
    responses={503: {"model": Health, "description": "Something that is needed is away"}},
)
def health(state: State, response: Response) -> dict[str, Any]:
    """The truth about database, store and Prefect; uploads are accepted while Prefect is away."""
    parts = {
        "database": _asked(state.store.catalog.healthy),
        "store": _asked(state.store.blobs.healthy),
        "prefect": _asked(_prefect),
    }
    needed = parts["database"] == "ok" and parts["store"] == "ok"
    response.status_code = 200 if needed else 503
    status = "ok" if set(parts.values()) == {"ok"} else "degraded" if needed else "down"
    return {"status": status, **parts}


def _asked(question: Any) -> str:
    try:
        return "ok" if question() else "away"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is away
        return f"away ({type(error).__name__})"


def _prefect() -> bool:
    url = os.environ.get("PREFECT_API_URL")
    return bool(url) and httpx.get(f"{url}/health", timeout=2).is_success


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Figures for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
