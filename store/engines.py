"""Connections to the catalog's database, prepared so that a forgotten claim shows nothing rather than everything."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

BUSY_MS = 30_000
#: As many as threads of one process ask at once (`api.app` has that many): connections are made once, not by request.
THREADS = 12
READ_ONLY = "squash_read_only"


@dataclass(frozen=True)
class Engines:
    """One for transactions; one for single statements of the platform itself, which commit themselves."""

    transactions: Engine
    glances: Engine

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self.transactions.dispose()
        self.glances.dispose()


def connect(url: str) -> Engines:
    """Engines for the application; on PostgreSQL a transaction sees nothing until it says for whom it is."""
    if url.startswith("sqlite"):
        engine = _sqlite(url)
        return Engines(engine, engine)
    transactions = create_engine(url, pool_size=THREADS, max_overflow=THREADS)
    glances = create_engine(url, pool_size=THREADS, isolation_level="AUTOCOMMIT")
    for engine, role in ((transactions, "squash_app"), (glances, "squash_service")):
        _act_as(engine, role)
    return Engines(transactions, glances)


def _act_as(engine: Engine, role: str) -> None:
    """Give up the owner's rights as soon as a connection is there."""

    @event.listens_for(engine, "connect")
    def _disown(connection: Any, _record: Any) -> None:
        connection.execute(f"SET ROLE {role}")
        connection.commit()


def _sqlite(url: str) -> Engine:
    """SQLite with WAL, foreign keys, and write locks taken at the start so that nobody deadlocks."""
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000}, pool_size=20)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy, not the driver, begins transactions
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
