"""Bring a catalog's tables up to date, however many processes start at once."""

from pathlib import Path

from sqlalchemy import Engine, text

LOCK = 20260101


def upgrade(engine: Engine) -> None:
    """Run what migrations are missing, one process at a time."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:  # on SQLite this waits for the write lock
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
