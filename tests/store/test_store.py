"""The store keeps what it was given, once, and shows nobody what is not theirs or not whole."""

import hashlib
import io
import multiprocessing
import os
import signal
import time
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import squashlib
from squashlib.errors import DecodeError, NotFoundError, SquashError
from store import Settings, Store, jobs
from store.erasure import erase_session, erase_user
from store.points import fold
from store.settings import load
from store.tables import AthleteSettings, Job, PointEvent, Revision, SessionRow, Upload, User, now
from tests.services import PATIENCE_S


def player(store: Store) -> tuple[str, str]:
    user_id, session_id = str(uuid.uuid4()), str(uuid.uuid4())
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email=f"{user_id}@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=session_id, user_id=user_id, start_time=now()))
    return user_id, session_id


def test_the_same_bytes_are_kept_once(store: Store) -> None:
    user_id, session_id = player(store)
    with store.catalog.begin() as tx:
        first, again = store.uploads.receive(tx, session_id, user_id, "file", b"abc")
        assert not again
    with store.catalog.begin() as tx:
        second, again = store.uploads.receive(tx, session_id, user_id, "file", io.BytesIO(b"abc"))
        assert again
        assert second.upload_id == first.upload_id
    assert store.uploads.read(first.sha256) == b"abc"


def test_batches_that_were_packed_the_first_way_are_read(store: Store) -> None:
    user_id, session_id = player(store)
    content = b'{"data": []}' * 50
    sha256 = hashlib.sha256(content).hexdigest()
    store.blobs.put(f"uploads/{sha256[:2]}/{sha256}.z", zlib.compress(content))
    with store.catalog.begin() as tx:
        store.uploads.journal(tx, session_id, user_id, "hr", sha256, len(content), None, None)
    assert store.uploads.read(sha256) == content
    erase_session(store, session_id)
    assert list(store.blobs.list("uploads")) == []


def test_a_stream_that_is_too_large_is_refused(store: Store) -> None:
    with pytest.raises(DecodeError, match="larger than 10"):
        store.uploads.keep(io.BytesIO(b"x" * 11), 10)


def test_revisions_and_analyses_are_read_as_written(store: Store) -> None:
    user_id, session_id = player(store)
    session = squashlib.simulate(1, rate_hz=10).session
    store.sessions.write_revision(session_id, "r", session)
    assert store.sessions.open(session_id).identical(session)
    analysis = squashlib.analyse(session)
    store.sessions.write_analysis(session_id, "k", "r", analysis, {"swings": "f"})
    stored = store.sessions.analysis(session_id)
    assert stored.document == analysis.to_dict()
    assert store.sessions.group(stored, "rallies").identical(analysis.rallies)
    found = store.sessions.findings(stored.path, ["swings", "match", "gone"])
    assert found.keys() == {"swings", "match"}
    assert found["match"].metrics == analysis.findings["match"].metrics
    with pytest.raises(NotFoundError):
        store.sessions.open(session_id, str(uuid.uuid4()))
    assert [row.session_id for row in store.sessions.find(sport="squash", user_id=user_id)] == [session_id]
    assert store.sessions.find(consented=True) == []


def _write_for_ever(settings: Settings, session_id: str) -> None:
    store, session = Store.open(settings), squashlib.simulate(1, rate_hz=10).session
    for i in range(10_000):
        store.sessions.write_revision(session_id, f"r{i:05d}", session)


def test_a_writer_killed_at_any_instant_leaves_no_half_revision(store: Store) -> None:
    _, session_id = player(store)
    session = squashlib.simulate(1, rate_hz=10).session
    context = multiprocessing.get_context("spawn")
    for wait_s in (0.05, 0.13, 0.31):
        writer = context.Process(target=_write_for_ever, args=(store.settings, session_id))
        writer.start()
        before = store.sessions.row(session_id).revision
        deadline = time.monotonic() + PATIENCE_S
        while store.sessions.row(session_id).revision == before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert store.sessions.row(session_id).revision != before, "the writer never wrote"
        time.sleep(wait_s)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        with store.catalog.begin() as tx:
            revisions = list(tx.scalars(select(Revision.revision)))
        assert revisions
        assert store.sessions.open(session_id).equals(session)
        for revision in revisions:
            assert store.sessions.revision(session_id, revision).equals(session)


def test_settings_are_those_of_the_day(store: Store) -> None:
    user_id, _ = player(store)
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with store.catalog.begin() as tx:
        for i, top in enumerate((190, 185)):
            tx.add(AthleteSettings(user_id=user_id, valid_from=day + timedelta(days=100 * i), hr_max_bpm=top))
    for days, expected in ((-5, 190), (50, 190), (100, 185), (500, 185)):
        assert store.sessions.athlete(user_id, day + timedelta(days=days)).hr_max_bpm == expected


def event(op: str, point_id: str, **body: object) -> PointEvent:
    return PointEvent(op=op, point_id=point_id, body=body)


def test_points_fold_from_their_events() -> None:
    events = [
        event("add", "b", timestamp="2026-01-01T00:02", winner="me"),
        event("add", "a", timestamp="2026-01-01T00:01", winner="me"),
        event("add", "a", timestamp="2026-01-01T00:09", winner="opponent"),
        event("edit", "b", winner="opponent"),
        event("add", "c", timestamp="2026-01-01T00:03"),
        event("undo", "c"),
        event("add", "c", timestamp="2026-01-01T00:03"),
    ]
    held = fold(events)
    assert [(point["point_id"], point["winner"]) for point in held] == [("a", "me"), ("b", "opponent")]


def test_a_job_has_one_holder_and_three_attempts(store: Store) -> None:
    user_id, session_id = player(store)
    with store.catalog.begin() as tx:
        job_id = jobs.enqueue(tx, "process", session_id, user_id).job_id
        assert jobs.enqueue(tx, "process", session_id, user_id).job_id == job_id
    assert jobs.lock(store.catalog, "session", "one")
    assert not jobs.lock(store.catalog, "session", "two")
    jobs.unlock(store.catalog, "session", "two")
    assert not jobs.lock(store.catalog, "session", "two")
    jobs.unlock(store.catalog, "session", "one")
    assert jobs.lock(store.catalog, "session", "two")
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs.start(store.catalog, job_id) is not None
    assert jobs.start(store.catalog, job_id) is None
    with store.catalog.begin() as tx:
        job = tx.get_one(Job, job_id)
        assert job.status == "failed"
        assert "3 attempts" in str(job.error)


def test_erasing_a_session_spares_what_another_shares(store: Store) -> None:
    user_id, session_id = player(store)
    other_id, other_session = player(store)
    with store.catalog.begin() as tx:
        shared, _ = store.uploads.receive(tx, session_id, user_id, "file", b"shared")
        own, _ = store.uploads.receive(tx, session_id, user_id, "file", b"own")
        store.uploads.receive(tx, other_session, other_id, "file", b"shared")
    erase_session(store, session_id)
    assert store.uploads.read(shared.sha256) == b"shared"
    with pytest.raises(NotFoundError):
        store.uploads.read(own.sha256)
    erase_user(store, other_id)
    assert list(store.blobs.list("uploads")) == []
    with store.catalog.begin() as tx:
        assert list(tx.scalars(select(Upload))) == []


def test_bytes_erased_while_they_come_in_are_not_acknowledged(store: Store) -> None:
    user_id, session_id = player(store)
    other_id, other_session = player(store)
    with store.catalog.begin() as tx:
        store.uploads.receive(tx, session_id, user_id, "hr", b"the same")
    sha256, size = store.uploads.keep(b"the same")
    erase_session(store, session_id)
    with store.catalog.begin() as tx, pytest.raises(NotFoundError, match="send them again"):
        store.uploads.journal(tx, other_session, other_id, "hr", sha256, size, None, None)
    with store.catalog.begin() as tx:
        store.uploads.receive(tx, other_session, other_id, "hr", b"the same")
    assert store.uploads.read(sha256) == b"the same"


def test_an_erasure_that_dies_in_the_middle_can_be_done_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    user_id, session_id = player(store)
    with store.catalog.begin() as tx:
        for content in (b"one", b"two", b"three"):
            store.uploads.receive(tx, session_id, user_id, "hr", content)
    erased: list[str] = []

    def dying(prefix: str) -> None:
        if len(erased) == 5:
            raise OSError("the disk went away")
        erased.append(prefix)
        whole(prefix)

    whole = store.blobs.delete
    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "delete", dying)
        with pytest.raises(OSError, match="went away"):
            erase_session(store, session_id)
    with store.catalog.begin() as tx:
        assert len(list(tx.scalars(select(Upload)))) == 3, "the rows still say what is left to erase"
    erase_session(store, session_id)
    assert list(store.blobs.list("uploads")) == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SQUASH_STORE_URL", "ftp://x", "SQUASH_STORE_URL"),
        ("SQUASH_DATABASE_URL", "mysql://x", "SQUASH_DATABASE_URL"),
        ("SQUASH_DATABASE_OWNER_URL", "postgresql://owner@x/y", "SQUASH_DATABASE_URL"),
        ("SQUASH_JWT_JWKS_URL", "https://x", "SQUASH_JWT_ISSUER"),
        ("SQUASH_JWT_HS256_SECRET", "short", "SQUASH_JWT_HS256_SECRET must be at least 32 bytes"),
    ],
)
def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SquashError, match=says):
        load()


def test_a_key_that_can_be_guessed_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SQUASH_SECRET_KEY", "short")
    with pytest.raises(SquashError, match="SQUASH_SECRET_KEY is 5 bytes, must be at least 32"):
        Settings(home=tmp_path).secret_key()


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.secret_key() == settings.secret_key()
    assert len(settings.secret_key()) > 40
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
