"""A session has one job of a kind that nobody has begun, however many uploads ask for it at once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Of several that wait, the first stands for all.
EXTRA = """
DELETE FROM jobs WHERE status = 'queued' AND session_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM jobs AS first WHERE first.session_id = jobs.session_id AND first.kind = jobs.kind
    AND first.status = 'queued'
    AND (first.created_at < jobs.created_at OR (first.created_at = jobs.created_at AND first.job_id < jobs.job_id)))
"""


def upgrade() -> None:
    """Keep the first of jobs that wait for the same, and let there be no second."""
    op.execute(EXTRA)
    waiting = sa.text("status = 'queued'")
    op.create_index(
        "one_waiting_job", "jobs", ["session_id", "kind"], unique=True, sqlite_where=waiting, postgresql_where=waiting
    )
