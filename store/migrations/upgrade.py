"""Bring a catalog's tables up to date, however many processes start at once."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine, text

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 20260101


def upgrade(url: str, to: str = "head") -> None:
    """Run what migrations are missing, one process at a time, as the owner that the URL names."""
    from alembic import command

    engine = owner(url)
    try:
        with engine.begin() as connection:  # on SQLite this waits for the write lock
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            config = configured()
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    finally:
        engine.dispose()


def owner(url: str) -> Engine:
    """An engine that owns the tables: on PostgreSQL without the application's role."""
    from store.engines import connect

    return connect(url).transactions if url.startswith("sqlite") else create_engine(url)


def configured() -> "Config":
    """Alembic's settings: the migrations beside this file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
