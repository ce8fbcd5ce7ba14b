"""Lots and serial numbers in blocks of record numbers: few leaves to write at. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Make both indexes that trace goods anew, their keys begun by the block."""
    for name in ("lot", "serial"):
        index, of_goods = f"lines_{name}", sa.text(f"{name} <> '' AND line_no = 1")
        op.drop_index(index, "lines")
        op.create_index(
            index,
            "lines",
            [sa.text("(record_no >> 18)"), "item", name, "record_no"],
            sqlite_where=of_goods,
            postgresql_where=of_goods,
        )
