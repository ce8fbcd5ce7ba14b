"""Events of objects, requests that are done once, changes of reference data. Edge of Alembic.

Documents also say for which other warehouse and round they are, their lines which goods are meant.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Entries that a reference document brought, and those that were made at the desk.
SOURCED = ("warehouses", "locations", "items", "item_barcodes", "documents", "operators")


def upgrade() -> None:
    """Add what the desk keeps; what is there already came from a reference document."""
    op.create_table(
        "object_events",
        sa.Column("event_no", sa.BigInteger(), autoincrement=False, nullable=False),
        *(_text(name) for name in ("kind", "code", "action", "warehouse", "actor")),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        _text("fields_json"),
        sa.PrimaryKeyConstraint("event_no"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "object_events_object", "object_events", ["kind", "code", "event_no"], unique=False
    )
    op.create_table(
        "object_numbers",
        _text("prefix"),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency_keys",
        _text("actor"),
        _text("key"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        _text("headers_json"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_keys_at", "idempotency_keys", ["at_ms"], unique=False)
    op.create_table(
        "reference_changes",
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        *(_text(name) for name in ("kind", "warehouse", "code")),
        sa.PrimaryKeyConstraint("revision", "kind", "warehouse", "code"),
        sqlite_with_rowid=False,
    )
    for table in SOURCED:
        op.add_column(table, sa.Column("source", sa.Text(), nullable=False, server_default="file"))
    _extend_documents()


def _extend_documents() -> None:
    for table, name in (
        ("documents", "counterpart"),
        ("document_lines", "lot"),
        ("document_lines", "location"),
        ("document_lines", "sscc"),
    ):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "documents", sa.Column("round", sa.BigInteger(), nullable=False, server_default="1")
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
