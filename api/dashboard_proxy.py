"""To Voilà and back: only what a page needs goes through, and who asks is told by us alone.

Request headers are chosen, not filtered, so a client's own copy of a trusted header never arrives.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI, WebSocket
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.problems import Problem

SENT = ("accept", "accept-encoding", "if-none-match", "if-modified-since", "content-type")
GIVEN = ("content-type", "content-encoding", "content-length", "etag", "last-modified")
AWAY = "Dashboards are starting or away; try again in a moment. Reports are there meanwhile."
MAX_MESSAGE = 64 << 20
Still = Callable[[], Awaitable[bool]]
#: How often an open page's login is looked at again.
LOOK_AGAIN_S = 20.0


@dataclass(frozen=True)
class Door:
    """Where Voilà listens and the secret of its start."""

    url: str
    secret: str
    views: Path

    @classmethod
    def of(cls, home: Path) -> "Door":
        """The door that `flows.dashboards` made; 503 while there is none."""
        folder = home.absolute() / "dashboards"
        try:
            held = json.loads((folder / "door.json").read_text())
        except FileNotFoundError:
            raise Problem(503, AWAY, {"Retry-After": "5"}) from None
        return cls(held["url"], held["secret"], folder / "views")

    def headers(self, user_id: str, view: str = "") -> dict[str, str]:
        """What Voilà trusts."""
        known = {"X-Squash-Secret": self.secret, "X-Squash-User": user_id}
        return known | {"X-Squash-View": view} if view else known

    def new_view(self) -> Path:
        """A private folder for one page view."""
        folder = self.views / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        return folder


def client(app: FastAPI) -> httpx.AsyncClient:
    """The application's connections to Voilà."""
    held: httpx.AsyncClient | None = getattr(app.state, "dashboards", None)
    if held is None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
        held = app.state.dashboards = httpx.AsyncClient(timeout=httpx.Timeout(120), limits=limits)
    return held


async def close(app: FastAPI) -> None:
    """Close them."""
    if getattr(app.state, "dashboards", None) is not None:
        await app.state.dashboards.aclose()


async def keep_seat(app: FastAPI, door: Door, user_id: str) -> int:
    """How many wait before this user; with 0 the next page is theirs."""
    try:
        answer = await client(app).post(f"{door.url}/dashboards/seat", headers=door.headers(user_id))
    except httpx.HTTPError:
        raise Problem(503, AWAY, {"Retry-After": "5"}) from None
    if answer.status_code != 200:
        raise Problem(503, AWAY, {"Retry-After": "5"})
    return int(answer.json()["before"])


async def forward(
    request: Request, door: Door, path: str, user_id: str, *, view: str = "", extra: Mapping[str, str] | None = None
) -> Response:
    """Pass a request on and its answer back as it comes."""
    held = client(request.app)
    headers = {name: request.headers[name] for name in SENT if name in request.headers} | door.headers(user_id, view)
    asked = held.build_request(request.method, door.url + path, headers=headers, content=await request.body())
    try:
        answer = await held.send(asked, stream=True)
    except httpx.HTTPError:
        raise Problem(503, AWAY, {"Retry-After": "5"}) from None
    if answer.status_code >= 400:
        await answer.aclose()
        raise _refused(answer.status_code)
    given = {name: answer.headers[name] for name in GIVEN if name in answer.headers} | dict(extra or {})
    return StreamingResponse(_pieces(answer), answer.status_code, given)


def _refused(status: int) -> Problem:
    if status in (403, 404):
        return Problem(404, "There is no such dashboard of yours; open it again from your list of sessions.")
    return Problem(503, AWAY, {"Retry-After": "5"})


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


async def bridge(socket: WebSocket, door: Door, path: str, user_id: str, still_in: Still) -> None:
    """Join a page's WebSocket with its kernel's, until either ends or the login does."""
    url = door.url.replace("http", "ws", 1) + path
    try:
        kernel = await connect(
            url, additional_headers=door.headers(user_id), max_size=MAX_MESSAGE, proxy=None, open_timeout=20
        )
    except (InvalidStatus, OSError, TimeoutError):
        await socket.close(4404)  # before accept: the browser sees 403
        return
    async with kernel:
        await socket.accept()
        ways = [asyncio.create_task(way) for way in (_up(socket, kernel), _down(socket, kernel), _watch(still_in))]
        _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in rest:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    with suppress(RuntimeError):
        await socket.close()


async def _up(socket: WebSocket, kernel: ClientConnection) -> None:
    with suppress(WebSocketDisconnect, ConnectionClosed):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await kernel.send(message["bytes"] if message.get("bytes") is not None else message["text"])


async def _down(socket: WebSocket, kernel: ClientConnection) -> None:
    with suppress(RuntimeError, ConnectionClosed):
        async for message in kernel:
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message))


async def _watch(still_in: Still) -> None:
    while await still_in():
        await asyncio.sleep(LOOK_AGAIN_S)
