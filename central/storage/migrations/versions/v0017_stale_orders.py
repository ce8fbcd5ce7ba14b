"""Released orders of which stations were told something that is no longer so. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Find them without reading any other order."""
    where = sa.text("stale AND state = 'released'")
    op.create_index(
        "sales_orders_stale", "sales_orders", ["code"], sqlite_where=where, postgresql_where=where
    )
