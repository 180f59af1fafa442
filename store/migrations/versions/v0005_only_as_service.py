"""The platform's policy holds for one who acts as `squash_service`, not for every login that inherits from it.

So where there is but one login (Supabase's), what an injected `RESET ROLE` finds is empty as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ACTING = "(SELECT current_user) = 'squash_service'"


def upgrade() -> None:
    """On PostgreSQL: the policies `service` ask who acts."""
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    found = "SELECT tablename FROM pg_policies WHERE policyname = 'service' AND schemaname = current_schema()"
    for table in bind.scalars(sa.text(found)).all():
        op.execute(f'ALTER POLICY service ON "{table}" USING ({ACTING}) WITH CHECK ({ACTING})')
