"""A copy of everything, each night: the catalog as it was at one moment, and every blob that it names.

A blob that a row names is never changed, so only new ones are copied; killed at any instant, the next night goes on
where this one stopped. The catalog's copy appears last: whoever finds one finds all that it names. What the store no
longer has (erased by its owner, thinned by retention) leaves the copy when the last catalog that named it does.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from squashlib.errors import NotFoundError
from squashlib.moments import iso, parse_iso
from store import Store
from store.blobs import Blobs
from store.migrations.upgrade import owner

KEPT = 7
CATALOG, BLOBS, GONE, KEY = "catalog", "store", "gone.json", "secret_key"
#: Written anew all the time, by the store's own housekeeping.
PASSING = ("health", "nightly/")
#: What `pg_dump` reads of a URL: a password is no argument, which other users of the machine could see.
PG = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
PG |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


def backup(store: Store, moment: datetime) -> dict[str, object]:
    """Copy what is new to `SQUASH_BACKUP_URL`; its default, `backups` beside the store, does not outlive the disk.

    Returns
    -------
    dict
        `catalog`, the copy's name, or why there is none; `copied` and `removed`, counts of blobs.

    Raises
    ------
    OSError
        If the copy of the catalog is damaged or cannot be written.
    """
    target = opened(store.settings.backups_url)
    with TemporaryDirectory(prefix="squash-backup-") as folder:
        catalog = Path(folder) / f"{moment.date()}{'.sqlite' if _is_sqlite(store) else '.pgdump'}"
        told = _copy_sqlite(store, catalog) if _is_sqlite(store) else _dump_postgres(store, catalog)
        copied = _copy_blobs(store, target)
        if (key := store.settings.home / KEY).exists():
            _put(target, KEY, key)
        if catalog.exists():
            _put(target, f"{CATALOG}/{catalog.name}", catalog)
    for old in sorted(target.list(CATALOG))[:-KEPT]:
        target.delete(old)
    return {"catalog": told, "copied": copied, "removed": _forget(store, target, moment)}


def opened(url: str) -> Blobs:
    """Where copies lie; a local folder is its user's alone."""
    target = Blobs(url)
    if target.root is not None:
        target.root.chmod(0o700)
    return target


def _put(target: Blobs, name: str, content: bytes | Path) -> None:
    target.put(name, content)
    if target.root is not None:
        (target.root / name).chmod(0o600)


def _is_sqlite(store: Store) -> bool:
    return store.catalog.engine.dialect.name == "sqlite"


def _copy_sqlite(store: Store, copy: Path) -> str:
    """While it is in use."""
    source = str(store.catalog.engine.url.database)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copy)) as new:
        live.backup(new)
        (verdict,) = new.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise OSError(f"the copy of the catalog is damaged: {verdict}; is its disk sound?")
    return copy.name


def _dump_postgres(store: Store, copy: Path) -> str:
    """Rows alone, as the service sees them: tables, roles and policies are made by whoever opens an empty database."""
    program = shutil.which("pg_dump")
    if program is None:
        return "not copied: install PostgreSQL's client (pg_dump), or let the database server's own backups hold"
    schema = _let_counters_be_read(store.settings.catalog_owner_url)
    given = conninfo_to_dict(store.settings.catalog_url.replace("+psycopg", ""))
    env = {**os.environ, **{PG[name]: str(value) for name, value in given.items() if name in PG and value}}
    rows = ["--data-only", f"--schema={schema}", "--exclude-table=*.alembic_version", "--enable-row-security"]
    command = [program, "--format=custom", *rows, "--role=squash_service", f"--file={copy}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"pg_dump failed: {' '.join(done.stderr.split())}")
    return copy.name


def _let_counters_be_read(owner_url: str) -> str:
    """The schema of the tables, whose counters the service may otherwise only turn."""
    engine = owner(owner_url)
    try:
        with engine.begin() as connection:
            schema = str(connection.scalar(text("SELECT current_schema()")))
            quoted = engine.dialect.identifier_preparer.quote_identifier(schema)
            connection.execute(text(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {quoted} TO squash_service"))
    finally:
        engine.dispose()
    return schema


def _copy_blobs(store: Store, target: Blobs) -> int:
    """What is not there yet, or was still being written when it was copied."""
    if store.blobs.root is None and not store.settings.backup_url:
        return 0  # a bucket would not fit here
    there, copied = target.stamps(BLOBS), 0
    for name, (size, written) in store.blobs.stamps("").items():
        held = there.get(f"{BLOBS}/{name}")
        if name.startswith(PASSING) or (held is not None and held[0] == size and held[1] >= written):
            continue
        with suppress(NotFoundError, FileNotFoundError):  # it was removed meanwhile
            _copy_blob(store, target, name)
            copied += 1
    return copied


def _copy_blob(store: Store, target: Blobs, name: str) -> None:
    """Beside the store a second name is enough: a blob is never written in place, and the disk is the same."""
    if store.settings.backup_url or store.blobs.root is None or target.root is None:
        _put(target, f"{BLOBS}/{name}", store.blobs.get(name))
        return
    copy = target.root / BLOBS / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    try:
        os.link(store.blobs.root / name, copy)
        copy.chmod(0o600)
    except OSError:  # another disk after all, or one without second names
        _put(target, f"{BLOBS}/{name}", store.blobs.get(name))


def _forget(store: Store, target: Blobs, moment: datetime) -> int:
    """Remove what the store has not had for as many nights as catalogs are kept."""
    try:
        earlier = json.loads(target.get(GONE))
    except NotFoundError:
        earlier = {}
    held = set(store.blobs.list(""))
    gone = [name for name in target.list(BLOBS) if name.removeprefix(f"{BLOBS}/") not in held]
    since = {name: earlier.get(name, iso(moment)) for name in gone}
    expired = [name for name in gone if moment - parse_iso(since[name]) >= timedelta(days=KEPT)]
    for name in expired:
        target.delete(name)
    _put(target, GONE, json.dumps({name: first for name, first in since.items() if name not in expired}).encode())
    return len(expired)
