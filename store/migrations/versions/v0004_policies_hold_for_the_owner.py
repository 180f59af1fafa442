"""The policies hold for the owner of the tables too: it sees what the roles that it is a member of may see."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """On PostgreSQL: row-level security for the owner as well."""
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    guarded = "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace"
    for table in bind.scalars(sa.text(guarded)).all():
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
