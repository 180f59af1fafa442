"""What is copied each night brings a destroyed platform back: accounts, sessions, pages; what is erased leaves it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

import squashlib
from flows.process import make_analysis, make_revision
from squashlib.errors import SquashError
from store import Settings, Store
from store.backup import KEPT, backup
from store.restore import restore
from store.tables import now
from tests import services
from tests.api.conftest import Server

ACCOUNT = {"email": "ann@example.org", "password": "a long password 123"}
BODY = {"sport": "squash", "start_time": "2026-01-08T20:57:00Z"}


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("match") / "m.fit"
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, path)
    return path.read_bytes()


@contextmanager
def signed_in(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, new: bool = False) -> Iterator[httpx.Client]:
    """A player before the API of these settings."""
    for name in ("home", "backup_url", "database_url", "database_owner_url"):
        monkeypatch.setenv(f"SQUASH_{name.upper()}", str(getattr(settings, name)))
    server = Server()
    server.start()
    try:
        with httpx.Client(base_url=server.url) as client:
            if new:
                client.post("/api/auth/register", json=ACCOUNT).raise_for_status()
            token = client.post("/api/auth/login", json=ACCOUNT).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client
    finally:
        server.stop()


def played(client: httpx.Client, store: Store, fit: bytes) -> str:
    """A session with its page."""
    session_id = str(client.post("/api/sessions", json=BODY).raise_for_status().json()["session_id"])
    client.post(f"/api/sessions/{session_id}/upload/fit", files={"file": ("m.fit", fit)}).raise_for_status()
    key = make_analysis(store, session_id, make_revision(store, session_id))
    user_id = store.sessions.row(session_id).user_id
    store.reports.put(session_id, user_id, f"page-of-{key}", key, "session_report", "<p>the page</p>")
    return session_id


def test_what_was_destroyed_is_back(tmp_path: Path, fit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path / "home", backup_url=(tmp_path / "copies").as_uri())
    with signed_in(settings, monkeypatch, new=True) as client:
        store = Store.open(settings)
        session_id = played(client, store, fit)
        insights = client.get(f"/api/sessions/{session_id}/insights").json()
        token = client.headers["Authorization"]
        assert backup(store, now())["copied"] != 0
        assert backup(store, now())["copied"] == 0, "each blob once"
        store.catalog.close()
    shutil.rmtree(settings.home)
    with pytest.raises(SquashError, match="no copy of 1999-01-01"):
        restore(settings, "1999-01-01")
    assert restore(settings)["read"] == 1
    with signed_in(settings, monkeypatch) as again:
        assert again.get(f"/api/sessions/{session_id}/insights").json()["metrics"] == insights["metrics"]
        assert "the page" in again.get(f"/api/sessions/{session_id}/report").text
        assert again.get("/api/auth/me", headers={"Authorization": token}).is_success, "the key is restored too"
        assert "heart_rate" in Store.open(settings).sessions.open(session_id)
    with pytest.raises(SquashError, match="is there already"):
        restore(settings)


def test_copies_are_for_their_user_alone_and_old_ones_go(tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    kept, _ = store.uploads.keep(b"measured")
    gone, _ = store.uploads.keep(b"erased after the first night")
    for day in range(KEPT + 2):
        done = backup(store, now() + timedelta(days=day))
        for name in list(store.blobs.list("uploads")):
            if gone in name:
                store.blobs.delete(name)
        if day < KEPT + 1:
            assert done["removed"] == 0, "the catalogs of these nights may name it"
    assert done["removed"] == 1
    files = [path for path in (tmp_path / "backups").rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".sqlite"]) == KEPT
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert [path for path in files if kept in path.name]
    assert not [path for path in files if gone in path.name]
    assert (tmp_path / "backups").stat().st_mode & 0o777 == 0o700


#: Dies as `kill -9` does in the middle of copying, after so many blobs.
DYING = """
import os, signal, sys
from store import Store, backup
from store.blobs import Blobs
from store.tables import now

left, put = int(sys.argv[1]), Blobs.put
def dying(self, name, content):
    global left
    if "backups" in self.url and (left := left - 1) < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    put(self, name, content)
Blobs.put = dying
backup.backup(Store.open(), now())
"""


def test_killed_while_it_copies_it_goes_on(tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    for i in range(4):
        store.uploads.keep(f"recording {i}".encode())
    env = {name: value for name, value in os.environ.items() if not name.startswith("SQUASH_")}
    env["SQUASH_BACKUP_URL"] = (tmp_path / "backups").as_uri()
    for _ in range(2):
        command = [sys.executable, "-c", DYING, "2"]
        done = subprocess.run(command, env=env | {"SQUASH_HOME": str(tmp_path)}, capture_output=True, check=False)
        assert done.returncode == -9, done.stderr
        assert not list((tmp_path / "backups").glob("catalog/*")), "no catalog before all that it names"
    store.blobs.put("uploads/late", b"half")
    assert backup(store, now())["copied"] == 1
    store.blobs.put("uploads/late", b"it was still being written")
    assert backup(store, now())["copied"] == 1
    assert (tmp_path / "backups/store/uploads/late").read_bytes() == b"it was still being written"
    store.blobs.delete("uploads/late")
    assert restore(Settings(home=tmp_path / "other", backup_url=(tmp_path / "backups").as_uri()))["copied"] == 5


def test_a_postgresql_catalog_is_dumped_whole_though_its_policies_hold_for_its_owner(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.needed(shutil.which("pg_dump"), "pg_dump")
    with services.database(postgres) as url, services.database(postgres) as other:
        settings = Settings(home=tmp_path, database_url=services.login_of(url), database_owner_url=url)
        with signed_in(settings, monkeypatch, new=True) as client:
            client.post("/api/sessions", json=BODY).raise_for_status()
            store = Store.open(settings)
            copy = tmp_path / "backups" / "catalog" / str(backup(store, now())["catalog"])
            store.catalog.close()
        again = Settings(home=tmp_path, database_url=services.login_of(other), database_owner_url=other)
        Store.open(again).catalog.close()
        superuser = other.replace(f"//{services.OWNER}@", f"//{services.SUPERUSER}@")
        command = ["pg_restore", "--data-only", "--disable-triggers", f"--dbname={superuser}", str(copy)]
        subprocess.run(command, check=True, capture_output=True)
        with signed_in(again, monkeypatch) as client:
            assert len(client.get("/api/sessions").json()) == 1
