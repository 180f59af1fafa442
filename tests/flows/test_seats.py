"""Seats: so many pages at once, the rest in line; and the back room's door, asked over HTTP."""

import json
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from flows import dashboards
from flows.seats import GONE_S, KEPT_S, Seats
from flows.up import free_port


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


@pytest.mark.slow
def test_the_back_room_asks_for_the_secret_and_counts_seats(tmp_path: Path) -> None:
    port = free_port()
    command = dashboards.command(tmp_path, port, seats=1)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=dashboards.environment(), stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/dashboards/"
        deadline = time.monotonic() + 90
        while True:
            try:
                httpx.get(url + "seat", timeout=5)
                break
            except httpx.HTTPError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.2)
        door = tmp_path / "dashboards" / "door.json"
        assert door.stat().st_mode & 0o077 == 0
        secret = json.loads(door.read_text())["secret"]
        assert secret not in " ".join(command)
        ann, bob = ({"X-Squash-Secret": secret, "X-Squash-User": name} for name in ("ann", "bob"))
        assert httpx.post(url + "seat", headers={**ann, "X-Squash-Secret": "no"}).status_code in (302, 403)
        assert httpx.post(url + "seat", headers=ann, timeout=60).json() == {"before": 0}
        assert httpx.post(url + "seat", headers=bob, timeout=60).json() == {"before": 1}
        # A seat was kept for Ann, but no data was written for this page; and none at all for Bob.
        page = url + "voila/render/trends_dashboard.ipynb"
        assert httpx.get(page, headers=bob, timeout=60).status_code == 503
        assert httpx.get(page, headers={**ann, "X-Squash-View": "../../x"}, timeout=60).status_code == 503
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert not door.exists()
