"""Views of tables that staff keep by a name. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add what filters and order of a table are kept under a name."""
    op.create_table(
        "saved_views",
        *map(_text, ("page", "name", "query", "made_by")),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("page", "name"),
        sqlite_with_rowid=False,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
