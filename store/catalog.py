"""The catalog's database: SQLite in WAL mode, or PostgreSQL; transactions know whose they are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

BUSY_MS = 30_000


class Catalog:
    """Transactions on the catalog."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

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
        with Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            if user_id is not None and self.engine.dialect.name == "postgresql":
                claims = json.dumps({"sub": user_id, "role": role})
                tx.execute(text("SELECT set_config('request.jwt.claims', :claims, true)"), {"claims": claims})
            yield tx

    def healthy(self) -> bool:
        """Whether the database answers."""
        with self.begin() as tx:
            return bool(tx.scalar(text("SELECT 1")) == 1)


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
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
