"""A rerun on a fleet: two Dask workers, Prefect on PostgreSQL, S3; one worker dies, each session is done once."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import func, select

import squashlib
from flows import fleet, process, rerun
from flows.stale import stale_sessions
from store import Settings, Store
from store.tables import AnalysisRow, Lock, Report, SessionRow, User, now
from tests import processes
from tests.flows import fleet_services as services
from tests.services import PATIENCE_S, database, postgres

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
    ),
]
SESSIONS = int(os.environ.get("SQUASH_TEST_FLEET", "4"))


def filled(store: Store, folder: Path) -> list[str]:
    """Sessions of one player, analysed by older code."""
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, folder / "m.fit")
    ids = [f"00000000-0000-4000-8000-{i:012d}" for i in range(SESSIONS)]
    with store.catalog.begin() as tx:
        tx.add(User(user_id="u", email="u@example.org"))
        tx.flush()
        for session_id in ids:
            tx.add(SessionRow(session_id=session_id, user_id="u", start_time=now()))
            tx.flush()
            store.uploads.receive(tx, session_id, "u", "file", (folder / "m.fit").read_bytes())
    for session_id in ids:
        process.make_analysis(store, session_id, process.make_revision(store, session_id))
    with store.catalog.begin() as tx:
        for row in tx.scalars(select(AnalysisRow)):
            tx.get_one(SessionRow, row.session_id).analysis_key = f"old {row.session_id[-4:]}"
            row.fingerprints = row.fingerprints | {"rallies": "older"}
            row.analysis_key = f"old {row.session_id[-4:]}"
    return ids


@contextmanager
def killed_after_first(store: Store, kill: Callable[[], bool]) -> Iterator[None]:
    """Kill a worker as soon as one session is done; `kill` says whether there was one."""
    over, killed = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            with store.catalog.look() as tx:
                done = tx.scalar(select(func.count()).select_from(AnalysisRow))
            if done > SESSIONS and kill():
                killed.set()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert killed.is_set(), "nobody was killed"


def done_once(store: Store, ids: list[str]) -> None:
    assert stale_sessions(store) == []
    with store.catalog.look() as tx:
        made = Counter(tx.scalars(select(AnalysisRow.session_id)))
        pages = Counter(tx.scalars(select(Report.session_id)))
        assert tx.scalar(select(func.count()).select_from(Lock)) == 0
    assert made == dict.fromkeys(ids, 2), "the old analysis and one new one"
    assert pages == dict.fromkeys(ids, 1)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """S3, PostgreSQL, and Prefect on PostgreSQL; yields the environment that leads to them."""
    folder = tmp_path_factory.mktemp("servers")
    with (
        services.s3(folder) as aws,
        postgres() as server,
        database(server) as catalog,
        database(server) as orchestration,
        services.prefect(folder, orchestration) as prefect,
    ):
        store = {
            "SQUASH_HOME": f"{folder}/home",
            "SQUASH_DATABASE_URL": catalog,
            "SQUASH_STORE_URL": "s3://squash/store",
        }
        yield aws | prefect | store


def test_a_worker_of_a_dask_cluster_dies_in_the_middle(
    servers: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.fleet.CHUNK", 1)
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    with services.dask(tmp_path, os.environ) as (address, workers):
        store = Store.open(Settings(dask_address=address))
        ids = filled(store, tmp_path)

        def kill() -> bool:
            workers[0].kill()
            return True

        with killed_after_first(store, kill):
            outcomes = dict(rerun.recompute(store, stale_sessions(store)))
        assert outcomes == dict.fromkeys(ids)
        done_once(store, ids)
        assert any(store.blobs.list("sessions")), "they lie on S3"
        store.catalog.close()


def test_a_work_pool_of_processes_does_the_chunks(
    servers: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.fleet.CHUNK", 2)
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    store = Store.open(Settings(work_pool="fleet"))
    forget(store)
    ids = filled(store, tmp_path)
    with services.work_pool(tmp_path, os.environ, "fleet"):
        assert dict(rerun.recompute(store, stale_sessions(store))) == dict.fromkeys(ids)
    done_once(store, ids)
    runs = httpx.post(f"{servers['PREFECT_API_URL']}/flow_runs/filter", json={}, timeout=PATIENCE_S).json()
    chunks = [run for run in runs if run["work_pool_name"] == "fleet"]
    assert [run["state_type"] for run in chunks] == ["COMPLETED"] * len(chunks)
    assert Counter(run["parameters"]["kind"] for run in chunks) == {"analyses": 2, "pages": 2}
    assert not [run for run in chunks if "AWS" in str(run) or "postgresql" in str(run)], "no secret passes through"
    store.catalog.close()


def test_a_run_that_a_dead_machine_left_running_is_given_up(
    servers: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.fleet.SILENT_S", 2.0)
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    api, done = servers["PREFECT_API_URL"], threading.Event()

    def begin() -> None:
        """What a worker says before its machine dies."""
        while not done.wait(0.2):
            for run in httpx.post(f"{api}/flow_runs/filter", json={}, timeout=PATIENCE_S).json():
                if run["work_pool_name"] == "left" and run["state_type"] == "SCHEDULED":
                    running = {"state": {"type": "RUNNING"}}
                    httpx.post(f"{api}/flow_runs/{run['id']}/set_state", json=running, timeout=PATIENCE_S)

    with services.work_pool(tmp_path, os.environ, "left", worker=False):
        thread = threading.Thread(target=begin)
        thread.start()
        try:
            assert list(fleet.spread("analyses", Settings(work_pool="left"), ["s"], 2)) == []
        finally:
            done.set()
            thread.join()


def forget(store: Store) -> None:
    """Remove the player and all that was theirs."""
    with store.catalog.begin() as tx:
        for user in tx.scalars(select(User)):
            tx.delete(user)


def test_a_local_process_dies_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr("flows.fleet.CHUNK", 2)
    store = Store.open(Settings(home=tmp_path / "home"))
    ids = filled(store, tmp_path)

    earlier = processes.own()

    def kill() -> bool:
        with suppress(psutil.Error):
            for child in processes.started_since(earlier):
                if "forkserver" in " ".join(child.cmdline()) and child.children():
                    child.children()[0].kill()
                    return True
        return False

    with killed_after_first(store, kill):
        assert dict(rerun.recompute(store, stale_sessions(store))) == dict.fromkeys(ids)
    done_once(store, ids)
