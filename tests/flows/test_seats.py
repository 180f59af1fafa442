"""Seats: so many pages at once, the rest in line; and the back room's door, asked over HTTP."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from flows import dashboards
from flows.ports import free_port
from flows.seats import GONE_S, KEPT_S, Seats
from tests.api.conftest import Server
from tests.services import PATIENCE_S


def test_who_comes_first_is_served_first() -> None:
    seats = Seats(2)
    assert seats.ask("ann", 0, 0.0) == 0
    assert seats.ask("bob", 0, 0.1) == 0
    assert seats.ask("cem", 0, 0.2) == 1
    assert seats.ask("dee", 0, 0.3) == 2
    assert seats.sit("ann", 0.4)
    assert not seats.sit("cem", 0.4)
    # Ann sits, Bob left his seat: one is free, and Cem was first.
    assert seats.ask("dee", 1, KEPT_S - 10) == 2
    assert seats.ask("dee", 0, KEPT_S - 9) == 1, "the free seat is Cem's"
    assert seats.ask("cem", 0, KEPT_S - 8) == 0


def test_who_went_home_is_forgotten() -> None:
    seats = Seats(1)
    assert seats.ask("ann", 0, 0.0) == 0
    assert seats.ask("bob", 0, 1.0) == 1
    assert seats.ask("cem", 0, 2.0) == 2
    assert seats.ask("cem", 0, 1.5 + GONE_S) == 1
    assert seats.ask("cem", 0, KEPT_S + 1) == 0, "a seat that nobody came for is free again"


#: The real process, but nobody is taken to have gone home because this machine is slow.
PATIENT = """
from flows import dashboards, seats

seats.GONE_S = seats.KEPT_S = 3600.0
usual = dashboards.configuration

def patient(*arguments):
    config = usual(*arguments)
    config.Kernels.cull_left_timeout = 3600
    return config

dashboards.configuration = patient
dashboards.main()
"""


@contextmanager
def back_room(home: Path, seats: int) -> Iterator[str]:
    """The real process; yields its address."""
    port = free_port()
    command = dashboards.command(home, port, seats=seats)
    assert command[1:3] == ["-m", "flows.dashboards"]
    command[1:3] = ["-c", PATIENT]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=dashboards.environment(), stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/dashboards/"
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx.get(url + "seat", timeout=5)
                break
            except httpx.HTTPError:
                assert process.poll() is None, (home / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.2)
        secret = json.loads((home / "dashboards" / "door.json").read_text())["secret"]
        assert secret not in " ".join(command)
        yield url
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert not (home / "dashboards" / "door.json").exists()


@pytest.mark.slow
def test_the_back_room_asks_for_the_secret_and_counts_seats(tmp_path: Path) -> None:
    with back_room(tmp_path, 1) as url:
        door = tmp_path / "dashboards" / "door.json"
        assert door.stat().st_mode & 0o077 == 0
        secret = json.loads(door.read_text())["secret"]
        ann, bob = ({"X-Squash-Secret": secret, "X-Squash-User": name} for name in ("ann", "bob"))
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as api:
            assert api.post("seat", headers={**ann, "X-Squash-Secret": "no"}).status_code in (302, 403)
            assert api.post("seat", headers=ann).json() == {"before": 0}
            assert api.post("seat", headers=bob).json() == {"before": 1}
            # A seat was kept for Ann, but no data was written for this page; and none at all for Bob.
            page = "voila/render/trends_dashboard.ipynb"
            assert api.get(page, headers=bob).status_code == 503
            assert api.get(page, headers={**ann, "X-Squash-View": "../../x"}).status_code == 503


@pytest.mark.slow
def test_who_must_wait_reads_so_and_is_let_in_when_a_page_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUASH_HOME", str(tmp_path))
    monkeypatch.delenv("SQUASH_DATABASE_URL", raising=False)
    with ExitStack() as held:
        held.enter_context(back_room(tmp_path, 2))
        server = Server()
        held.callback(server.stop)
        server.start()
        players = [held.enter_context(a_player(server.url, f"p{i}@example.org")) for i in range(4)]
        pages = [player.get("/dashboards/trends") for player in players]
        assert [page.status_code for page in pages] == [200, 200, 503, 503]
        assert "You are next." in pages[2].text
        assert "1 before you." in pages[3].text
        assert "This page opens by itself" in pages[2].text
        assert 'http-equiv="refresh"' in pages[2].text
        assert pages[2].headers["retry-after"] == "3"
        found = re.search(r'data-kernel="([0-9a-f-]{36})"', pages[0].text)
        assert found
        players[0].delete(f"/dashboards/api/kernels/{found.group(1)}").raise_for_status()
        assert players[3].get("/dashboards/trends").status_code == 503, "the third was first in line"
        assert players[2].get("/dashboards/trends").status_code == 200


@contextmanager
def a_player(url: str, email: str) -> Iterator[httpx.Client]:
    """Somebody who signed in on the page."""
    account = {"email": email, "password": "a long pass phrase"}
    with httpx.Client(base_url=url, timeout=PATIENCE_S, headers={"X-Requested-With": "squash"}) as player:
        player.post("/api/auth/register", json=account).raise_for_status()
        player.post("/api/auth/login", json=account).raise_for_status()
        yield player
