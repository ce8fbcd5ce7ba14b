"""Statuses, weights, lots and handling units of the ledger. Edge of Alembic."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change nothing yet."""
