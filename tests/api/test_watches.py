"""A lost watch is shut out by its player from elsewhere, and by nobody else."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from tests.api.conftest import Login, Server

Pair = Callable[[httpx.Client, str], httpx.Client]


@pytest.fixture
def pair(server: Server) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield lambda player, name: stack.enter_context(closing(paired(server, player, name)))


def paired(server: Server, player: httpx.Client, name: str) -> httpx.Client:
    watch = httpx.Client(base_url=server.url, timeout=60)
    codes = watch.post("/api/auth/device/code", json={"client_name": name}).json()
    player.post("/api/auth/device/approve", json={"user_code": codes["user_code"]}).raise_for_status()
    tokens = watch.post("/api/auth/device/token", json={"device_code": codes["device_code"]}).raise_for_status().json()
    watch.cookies.clear()
    watch.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    watch.headers["X-Refresh"] = tokens["refresh_token"]  # kept here only, for the test
    return watch


def refreshed(watch: httpx.Client) -> httpx.Response:
    return watch.post("/api/auth/refresh-token", json={"refresh_token": watch.headers["X-Refresh"]})


def test_a_lost_watch_is_shut_out_at_once_and_the_other_one_not(login: Login, pair: Pair) -> None:
    ann = login()
    lost, kept = pair(ann, "lost watch"), pair(ann, "kept watch")
    listed = ann.get("/api/auth/devices").json()
    assert [one["name"] for one in listed] == ["kept watch", "lost watch"]
    assert all(one["last_login_at"] >= one["paired_at"] for one in listed)
    session_id = lost.post("/api/sessions", json={}).raise_for_status().json()["session_id"]
    assert ann.delete(f"/api/auth/devices/{listed[1]['device_id']}").status_code == 204
    assert lost.get("/api/sessions").status_code == 401
    assert refreshed(lost).status_code == 401
    assert kept.get("/api/sessions").status_code == 200
    assert refreshed(kept).status_code == 200
    assert [one["name"] for one in ann.get("/api/auth/devices").json()] == ["kept watch"]
    assert ann.get(f"/api/sessions/{session_id}").status_code == 200, "what it sent stays"
    assert ann.delete(f"/api/auth/devices/{listed[1]['device_id']}").status_code == 404, "once"


def test_nobody_unpairs_another_player_s_watch(login: Login, pair: Pair) -> None:
    ann, ben = login(), login()
    watch = pair(ann, "ann's watch")
    device_id = ann.get("/api/auth/devices").json()[0]["device_id"]
    assert ben.get("/api/auth/devices").json() == []
    for wanted in (device_id, str(uuid.uuid4())):
        answer = ben.delete(f"/api/auth/devices/{wanted}")
        assert answer.status_code == 404
        assert (
            answer.json()["detail"].replace(wanted, "")
            == "There is no watch  of yours; GET /api/auth/devices lists them."
        )
    assert watch.get("/api/sessions").status_code == 200
