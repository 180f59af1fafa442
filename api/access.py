"""Who is asking and what they may see: the dependencies that every route's signature is written with."""

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, NamedTuple

import jwt
from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from api import issuers, ratelimit, tokens
from api.problems import Problem
from api.state import ApiState
from store import Store, visible
from store.catalog import Claims
from store.points import EVENTS, Taken, taken
from store.tables import AccessLog, RefreshToken, SessionRow, User
from store.trips import Errand

ACCESS_COOKIE = "squash_access"
REFRESH_COOKIE = "squash_refresh"

_bearer = HTTPBearer(auto_error=False, description="An access token of POST /api/auth/login, or of the external issuer")


async def _state(request: Request) -> ApiState:  # async: a plain function would cost a change of thread
    state: ApiState = request.app.state.squash
    return state


State = Annotated[ApiState, Depends(_state)]
SessionId = Annotated[
    uuid.UUID, Path(description="The session's id", examples=["0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d"])
]


class OwnSession(NamedTuple):
    """What the points of a session need to know of it."""

    session_id: str
    user_id: str
    start_time: datetime
    scoring_system: str | None
    revision: str | None


_SESSIONS = SessionRow.__table__
_LIVING = _SESSIONS.c.session_id == bindparam("session_id"), _SESSIONS.c.deleted_at.is_(None)
_OWNER = select(_SESSIONS.c.user_id).where(*_LIVING)
_OWN = select(*(_SESSIONS.c[name] for name in OwnSession._fields)).where(*_LIVING).with_for_update(key_share=True)


@dataclass(frozen=True)
class Caller:
    """The person behind a request; `family_id` is their login, None with an external token."""

    state: ApiState
    user_id: str
    email: str
    role: str
    timezone: str
    family_id: str | None

    @cached_property
    def store(self) -> Store:
        """The store as the caller may see it."""
        return self.state.store.seen_by(self.user_id, self.role)

    def begin(self) -> AbstractContextManager[Session]:
        """A transaction in which PostgreSQL, too, shows only what the caller may see."""
        return self.store.catalog.begin()

    def look(self) -> AbstractContextManager[Session]:
        """As `begin`, only to read."""
        return self.store.catalog.look()

    def errand(self) -> AbstractContextManager[Errand]:
        """As `begin`, of plain statements in few trips."""
        return self.store.catalog.errand()

    def own_session(self, tx: Session, session_id: uuid.UUID) -> SessionRow:
        """A session of the caller, to change; 404 for anything else."""
        row = tx.get(SessionRow, str(session_id))
        if row is None or row.user_id != self.user_id or row.deleted_at is not None:
            raise unknown_session(session_id)
        return row

    def must_own(self, session_id: uuid.UUID) -> None:
        """404 for a session that is not the caller's, by one statement: before bytes are kept for it."""
        found = self.state.store.catalog.glance(_OWNER, {"session_id": str(session_id)})
        if found is None or found.user_id != self.user_id:
            raise unknown_session(session_id)

    def held(self, errand: Errand, session_id: uuid.UUID) -> tuple[OwnSession, list[Taken]]:
        """As `held_session`, with its points, by plain statements: what a watch waits for at each press."""
        this = {"session_id": str(session_id)}
        found, events = errand.ask((_OWN, this), (EVENTS, this))
        if not found or found[0].user_id != self.user_id:
            raise unknown_session(session_id)
        return OwnSession._make(found[0]), taken(events)

    def held_session(self, tx: Session, session_id: uuid.UUID) -> SessionRow:
        """As `own_session`; others who would change it wait until this transaction ends."""
        tx.get(SessionRow, str(session_id), with_for_update={"key_share": True})
        return self.own_session(tx, session_id)

    def seen_session(self, tx: Session, session_id: uuid.UUID, what: str) -> SessionRow:
        """A session to look at: own, of a player who granted it to this coach, or any for an admin (logged)."""
        row = tx.get(SessionRow, str(session_id))
        if row is None or row.deleted_at is not None or not self._may_see(tx, row.user_id):
            raise unknown_session(session_id)
        if row.user_id != self.user_id:
            self._note(row, what)
        return row

    def _note(self, row: SessionRow, what: str) -> None:
        """Who opened whose session."""
        with self.begin() as tx:
            tx.add(AccessLog(actor_id=self.user_id, user_id=row.user_id, session_id=row.session_id, what=what))

    def _may_see(self, tx: Session, owner_id: str) -> bool:
        return visible.may_see(tx, self.store.catalog.claims, owner_id)

    def still_sees(self, session_id: str) -> bool:
        """Whether a session that was seen may be seen now: nothing was withdrawn, deleted or logged out meanwhile."""
        with self.look() as tx:
            row = tx.get(SessionRow, session_id)
            shown = row is not None and row.deleted_at is None and self._may_see(tx, row.user_id)
        return shown and self.is_still_in()

    def is_still_in(self) -> bool:
        """Whether the login stands and the role is the same (the access token may have been renewed meanwhile)."""
        asked, this = _PERSON, {"user_id": self.user_id}
        if self.family_id is not None:
            asked, this = _LOGGED_IN, this | {"family_id": self.family_id}
        found = self.state.store.catalog.glance(asked, this)
        return found is not None and found.role == self.role

    def coaches(self, tx: Session, player_id: str) -> bool:
        """Whether the caller is a coach whom this player lets look."""
        return visible.coaches(tx, Claims(self.user_id, self.role), player_id)


def unknown_session(session_id: uuid.UUID) -> Problem:
    """The answer for a session that is not there or not the caller's: the same, so that it tells nothing."""
    return Problem(404, f"There is no session {session_id} of yours; GET /api/sessions lists them.")


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, else of the cookie that a login in a browser set."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return token.strip() if scheme.lower() == "bearer" else None
    return request.cookies.get(ACCESS_COOKIE)


@dataclass(frozen=True)
class Knock:
    """Somebody at the door, not yet known; the subject's router lets them in before an endpoint runs."""

    request: Request

    def let_in(self) -> Caller:
        """Who it is; 401 for nobody, 429 for one who asks too much."""
        request, state = self.request, self.request.app.state.squash
        token = bearer_token(request)
        known: Caller | None = getattr(request.state, "caller", None)  # where Idempotency-Key asked first
        found = known or (identify(state, token) if token else None)
        if found is None:
            ratelimit.count(request, state.limiter, "unknown", ratelimit.address(request))
            raise tokens.refused()
        ratelimit.count(request, state.limiter, "user", found.user_id)
        return found


async def knock(request: Request, _shown: Annotated[object, Depends(_bearer)] = None) -> Knock:
    """Somebody asks; 403 for a page that only has a cookie to show for itself."""
    if request.method not in ("GET", "HEAD") and "authorization" not in request.headers:
        _same_site(request)
    return Knock(request)


def _same_site(request: Request) -> None:
    """A cookie alone changes nothing: the page must say that it wrote the request, which no foreign form can."""
    if "x-requested-with" not in request.headers and request.cookies:
        raise Problem(403, "A request with a cookie needs the header X-Requested-With.")


#: What an endpoint gets as a `Caller`; without the router that lets in it would get a `Knock`, which opens nothing.
Asker = Annotated[Caller, Depends(knock)]


#: Asked anew for each request: a login that was ended, anywhere, lets nobody in.
_ALIVE = select(RefreshToken.family_id).where(
    RefreshToken.family_id == bindparam("family_id"),
    RefreshToken.user_id == User.user_id,
    RefreshToken.revoked_at.is_(None),
)
_PERSON = select(User.user_id, User.email, User.role, User.timezone).where(User.user_id == bindparam("user_id"))
_LOGGED_IN = _PERSON.where(_ALIVE.exists())


def identify(state: ApiState, token: str) -> Caller | None:
    """Whose token it is; None if it does not let in."""
    try:
        user_id, family_id = tokens.read_access_token(token, state.secret_key)
    except jwt.PyJWTError:
        return _external(state, token)
    user = state.store.catalog.glance(_LOGGED_IN, {"user_id": user_id, "family_id": family_id})
    return None if user is None else Caller(state, user.user_id, user.email, user.role, user.timezone, family_id)


def _external(state: ApiState, token: str) -> Caller | None:
    if state.issuer is None:
        return None
    try:
        claims = state.issuer.read(token)
    except jwt.PyJWTError:
        return None
    user = issuers.user_of(state, claims)
    return None if user is None else Caller(state, user.user_id, user.email, user.role, user.timezone, None)
