"""What packs of an item held before they were changed, to prove lines of then. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the table, empty: until now no line was converted by a pack.

    Nor did goods take a share of a weight along: what was posted until now is proved without.
    """
    op.execute(
        "INSERT INTO ledger_state (key, value)"
        " SELECT 'shares_after', value FROM ledger_state WHERE key = 'record_no'"
    )
    op.create_table(
        "former_packs",
        sa.Column("item", sa.Text(), primary_key=True, nullable=False),
        sa.Column("unit", sa.Text(), primary_key=True, nullable=False),
        sa.Column(
            "until_record_no",
            sa.BigInteger(),
            primary_key=True,
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
