"""What settlements posted more or less than exactly, in fractions. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the table, empty: what was rounded before this version stays as it was posted."""
    places = ("from_location", "to_location", "lot", "serial", "sscc", "document")
    op.create_table(
        "settlement_rests",
        sa.Column("warehouse", sa.Text(), primary_key=True, nullable=False),
        sa.Column("epoch", sa.Text(), primary_key=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("item", sa.Text(), primary_key=True, nullable=False),
        sa.Column("unit", sa.Text(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in places),
        sa.Column("document_line", sa.BigInteger(), nullable=False),
        sa.Column("rest", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("settlement_rests_item", "settlement_rests", ["warehouse", "item", "unit"])
