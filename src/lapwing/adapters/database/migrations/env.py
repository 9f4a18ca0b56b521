"""Run by Alembic: migrates the connection that `store.upgrade` hands over, in one transaction."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=context.config.attributes["metadata"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
