"""Owners and settlements of discrepancies, closed periods. Edge of Alembic."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Change nothing yet."""
