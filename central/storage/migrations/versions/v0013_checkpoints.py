"""Balances at certain moments, days of late facts, indexes for traces. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

KEY = ("location", "item", "lot", "serial", "sscc", "unit", "status")


def upgrade() -> None:
    """Add what views of the past and traces of lots and serial numbers go by."""
    op.create_table(
        "checkpoints",
        _number("record_no"),
        _number("made_ms"),
        _number("balances_count"),
        sa.PrimaryKeyConstraint("record_no"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint_balances",
        _text("warehouse"),
        _number("record_no"),
        *map(_text, KEY),
        _number("on_hand_micro"),
        _number("weight_micro"),
        sa.PrimaryKeyConstraint("warehouse", "record_no", *KEY),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "late_days",
        _text("warehouse"),
        _number("event_day"),
        _number("record_day"),
        sa.PrimaryKeyConstraint("warehouse", "event_day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upkeep_progress",
        _text("task"),
        _number("record_no"),
        sa.PrimaryKeyConstraint("task"),
        sqlite_with_rowid=False,
    )
    late = "record_ms - event_time_ms > 600000"
    op.create_index(
        "facts_late",
        "facts",
        ["warehouse", "event_time_ms"],
        unique=False,
        sqlite_where=sa.text(f"{late} AND clock_synced = 1"),
        postgresql_where=sa.text(f"{late} AND clock_synced = true"),
    )
    for name in ("lot", "serial"):
        named = sa.text(f"{name} <> '' AND line_no = 1")
        op.create_index(
            f"lines_{name}",
            "lines",
            ["item", name, "record_no"],
            unique=False,
            sqlite_where=named,
            postgresql_where=named,
        )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
