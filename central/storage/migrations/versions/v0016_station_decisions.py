"""Decisions about inspected goods that stations take. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Say of each decision whose movement carried it out; so far it was the ledger's own."""
    op.add_column(
        "inspection_decisions",
        sa.Column("gateway", sa.Text(), nullable=False, server_default="central"),
    )
    op.create_index("inspection_decisions_fact", "inspection_decisions", ["epoch", "seq"])
