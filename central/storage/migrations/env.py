"""Runs the migrations on the connection that `schema.migrate` brings. Edge of Alembic."""

from alembic import context

from central.storage.tables import metadata

connection = context.config.attributes["connection"]
# The caller owns the transaction: all revisions commit together or not at all.
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
