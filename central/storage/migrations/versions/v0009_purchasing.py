"""Purchase orders, inspections, returns and notices of shipment. Edge of Alembic."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Change nothing yet."""
