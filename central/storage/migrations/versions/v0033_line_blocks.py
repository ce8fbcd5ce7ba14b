"""First lines by item in blocks of record numbers: few leaves to write at. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Make the index of first lines anew, its key begun by warehouse and block."""
    op.drop_index("lines_item", "lines")
    first = sa.text("line_no = 1")
    op.create_index(
        "lines_item",
        "lines",
        ["warehouse", sa.text("(record_no >> 18)"), "item", "record_no"],
        sqlite_where=first,
        postgresql_where=first,
    )
