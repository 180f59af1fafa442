"""The catalog's database: SQLite in WAL mode, or PostgreSQL; transactions know whose they are."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

BUSY_MS = 30_000
READ_ONLY = "squash_read_only"


class Catalog:
    """Transactions on the catalog."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # SQLite has one writer; those of this process wait here in turn instead of polling the file.
        self._turn: AbstractContextManager[Any] = Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @classmethod
    def open(cls, url: str) -> "Catalog":
        """Connect, and bring the tables up to date."""
        from store.migrations.upgrade import upgrade

        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        engine = connect(url)
        upgrade(engine)
        return cls(engine)

    @contextmanager
    def begin(self, user_id: str | None = None, role: str | None = None) -> Iterator[Session]:
        """One transaction, committed at the end; on PostgreSQL it carries the claims of who asks."""
        with self._turn, Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            _claim(tx, user_id, role)
            yield tx

    @contextmanager
    def look(self, user_id: str | None = None, role: str | None = None) -> Iterator[Session]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            tx.connection(execution_options={READ_ONLY: True})
            _claim(tx, user_id, role)
            yield tx

    def healthy(self) -> bool:
        """Whether the database answers."""
        with self.look() as tx:
            return bool(tx.scalar(text("SELECT 1")) == 1)


def _claim(tx: Session, user_id: str | None, role: str | None) -> None:
    """Tell PostgreSQL's row-level security who asks."""
    if user_id is not None and tx.get_bind().dialect.name == "postgresql":
        claims = json.dumps({"sub": user_id, "role": role})
        tx.execute(text("SELECT set_config('request.jwt.claims', :claims, true)"), {"claims": claims})


def connect(url: str) -> Engine:
    """An engine; SQLite gets WAL, foreign keys, and write locks taken at the start so that nobody deadlocks."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000}, pool_size=20)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy, not the driver, begins transactions
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        reads = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
