"""Notices to gateways, snapshots, settings, label templates, print jobs. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create what central tells its gateways from."""
    _create_notices()
    _create_snapshots()
    _create_orders()


def _create_notices() -> None:
    op.create_table(
        "notice_streams",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("has_snapshot", sa.Boolean(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("acked", sa.BigInteger(), nullable=False),
        sa.Column("acked_ms", sa.BigInteger(), nullable=False),
        sa.Column("changes_number", sa.BigInteger(), nullable=False),
        sa.Column("stock_revision", sa.BigInteger(), nullable=False),
        sa.Column("reference_revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notices",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reference_copies",
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("revision"),
    )


def _create_snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("bytes_count", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("snapshots_gateway", "snapshots", ["gateway"], unique=False)
    op.create_table(
        "snapshot_requests",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "nonce"),
        sqlite_with_rowid=False,
    )


def _create_orders() -> None:
    op.create_table(
        "gateway_settings",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label_templates",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "print_requests",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("print_requests_made", "print_requests", ["made_ms"], unique=False)
