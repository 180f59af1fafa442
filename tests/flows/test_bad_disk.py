"""A full disk and a read-only store: jobs wait, nothing half-made is seen, and all is done when there is room again."""

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select

import squashlib
from flows import process
from flows.work import run_waiting, work_off
from store import Settings, Store, jobs
from store.tables import AnalysisRow, Job, Lock, Report, Revision, SessionRow, User, now

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
)
MADE = (Revision, AnalysisRow, Report)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts no tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def promised(tmp_path: Path, disk: Path) -> tuple[Store, str]:
    """A store on the small disk, the catalog elsewhere, and a job."""
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10).session, tmp_path / "m.fit")
    store = Store.open(Settings(home=tmp_path / "home", store_url=(disk / "store").as_uri()))
    with store.catalog.begin() as tx:
        tx.add(User(user_id="u", email="u@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id="s", user_id="u", start_time=now()))
        tx.flush()
        store.uploads.receive(tx, "s", "u", "file", (tmp_path / "m.fit").read_bytes())
        return store, jobs.enqueue(tx, "process", "s", "u").job_id


def waits(store: Store, job_id: str, why: str) -> None:
    """However often it is tried, the job waits with its reason, and nothing is there that should not be."""
    for _ in range(jobs.MAX_ATTEMPTS + 1):
        with pytest.raises(Exception, match=why):
            work_off(store, job_id)
    with store.catalog.look() as tx:
        job = tx.get_one(Job, job_id)
        assert (job.status, job.attempts) == ("queued", 0)
        assert why in str(job.error)
        assert tx.scalar(select(func.count()).select_from(Lock)) == 0
        assert [tx.scalar(select(func.count()).select_from(table)) for table in MADE] == [0, 0, 0]
    assert store.sessions.row("s").revision is None


def done(store: Store, job_id: str) -> None:
    assert run_waiting(store, older_s=-1) == 1
    with store.catalog.look() as tx:
        assert tx.get_one(Job, job_id).status == "completed"
        assert tx.get_one(Job, job_id).error is None
    assert store.reports.get("s")


def test_a_full_disk(promised: tuple[Store, str], disk: Path) -> None:
    store, job_id = promised
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(bytes(4096)):
            pass
    waits(store, job_id, "No space left")
    (disk / "filler").unlink()
    done(store, job_id)


def test_a_read_only_store(promised: tuple[Store, str], disk: Path) -> None:
    store, job_id = promised
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    waits(store, job_id, "Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    done(store, job_id)


def test_an_error_of_our_own_is_tried_three_times_and_told(
    promised: tuple[Store, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, job_id = promised

    def broken(*_: object) -> str:
        raise KeyError("a bug")

    monkeypatch.setattr(process, "make_revision", broken)
    with caplog.at_level(logging.CRITICAL):
        for _ in range(jobs.MAX_ATTEMPTS + 1):
            run_waiting(store, older_s=-1)
    with store.catalog.look() as tx:
        job = tx.get_one(Job, job_id)
        assert (job.status, job.attempts, job.error) == ("failed", 3, "KeyError: 'a bug'")
