"""Limits that several servers share in a real Redis, and what a client is told of them."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from limits import parse

from api import ratelimit
from api.ratelimit import POLICIES, Limiter
from tests import services
from tests.api.conftest import Login

DAY_S = 86_400


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits, so that a test reaches them."""
    for policy, limit in {"bytes": "10000/day", "guess": "3/day", "code": "3/day"}.items():
        monkeypatch.setitem(POLICIES, policy, parse(limit))


def test_servers_share_their_counts_in_redis(redis_url: str, few: None) -> None:
    one, other = Limiter(redis_url), Limiter(redis_url)
    assert one.hit("bytes", "ann", 6000) == (True, 4000, pytest.approx(DAY_S, abs=600))
    assert other.hit("bytes", "ann", 3000)[:2] == (True, 1000)
    assert one.hit("bytes", "ben", 10_000)[:2] == (True, 0)
    assert not other.spent("bytes", "ann")
    assert other.hit("bytes", "ann", 2000)[0] is False
    assert one.spent("bytes", "ann")


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_counts_end_with_their_window(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(POLICIES, "guess", parse("1/second"))
    limiter = Limiter(None if kind == "memory" else request.getfixturevalue("redis_url"))
    assert not all(limiter.hit("guess", "ann")[0] for _ in range(100)), "two of them in one second"
    deadline = time.monotonic() + services.PATIENCE_S
    while not limiter.hit("guess", "ann")[0]:
        assert time.monotonic() < deadline, "the window never ends"
        time.sleep(0.2)


def test_counts_in_memory_are_exact_and_forgotten(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter(None)
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: limiter.hit("bytes", "ann", 100)[0], range(300)))
    assert allowed.count(True) == 100
    assert limiter.hit("bytes", "ben", 1) == (True, 9999, pytest.approx(DAY_S, abs=600))
    held = limiter._strategy.storage
    assert len(held.expirations) == 2
    later = time.time() + DAY_S + 100
    monkeypatch.setattr(ratelimit.time, "time", lambda: later)
    limiter.hit("guess", "cas")
    assert len(held.expirations) == len(held.storage) == 1, "what is over takes no memory"


def test_a_redis_that_dies_stops_no_match() -> None:
    with services.redis() as url:
        limiter = Limiter(url)
        assert limiter.hit("user", "ann")[0]
    assert limiter.hit("user", "ann") == (True, POLICIES["user"].amount, 0)
    assert not limiter.spent("user", "ann")


def test_a_redis_that_does_not_answer_stops_no_match(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "REDIS_WAIT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.5)
        limiter = Limiter(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        assert limiter.hit("user", "ann") == (True, POLICIES["user"].amount, 0)
        asked = calls(silent)
        assert asked > 0
        assert all(limiter.hit("user", "ann")[0] for _ in range(50))
        assert not limiter.spent("user", "ann")
        assert calls(silent) == 0, "nobody waits for it again at once"


def calls(silent: socket.socket) -> int:
    """How many have called since."""
    held = []
    with suppress(TimeoutError):
        while True:
            held.append(silent.accept()[0])
    for line in held:
        line.close()
    return len(held)


def test_uploads_cost_their_bytes(login: Login, few: None) -> None:
    ann = login()
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    taken = ann.post(f"{url}/upload/fit", files={"file": ("a.fit", b"x" * 4000)})
    assert '"bytes";r=6000;t=' in taken.headers["RateLimit"]
    assert '"bytes";q=10000;w=86400;qu="content-bytes"' in taken.headers["RateLimit-Policy"]
    batch = b'{"data":[{"timestamp":"2026-01-01T10:00:00Z","heart_rate":120}]}' + b" " * 4000
    json = {"Content-Type": "application/json"}
    assert ann.post(f"{url}/hr-data", content=batch, headers=json).status_code == 202
    refused = ann.post(f"{url}/upload/fit", files={"file": ("b.fit", b"y" * 4000)})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= DAY_S
    assert '"user";r=' in refused.headers["RateLimit"]
    assert refused.headers["content-type"] == "application/problem+json"
    again = ann.post(f"{url}/upload/resumable", headers={"Upload-Length": "4000"})
    assert again.status_code == 429
    assert len(ann.get(f"{url}/uploads").json()["uploads"]) == 2
    assert login().post("/api/sessions", json={}).status_code == 201, "others have their own counts"


def test_guessing_passwords_and_codes_is_slow(login: Login, client: httpx.Client, few: None) -> None:
    ann = login()
    email = ann.get("/api/auth/me").json()["email"]
    for expected in (401, 401, 401, 429):
        wrong = client.post("/api/auth/login", json={"email": email.upper(), "password": "a wrong one"})
        assert wrong.status_code == expected
    assert client.post("/api/auth/login", json={"email": email, "password": "correct horse battery"}).status_code == 429
    for expected in (404, 404, 404, 429):
        asked = ann.post("/api/auth/device/approve", json={"user_code": "BBBB-BBBB"})
        assert asked.status_code == expected


def test_without_a_token_an_address_is_counted(client: httpx.Client) -> None:
    refused = client.get("/api/sessions")
    assert refused.status_code == 401
    assert refused.headers["RateLimit"].startswith('"unknown";r=')
    assert ratelimit.POLICIES["unknown"].amount < ratelimit.POLICIES["user"].amount
