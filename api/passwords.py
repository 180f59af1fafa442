"""Passwords: argon2id, a bounded number of hashes at once so that logins cannot exhaust the memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.problems import Problem

_HASHER = PasswordHasher()  # RFC 9106's low-memory profile: 64 MiB each
_AT_ONCE = threading.BoundedSemaphore(2)
#: Whoever comes when so many wait is sent away at once: a queue longer than clients are patient would be worked off
#: for nobody, while they come again and make it longer.
MOST_WAITING = 16
_PLACES = threading.BoundedSemaphore(MOST_WAITING)
#: What an unknown e-mail is checked against, so that it takes as long as a known one.
_NOBODY = _HASHER.hash("nobody's password")


@contextmanager
def _turn() -> Iterator[None]:
    if not _PLACES.acquire(blocking=False):
        raise Problem(503, "Too many people log in at this moment; try again in a few seconds.", {"Retry-After": "3"})
    try:
        with _AT_ONCE:
            yield
    finally:
        _PLACES.release()


def hashed(password: str) -> str:
    """The hash to keep of a password; raises `Problem` 503 when too many wait."""
    with _turn():
        return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one behind `kept`; None (no such user) takes equally long and is never right.

    Raises `Problem` 503 when too many wait.
    """
    with _turn():
        try:
            right: bool = _HASHER.verify(kept or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            right = False
    return right and kept is not None
