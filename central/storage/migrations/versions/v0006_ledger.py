"""Statuses, weights, lots and handling units of the ledger. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BALANCE_KEY = ("warehouse", "location", "item", "lot", "serial", "sscc", "unit", "status")


def upgrade() -> None:
    """Keep stock by its status, with its weight; all that is there is available."""
    op.add_column("lines", _text("status", server_default="available"))
    op.add_column("lines", _number("weight_micro", server_default="0"))
    _key_balances_by_status()
    op.add_column(
        "document_progress",
        sa.Column("direction", sa.Integer(), nullable=False, server_default="1"),
    )
    _create_lots()
    _create_handling_units()


def _key_balances_by_status() -> None:
    op.rename_table("balances", "balances_0005")
    for name in ("balances_item", "balances_changed"):
        op.drop_index(name, "balances_0005")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER INDEX balances_pkey RENAME TO balances_0005_pkey")
    op.create_table(
        "balances",
        *(_text(name) for name in BALANCE_KEY),
        *(_number(name) for name in ("on_hand_micro", "record_no", "weight_micro")),
        sa.PrimaryKeyConstraint(*BALANCE_KEY),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO balances SELECT warehouse, location, item, lot, serial, sscc, unit,"
        " 'available', on_hand_micro, record_no, 0 FROM balances_0005"
        " ORDER BY warehouse, location, item, lot, serial, sscc, unit"
    )
    op.drop_table("balances_0005")
    op.create_index(
        "balances_item",
        "balances",
        ["warehouse", "item", "location", "lot", "serial", "sscc", "unit", "status"],
        unique=False,
    )
    op.create_index("balances_changed", "balances", ["record_no"], unique=False)
    op.create_index(
        "balances_serial",
        "balances",
        ["warehouse", "item", "serial"],
        unique=False,
        sqlite_where=sa.text("serial <> ''"),
        postgresql_where=sa.text("serial <> ''"),
    )


def _create_lots() -> None:
    op.create_table(
        "lots",
        *(_text(name) for name in ("warehouse", "item", "lot", "expiry_date")),
        _number("first_record_no"),
        sa.PrimaryKeyConstraint("warehouse", "item", "lot"),
        sqlite_with_rowid=False,
    )
    op.create_index("lots_expiry", "lots", ["warehouse", "expiry_date"], unique=False)


def _create_handling_units() -> None:
    op.create_table(
        "handling_units",
        *(_text(name) for name in ("warehouse", "sscc", "parent")),
        _number("record_no"),
        sa.PrimaryKeyConstraint("warehouse", "sscc"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "handling_units_parent", "handling_units", ["warehouse", "parent"], unique=False
    )


def _text(name: str, *, server_default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=server_default)


def _number(name: str, *, server_default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=server_default)
