"""Bring a catalog's tables up to date, however many processes start at once."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from store.engines import READ_ONLY

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 20260101
NEWEST = max(path.stem[1:5] for path in (Path(__file__).parent / "versions").glob("v[0-9]*.py"))


def upgrade(url: str, to: str = "head", *, login: str | None = None) -> None:
    """Run what migrations are missing, one process at a time, as the owner that the URL names; then let `login` in."""
    engine = owner(url)
    try:
        if _revision(engine) != (NEWEST if to == "head" else to):
            _migrate(engine, to)  # rarely: a server that was killed is back without loading Alembic
        if login is not None and engine.dialect.name == "postgresql":
            _let_in(engine, login)
    finally:
        engine.dispose()


def _migrate(engine: Engine, to: str) -> None:
    from alembic import command

    with engine.begin() as connection:  # on SQLite this waits for the write lock
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = configured()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _let_in(engine: Engine, login: str) -> None:
    """Make the platform's login a member of the two roles that own nothing, if it is none yet."""
    with engine.begin() as connection:
        for role in ("squash_app", "squash_service"):
            asked = text("SELECT pg_has_role(rolname, :role, 'MEMBER') FROM pg_roles WHERE rolname = :login")
            if connection.scalar(asked, {"login": login, "role": role}) is False:
                name = engine.dialect.identifier_preparer.quote_identifier(login)
                connection.execute(text(f"GRANT {role} TO {name}"))


def _revision(engine: Engine) -> str | None:
    """What the tables are at now; None before the first migration."""
    try:
        with engine.connect() as connection:
            found = connection.execution_options(**{READ_ONLY: True})
            return str(found.scalar(text("SELECT version_num FROM alembic_version")) or "") or None
    except (OperationalError, ProgrammingError):  # no such table
        return None


def owner(url: str) -> Engine:
    """An engine that owns the tables: on PostgreSQL without the application's role."""
    from store.engines import connect

    return connect(url) if url.startswith("sqlite") else create_engine(url, hide_parameters=True)


def configured() -> "Config":
    """Alembic's settings: the migrations beside this file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
