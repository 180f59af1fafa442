"""Nothing that was accepted is lost with the power: bytes are on the disk before their name, both before their row."""

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from squashlib import simulate
from store import Settings, Store
from store.blobs import Blobs
from store.tables import SessionRow, User, now

Happened = list[tuple[str, str]]


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> Happened:
    """What was asked of the disk, in order: `("fsync" or "replace", path)`."""
    seen: Happened = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        seen.append(("fsync", str(Path(f"/proc/self/fd/{handle}").readlink())))
        fsync(handle)

    def noted_replace(self: Path, target: Any) -> Path:
        seen.append(("replace", str(target)))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    return seen


@pytest.mark.parametrize("streamed", [False, True], ids=["bytes", "file"])
def test_bytes_are_on_the_disk_before_their_name(tmp_path: Path, happened: Happened, streamed: bool) -> None:
    blobs, source = Blobs((tmp_path / "store").as_uri()), tmp_path / "source"
    source.write_bytes(b"abc")
    blobs.put("uploads/ab/abc", source if streamed else b"abc")
    place = str(tmp_path / "store/uploads/ab/abc")
    kinds = [(kind, path.partition("#")[0] == place) for kind, path in happened]
    assert kinds[-3:] == [("fsync", True), ("replace", True), ("fsync", False)]
    folders = {path for kind, path in happened if kind == "fsync" and "#" not in path}
    assert folders == {str(tmp_path / name) for name in ("store", "store/uploads", "store/uploads/ab")}
    assert blobs.get("uploads/ab/abc") == b"abc"
    assert list(blobs.list("")) == ["uploads/ab/abc"]


def test_who_finds_bytes_that_another_is_writing_waits_for_the_disk_too(tmp_path: Path, happened: Happened) -> None:
    blobs = Blobs((tmp_path / "store").as_uri())
    blobs.put("uploads/ab/abc", b"abc")
    happened.clear()
    blobs.put_once("uploads/ab/abc", b"abc")
    assert happened == [("fsync", str(tmp_path / "store/uploads/ab"))]


def test_a_draft_that_was_never_finished_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before its name was given: nobody sees it, and the same bytes are written anew."""
    blobs = Blobs((tmp_path / "store").as_uri())

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            blobs.put("uploads/ab/abc", b"a")
    assert len(list((tmp_path / "store/uploads/ab").iterdir())) == 1
    assert not list(blobs.list(""))
    assert not blobs.exists("uploads/ab/abc")
    blobs.put_once("uploads/ab/abc", b"abc")
    assert blobs.get("uploads/ab/abc") == b"abc"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a//b", "", "a\0b", "a#1"])
def test_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    blobs = Blobs((tmp_path / "store").as_uri())
    with pytest.raises(ValueError, match="must be plain words"):
        blobs.put(name, b"x")
    assert [path.name for path in tmp_path.rglob("*")] == ["store"]


def test_a_revision_is_on_the_disk_before_a_row_names_it(tmp_path: Path, happened: Happened) -> None:
    store = Store.open(Settings(home=tmp_path))
    with store.catalog.begin() as tx:
        tx.add(User(user_id="u", email="u@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id="s", user_id="u", start_time=now()))
    store.sessions.write_revision("s", "r", simulate(1, rate_hz=10).session)
    (made,) = (tmp_path / "store/sessions/s").iterdir()
    settled = {path for kind, path in happened if kind == "fsync"}
    assert {str(path) for path in (made, *made.rglob("*"))} <= settled
    store.catalog.close()


def test_commits_of_the_catalog_are_on_the_disk(store: Store) -> None:
    """SQLite's log with each commit; PostgreSQL as its server is set, which no connection of ours makes laxer."""
    with store.catalog.look() as tx:
        if tx.get_bind().dialect.name == "sqlite":
            assert tx.scalar(text("PRAGMA synchronous")) == 2
            assert tx.scalar(text("PRAGMA journal_mode")) == "wal"
        else:
            asked = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"
            assert tx.scalar(text(asked)) in ("default", "configuration file", "command line")
