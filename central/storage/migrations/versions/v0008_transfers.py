"""Transfers between warehouses. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TRANSFER = (
    "transfer source_warehouse destination_warehouse state phase version# note second_person?"
    " created_by created_ms# requested_by approved_by released_ms# ended_ms# ended_reason"
    " under_way_since_ms# strayed?"
)
LINE = (
    "transfer line# item unit quantity_micro# tolerance_percent_micro# lot from_location"
    " to_location"
)
CLOSING = (
    "transfer closing# item lot serial unit quantity_micro# reason location note actor at_ms#"
    " warehouse gateway epoch seq#"
)
INDEXES = {
    "transfers_state": ["state", "phase", "transfer"],
    "transfers_source": ["source_warehouse", "transfer"],
    "transfers_destination": ["destination_warehouse", "transfer"],
}


def upgrade() -> None:
    """Add transfers, their lines, the facts that moved them and how they were closed."""
    _create("transfers", 1, TRANSFER)
    for name, columns in INDEXES.items():
        op.create_index(name, "transfers", columns, unique=False)
    under_way = sa.text("under_way_since_ms > 0")
    op.create_index(
        "transfers_under_way",
        "transfers",
        ["under_way_since_ms"],
        unique=False,
        sqlite_where=under_way,
        postgresql_where=under_way,
    )
    _create("transfer_lines", 2, LINE)
    _create("transfer_facts", 2, "transfer record_no# warehouse")
    _create("transfer_closings", 2, CLOSING)


def _create(table: str, key_columns_count: int, columns: str) -> None:
    """Make a table of columns that are never null: text, "#" numbers, "?" truth; the key leads."""
    kinds = {"#": sa.BigInteger, "?": sa.Boolean}
    names = [name.rstrip("#?") for name in columns.split()]
    op.create_table(
        table,
        *(
            sa.Column(
                name.rstrip("#?"),
                kinds.get(name[-1], sa.Text)(),
                autoincrement=False,
                nullable=False,
            )
            for name in columns.split()
        ),
        sa.PrimaryKeyConstraint(*names[:key_columns_count]),
        sqlite_with_rowid=False,
    )
