"""Prefect's database is locked, then everybody is killed at random: each upload is processed once, and nothing is left.

`SQUASH_TEST_KILLS=50` for the full size.
"""

import os
import random
import signal
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import func, select

import squashlib
from flows.up import platform
from store import Settings, Store
from store.tables import AnalysisRow, Job, Lock, Report, Revision
from tests import processes
from tests.services import PATIENCE_S

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("SQUASH_TEST_KILLS", "5"))
SESSIONS = max(4, KILLS // 2)
VICTIMS = ("flows.worker", "flows.zygote", "kernel", "prefect server", "api.app:app")


def descendants(name: str, earlier: Collection[int] = ()) -> list[psutil.Process]:
    """Processes that this one started, of one kind, but for `earlier` ones and what those forked; kernels are forks."""
    found = []
    for child in processes.started_since(earlier):
        with suppress(psutil.Error):
            parent = child.parent()
            kernel = parent is not None and "flows.zygote" in " ".join(parent.cmdline())
            named = "kernel" if kernel else " ".join(child.cmdline())
            found += [child] if name in named else []
    return found


def persist(call: Callable[[], httpx.Response]) -> httpx.Response:
    """A client that tries until it is answered."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with suppress(httpx.TransportError):
            answer = call()
            if answer.status_code < 500:
                return answer
        assert time.monotonic() < deadline, "nobody answers"
        time.sleep(0.3)


def signed_in(api: str) -> httpx.Client:
    player = httpx.Client(base_url=api, timeout=60)
    account = {"email": f"{uuid.uuid4().hex}@example.org", "password": "a long password 123"}
    persist(lambda: player.post("/api/auth/register", json=account))
    token = persist(lambda: player.post("/api/auth/login", json=account)).json()["access_token"]
    player.headers["Authorization"] = f"Bearer {token}"
    return player


def upload(player: httpx.Client, fit: bytes) -> str:
    session_id = str(uuid.uuid4())
    body = {"session_id": session_id, "sport": "squash", "start_time": "2026-01-08T20:57:00Z"}
    assert persist(lambda: player.post("/api/sessions", json=body)).is_success
    file = {"file": ("m.fit", fit)}
    assert persist(lambda: player.post(f"/api/sessions/{session_id}/upload/fit", files=file)).is_success
    return session_id


def all_done(store: Store, ids: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S + 60 * len(ids)
    while time.monotonic() < deadline:
        with store.catalog.look() as tx:
            states = Counter(tx.scalars(select(Job.status).where(Job.session_id.in_(ids))))
        if states.keys() == {"completed"}:
            return
        time.sleep(1)
    raise AssertionError(f"jobs: {states}")


@pytest.fixture
def fit(tmp_path: Path) -> bytes:
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, tmp_path / "m.fit")
    return (tmp_path / "m.fit").read_bytes()


def few_kernels(earlier: Collection[int]) -> list[psutil.Process]:
    """Only those that wait, of reports and of dashboards; those that were killed or used are gone in a while."""
    deadline = time.monotonic() + PATIENCE_S
    while len(kernels := descendants("kernel", earlier)) > 8:
        assert time.monotonic() < deadline, kernels
        time.sleep(0.5)
    return kernels


def processed_while_prefects_database_is_locked(home: Path, player: httpx.Client, fit: bytes) -> str:
    """An upload that does not wait for Prefect, nor does its processing."""
    with closing(sqlite3.connect(home / "prefect" / "prefect.db", timeout=PATIENCE_S)) as other:
        other.execute("BEGIN EXCLUSIVE")
        session_id = upload(player, fit)
        all_done(Store.open(Settings(home=home)), [session_id])
        other.rollback()
    return session_id


def test_whoever_is_killed_each_upload_is_processed_once(tmp_path: Path, fit: bytes) -> None:
    chance, home = random.Random(7), tmp_path / "home"
    earlier = processes.own()  # of tests before this one
    killed: Counter[str] = Counter()
    with platform(home, announce=lambda _: None) as urls, closing(signed_in(urls["api"])) as player:
        ids = [processed_while_prefects_database_is_locked(home, player, fit)]
        for turn in range(KILLS):
            ids += [upload(player, fit)] if len(ids) < SESSIONS else []
            time.sleep(chance.uniform(0.5, 4))
            there = [name for name in VICTIMS if descendants(name, earlier)]
            name = there[turn % len(there)]
            for victim in descendants(name, earlier)[:1]:
                with suppress(psutil.NoSuchProcess):
                    victim.send_signal(signal.SIGKILL)
                    killed[name] += 1
        store = Store.open(Settings(home=home))
        all_done(store, ids)
        assert sum(killed.values()) >= KILLS - 1
        with store.catalog.look() as tx:
            for table in (Revision, AnalysisRow, Report):
                assert tx.scalar(select(func.count()).select_from(table)) == len(ids), table
            assert tx.scalar(select(func.count()).select_from(Lock)) == 0
        for session_id in ids:
            assert "heart_rate" in store.sessions.open(session_id)
            assert store.sessions.analysis(session_id).document["metrics"]
            assert store.reports.get(session_id)
        kernels = few_kernels(earlier)
    assert not processes.survivors(kernels), "a kernel dies a moment after those it was forked by"
    assert not list((home / "scratch").glob("*/squash-*")), "no copy of a session is left"
