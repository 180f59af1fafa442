"""Many clients on one thread: keep-alive lines of HTTP/1.1 that cost little, so that the server is measured.

The reader trusts what it measures: answers have a Content-Length, and whatever is no 2xx ends the run.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Self, cast
from urllib.parse import urlsplit

import uvloop


class Line(asyncio.Protocol):
    """One connection of one client; a request at a time."""

    def __init__(self) -> None:
        self.held, self.answer = bytearray(), asyncio.get_running_loop().create_future()

    @classmethod
    async def to(cls, url: str) -> Self:
        host, port = urlsplit(url).netloc.split(":")
        _, line = await asyncio.get_running_loop().create_connection(cls, host, int(port))
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its classes

    def data_received(self, data: bytes) -> None:
        self.held += data
        head = self.held.find(b"\r\n\r\n")
        if head < 0:
            return
        length = int(self.held[:head].lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self.held) >= head + 4 + length:
            good = self.held[9:10] == b"2"
            text = bytes(self.held[:300])
            self.held.clear()
            self.answer.set_result(None) if good else self.answer.set_exception(RuntimeError(repr(text)))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(error or ConnectionError("the server hung up"))

    async def ask(self, request: bytes) -> None:
        """Send a request and wait for the end of its answer; raises `RuntimeError` for one that is no 2xx."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self.answer


def request(method: str, url: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request's bytes, made once."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def each_second(url: str, presses: list[bytes], seconds: int) -> list[float]:
    """Latencies in seconds of every line's press once a second, counted from the moment at which it was due."""
    took: list[float] = []

    async def press(line: Line, i: int, began: float) -> None:
        for second in range(seconds):
            due = began + second + i / len(presses)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await line.ask(presses[i])
            took.append(time.perf_counter() - due)

    async def all_of_them() -> None:
        lines = [await Line.to(url) for _ in presses]
        began = time.perf_counter() + 0.2
        await asyncio.gather(*(press(line, i, began) for i, line in enumerate(lines)))

    uvloop.run(all_of_them())
    return took


def as_fast_as_it_goes(url: str, asked: list[bytes], count: int) -> float:
    """Requests a second over a line for each of `asked`, each with a request under way all the time."""
    left = itertools.count()

    async def ask(line: Line, question: bytes) -> None:
        while next(left) < count:
            await line.ask(question)

    async def all_of_them() -> float:
        lines = [await Line.to(url) for _ in asked]
        began = time.perf_counter()
        work: list[Awaitable[None]] = [ask(line, question) for line, question in zip(lines, asked, strict=True)]
        await asyncio.gather(*work)
        return count / (time.perf_counter() - began)

    run: Callable[..., float] = uvloop.run
    return run(all_of_them())
