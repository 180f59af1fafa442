"""PostgreSQL itself shows a user only what is theirs, whatever a query forgets to ask.

Two roles own nothing: `squash_app` acts for the user that a transaction's claims name, `squash_service` for the workers
and for what comes before a login. A transaction takes one by `set_config('role', …, true)`, as PostgREST does.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import ProgrammingError

from squashlib.errors import SquashError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UID = "(SELECT auth.uid())::text"
ROLE = "(SELECT auth.jwt() ->> 'role')"
#: As Supabase has them; where they are there already, they stay as they are.
CLAIMS = "coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb"
FUNCTIONS = {
    "auth.jwt()": f"CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT {CLAIMS} $$",
    "auth.uid()": "CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS "
    f"$$ SELECT nullif({CLAIMS} ->> 'sub', '')::uuid $$",
}

ALL = "SELECT, INSERT, UPDATE, DELETE"
READ, APPEND = "SELECT", "SELECT, INSERT"
#: What a user may do to rows of their own; what is made by workers is read, history is only appended to.
OWN = {
    "athlete_settings": ALL, "devices": ALL, "grants": ALL, "sessions": ALL, "label_sets": ALL, "shares": ALL,
    "webhooks": ALL, "refresh_tokens": "SELECT, UPDATE (revoked_at)", "uploads": APPEND, "point_events": APPEND,
    "session_events": APPEND, "jobs": "SELECT, INSERT, UPDATE (updated_at)", "revisions": READ, "analyses": READ,
    "reports": READ, "deliveries": READ,
}  # fmt: skip
#: Rows that belong to a session: it must be the writer's own.
OF_SESSION = ("uploads", "point_events", "session_events", "jobs", "label_sets", "shares")
#: What a coach sees of players who let them.
COACHED = ("sessions", "uploads", "point_events", "session_events", "jobs", "revisions", "analyses", "reports",
           "athlete_settings", "label_sets")  # fmt: skip
SERVICE_ONLY = ("device_codes", "idempotency_keys", "locks", "equivalences")
#: Of a person everything but the hash of the password; role and e-mail are not theirs to change.
PERSON_READ = "user_id, email, full_name, role, timezone, research_consent, keep_originals, created_at"
PERSON_WRITE = "full_name, timezone, research_consent, keep_originals"


def upgrade() -> None:
    """On PostgreSQL: roles, functions, rights and policies."""
    if op.get_bind().dialect.name != "postgresql":
        return
    _roles()
    _functions()
    for table in (*OWN, *SERVICE_ONLY, "users", "access_log"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"GRANT ALL ON {table} TO squash_service")
        op.execute(f"CREATE POLICY service ON {table} TO squash_service USING (true) WITH CHECK (true)")
    for table, rights in OWN.items():
        op.execute(f"GRANT {rights} ON {table} TO squash_app")
        _own(table)
    for table in COACHED:
        _policy(table, "coach", f"{ROLE} = 'coach' AND {_granted(f'{table}.user_id', UID)}")
    _people()


def _roles() -> None:
    """Roles belong to the whole server: another database may have made them."""
    bind = op.get_bind()
    for role in ("squash_app", "squash_service"):
        try:
            with bind.begin_nested():
                if not bind.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
                    op.execute(f"CREATE ROLE {role} NOLOGIN")
                if not bind.scalar(sa.text("SELECT pg_has_role(current_user, :role, 'MEMBER')"), {"role": role}):
                    op.execute(f"GRANT {role} TO CURRENT_USER")
        except ProgrammingError as error:
            raise SquashError(
                f"the owner of the catalog may not make or join the role {role}; let an administrator run "
                f"CREATE ROLE squash_app NOLOGIN; CREATE ROLE squash_service NOLOGIN; "
                f"GRANT squash_app, squash_service TO the owner"
            ) from error
    schema = bind.scalar(sa.text("SELECT current_schema()"))
    op.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO squash_app, squash_service')
    op.execute(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{schema}" TO squash_app, squash_service')


def _functions() -> None:
    bind = op.get_bind()
    if not bind.scalar(sa.text("SELECT 1 FROM pg_namespace WHERE nspname = 'auth'")):
        op.execute("CREATE SCHEMA auth")
        op.execute("GRANT USAGE ON SCHEMA auth TO squash_app, squash_service")
    for name, definition in FUNCTIONS.items():
        if bind.scalar(sa.text("SELECT to_regprocedure(:name)"), {"name": name}) is None:
            _execute(definition)


def _own(table: str) -> None:
    owner = "player_id" if table == "grants" else "user_id"
    mine = f"{table}.{owner} = {UID}"
    session = f"SELECT FROM sessions AS s WHERE s.session_id = {table}.session_id AND s.user_id = {UID}"
    check = f"{mine} AND EXISTS ({session})" if table in OF_SESSION else mine
    _policy(table, "own", mine, "ALL", check)
    _policy(table, "admin", f"{ROLE} = 'admin'")


def _policy(table: str, name: str, using: str, command: str = "SELECT", check: str | None = None) -> None:
    checked = f"WITH CHECK ({check})" if check else ""
    _execute(f"CREATE POLICY {name} ON {table} FOR {command} TO squash_app USING ({using}) {checked}")


def _execute(statement: str) -> None:
    """As written: a colon is a cast, never a parameter."""
    op.get_bind().exec_driver_sql(statement.replace("%", "%%"))


def _granted(player: str, coach: str) -> str:
    return f"EXISTS (SELECT FROM grants AS g WHERE g.player_id = {player} AND g.coach_id = {coach})"


def _people() -> None:
    """Who somebody is: for themselves, and for those between whom there is a grant; who looked, for the one seen."""
    op.execute(f"GRANT SELECT ({PERSON_READ}), UPDATE ({PERSON_WRITE}) ON users TO squash_app")
    _policy("users", "own", f"user_id = {UID}", "ALL")
    _policy("users", "granted", f"{_granted('users.user_id', UID)} OR {_granted(UID, 'users.user_id')}")
    _policy("users", "admin", f"{ROLE} = 'admin'")
    _policy("grants", "coach", f"coach_id = {UID}")
    op.execute("GRANT SELECT, INSERT ON access_log TO squash_app")
    _policy("access_log", "seen", f"user_id = {UID} OR actor_id = {UID}")
    _execute(f"CREATE POLICY looked ON access_log FOR INSERT TO squash_app WITH CHECK (actor_id = {UID})")
