"""A rerun on a fleet: two Dask workers, Prefect on PostgreSQL, S3; one worker dies, each session is done once."""

import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import squashlib
from flows import process, rerun
from flows.stale import stale_sessions
from store import Settings, Store
from store.tables import AnalysisRow, Lock, Report, SessionRow, User, now
from tests.flows import fleet_services as services
from tests.services import database, postgres

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


def kill_after_first(store: Store, victim: Any) -> threading.Thread:
    """Kill a worker as soon as one session is done."""

    def watch() -> None:
        while True:
            with store.catalog.look() as tx:
                if tx.scalar(select(func.count()).select_from(AnalysisRow)) > SESSIONS:
                    victim.kill()
                    return
            time.sleep(0.02)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def done_once(store: Store, ids: list[str]) -> None:
    assert stale_sessions(store) == []
    with store.catalog.look() as tx:
        made = Counter(tx.scalars(select(AnalysisRow.session_id)))
        pages = Counter(tx.scalars(select(Report.session_id)))
        assert tx.scalar(select(func.count()).select_from(Lock)) == 0
    assert made == dict.fromkeys(ids, 2), "the old analysis and one new one"
    assert pages == dict.fromkeys(ids, 1)


def test_a_worker_of_a_dask_cluster_dies_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.fleet.CHUNK", 1)
    with (
        services.s3(tmp_path) as aws,
        postgres() as server,
        database(server) as catalog,
        database(server) as orchestration,
        services.prefect(tmp_path, orchestration) as prefect,
    ):
        for name, value in (aws | prefect).items():
            monkeypatch.setenv(name, value)
        with services.dask(tmp_path, os.environ) as (address, workers):
            where = {"database_url": catalog, "store_url": "s3://squash/store", "dask_address": address}
            store = Store.open(Settings(home=tmp_path / "home", **where))
            ids = filled(store, tmp_path)
            thread = kill_after_first(store, workers[0])
            outcomes = dict(rerun.recompute(store, stale_sessions(store)))
            thread.join(1)
            assert workers[0].poll() is not None, "it was killed"
            assert outcomes == dict.fromkeys(ids)
            done_once(store, ids)
            assert any(store.blobs.list("sessions")), "they lie on S3"
            store.catalog.engine.dispose()


def test_a_local_process_dies_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr("flows.fleet.CHUNK", 2)
    store = Store.open(Settings(home=tmp_path / "home"))
    ids = filled(store, tmp_path)

    class Victim:
        def kill(self) -> None:
            mine = [c for c in psutil.Process().children() if "spawn_main" in " ".join(c.cmdline())]
            mine[0].kill()

    thread = kill_after_first(store, Victim())
    assert dict(rerun.recompute(store, stale_sessions(store))) == dict.fromkeys(ids)
    thread.join(1)
    done_once(store, ids)
