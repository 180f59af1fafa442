"""Watches without a net, a server that is killed: each session still holds exactly what its watch recorded.

A few watches and kills in every test run; `make chaos` has 200 watches and fifty kills on each database (fewer by
`SIZE=20x5`).
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from store import Settings, Store
from tests import services

WATCHES, KILLS = map(int, os.environ.get("SQUASH_CHAOS", "8x4").split("x"))
BATCHES, PER_BATCH, POINTS = 6, 60, 10
START = datetime(2026, 1, 15, 10, tzinfo=UTC)

#: Has read the server's code once; each line that it is sent begins a server in a process of its own, whose number it
#: tells. So fifty starts cost what a start itself does, and no time for imports.
MOTHER = """
import ctypes, os, signal, sys, uvicorn
import api.app
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # ends with its mother, so that nothing outlives the test
        uvicorn.run("api.app:app", port=int(line), log_level="critical")
        os._exit(0)
    print(child, flush=True)
"""


class Fleet:
    """A server that dies and comes back at the same address."""

    def __init__(self, settings: Settings) -> None:
        self.port = services.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("SQUASH_", "PREFECT_"))}
        self.env |= {"SQUASH_HOME": str(settings.home), "SQUASH_DATABASE_URL": settings.database_url}
        self.env["SQUASH_DATABASE_OWNER_URL"] = settings.database_owner_url
        self.deaths = 0
        self.mother = subprocess.Popen(
            [sys.executable, "-c", MOTHER],
            env=self.env,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.start()

    def start(self) -> None:
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        print(self.port, file=self.mother.stdin, flush=True)
        self.process = psutil.Process(int(self.mother.stdout.readline()))
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("the server did not come up")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(services.PATIENCE_S)
        self.deaths += 1

    def end(self) -> None:
        self.kill()
        with self.mother:
            self.mother.kill()


class Player:
    """Has several watches; the first that comes logs in for all."""

    def __init__(self, number: int) -> None:
        self.account = {"email": f"player{number}@example.org", "password": "a player's pass phrase"}
        self.turn = threading.Lock()
        self.token: str | None = None

    def token_by(self, watch: "ChaosWatch") -> str:
        with self.turn:
            if self.token is None:
                watch.send("POST", "/api/auth/register", self.account, fine={201, 409})
                self.token = str(watch.send("POST", "/api/auth/login", self.account).json()["access_token"])
            return self.token


class ChaosWatch:
    """Knows what it recorded; sends it late, twice and out of order, over a bad line."""

    def __init__(self, url: str, player: Player, seed: int) -> None:
        self.player = player
        self.chance = random.Random(seed)
        self.client = httpx.Client(base_url=url, timeout=60)
        self.taken = 0
        self.session_id = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        offset = timedelta(seconds=self.chance.uniform(-4, 4))  # this watch's clock
        times = [START + offset + timedelta(seconds=i) for i in range(BATCHES * PER_BATCH)]
        self.bpm = {iso(moment): 90 + self.chance.randrange(100) for moment in times}
        self.points = [
            {
                "point_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
                "timestamp": iso(START + offset + timedelta(seconds=20 * i)),
                "winner": self.chance.choice(["me", "opponent"]),
            }
            for i in range(POINTS)
        ]

    def play(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {self.player.token_by(self)}"
        self.client.cookies.clear()
        url = f"/api/sessions/{self.session_id}"
        self.send("POST", "/api/sessions", {"session_id": self.session_id, "start_time": iso(START)})
        queue: list[tuple[str, Any]] = [(f"{url}/points", point) for point in self.points]
        samples = list(self.bpm.items())
        for i in range(BATCHES):
            mine = samples[max(0, i * PER_BATCH - 5) : (i + 1) * PER_BATCH]  # batches overlap
            queue.append((f"{url}/hr-data", {"data": [{"timestamp": t, "heart_rate": b} for t, b in mine]}))
        queue += [item for item in queue if self.chance.random() < 0.3]
        self.chance.shuffle(queue)
        half = len(queue) // 2
        for path, body in queue[:half]:
            self.send("POST", path, body)
        self.send("PATCH", url, {"end_time": iso(START + timedelta(hours=2))})
        for path, body in queue[half:]:  # two hours late
            self.send("POST", path, body)

    def send(self, method: str, path: str, body: Any, fine: set[int] = frozenset({200, 201, 202})) -> httpx.Response:
        """Until it is taken; one answer in five gets lost after the server has done its work."""
        name = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        key = {"Idempotency-Key": name} if self.chance.random() < 0.5 else {}
        lost = self.chance.random() < 0.2
        deadline, tries = time.monotonic() + 1800, 0
        while time.monotonic() < deadline:
            tries += 1
            try:
                answer = self.client.request(method, path, json=body, headers=key)
            except httpx.TransportError:
                self.wait(tries)
                continue
            if answer.status_code in fine and not lost:
                self.taken += 1
                return answer
            retry = answer.status_code in fine or answer.status_code >= 500 or "Retry-After" in answer.headers
            assert retry, f"{method} {path}: {answer.status_code} {answer.text}"
            if answer.status_code not in fine:
                self.wait(tries)
            lost = False
        raise AssertionError(f"{method} {path} was not taken in time")

    def wait(self, tries: int) -> None:
        """As watches do: longer each time, and never all at once."""
        time.sleep(self.chance.uniform(0, min(3.0, 0.1 * 2**tries)))


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled(settings: Settings) -> None:
    fleet = Fleet(settings)
    try:
        players = [Player(number) for number in range((WATCHES + 3) // 4)]
        watches = [ChaosWatch(fleet.url, players[seed % len(players)], seed) for seed in range(WATCHES)]
        done = threading.Event()
        killer = threading.Thread(target=kill_at_random, args=(fleet, watches, done))
        killer.start()
        try:
            with ThreadPoolExecutor(WATCHES) as pool:
                list(pool.map(ChaosWatch.play, watches))
        finally:
            done.set()
            killer.join(services.PATIENCE_S)
        assert fleet.deaths == KILLS, "the match was over before the server was killed"
        for watch in watches:
            check(watch)
            watch.client.close()
    finally:
        fleet.end()
    check_samples(settings, watches)


def kill_at_random(fleet: Fleet, watches: list[ChaosWatch], done: threading.Event) -> None:
    """At random moments of the evening, each a little after some request was taken."""
    chance = random.Random(0)
    least = WATCHES * (2 + POINTS + BATCHES)
    for moment in sorted(chance.uniform(0.02, 0.95) * least for _ in range(KILLS)):
        while sum(watch.taken for watch in watches) < moment:
            if done.wait(0.01):
                return
        time.sleep(chance.uniform(0, 0.1))
        fleet.kill()
        fleet.start()


def check(watch: ChaosWatch) -> None:
    found = watch.client.get(f"/api/sessions/{watch.session_id}/points").json()
    assert [{name: point[name] for name in watch.points[0]} for point in found] == watch.points


def check_samples(settings: Settings, watches: list[ChaosWatch]) -> None:
    """The session's data, decoded from what was kept, sample by sample."""
    from flows.process import make_revision
    from squashlib.session import at

    store = Store.open(settings)
    for watch in watches:
        make_revision(store, watch.session_id)
        session = store.sessions.open(watch.session_id)
        times = [at(session, second) for second in session["hr_time"].values]
        assert dict(zip(times, session["heart_rate"].values.astype(int).tolist(), strict=True)) == watch.bpm
        assert len(times) == len(set(times)) == len(json.loads(json.dumps(watch.bpm)))
    store.catalog.close()
