"""A worker killed at any step: whoever comes next finishes the work, and finds no half of anything."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

import squashlib
from flows.work import work_off
from store import Settings, Store, jobs
from store.tables import AnalysisRow, Job, Lock, Report, Revision, SessionRow, Upload, User, now

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
)

#: Works a job off and dies as `kill -9` does, right before or right after the step it is told.
WORKER = """
import os, signal, sys
from functools import reduce
from importlib import import_module
from flows import work
from store import Store

step, when, job_id = sys.argv[1:]
module, _, place = step.partition(":")
*home, name = place.split(".")
home = reduce(getattr, home, import_module(module))
inner = getattr(home, name)

def dying(*args, **kwargs):
    if when == "after":
        inner(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(home, name, dying)
work.work_off(Store.open(), job_id)
"""
#: Before and after each step, and within each when something is written that no row names yet.
BOUNDARIES = (
    ("flows.process:make_revision", "before"),
    ("squashlib.session:write", "after"),
    ("flows.process:make_revision", "after"),
    ("store.blobs:Blobs.put", "after"),
    ("flows.process:make_analysis", "after"),
    ("store.reports:Reports.put", "before"),
    ("flows.process:make_report", "after"),
)


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("match") / "m.fit"
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, path)
    return path.read_bytes()


def promised(store: Store, name: str, fit: bytes) -> str:
    with store.catalog.begin() as tx:
        tx.add(User(user_id=name, email=f"{name}@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=name, user_id=name, start_time=now()))
        tx.flush()
        store.uploads.receive(tx, name, name, "file", fit)
        return jobs.enqueue(tx, "process", name, name).job_id


def die(home: Path, step: str, when: str, job_id: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SQUASH_", "PREFECT_"))}
    command = [sys.executable, "-c", WORKER, step, when, job_id]
    done = subprocess.run(command, env=env | {"SQUASH_HOME": str(home)}, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def a_minute_passes(store: Store) -> None:
    with store.catalog.begin() as tx:
        tx.execute(update(Lock).values(beaten_at=now() - timedelta(seconds=61)))


def count(store: Store, table: type) -> int:
    with store.catalog.look() as tx:
        return int(tx.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.slow
def test_killed_at_each_boundary_the_work_is_finished_once(tmp_path: Path, fit: bytes) -> None:
    store = Store.open(Settings(home=tmp_path))
    for i, (step, when) in enumerate(BOUNDARIES, 1):
        name = f"killed-{i}"
        job_id = promised(store, name, fit)
        die(tmp_path, step, when, job_id)
        assert count(store, Lock) == 1, "the dead worker's"
        assert work_off(store, job_id) == "completed", "its process is gone, so nobody waits for its lock"
        assert store.sessions.analysis(name).document["metrics"], (step, when)
        assert store.reports.get(name)
        assert [count(store, table) for table in (Upload, Revision, AnalysisRow, Report)] == [i] * 4
        assert count(store, Lock) == 0


def test_a_lock_of_another_machine_holds_for_a_minute(tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    assert jobs.lock(store.catalog, "session:s", "elsewhere/1:99999999:x")
    assert not jobs.lock(store.catalog, "session:s", jobs.holder())
    a_minute_passes(store)
    assert jobs.lock(store.catalog, "session:s", mine := jobs.holder())
    a_minute_passes(store)
    assert jobs.beat(store.catalog, "session:s", mine)
    assert not jobs.lock(store.catalog, "session:s", jobs.holder()), "it lives"


@pytest.mark.slow
def test_what_kills_its_worker_three_times_is_set_aside_and_others_go_on(tmp_path: Path, fit: bytes) -> None:
    store = Store.open(Settings(home=tmp_path))
    poison, good = promised(store, "poison", fit), promised(store, "good", fit)
    for _ in range(jobs.MAX_ATTEMPTS):
        die(tmp_path, "flows.process:make_revision", "before", poison)
    work_off(store, poison)
    with store.catalog.look() as tx:
        job = tx.get_one(Job, poison)
        assert (job.status, job.attempts) == ("failed", 3)
        assert "gave up" in str(job.error)
    assert count(store, Upload) == 2, "the bytes are kept"
    assert work_off(store, good) == "completed"
