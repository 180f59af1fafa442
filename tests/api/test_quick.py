"""A quick route answers as FastAPI's own would, whatever comes in."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Response
from fastapi.routing import APIRoute

from api import problems
from api.access import SessionId
from api.quick import QuickRoute
from api.routes.points import Press
from api.wire import rendered

ID = "0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d"
JSON = {"content-type": "application/json"}


async def press(session_id: SessionId, press: Press, superseded: bool = False) -> Response:
    return rendered({"session_id": str(session_id), "superseded": superseded, "press": press.model_dump(mode="json")})


async def look(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    kind: Literal["match", "training"] | None = None,
    after: datetime | None = None,
) -> Response:
    return rendered({"limit": limit, "kind": kind, "after": after})


def app(route_class: type[APIRoute]) -> FastAPI:
    router = APIRouter(route_class=route_class)
    router.add_api_route("/sessions/{session_id}/points", press, methods=["POST"], response_model=None)
    router.add_api_route("/sessions", look, methods=["GET"], response_model=None)
    made = FastAPI()
    problems.install(made)
    made.router.routes.extend(router.routes)
    return made


QUICK, PLAIN = app(QuickRoute), app(APIRoute)


async def asked(of: FastAPI, method: str, url: str, given: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(of), base_url="http://here") as client:
        return await client.request(method, url, **given)


def answers(method: str, url: str, **given: Any) -> list[httpx.Response]:
    return [asyncio.run(asked(of, method, url, given)) for of in (QUICK, PLAIN)]


def both(method: str, url: str, **given: Any) -> tuple[int, Any]:
    quick, plain = ((one.status_code, one.json()) for one in answers(method, url, **given))
    assert quick == plain
    return quick


def test_only_one_of_them_is_quick() -> None:
    made = [
        {route.app.__closure__[0].cell_contents.__module__ for route in of.routes if isinstance(route, APIRoute)}
        for of in (QUICK, PLAIN)
    ]
    assert made == [{"api.quick"}, {"fastapi.routing"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"winner":"me"}', 200),
        (b'{"winner":"me","score_me_before":3.0,"is_let":"TRUE","hr_at_point_end":"151"}', 200),
        (b'{"winner":"nobody","score_me_before":-1}', 422),
        (b'{"point_id":"%s","timestamp":"2026-01-15T10:15:23Z","other":[1]}' % ID.encode(), 200),
        (b'{"point_id":"no","timestamp":"yesterday"}', 422),
        (b'{"source":"%s"}' % (b"x" * 41), 422),
        (b'{"winner":null,"hr_at_point_end":NaN}', 422),
        (b'{"source":"a\\u0000b"}', 422),
        (b'{"score_after":{"me":5,"opponent":"x"}}', 422),
        (b"[]", 422),
        (b"null", 422),
        (b"", 422),
        (b"7", 422),
    ],
)
def test_bodies(body: bytes, status: int) -> None:
    assert both("POST", f"/sessions/{ID}/points", content=body, headers=JSON)[0] == status


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/vnd.press+json", "text/plain", "application/xml", "x", ""]
)
def test_media_types(kind: str) -> None:
    both("POST", f"/sessions/{ID}/points", content=b'{"winner":"me"}', headers={"content-type": kind})


@pytest.mark.parametrize("body", [b"{", b'{"winner":"me"', b"\xff", b'{"winner":"me"}}', b'{"source":"\\ud800"}'])
def test_what_is_no_json_is_refused_by_both(body: bytes) -> None:
    """In their own words, since their readers differ."""
    for answer in answers("POST", f"/sessions/{ID}/points", content=body, headers=JSON):
        assert answer.status_code in (400, 422)


@pytest.mark.parametrize("name", ["no-uuid", ID.upper(), f"{{{ID}}}", "1"])
def test_paths(name: str) -> None:
    both("POST", f"/sessions/{name}/points?superseded=yes", content=b"{}", headers=JSON)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=7", "limit=x&kind=x&after=x", "limit=1&limit=2", "limit=", "kind=match&after=2026-01-15", "a=1"],
)  # fmt: skip
def test_queries(query: str) -> None:
    both("GET", f"/sessions?{query}")


def test_the_documents_are_the_same() -> None:
    assert QUICK.openapi() == PLAIN.openapi()
