"""Own tokens: signed access tokens bound to a family of rotating refresh tokens."""

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.problems import Problem
from store.tables import RefreshToken, now

ISSUER = "squashlib"
AUDIENCE = "squashlib-api"
#: A watch in a cellar plays a whole match on one token and the first apps never refresh. Revoking the family ends
#: its access tokens at once, so a stolen one is no worse than a short one.
ACCESS_LIFE = timedelta(hours=4)
REFRESH_LIFE = timedelta(days=60)
#: A client that lost the answer to its refresh may send the spent token once more within this time.
GRACE = timedelta(seconds=60)


@dataclass(frozen=True)
class Pair:
    """What a login gives."""

    access_token: str
    refresh_token: str
    expires_in: int


def digest(secret: str) -> str:
    """What is kept of a secret that is random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()


def access_token(user_id: str, family_id: str, secret_key: str) -> str:
    """A signed statement that the bearer is `user_id` until it expires or the family is revoked."""
    moment = now()
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "fam": family_id, "jti": secrets.token_hex(8)}
    return jwt.encode(claims | {"iat": moment, "exp": moment + ACCESS_LIFE}, secret_key, algorithm="HS256")


def read_access_token(token: str, secret_key: str) -> tuple[str, str]:
    """User id and family of a valid own token; raises `jwt.InvalidTokenError`."""
    claims = _signed_claims(token, secret_key)
    if claims["exp"] <= time.time():
        raise jwt.ExpiredSignatureError("the token has expired")
    return str(claims["sub"]), str(claims["fam"])


@lru_cache(4096)
def _signed_claims(token: str, secret_key: str) -> dict[str, Any]:
    """What a good signature says does not change: it is checked once for a watch that asks every second."""
    required: Any = {"require": ["exp", "iat", "sub", "fam", "iss", "aud"]}
    return jwt.decode(token, secret_key, algorithms=["HS256"], issuer=ISSUER, audience=AUDIENCE, options=required)


def issue(
    tx: Session, user_id: str, secret_key: str, *, family_id: str | None = None, device_id: str | None = None
) -> Pair:
    """A new pair, of a new family unless one is given."""
    family = family_id or str(uuid.uuid4())
    refresh = secrets.token_urlsafe(32)
    row = RefreshToken(
        token_hash=digest(refresh),
        family_id=family,
        user_id=user_id,
        device_id=device_id,
        expires_at=now() + REFRESH_LIFE,
    )
    tx.add(row)
    return Pair(access_token(user_id, family, secret_key), refresh, int(ACCESS_LIFE.total_seconds()))


def rotate(tx: Session, refresh: str, secret_key: str) -> Pair | None:
    """Spend a refresh token for a new pair; None, with its family revoked, when it was stolen or is no longer good."""
    row = tx.scalar(select(RefreshToken).where(RefreshToken.token_hash == digest(refresh)).with_for_update())
    if row is None or row.revoked_at is not None or row.expires_at <= now():
        return None
    if row.used_at is not None and not _answer_was_lost(tx, row):
        revoke_family(tx, row.family_id)
        return None
    row.used_at = row.used_at or now()
    return issue(tx, row.user_id, secret_key, family_id=row.family_id, device_id=row.device_id)


def _answer_was_lost(tx: Session, row: RefreshToken) -> bool:
    """Spent just now, and none of the tokens that followed was ever used: the client never saw the answer."""
    assert row.used_at is not None
    later = select(RefreshToken.token_hash).where(
        RefreshToken.family_id == row.family_id,
        RefreshToken.created_at >= row.used_at,
        RefreshToken.used_at.is_not(None),
    )
    return now() - row.used_at <= GRACE and tx.scalar(later) is None


def revoke_family(tx: Session, family_id: str, at: datetime | None = None) -> None:
    """End a login: its refresh tokens and, since they are checked against it, its access tokens."""
    alive = RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None)
    tx.execute(update(RefreshToken).where(*alive).values(revoked_at=at or now()))


def refused() -> Problem:
    """The answer to a token that does not let in."""
    return Problem(
        401, "The access token is missing, expired or not valid; log in again.", {"WWW-Authenticate": "Bearer"}
    )
