"""Webhooks and what they were told. Edge of Alembic."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Change nothing yet."""
