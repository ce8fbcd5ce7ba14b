"""What the intake needs: narrow lines, what changed since a record number. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

LINE_COLUMNS = (
    "warehouse, record_no, line_no, location, item, lot, serial, sscc, expiry_date, unit,"
    " quantity_micro"
)


def upgrade() -> None:
    """Key lines by the record number of their fact; find changed balances by theirs."""
    _narrow_lines()
    op.drop_index("balances_item", "balances")
    op.create_index(
        "balances_item",
        "balances",
        ["warehouse", "item", "location", "lot", "serial", "sscc", "unit"],
        unique=False,
    )
    op.create_index("balances_changed", "balances", ["record_no"], unique=False)
    op.add_column(
        "positions",
        sa.Column("stable_seq", sa.BigInteger(), nullable=False, server_default="0"),
    )


def _narrow_lines() -> None:
    op.rename_table("lines", "lines_0001")
    op.drop_index("lines_place", "lines_0001")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER INDEX lines_pkey RENAME TO lines_0001_pkey")
    op.create_table(
        "lines",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("sscc", sa.Text(), nullable=False),
        sa.Column("expiry_date", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse", "record_no", "line_no"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO lines ({LINE_COLUMNS}) SELECT {LINE_COLUMNS} FROM lines_0001"  # noqa: S608
        " ORDER BY warehouse, record_no, line_no"
    )
    op.drop_table("lines_0001")
    op.create_index(
        "lines_item",
        "lines",
        ["warehouse", "item", "record_no"],
        unique=False,
        sqlite_where=sa.text("line_no = 1"),
        postgresql_where=sa.text("line_no = 1"),
    )
