"""Items, packs, partners and places beyond what gateways need. Edge of Alembic."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change nothing yet."""
