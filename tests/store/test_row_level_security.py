"""PostgreSQL shows nobody what is another's, even to a query that asks for everything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from store import Settings, Store
from store.migrations.upgrade import owner
from store.tables import Base
from tests import rows, services

TABLES = sorted(Base.metadata.tables)
#: What only the platform itself touches, in whose transactions no user is.
WHOSE = {"grants": "player_id", "locks": "name", "equivalences": "detector"}
HIDDEN = {"device_codes", "idempotency_keys", "locks", "equivalences"}


@pytest.fixture(scope="module")
def store(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with services.database(postgres) as url:
        login = services.login_of(url)
        settings = Settings(home=tmp_path_factory.mktemp("home"), database_url=login, database_owner_url=url)
        store = Store.open(settings)
        yield store
        store.catalog.close()


@pytest.fixture(scope="module")
def ids(store: Store) -> tuple[dict[str, str], dict[str, str]]:
    """Everything of Alice, everything of Bob."""
    engine = owner(store.settings.catalog_url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE squash_service"))
        made = rows.fill(connection), rows.fill(connection)
    engine.dispose()
    return made


def mine(table: str, user_id: str) -> str:
    column = WHOSE.get(table, "user_id")
    return f"{column} = '{user_id}'"


@contextmanager
def raw(store: Store, user_id: str | None, role: str = "player") -> Iterator[Connection]:
    """A connection of the application with no filter but the database's own."""
    with store.catalog.engine.connect() as connection:
        if user_id is not None:
            claims = json.dumps({"sub": user_id, "role": role})
            connection.execute(text("SELECT set_config('request.jwt.claims', :claims, true)"), {"claims": claims})
        yield connection
        connection.rollback()


def seen(connection: Connection, table: str) -> list[str] | None:
    """Whose rows are seen; None if the table is closed altogether."""
    column = WHOSE.get(table, "user_id")
    try:
        with connection.begin_nested():
            return list(connection.scalars(text(f"SELECT {column} FROM {table}")))
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        return None


@pytest.mark.parametrize("table", TABLES)
def test_bob_sees_and_changes_nothing_of_alice(store: Store, ids: tuple[dict[str, str], ...], table: str) -> None:
    alice, bob = (one["user_id"] for one in ids)
    with raw(store, bob) as connection:
        assert seen(connection, table) == (None if table in HIDDEN else [bob])
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET user_id = '{bob}'"):
            try:
                with connection.begin_nested():
                    connection.execute(text(statement))
            except (ProgrammingError, IntegrityError):
                continue
    engine = owner(store.settings.catalog_url)
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL ROLE squash_service"))
        if table not in ("locks", "equivalences"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {mine(table, alice)}")) == 1
    engine.dispose()


@pytest.mark.parametrize("table", TABLES)
def test_without_claims_nothing_is_seen(store: Store, ids: tuple[dict[str, str], ...], table: str) -> None:
    with raw(store, None) as connection:
        assert not seen(connection, table)


@pytest.mark.parametrize("table", TABLES)
def test_the_application_owns_no_table(store: Store, table: str) -> None:
    with store.catalog.engine.connect() as connection:
        query = "SELECT tableowner, rowsecurity FROM pg_tables WHERE tablename = :table"
        found = connection.execute(text(query), {"table": table}).one()
        assert tuple(found) == (services.OWNER, True)
        assert connection.scalar(text("SELECT current_user")) == "squash_app"
        for verb in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            assert connection.scalar(text(f"SELECT has_table_privilege('squash_service', '{table}', '{verb}')"))


@pytest.mark.parametrize("table", TABLES)
def test_even_as_itself_the_login_has_no_right_and_no_way_to_one(
    store: Store, ids: tuple[dict[str, str], ...], table: str
) -> None:
    """What an injected `RESET ROLE` would find: a login that owns nothing, inherits nothing and is not the owner."""
    with store.catalog.engine.connect() as connection:
        connection.execute(text("RESET ROLE"))
        assert connection.scalar(text("SELECT current_user")) == services.LOGIN
        for statement in (
            f"SELECT * FROM {table}",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            f"DROP POLICY service ON {table}",
            f"SET ROLE {services.OWNER}",
            "SET SESSION AUTHORIZATION postgres",
            f"ALTER TABLE {table} OWNER TO CURRENT_USER",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), connection.begin_nested():
                connection.execute(text(statement))
        connection.rollback()


@pytest.mark.parametrize("table", TABLES)
def test_the_policies_hold_for_the_owner_too(store: Store, table: str) -> None:
    with store.catalog.engine.connect() as connection:
        found = "SELECT relforcerowsecurity FROM pg_class WHERE oid = CAST(:table AS regclass)"
        assert connection.scalar(text(found), {"table": table})


def test_one_login_for_all_gives_its_rights_up(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where there is but one login, it owns the tables; the platform's transactions are not its own all the same."""
    with services.database(postgres) as url:
        store = Store.open(Settings(home=tmp_path_factory.mktemp("home"), database_url=url))
        with store.catalog.look() as tx:
            assert tx.scalar(text("SELECT current_user")) == "squash_service"
        with store.seen_by("00000000-0000-4000-8000-000000000001", "player").catalog.look() as tx:
            assert tx.scalar(text("SELECT current_user")) == "squash_app"
        store.catalog.close()


def test_one_login_for_all_sees_nothing_as_itself(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The policies hold there as well, and what an injected `RESET ROLE` finds is empty."""
    with services.database(postgres) as url:
        store = Store.open(Settings(home=tmp_path_factory.mktemp("home"), database_url=url))
        with store.catalog.begin() as tx:
            alice, bob = rows.fill(tx.connection()), rows.fill(tx.connection())
        with raw(store, bob["user_id"]) as connection:
            assert seen(connection, "sessions") == [bob["user_id"]] != [alice["user_id"]]
            connection.execute(text("RESET ROLE"))
            assert connection.scalar(text("SELECT current_user")) == services.OWNER
            connection.execute(text("SELECT set_config('request.jwt.claims', '', true)"))
            assert all(seen(connection, table) == [] for table in TABLES)
        store.catalog.close()


def test_nobody_writes_into_anothers_session_or_name(store: Store, ids: tuple[dict[str, str], ...]) -> None:
    alice, bob = ids
    point = "INSERT INTO point_events (session_id, user_id, point_id, op, body, server_clock, received_at)"
    values = "VALUES (:session_id, :user_id, 'p', 'add', '{}', false, now())"
    statement = text(f"{point} {values}")
    for session_id, user_id in ((alice["session_id"], bob["user_id"]), (bob["session_id"], alice["user_id"])):
        with raw(store, bob["user_id"]) as connection, pytest.raises(ProgrammingError, match="row-level security"):
            connection.execute(statement, {"session_id": session_id, "user_id": user_id})
    with raw(store, bob["user_id"]) as connection:
        connection.execute(statement, {"session_id": bob["session_id"], "user_id": bob["user_id"]})


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM users",
        "UPDATE users SET role = 'admin'",
        "UPDATE point_events SET op = 'add'",
        "DELETE FROM point_events",
        "DELETE FROM users",
        "SELECT * FROM alembic_version",
    ],
)
def test_what_no_user_may(store: Store, ids: tuple[dict[str, str], ...], statement: str) -> None:
    with raw(store, ids[1]["user_id"]) as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(statement))


def test_a_coach_sees_what_is_granted_and_an_admin_all(store: Store, ids: tuple[dict[str, str], ...]) -> None:
    alice, bob = (one["user_id"] for one in ids)
    with store.catalog.begin() as tx:
        tx.execute(text(f"INSERT INTO grants VALUES ('{alice}', '{bob}', now())"))
    for table in ("sessions", "uploads", "point_events", "analyses", "reports", "jobs", "users"):
        with raw(store, bob, "coach") as connection:
            assert sorted(seen(connection, table) or []) == sorted([alice, bob]), table
        with raw(store, bob, "admin") as connection:
            assert len(seen(connection, table) or []) == 2, table
    with raw(store, bob, "coach") as connection:
        for table in ("webhooks", "shares", "refresh_tokens"):
            assert seen(connection, table) == [bob], table
        assert connection.execute(text(f"UPDATE sessions SET notes = 'x' WHERE user_id = '{alice}'")).rowcount == 0
    with store.catalog.begin() as tx:
        tx.execute(text(f"DELETE FROM grants WHERE coach_id = '{bob}' AND player_id = '{alice}'"))


def test_claims_end_with_their_transaction(store: Store, ids: tuple[dict[str, str], ...]) -> None:
    alice, bob = (one["user_id"] for one in ids)
    for user_id in (alice, bob) * 5:
        with store.seen_by(user_id, "player").catalog.look() as tx:
            assert tx.scalars(text("SELECT user_id FROM sessions")).all() == [user_id]
    with store.catalog.look() as tx:
        assert len(tx.scalars(text("SELECT user_id FROM sessions")).all()) == 2
    with store.catalog.engine.connect() as connection:
        assert connection.scalars(text("SELECT user_id FROM sessions")).all() == []


def test_functions_of_supabase_are_left_alone(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with services.database(postgres) as url:
        there = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        theirs = "00000000-0000-4000-8000-000000000001"
        with there.begin() as connection:
            connection.execute(text("CREATE SCHEMA auth"))
            made = f"CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS $$ SELECT '{theirs}'::uuid $$"
            connection.exec_driver_sql(made)
        store = Store.open(Settings(home=tmp_path_factory.mktemp("home"), database_url=url))
        with there.connect() as connection:
            assert str(connection.scalar(text("SELECT auth.uid()"))) == theirs
        store.catalog.close()
        there.dispose()
