"""Work done apart ends with its process, and whatever happens to it is told to who asked."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import squashlib
from flows import apart, warm, work
from flows.apart import DiedError, run
from flows.forked import CAN_FORK
from flows.warm import Pool
from store import Settings, Store, jobs
from store.tables import Job, Lock, SessionRow, User, now

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_FORK, reason="needs Linux"),
    # jupyter_client leaves the sockets of a killed kernel to the garbage collector
    *map(
        pytest.mark.filterwarnings,
        ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"),
    ),
]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool(1)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _that_pool(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "POOL", pool)


def promised(store: Store, content: bytes) -> tuple[str, str]:
    name = uuid.uuid4().hex
    with store.catalog.begin() as tx:
        tx.add(User(user_id=name, email=f"{name}@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=name, user_id=name, start_time=now()))
        tx.flush()
        store.uploads.receive(tx, name, name, "file", content)
        return name, jobs.enqueue(tx, "process", name, name).job_id


def test_what_it_returns_or_raises_is_returned_or_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUASH_SECRET_KEY", "the owner's")
    assert run("os:getenv", "SQUASH_SECRET_KEY") == "the owner's"
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run("os:stat", "/nowhere")
    folder = Path(run("os:getcwd"))
    assert folder.name.startswith("squash-work-")
    assert not folder.exists()


def test_a_death_and_a_hang_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DiedError, match="died"):
        run("os:abort")
    monkeypatch.setattr(apart, "TIME_LIMIT_S", 1.0)
    with pytest.raises(DiedError, match="longer than 1 s"):
        run("signal:pause")


def test_a_recording_that_kills_three_processes_is_set_aside_and_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(Settings(home=tmp_path / "home"))
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, tmp_path / "m.fit")
    fit = (tmp_path / "m.fit").read_bytes()
    (_, poison), (session_id, good) = promised(store, fit), promised(store, fit)
    with monkeypatch.context() as crashing:
        crashing.setattr(work, "run", lambda *_: run("os:abort"))
        for _ in range(jobs.MAX_ATTEMPTS):
            with pytest.raises(DiedError):
                work.work_off(store, poison, apart=True)
    assert work.work_off(store, poison, apart=True) == "nothing to do"
    with store.catalog.look() as tx:
        job = tx.get_one(Job, poison)
        assert (job.status, job.attempts) == ("failed", 3)
        assert "the process that did the work died" in str(job.error)
    assert work.work_off(store, good, apart=True) == "completed"
    with store.catalog.look() as tx:
        assert tx.query(Lock).count() == 0
    found = store.sessions.analysis(session_id)
    assert found.document["metrics"]
    assert work.make_insights(store, session_id) == found.key, "it is what is made here"
    assert store.reports.get(session_id)
