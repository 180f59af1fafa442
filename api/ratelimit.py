"""Rate limits: by user, by address for logins and pairings, by bytes for uploads; told in `RateLimit` headers."""

import logging
import threading
import time
from typing import Any

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from api.problems import Problem

log = logging.getLogger("api")

#: A hundred watches behind one club's address log in at once after a match evening; guesses are counted apart.
POLICIES: dict[str, RateLimitItem] = {
    "user": parse("12000/minute"),
    "unknown": parse("1200/minute"),  # requests without a valid token, by address
    "login": parse("600/minute"),  # logins, registrations and pairings, by address
    "guess": parse("20/minute"),  # wrong passwords, by e-mail
    "code": parse("20/minute"),  # wrong pairing codes, by user
    "bytes": parse("4000000000/hour"),  # uploaded, by user
}


SWEEP_S = 60.0
#: What a request waits at most for Redis, and how long nobody asks it after it did not answer.
REDIS_WAIT_S, OFF_S = 1.0, 5.0


class _Counts(MemoryStorage):
    """Counts of fixed windows in memory, swept once a minute; the library's own starts a thread for it at each hit."""

    swept_at = 0.0
    turn = threading.Lock()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; the window begins with its first hit."""
        with self.turn:
            moment = time.time()
            if moment - self.swept_at > SWEEP_S:
                self.swept_at = moment
                for old in list(self.expirations):
                    self.get(old)  # forgets what is over
            if self.get(key) == 0:
                self.expirations[key] = moment + expiry
            self.storage[key] += amount
            return self.storage[key]


class Limiter:
    """Counts in memory, or in Redis where several servers share the counts."""

    def __init__(self, redis_url: str | None) -> None:
        waits: dict[str, Any] = {"socket_timeout": REDIS_WAIT_S, "socket_connect_timeout": REDIS_WAIT_S}
        storage = storage_from_string(redis_url, **waits) if redis_url else _Counts()
        self._strategy, self._off_until = FixedWindowRateLimiter(storage), 0.0

    def hit(self, policy: str, who: str, cost: int = 1) -> tuple[bool, int, int]:
        """Count; return whether it is allowed, how much is left and the seconds until the window ends."""
        item = POLICIES[policy]
        if time.monotonic() < self._off_until:
            return True, item.amount, 0
        try:
            allowed = self._strategy.hit(item, policy, who, cost=cost)
            reset_at, left = self._strategy.get_window_stats(item, policy, who)
        except Exception as error:  # noqa: BLE001 - counts that cannot be kept must not stop a match
            self._turn_off(error)
            return True, item.amount, 0
        return allowed, left, max(1, int(reset_at - time.time()))

    def spent(self, policy: str, who: str) -> bool:
        """Whether nothing is left, without counting."""
        if time.monotonic() < self._off_until:
            return False
        try:
            return not self._strategy.test(POLICIES[policy], policy, who)
        except Exception as error:  # noqa: BLE001 - as above
            self._turn_off(error)
            return False

    def _turn_off(self, error: Exception) -> None:
        """Ask again later, so that not every request waits for who does not answer."""
        self._off_until = time.monotonic() + OFF_S
        log.warning("rate limits are off for %d s: %s", OFF_S, type(error).__name__)


def address(request: Request) -> str:
    """Where a request came from (behind a proxy: uvicorn's --proxy-headers sees to it)."""
    return request.client.host if request.client else "nowhere"


def count(request: Request, limiter: Limiter, policy: str, who: str, cost: int = 1) -> None:
    """Count a request, or the bytes that it costs; the headers go on its answer, 429 if there is nothing left."""
    allowed, left, wait_s = limiter.hit(policy, who, cost)
    item = POLICIES[policy]
    unit = ';qu="content-bytes"' if policy == "bytes" else ""
    told = getattr(request.state, "rate_limit", {})
    for name, value in (
        ("RateLimit-Policy", f'"{policy}";q={item.amount};w={item.get_expiry()}{unit}'),
        ("RateLimit", f'"{policy}";r={left};t={wait_s}'),
    ):
        told[name] = f"{told[name]}, {value}" if name in told else value
    request.state.rate_limit = told
    if not allowed:
        raise too_many(wait_s)


def too_many(wait_s: int) -> Problem:
    """The answer to one request too many."""
    return Problem(429, f"Too many requests; try again in {wait_s} s.", {"Retry-After": str(wait_s)})
