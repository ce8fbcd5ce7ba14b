"""Runs the migrations on the connection that `schema.migrate` brings. Edge of Alembic."""

from alembic import context

from central.storage import tables

connection = context.config.attributes["connection"]
# The caller owns the transaction: all revisions commit together or not at all.
metadata = tables.facts.metadata
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
