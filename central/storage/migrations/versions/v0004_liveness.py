"""Telemetry of gateways, clocks of boots, workers, and settlements. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what the ledger keeps beside facts to know how gateways and workers are."""
    _extend_gateways()
    op.add_column("discrepancies", _number("settled_ms"))
    op.add_column("discrepancies", _text("settlement"))
    _create_clocks()
    op.create_table(
        "epoch_heads",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "epoch"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workers",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("shards_json", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
        sqlite_with_rowid=False,
    )


def _extend_gateways() -> None:
    op.add_column("gateways", _number("told_ms"))
    op.add_column(
        "gateways",
        sa.Column("clock_synced", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("gateways", _number("lag_s"))
    op.add_column("gateways", _text("stream"))
    for name in (
        "notice",
        "stock_revision",
        "reference_revision",
        "known_age_s",
        "disk_used_percent",
        "written_bytes_day",
        "shed_count",
    ):
        op.add_column("gateways", _number(name))


def _create_clocks() -> None:
    op.create_index(
        "facts_unsynced",
        "facts",
        ["record_no"],
        unique=False,
        sqlite_where=sa.text("clock_synced = 0 AND kind <> 'unreadable'"),
        postgresql_where=sa.text("clock_synced = false AND kind <> 'unreadable'"),
    )
    op.create_table(
        "boots",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("error_ms", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "boot_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unsynced_facts",
        sa.Column("record_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("monotonic_ms", sa.BigInteger(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("record_no"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "unsynced_facts_boot",
        "unsynced_facts",
        ["gateway", "boot_id", "offset_ms"],
        unique=False,
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")
