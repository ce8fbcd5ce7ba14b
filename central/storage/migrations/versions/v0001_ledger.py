"""The ledger as it began: facts, lines, balances, positions, reference data. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_ledger()
    _create_books()
    _create_progress()
    _create_findings()
    _create_places_and_items()
    _create_documents()


def _create_ledger() -> None:
    op.create_table(
        "ledger_state",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "gateways",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("state_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("unsent_count", sa.BigInteger(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("devices_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway"),
    )
    op.create_table(
        "positions",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("acked_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous_epoch_head", sa.LargeBinary(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "epoch"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "facts",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("event_time_ms", sa.BigInteger(), nullable=False),
        sa.Column("clock_synced", sa.Boolean(), nullable=False),
        sa.Column("record_ms", sa.BigInteger(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse", "gateway", "epoch", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("facts_record_no", "facts", ["record_no"], unique=True)


def _create_books() -> None:
    op.create_table(
        "lines",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("sscc", sa.Text(), nullable=False),
        sa.Column("expiry_date", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse", "gateway", "epoch", "seq", "line_no"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "lines_place", "lines", ["warehouse", "item", "location", "record_no"], unique=False
    )
    op.create_table(
        "balances",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("sscc", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("on_hand_micro", sa.BigInteger(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse", "location", "item", "lot", "serial", "sscc", "unit"),
        sqlite_with_rowid=False,
    )
    op.create_index("balances_item", "balances", ["warehouse", "item"], unique=False)


def _create_progress() -> None:
    op.create_table(
        "reversals",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("by_epoch", sa.Text(), nullable=False),
        sa.Column("by_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse", "gateway", "epoch", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document_progress",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("expected_micro", sa.BigInteger(), nullable=False),
        sa.Column("tolerance_percent_micro", sa.BigInteger(), nullable=False),
        sa.Column("received_micro", sa.BigInteger(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse", "document", "line", "item", "unit"),
        sqlite_with_rowid=False,
    )


def _create_findings() -> None:
    op.create_table(
        "discrepancies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_line", sa.BigInteger(), nullable=False),
        sa.Column("expected_micro", sa.BigInteger(), nullable=True),
        sa.Column("actual_micro", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("facts_count", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "discrepancies_open",
        "discrepancies",
        ["warehouse", "state", "kind", "subject"],
        unique=False,
    )
    op.create_index("discrepancies_record_no", "discrepancies", ["record_no"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("topic_gateway", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("offers_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("quarantine_received", "quarantine", ["received_ms"], unique=False)


def _create_places_and_items() -> None:
    op.create_table(
        "warehouses",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse"),
    )
    op.create_table(
        "locations",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["warehouse"],
            ["warehouses.warehouse"],
        ),
        sa.PrimaryKeyConstraint("warehouse", "location"),
    )
    op.create_table(
        "items",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lot_tracked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("item"),
    )
    op.create_table(
        "item_barcodes",
        sa.Column("gtin", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("quantity_micro", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item"],
            ["items.item"],
        ),
        sa.PrimaryKeyConstraint("gtin"),
    )
    op.create_table(
        "operators",
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("operator"),
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["warehouse"],
            ["warehouses.warehouse"],
        ),
        sa.PrimaryKeyConstraint("warehouse", "document"),
    )
    op.create_table(
        "document_lines",
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("expected_micro", sa.BigInteger(), nullable=False),
        sa.Column("tolerance_percent_micro", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["warehouse", "document"],
            ["documents.warehouse", "documents.document"],
        ),
        sa.PrimaryKeyConstraint("warehouse", "document", "line"),
    )
