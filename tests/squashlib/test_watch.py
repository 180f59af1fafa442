"""The watch loses nothing: whatever the network does, each request arrives, in order, under one id."""

from collections.abc import Callable
from pathlib import Path

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from squashlib.watch import Watch

Answer = Callable[[httpx.Request], httpx.Response]


def watch(folder: Path, answer: Answer) -> Watch:
    device = Watch("http://court", folder / "queue.sqlite", "w", transport=httpx.MockTransport(answer))
    device._keep_tokens({"access_token": "a", "refresh_token": "r"})
    return device


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["ok", "lost request", "lost answer", "503"]), max_size=30))
def test_every_request_arrives_in_order_under_one_id(tmp_path: Path, network: list[str]) -> None:
    (tmp_path / "queue.sqlite").unlink(missing_ok=True)
    fates, seen = iter(network), dict[str, str]()

    def answer(request: httpx.Request) -> httpx.Response:
        fate = next(fates, "ok")
        if fate == "lost request":
            raise httpx.ConnectError("no network")
        if fate == "503":
            return httpx.Response(503)
        seen[request.headers["Idempotency-Key"]] = request.url.path
        if fate == "lost answer":
            raise httpx.ReadTimeout("answer lost")
        return httpx.Response(200, json={})

    with watch(tmp_path, answer) as device:
        for i in range(5):
            device.put("POST", f"/points/{i}", {"n": i})
        assert device.sync(tries=100, sleep=lambda _: None) == 0
    assert list(seen.values()) == [f"/points/{i}" for i in range(5)]


def test_the_queue_outlives_the_process(tmp_path: Path) -> None:
    def dead(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network")

    with watch(tmp_path, dead) as device:
        device.put("POST", "/points", {"n": 1})
        assert device.sync(tries=2, sleep=lambda _: None) == 1
    with watch(tmp_path, lambda request: httpx.Response(201, json={})) as device:
        assert device.waiting() == 1
        assert device.sync() == 0


def test_what_is_refused_is_kept_and_the_rest_goes_on(tmp_path: Path) -> None:
    def picky(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422 if request.url.path == "/bad" else 200, text="no")

    with watch(tmp_path, picky) as device:
        device.put("POST", "/bad", {})
        device.put("POST", "/good", {})
        assert device.sync() == 0
        assert device.refused() == [("/bad", "no")]


def test_an_expired_token_is_renewed_once_and_the_request_repeated(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/auth/refresh-token":
            return httpx.Response(200, json={"access_token": "new", "refresh_token": "new-r"})
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer new" else 401)

    with watch(tmp_path, answer) as device:
        device.put("POST", "/points", {})
        assert device.sync() == 0
    assert (tmp_path / "queue.sqlite").stat().st_mode & 0o077 == 0
