"""`Idempotency-Key` on every POST: the first answer is kept for seven days, sealed, and given again."""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import socket
import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from typing import IO, Any

from cryptography.fernet import Fernet
from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import bearer_token, identify
from api.problems import answer
from api.state import ApiState
from api.subject import in_thread
from store.tables import IdempotencyKey, now

KEEP = timedelta(days=7)
#: A first request that another machine was working on this long ago has died with it.
LOST = timedelta(minutes=10)
MAX_BODY = 257 << 20
IN_MEMORY = 1 << 20
MAX_KEPT = 256 << 10
#: Answers that say "again, please": the next request with the key is a new one.
NOT_KEPT = {401, 403, 408, 429}
#: Where a resumable upload was begun is said by its headers alone.
SAID_AGAIN = ("location", "tus-resumable", "upload-expires")

#: Single statements: a watch puts a key on everything that it sends.
_TAKE = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(IdempotencyKey.__table__)
    .on_conflict_do_nothing()
    .returning(IdempotencyKey.__table__.c.key)
    for dialect in (postgresql, sqlite)
}
_THIS = IdempotencyKey.user_id == bindparam("owner"), IdempotencyKey.key == bindparam("name")
_KEEP_ANSWER = update(IdempotencyKey.__table__).where(*_THIS)  # type: ignore[arg-type]
_DROP = delete(IdempotencyKey.__table__).where(*_THIS)  # type: ignore[arg-type]


class Idempotency:
    """ASGI middleware: keyed POSTs run once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or let the request through and keep its answer."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        key = request.headers.get("idempotency-key") if request and request.method == "POST" else None
        if request is None or key is None:
            await self.app(scope, receive, send)
            return
        if not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
            await answer(422, "Idempotency-Key must be 1 to 200 visible ASCII characters.")(scope, receive, send)
            return
        state: ApiState = scope["app"].state.squash
        owner = await in_thread(lambda: _owner(state, request))
        if owner is None:
            await self.app(scope, receive, send)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="squash-body-") as body:
            if not await _spooled(request, body):
                await answer(413, f"The body is larger than {MAX_BODY} bytes.")(scope, receive, send)
                return
            held = await in_thread(lambda: _begin(state, owner, key, _digest(state, request, body)))
            if held is not None:
                await held(scope, receive, send)
            else:
                await self._run(scope, send, body, state, owner, key)

    async def _run(self, scope: Scope, send: Send, body: IO[bytes], state: ApiState, owner: str, key: str) -> None:
        large = body.seek(0, os.SEEK_END) > IN_MEMORY
        body.seek(0)
        kept = Answer()

        async def replay() -> Message:
            piece = await in_thread(lambda: body.read(1 << 20)) if large else body.read()
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}

        async def keep(message: Message) -> None:
            kept.add(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await in_thread(lambda: _end(state, owner, key, kept))
            await send(message)

        try:
            await self.app(scope, replay, keep)
        finally:
            if not kept.complete:
                await in_thread(lambda: _end(state, owner, key, kept))


class Answer:
    """An answer as it goes by."""

    def __init__(self) -> None:
        self.status, self.type, self.body, self.complete = 500, "application/json", bytearray(), False
        self.headers: dict[str, str] = {}

    def add(self, message: Message) -> None:
        """Take a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            self.type = given.get("content-type", "application/json")
            self.headers = {name: given[name] for name in SAID_AGAIN if name in given}
        else:
            self.body += message.get("body", b"")
            self.complete = not message.get("more_body", False)

    @property
    def worth_keeping(self) -> bool:
        """Whether the same request again may get it."""
        return self.complete and self.status < 500 and self.status not in NOT_KEPT and len(self.body) <= MAX_KEPT


def _owner(state: ApiState, request: Request) -> str | None:
    token = bearer_token(request)
    if token is None:
        return "anonymous" if request.url.path.startswith("/api/auth/") else None
    caller = request.state.caller = identify(state, token)
    return caller.user_id if caller else None


async def _spooled(request: Request, body: IO[bytes]) -> bool:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BODY:
            return False
        if size <= IN_MEMORY:
            body.write(piece)
        else:
            await in_thread(partial(body.write, piece))
    return True


def _digest(state: ApiState, request: Request, body: IO[bytes]) -> str:
    """Of method, path and body; a form's boundary, which each try chooses anew, does not count."""
    found = hmac.new(state.secret_key.encode(), digestmod=hashlib.sha256)
    found.update(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    boundary = re.search(r'boundary="?([^";,]+)', request.headers.get("content-type", ""))
    mark, carry = boundary.group(1).encode() if boundary else b"", b""
    body.seek(0)
    while piece := body.read(1 << 20):
        text = (carry + piece).replace(mark, b"") if mark else piece
        carry = text[-len(mark) :] if mark else b""
        found.update(text[: len(text) - len(carry)])
    found.update(carry)
    return found.hexdigest()


def _begin(state: ApiState, owner: str, key: str, digest: str) -> Response | None:
    """None if the request is to run now."""
    running = {"holder": _here(os.getpid())}
    taken = {"user_id": owner, "key": key, "request_hash": digest, "body": running, "created_at": now()}
    if state.store.catalog.do(_TAKE[state.store.catalog.engine.dialect.name], taken) is not None:
        return None
    row = IdempotencyKey(**taken)
    try:
        with state.store.catalog.begin() as tx:
            held = tx.get(IdempotencyKey, (owner, key), with_for_update=True)
            if held is None:
                tx.add(row)
                return None
            if held.created_at < now() - KEEP or (held.status is None and _is_lost(held)):
                held.status, held.request_hash, held.body, held.created_at = None, digest, running, now()
                return None
            return _again(state, held, digest)
    except IntegrityError:  # two at once
        return answer(409, "The first request with this Idempotency-Key is still running.", {"Retry-After": "1"})


def _again(state: ApiState, held: IdempotencyKey, digest: str) -> Response:
    if held.request_hash != digest:
        return answer(409, "This Idempotency-Key was used for another request; use a new one for new content.")
    if held.status is None:
        return answer(409, "The first request with this Idempotency-Key is still running.", {"Retry-After": "1"})
    kept = json.loads(_seal(state.secret_key).decrypt((held.body or {})["sealed"].encode()))
    headers = kept.get("headers", {}) | {"Idempotency-Replayed": "true", "Content-Type": kept["type"]}
    return Response(kept["body"], held.status, headers)


@lru_cache(4)
def _here(pid: int) -> str:
    """Name the running process by something that no later one of the same number shares; a fork is another."""
    return f"{socket.gethostname()}:{pid}:{secrets.token_hex(4)}"


def _is_lost(held: IdempotencyKey) -> bool:
    """Whether the process that began has died (a killed server must not block its clients)."""
    host, pid, boot = str((held.body or {}).get("holder", "::")).split(":")
    here, own_pid, own_boot = _here(os.getpid()).split(":")
    if held.created_at < now() - LOST:
        return True
    if host != here:
        return False
    if pid == own_pid:
        return boot != own_boot
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    return False


def _end(state: ApiState, owner: str, key: str, kept: Answer) -> None:
    this = {"owner": owner, "name": key}
    if not kept.worth_keeping:
        state.store.catalog.do(_DROP, this)
        return
    content = json.dumps({"type": kept.type, "body": kept.body.decode(), "headers": kept.headers}).encode()
    sealed = {"sealed": _seal(state.secret_key).encrypt(content).decode()}
    state.store.catalog.do(_KEEP_ANSWER, this | {"status": kept.status, "body": sealed})


@lru_cache(4)
def _seal(secret_key: str) -> Fernet:
    """Answers may hold tokens and secrets: they are kept encrypted."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"idempotency" + secret_key.encode()).digest()))


def forget_old(state: Any) -> None:
    """Drop keys that are older than seven days."""
    with state.store.catalog.begin() as tx:
        tx.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEEP))
