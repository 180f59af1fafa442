"""Alembic's environment: always the connection that `upgrade` holds."""

from alembic import context

from store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
