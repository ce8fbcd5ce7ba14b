"""One file per change of the central schema; a released one is never edited. Edge of Alembic."""
