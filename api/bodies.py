"""No body is larger than its route needs: what is too much is refused before it fills the memory."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import answer

MOST = 2 << 20
#: Recordings are streamed to disk, batches are bounded by their routes.
RECORDINGS = re.compile(r"^/api/sessions/[^/]+/(upload/|(hr|sensor)-data|heart-rate|gps|spo2|temperature|activity)")


class Bounded:
    """ASGI middleware: counts what comes in, whatever its Content-Length says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as far as it may go."""
        if scope["type"] != "http" or RECORDINGS.match(scope["path"]):
            await self.app(scope, receive, send)
            return
        told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if told.isdigit() and int(told) > MOST:
            await answer(413, _too_large())(scope, receive, send)
            return
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            held += len(message.get("body", b""))
            if held > MOST:
                raise HTTPException(413, _too_large())
            return message

        await self.app(scope, counted, send)


def _too_large() -> str:
    return f"The body is larger than the {MOST} bytes that this takes."
