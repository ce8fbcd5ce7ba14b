"""How often who was refused what, from now on. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the table, empty: what was refused before was not counted."""
    op.create_table(
        "refusals",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("kind", "subject")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("address", "detail")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("refused_count", "first_ms", "last_ms")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("refusals_last", "refusals", ["last_ms"])
