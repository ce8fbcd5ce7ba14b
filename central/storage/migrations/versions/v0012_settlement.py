"""Owners and settlements of discrepancies, closed periods. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BALANCE_KEY = "location item lot serial sscc unit status"


def upgrade() -> None:
    """Give discrepancies owners and settlements; no period is closed yet."""
    op.add_column("discrepancies", sa.Column("owner", sa.Text(), nullable=False, server_default=""))
    for name, default in (("due_ms", "0"), ("version", "1")):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default=default)
        op.add_column("discrepancies", column)
    op.create_index("discrepancies_subject", "discrepancies", ["kind", "subject"], unique=False)
    _create("settlements", 2, "discrepancy number# action reason actor at_ms#")
    _create(
        "settlement_facts",
        6,
        "discrepancy number# warehouse gateway epoch seq# back_gateway back_epoch back_seq#",
    )
    _create(
        "periods",
        1,
        "number# period through_ms# closed_ms# closed_record_no# actor reason open_json",
    )
    op.create_index("periods_period", "periods", ["period"], unique=True)
    _create("period_balances", 9, f"warehouse number# {BALANCE_KEY} on_hand_micro#")
    _create("late_facts", 2, "warehouse record_no# number# dated_ms#")
    op.create_index("late_facts_period", "late_facts", ["number", "record_no"], unique=False)


def _create(table: str, key_columns_count: int, columns: str) -> None:
    """Make a table of columns that are never null: text, or "#" for numbers; the key leads."""
    names = [name.rstrip("#") for name in columns.split()]
    op.create_table(
        table,
        *(
            sa.Column(
                name.rstrip("#"),
                sa.BigInteger() if name.endswith("#") else sa.Text(),
                autoincrement=False,
                nullable=False,
            )
            for name in columns.split()
        ),
        sa.PrimaryKeyConstraint(*names[:key_columns_count]),
        sqlite_with_rowid=False,
    )
