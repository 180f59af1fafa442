"""The night's work forgets what expired, loses no upload, and is done once a day."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from flows import nightly
from flows.orphans import sweep
from squashlib.errors import NotFoundError
from store import Settings, Store, jobs
from store.tables import IdempotencyKey, Job, SessionRow, User, now


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(Settings(home=tmp_path))


def session_of_somebody(store: Store) -> tuple[str, str]:
    user_id, session_id = str(uuid.uuid4()), str(uuid.uuid4())
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email=f"{user_id}@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=session_id, user_id=user_id, start_time=now()))
    return user_id, session_id


def test_an_upload_under_way_and_one_that_returns_are_never_lost(store: Store) -> None:
    user_id, session_id = session_of_somebody(store)
    with store.catalog.begin() as tx:
        kept, _ = store.uploads.receive(tx, session_id, user_id, "hr", b"journaled")
    lost, _ = store.uploads.keep(b"its transaction never came")
    night = now()
    assert sweep(store, night)["set_aside"] == 0, "it may be under way"
    assert sweep(store, night + timedelta(days=1)) == {"set_aside": 1, "put_back": 0, "removed": 0}
    with pytest.raises(NotFoundError):
        store.uploads.read(lost)
    with store.catalog.begin() as tx:  # a client that had seen the blob writes its row only now
        store.uploads.journal(tx, session_id, user_id, "hr", lost, 26, None, None)
    assert sweep(store, night + timedelta(days=2))["put_back"] == 1
    assert store.uploads.read(lost) == b"its transaction never came"
    assert store.uploads.read(kept.sha256) == b"journaled"


def test_orphans_go_after_a_week(store: Store) -> None:
    store.uploads.keep(b"nobody's")
    night = now()
    counts = [sweep(store, night + timedelta(days=day)) for day in range(9)]
    assert [one["removed"] for one in counts] == [0] * 7 + [1, 0]
    assert not list(store.blobs.list("uploads"))
    assert not list(store.blobs.list("aside"))


def test_expired_keys_go_and_fresh_ones_stay(store: Store) -> None:
    with store.catalog.begin() as tx:
        for key, days in (("old", 8), ("fresh", 6)):
            tx.add(IdempotencyKey(user_id="u", key=key, request_hash="h", created_at=now() - timedelta(days=days)))
    assert nightly.forget(store, now())["idempotency_keys"] == 1
    with store.catalog.look() as tx:
        assert tx.get(IdempotencyKey, ("u", "fresh")) is not None


def test_it_is_done_once_a_day_and_a_failed_step_stops_no_other(store: Store) -> None:
    morning = now().replace(hour=4)
    assert not nightly.due(store, morning.replace(hour=1))
    assert nightly.due(store, morning)
    (store.settings.home / "backups").write_text("in the way")
    done = nightly.run(store, morning)
    assert done["backup"].startswith("failed: ")
    assert done["rerun"] == {"stale": 0, "failed": 0}
    assert not nightly.due(store, morning)
    assert nightly.due(store, morning + timedelta(days=1))
    with store.catalog.look() as tx:
        assert "backup failed" in str(tx.get_one(Job, nightly._job_id(morning)).error)


def test_only_one_worker_does_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "AT_HOUR_UTC", 0)
    tonight = now()
    monkeypatch.setattr(nightly, "now", lambda: tonight)  # the next day may begin meanwhile
    assert jobs.lock(store.catalog, "nightly", "another")
    assert nightly.run_if_due(store, lambda: nightly.run(store)) is None
    jobs.unlock(store.catalog, "nightly", "another")
    assert nightly.run_if_due(store, lambda: nightly.run(store)) is not None
    assert nightly.run_if_due(store, lambda: nightly.run(store)) is None
