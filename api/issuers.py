"""Tokens of an external issuer (Supabase or any OpenID provider): its public keys, or its HS256 secret, never both."""

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

import jwt
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import undefer

from store.settings import Settings
from store.tables import User

if TYPE_CHECKING:
    from api.state import ApiState

ASYMMETRIC = ["ES256", "RS256"]
KEEP_S = 600.0
#: An unknown key id makes us ask the issuer again (it may have rotated), but no oftener than this.
ASK_AGAIN_S = 5.0


class Issuer:
    """Checks tokens of one issuer."""

    def __init__(self, issuer: str, audience: str, *, jwks_url: str | None, hs256_secret: str | None) -> None:
        if (jwks_url is None) == (hs256_secret is None):
            raise ValueError(
                "SQUASH_JWT_JWKS_URL and SQUASH_JWT_HS256_SECRET are both set or both missing, must be exactly one"
            )
        self.issuer, self.audience, self._secret = issuer, audience, hs256_secret
        # Its own cache is off: what rotates and how often to ask is decided here.
        self._client = jwt.PyJWKClient(jwks_url, cache_jwk_set=False, timeout=5) if jwks_url else None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at = -KEEP_S
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The issuer that the settings name, if any."""
        if not settings.jwt_issuer:
            return None
        return cls(
            settings.jwt_issuer,
            settings.jwt_audience or "authenticated",
            jwks_url=settings.jwt_jwks_url,
            hs256_secret=settings.jwt_hs256_secret,
        )

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a valid token; raises `jwt.PyJWTError`."""
        options: Any = {"require": ["exp", "iss", "aud", "sub"]}
        if self._secret is not None:
            key: str | jwt.PyJWK = self._secret
            algorithms = ["HS256"]
        else:
            key, algorithms = self._key(str(jwt.get_unverified_header(token).get("kid", ""))), ASYMMETRIC
        return jwt.decode(
            token, key, algorithms=algorithms, issuer=self.issuer, audience=self.audience, options=options, leeway=10
        )

    def _key(self, kid: str) -> jwt.PyJWK:
        if kid in self._keys and time.monotonic() - self._asked_at <= KEEP_S:
            return self._keys[kid]  # without a turn: who forges key ids makes nobody wait for the issuer
        with self._lock:
            age_s = time.monotonic() - self._asked_at
            if age_s > KEEP_S or (kid not in self._keys and age_s > ASK_AGAIN_S):
                self._ask(kid)
            if kid not in self._keys:
                raise jwt.InvalidKeyError("the token's key id is none of its issuer's")
            return self._keys[kid]

    def _ask(self, kid: str) -> None:
        assert self._client is not None
        self._asked_at = time.monotonic()
        try:
            found = self._client.get_jwk_set().keys
        except jwt.PyJWKClientError:
            if kid not in self._keys:  # known keys outlive an outage of the issuer
                raise
            return
        self._keys = {key.key_id or "": key for key in found if key.public_key_use in (None, "sig")}


def user_of(state: "ApiState", claims: dict[str, Any]) -> User | None:
    """The account behind an external token, made when first seen; never one that has a password here."""
    assert state.issuer is not None
    user_id = _uuid(state.issuer.issuer, str(claims["sub"]))
    with state.store.catalog.look() as tx:
        user = tx.get(User, user_id, options=[undefer(User.password_hash)])
        if user is not None:
            return user if user.password_hash is None else None
    email = str(claims.get("email") or "").strip().lower()[:320]
    for address in (email, f"{user_id}@external.invalid"):
        try:
            with state.store.catalog.begin() as tx:
                if address and not tx.scalar(select(User.user_id).where(User.email == address)):
                    user = User(user_id=user_id, email=address, full_name=claims.get("name"))
                    tx.add(user)
                    tx.flush()
                    return user
        except IntegrityError:  # another request made it in the same instant
            continue
    return None


def _uuid(issuer: str, subject: str) -> str:
    try:
        return str(uuid.UUID(subject))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{issuer}#{subject}"))
