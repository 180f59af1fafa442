"""The catalog's database: SQLite in WAL mode, or PostgreSQL; transactions know whose they are."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

BUSY_MS = 30_000
READ_ONLY = "squash_read_only"
#: As PostgREST does it: the role and the claims hold for one transaction, and nothing of it is left to the next.
CLAIM = "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)"


@dataclass(frozen=True)
class Claims:
    """For whom a transaction is: a user of the API."""

    user_id: str
    role: str


class Catalog:
    """Transactions on the catalog: for a user if it is bound to one, else for the platform's own work.

    On PostgreSQL a user's transactions run as `squash_app`, whose policies show what is the user's; the platform's run
    as `squash_service`. Neither owns a table.
    """

    def __init__(
        self, engine: Engine, claims: Claims | None = None, turn: AbstractContextManager[Any] | None = None
    ) -> None:
        self.engine, self.claims = engine, claims
        # SQLite has one writer; those of this process wait here in turn instead of polling the file.
        self._turn = turn or (Lock() if engine.dialect.name == "sqlite" else nullcontext())

    @classmethod
    def open(cls, url: str) -> "Catalog":
        """Connect, and bring the tables up to date."""
        from store.migrations.upgrade import upgrade

        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        upgrade(url)
        return cls(connect(url))

    def seen_by(self, user_id: str, role: str) -> "Catalog":
        """The same catalog, as this user may see it."""
        return Catalog(self.engine, Claims(user_id, role), self._turn)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction, committed at the end."""
        with self._turn, Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            self._claim(tx)
            yield tx

    @contextmanager
    def look(self) -> Iterator[Session]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            tx.connection(execution_options={READ_ONLY: True})
            self._claim(tx)
            yield tx

    def _claim(self, tx: Session) -> None:
        """Tell PostgreSQL's row-level security who asks."""
        if self.engine.dialect.name != "postgresql":
            return
        role, claims = "squash_service", {"role": "service_role"}
        if self.claims is not None:
            role, claims = "squash_app", {"sub": self.claims.user_id, "role": self.claims.role}
        tx.connection().exec_driver_sql(CLAIM, (role, json.dumps(claims)))

    def healthy(self) -> bool:
        """Whether the database answers."""
        with self.look() as tx:
            return bool(tx.scalar(text("SELECT 1")) == 1)


def connect(url: str) -> Engine:
    """An engine for the application; on PostgreSQL it sees nothing until a transaction says for whom it is."""
    if url.startswith("sqlite"):
        return _sqlite(url)
    engine = create_engine(url, pool_pre_ping=True, pool_size=20, max_overflow=20)

    @event.listens_for(engine, "connect")
    def _disown(connection: Any, _record: Any) -> None:
        connection.execute("SET ROLE squash_app")
        connection.commit()

    return engine


def _sqlite(url: str) -> Engine:
    """SQLite with WAL, foreign keys, and write locks taken at the start so that nobody deadlocks."""
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
