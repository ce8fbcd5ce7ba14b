"""Sums of each item now and then, for tables of the past by a figure. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the table, empty: it is filled from the first fact on, bit by bit."""
    op.create_table(
        "item_sums",
        sa.Column("record_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("here_units", "here_micro", "transit_units", "transit_micro")
        ),
        sa.PrimaryKeyConstraint("record_no", "item"),
        sqlite_with_rowid=False,
    )
