"""A catalog of any age comes up to date with all that is in it, and is then what the models say."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from squashlib.errors import SquashError
from store.catalog import Catalog
from store.migrations.upgrade import NEWEST, configured, owner, upgrade
from store.settings import Settings
from store.tables import Base
from tests import rows, services

EARLIER = [script.revision for script in ScriptDirectory.from_config(configured()).walk_revisions()][:0:-1]


def url_of(database_url: str) -> str:
    return Settings(database_url=database_url).catalog_url


def see_all(connection: Connection) -> None:
    """On PostgreSQL nobody but the platform's service sees everybody's rows, the owner neither."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL ROLE squash_service"))


def test_files_are_named_by_their_revision() -> None:
    """So that a start knows the newest one without loading Alembic."""
    scripts = ScriptDirectory.from_config(configured())
    assert scripts.get_current_head() == NEWEST
    for script in scripts.walk_revisions():
        assert Path(script.path).stem[1:5] == script.revision


def test_the_models_are_what_the_migrations_make(database_url: str) -> None:
    url = url_of(database_url)
    upgrade(url)
    engine = owner(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("revision", EARLIER)
def test_an_upgrade_keeps_every_row(database_url: str, revision: str) -> None:
    url = url_of(database_url)
    upgrade(url, revision)
    engine = owner(url)
    with engine.begin() as connection:
        for _ in range(3):
            rows.fill(connection)
        before = rows.everything(connection)
    assert all(len(held) == 3 for held in before.values())
    upgrade(url)
    with engine.connect() as connection:
        see_all(connection)
        after = rows.everything(connection)
    engine.dispose()
    for table, held in before.items():
        kept = [{name: row[name] for name in held[0]} for row in after[table]]
        assert kept == held, table


def test_of_jobs_that_wait_for_the_same_the_first_stays(database_url: str) -> None:
    url = url_of(database_url)
    upgrade(url, "0002")
    engine = owner(url)
    with engine.begin() as connection:
        ids = rows.fill(connection)
        copy = (
            "INSERT INTO jobs SELECT :new, session_id, user_id, kind, :status, stage, progress, attempts, error,"
            " created_at, updated_at, finished_at FROM jobs WHERE job_id = :old"
        )
        for new, status in (("zz", "queued"), ("done", "completed"), ("00", "queued")):
            connection.execute(text(copy), {"new": new, "old": ids["job_id"], "status": status})
    upgrade(url)
    with engine.connect() as connection:
        see_all(connection)
        left = connection.scalars(text("SELECT job_id FROM jobs ORDER BY job_id")).all()
    engine.dispose()
    assert set(left) == {"00", "done"}, "made in the same instant, the smallest id is the first"


def test_many_processes_may_start_at_once(database_url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    url = url_of(database_url)
    with ThreadPoolExecutor(4) as pool:
        catalogs = list(pool.map(lambda _: Catalog.open(url), range(4)))
    for catalog in catalogs:
        assert catalog.healthy()
        catalog.close()


def test_an_owner_who_may_not_make_roles_is_told_what_to_do(tmp_path: Path) -> None:
    with services.postgres() as server:
        admin = create_engine(
            server.replace("postgresql://squash_owner", "postgresql+psycopg://postgres") + "/postgres"
        )
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ALTER ROLE squash_owner NOCREATEROLE"))
        with services.database(server) as url:
            with pytest.raises(SquashError, match="CREATE ROLE squash_app NOLOGIN"):
                Catalog.open(url_of(url))
            with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for statement in ("CREATE ROLE squash_app", "CREATE ROLE squash_service"):
                    connection.execute(text(statement))
                connection.execute(text("GRANT squash_app, squash_service TO squash_owner"))
            catalog = Catalog.open(url_of(url))
            assert catalog.healthy()
            catalog.close()
        admin.dispose()
