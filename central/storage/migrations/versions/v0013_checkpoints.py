"""Balances at certain moments, for views as of then. Edge of Alembic."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Change nothing yet."""
