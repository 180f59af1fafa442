"""Register, log in, refresh, log out, and the player's own account."""

import uuid
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Cookie, Request, Response
from pydantic import AliasChoices, Field, field_validator
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import undefer

from api import passwords, ratelimit, tokens
from api.access import ACCESS_COOKIE, REFRESH_COOKIE, Asker, State
from api.problems import OPEN_ANSWERS, Problem
from api.subject import Subject
from api.wire import Wire
from store.tables import AthleteSettings, User, now

router = Subject("auth", "/api/auth", OPEN_ANSWERS)

WRONG = "The e-mail or the password is wrong."
TAKEN = "There is an account with this e-mail; log in instead."
#: Asked before the password is hashed: who registers again after a lost answer costs nothing.
_TAKEN = select(User.user_id).where(User.email == bindparam("email"))


class Account(Wire):
    """Who wants to play."""

    email: str = Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["ann@example.org"])
    password: str = Field(min_length=8, max_length=256, examples=["a long pass phrase"])
    full_name: str | None = Field(None, max_length=200, validation_alias=AliasChoices("full_name", "name"))
    max_heart_rate: float | None = Field(None, ge=100, le=240, description="bpm")
    resting_heart_rate: float | None = Field(None, ge=25, le=120, description="bpm")
    birth_year: int | None = Field(None, ge=1900, le=2100)

    @field_validator("email")
    @classmethod
    def _lower(cls, email: str) -> str:
        if len(lower := email.lower()) > 320:  # some letters are two in lower case
            raise ValueError("String should have at most 320 characters")
        return lower


class Credentials(Wire):
    """What a login needs."""

    email: str = Field(max_length=320, examples=["ann@example.org"])
    password: str = Field(max_length=256, examples=["a long pass phrase"])


class Person(Wire):
    """A user as the API shows them."""

    user_id: str = Field(examples=["0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d"])
    email: str = Field(examples=["ann@example.org"])
    full_name: str | None
    role: str = Field(examples=["player"])
    timezone: str = Field(examples=["Europe/Amsterdam"])
    max_heart_rate: float | None = None
    resting_heart_rate: float | None = None
    birth_year: int | None = None
    sex: str | None = None
    hand: str | None = None
    research_consent: bool = False
    keep_originals: bool = True


class TokenPair(Wire):
    """What lets a client in."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs…"])
    refresh_token: str = Field(examples=["n0R3…"])
    token_type: str = "bearer"  # noqa: S105 - not a secret
    expires_in: int


class Refresh(Wire):
    """A refresh token; browsers send theirs as a cookie."""

    refresh_token: str | None = Field(None, max_length=512)


class Change(Wire):
    """What a player may change of themselves."""

    full_name: str | None = Field(None, max_length=200)
    timezone: str | None = Field(None, max_length=64, examples=["Europe/Amsterdam"])
    max_heart_rate: float | None = Field(None, ge=100, le=240)
    resting_heart_rate: float | None = Field(None, ge=25, le=120)
    birth_year: int | None = Field(None, ge=1900, le=2100)
    sex: str | None = Field(None, pattern="^(female|male)$")
    hand: str | None = Field(None, pattern="^(playing|other)$", description="The hand that wears the watch")
    research_consent: bool | None = None
    keep_originals: bool | None = Field(None, description="Whether what devices sent is kept beyond three months")


@router.post("/register", status_code=201)
def register(account: Account, request: Request, state: State) -> Person:
    """Make an account."""
    ratelimit.count(request, state.limiter, "login", ratelimit.address(request))
    if state.store.catalog.glance(_TAKEN, {"email": account.email}) is not None:
        raise Problem(409, TAKEN)
    user = User(
        user_id=str(uuid.uuid4()),
        email=account.email,
        password_hash=passwords.hashed(account.password),
        full_name=account.full_name,
    )
    settings = AthleteSettings(
        user_id=user.user_id,
        valid_from=now(),
        hr_max_bpm=account.max_heart_rate,
        hr_rest_bpm=account.resting_heart_rate,
        birth_year=account.birth_year,
    )
    try:
        with state.store.catalog.begin() as tx:
            tx.add(user)
            tx.flush()
            tx.add(settings)
    except IntegrityError as error:
        raise Problem(409, TAKEN) from error
    return _person(user, settings)


def _person(user: User, settings: AthleteSettings | None) -> Person:
    return Person(
        user_id=user.user_id,
        email=user.email,
        full_name=user.full_name,
        role=user.role or "player",
        timezone=user.timezone or "UTC",
        max_heart_rate=settings.hr_max_bpm if settings else None,
        resting_heart_rate=settings.hr_rest_bpm if settings else None,
        birth_year=settings.birth_year if settings else None,
        sex=settings.sex if settings else None,
        hand=settings.hand if settings else None,
        research_consent=bool(user.research_consent),
        keep_originals=user.keep_originals is not False,  # a row that is not written yet has none
    )


def _give(response: Response, request: Request, pair: tokens.Pair) -> TokenPair:
    """The pair, and as cookies that scripts cannot read."""
    secure = request.url.scheme == "https"
    common: dict[str, Any] = {"httponly": True, "secure": secure, "samesite": "lax"}
    response.set_cookie(ACCESS_COOKIE, pair.access_token, max_age=pair.expires_in, **common)
    response.set_cookie(REFRESH_COOKIE, pair.refresh_token, max_age=60 * 86400, path="/api/auth", **common)
    response.headers["Cache-Control"] = "no-store"
    return TokenPair(access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in)


@router.post("/login")
def login(given: Credentials, request: Request, response: Response, state: State) -> TokenPair:
    """Get tokens for an e-mail and a password."""
    email = given.email.lower()
    ratelimit.count(request, state.limiter, "login", ratelimit.address(request))
    if state.limiter.spent("guess", email):
        raise ratelimit.too_many(60)
    with state.store.catalog.look() as tx:
        user = tx.scalar(select(User).where(User.email == email).options(undefer(User.password_hash)))
    if not passwords.matches(given.password, user.password_hash if user else None) or user is None:
        state.limiter.hit("guess", email)
        raise Problem(401, WRONG, {"WWW-Authenticate": "Bearer"})
    with state.store.catalog.begin() as tx:
        pair = tokens.issue(tx, user.user_id, state.secret_key)
    return _give(response, request, pair)


@router.post("/refresh-token")
def refresh_token(
    request: Request,
    response: Response,
    state: State,
    given: Refresh | None = None,
    cookie: Annotated[str | None, Cookie(alias=REFRESH_COOKIE)] = None,
) -> TokenPair:
    """Spend a refresh token for a new pair; one that is used again ends its login everywhere."""
    ratelimit.count(request, state.limiter, "unknown", ratelimit.address(request))
    token = (given.refresh_token if given else None) or cookie or ""
    with state.store.catalog.begin() as tx:
        pair = tokens.rotate(tx, token, state.secret_key)
    if pair is None:
        raise Problem(401, "The refresh token is spent, expired or unknown; log in again.")
    return _give(response, request, pair)


@router.post("/logout", status_code=204)
def logout(caller: Asker, response: Response) -> None:
    """End this login: its access and refresh tokens are worth nothing any more."""
    if caller.family_id is not None:
        with caller.begin() as tx:
            tokens.revoke_family(tx, caller.family_id)
    _forget(response)


@router.get("/me")
def me(caller: Asker) -> Person:
    """Who I am."""
    with caller.look() as tx:
        user = tx.get_one(User, caller.user_id)
        query = select(AthleteSettings).where(AthleteSettings.user_id == caller.user_id)
        settings = tx.scalar(query.order_by(AthleteSettings.valid_from.desc()).limit(1))
        return _person(user, settings)


@router.patch("/me")
def change_me(change: Change, caller: Asker) -> Person:
    """Change my account; heart-rate settings hold from now on, old sessions keep what held then."""
    given = change.model_dump(exclude_unset=True)
    columns = {
        "max_heart_rate": "hr_max_bpm",
        "resting_heart_rate": "hr_rest_bpm",
        "birth_year": "birth_year",
        "sex": "sex",
        "hand": "hand",
    }
    if given.get("timezone") is not None:
        _checked_zone(given["timezone"])
    with caller.begin() as tx:
        mine = {name: value for name, value in given.items() if name not in columns and value is not None}
        if mine:
            tx.execute(update(User).where(User.user_id == caller.user_id).values(**mine))
        if given.keys() & columns.keys():
            query = select(AthleteSettings).where(AthleteSettings.user_id == caller.user_id)
            last = tx.scalar(query.order_by(AthleteSettings.valid_from.desc()).limit(1))
            kept = {c: getattr(last, c, None) for c in ("hr_max_bpm", "hr_rest_bpm", "birth_year", "sex", "hand")}
            new = {columns[name]: value for name, value in given.items() if name in columns}
            tx.add(AthleteSettings(user_id=caller.user_id, valid_from=now(), **(kept | new)))
    return me(caller)


def _checked_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Problem(422, f"timezone is {name!r}, must be a name like 'Europe/Amsterdam'.") from None


@router.delete("/me", status_code=204)
def delete_me(caller: Asker, response: Response) -> None:
    """Erase me and everything that is mine: sessions, recordings, results."""
    from store.erasure import erase_user

    erase_user(caller.state.store, caller.user_id)
    _forget(response)


def _forget(response: Response) -> None:
    """Have a browser forget a login."""
    response.delete_cookie(ACCESS_COOKIE)
    response.delete_cookie(REFRESH_COOKIE, path="/api/auth")
