"""Numbered, append-only changes of the central schema, run by Alembic. Edge of Alembic."""
