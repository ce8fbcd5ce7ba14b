"""What each gateway did of the lines of documents, from now on. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the table, empty: what was posted before is not looked through."""
    op.create_table(
        "document_shares",
        *(
            sa.Column(name, sa.Text(), primary_key=True, nullable=False)
            for name in ("warehouse", "document")
        ),
        sa.Column("line", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("gateway", sa.Text(), primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("picked_micro", "done_micro", "record_no")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("document_shares_changed", "document_shares", ["warehouse", "record_no"])
