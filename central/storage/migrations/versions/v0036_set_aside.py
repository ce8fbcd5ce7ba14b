"""Goods of transfers that are set aside, as those of orders are. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

STALE = "stale AND state = 'released'"


def upgrade() -> None:
    """Add whether a transfer may be short, and whether its source has old places.

    What was released before has nothing set aside until somebody reserves it.
    """
    with op.batch_alter_table("transfers") as table:
        for name in ("backorders", "stale"):
            table.add_column(
                sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
            )
    op.create_index(
        "transfers_stale",
        "transfers",
        ["transfer"],
        sqlite_where=sa.text(STALE),
        postgresql_where=sa.text(STALE),
    )
