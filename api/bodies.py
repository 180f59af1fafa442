"""No body is larger than its route needs: what is too much is refused before it fills memory or disk."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import answer

MOST = 2 << 20
#: A recording of 256 MiB in a form; routes have smaller limits of their own.
MOST_OF_RECORDING = 257 << 20
RECORDINGS = re.compile(r"^/api/sessions/[^/]+/(upload/|(hr|sensor)-data|heart-rate|gps|spo2|temperature|activity)")


class Bounded:
    """ASGI middleware: counts what comes in, whatever its Content-Length says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as far as it may go."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_OF_RECORDING if RECORDINGS.match(scope["path"]) else MOST
        told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if told.isdigit() and int(told) > most:
            await answer(413, _too_large(most))(scope, receive, send)
            return
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            held += len(message.get("body", b""))
            if held > most:
                raise HTTPException(413, _too_large(most))
            return message

        try:
            await self.app(scope, counted, send)
        except HTTPException as error:  # read by another middleware: no route was there to answer
            await answer(error.status_code, error.detail)(scope, receive, send)


def _too_large(most: int) -> str:
    return f"The body is larger than the {most} bytes that this takes."
