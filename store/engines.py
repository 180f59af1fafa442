"""Connections to the catalog's database, prepared so that a forgotten claim shows nothing rather than everything."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

BUSY_MS = 30_000
#: As many as threads of one process ask at once (`api.app` has that many): connections are made once, not by request.
THREADS = 12
READ_ONLY = "squash_read_only"
#: The driver begins no transactions: this one says so itself, in one trip with what it does first.
BEGINS = "squash_begins"


def connect(url: str) -> Engine:
    """An engine for the application; on PostgreSQL a transaction sees nothing until it says for whom it is.

    Errors are logged: what people sent, which is a statement's values, does not stand in their texts.
    """
    if url.startswith("sqlite"):
        return _sqlite(url)
    asked: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0}
    engine = create_engine(
        url, pool_size=THREADS, max_overflow=THREADS, pool_use_lifo=True, hide_parameters=True, connect_args=asked
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        """Give up the owner's rights; and plan a statement once: they go by keys, and planning took half of a press."""
        connection.execute("SET ROLE squash_app")
        connection.execute("SET plan_cache_mode = force_generic_plan")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(BEGINS, False):
            connection.exec_driver_sql("BEGIN")

    return engine


def _sqlite(url: str) -> Engine:
    """SQLite with WAL, foreign keys, and write locks taken at the start so that nobody deadlocks."""
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000}, pool_size=20, hide_parameters=True)

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
