"""Passwords: argon2id, a bounded number of hashes at once so that logins cannot exhaust the memory."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()  # RFC 9106's low-memory profile: 64 MiB each
_AT_ONCE = threading.BoundedSemaphore(2)
#: What an unknown e-mail is checked against, so that it takes as long as a known one.
_NOBODY = _HASHER.hash("nobody's password")


def hashed(password: str) -> str:
    """The hash to keep of a password."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one behind `kept`; None (no such user) takes equally long and is never right."""
    with _AT_ONCE:
        try:
            right: bool = _HASHER.verify(kept or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            right = False
    return right and kept is not None
