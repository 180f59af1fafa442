"""Pair a watch that has no keyboard: the device authorization grant (RFC 8628)."""

import secrets
import uuid
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import Field, ValidationError
from sqlalchemy import select

from api import ratelimit, tokens
from api.access import Asker, State
from api.problems import MEDIA_TYPE, OPEN_ANSWERS, Problem
from api.routes.auth import TokenPair
from api.subject import Subject
from api.wire import Wire
from store.tables import Device, DeviceCode, now

router = Subject("auth", "/api/auth/device", OPEN_ANSWERS)

_Model = TypeVar("_Model", bound=Wire)

LIFE = timedelta(minutes=10)
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Ask(Wire):
    """A watch that wants to be paired."""

    client_name: str = Field("watch", max_length=100)


class Code(Wire):
    """What the watch shows, and what it keeps."""

    device_code: str = Field(examples=["pQ3x…"])
    user_code: str = Field(examples=["BCDF-GHJK"])
    verification_uri: str = Field(examples=["https://squash.example.org/"])
    expires_in: int
    interval: int


class Approval(Wire):
    """The code that the player read from the watch."""

    user_code: str = Field(max_length=20, examples=["BCDF-GHJK"])


class Redeem(Wire):
    """The watch asks whether the player has approved."""

    device_code: str = Field(max_length=200, examples=["pQ3x…"])
    grant_type: str = GRANT


#: RFC 6749 §5.2 has errors of this one endpoint as plain JSON with `error`.
NOT_YET: dict[int | str, dict[str, Any]] = {
    400: {
        "description": "`authorization_pending`, `slow_down`, `expired_token`",
        "content": {"application/json": {}, MEDIA_TYPE: {}},
    }
}


async def _fields(request: Request) -> Any:
    """RFC 8628 sends forms, our own clients JSON."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        async with request.form() as form:
            return dict(form)
    try:
        return await request.json() if await request.body() else {}
    except (ValueError, RecursionError):
        raise Problem(422, "The body must be a form or JSON.") from None


Fields = Annotated[Any, Depends(_fields)]


def _read(model: type[_Model], fields: Any) -> _Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise Problem(422, f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None


async def _asked(fields: Fields) -> Ask:
    return _read(Ask, fields)


async def _redeemed(fields: Fields) -> Redeem:
    return _read(Redeem, fields)


def _documented(model: type[Wire]) -> dict[str, Any]:
    schema = model.model_json_schema()
    kinds = ("application/x-www-form-urlencoded", "application/json")
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


@router.post("/code", openapi_extra=_documented(Ask))
def code(ask: Annotated[Ask, Depends(_asked)], request: Request, state: State) -> Code:
    """Begin a pairing."""
    ratelimit.count(request, state.limiter, "login", ratelimit.address(request))
    device_code = secrets.token_urlsafe(32)
    user_code = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(2))
    with state.store.catalog.begin() as tx:
        tx.add(
            DeviceCode(
                device_code_hash=tokens.digest(device_code),
                user_code=user_code,
                device_name=ask.client_name,
                expires_at=now() + LIFE,
            )
        )
    where = str(request.base_url).rstrip("/") + "/"
    return Code(
        device_code=device_code,
        user_code=user_code,
        verification_uri=where,
        expires_in=int(LIFE.total_seconds()),
        interval=5,
    )


@router.post("/approve", status_code=204)
def approve(approval: Approval, caller: Asker) -> None:
    """Let the watch that shows this code act for me."""
    if caller.state.limiter.spent("code", caller.user_id):
        raise ratelimit.too_many(60)
    wanted = approval.user_code.strip().upper()
    with caller.state.store.catalog.begin() as tx:
        row = tx.scalar(select(DeviceCode).where(DeviceCode.user_code == wanted).with_for_update())
        if row is None or row.expires_at <= now() or row.user_id not in (None, caller.user_id):
            caller.state.limiter.hit("code", caller.user_id)
            raise Problem(404, "No watch shows this code, or it is too old; look at the watch again.")
        row.user_id = caller.user_id


@router.post("/token", response_model=TokenPair, responses=NOT_YET, openapi_extra=_documented(Redeem))
def token(redeem: Annotated[Redeem, Depends(_redeemed)], request: Request, state: State) -> TokenPair | JSONResponse:
    """Tokens once the player has approved; until then 400 with `authorization_pending` or `slow_down`."""
    ratelimit.count(request, state.limiter, "unknown", ratelimit.address(request))
    with state.store.catalog.begin() as tx:
        row = tx.get(DeviceCode, tokens.digest(redeem.device_code), with_for_update=True)
        if row is None or row.expires_at <= now() or row.redeemed:
            return _not_yet("expired_token", "The code is unknown, spent or expired; begin again.")
        if row.user_id is None:
            early = row.polled_at is not None and now() - row.polled_at < timedelta(seconds=row.interval_s - 1)
            row.polled_at = now()
            row.interval_s += 5 * early
            return _not_yet("slow_down" if early else "authorization_pending", "The player has not approved yet.")
        row.redeemed = True
        device = Device(device_id=str(uuid.uuid4()), user_id=row.user_id, name=row.device_name)
        tx.add(device)
        pair = tokens.issue(tx, row.user_id, state.secret_key, device_id=device.device_id)
    return TokenPair(access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in)


def _not_yet(error: str, detail: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": detail, "detail": detail}, 400)
