"""Places that are blocked by what they are in, and what blocks them. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

BLOCKED_BELOW = """
WITH RECURSIVE below (warehouse, location, blocked_by) AS (
    SELECT warehouse, location, location FROM location_details WHERE blocked_by <> ''
    UNION
    SELECT d.warehouse, d.location, b.blocked_by FROM below b JOIN location_details d
    ON d.warehouse = b.warehouse AND d.parent = b.location WHERE d.blocked_by = ''
) SELECT warehouse, location, blocked_by FROM below WHERE location <> blocked_by
"""


def upgrade() -> None:
    """Add what blocks each place: itself as before, or from now on the nearest above it that is."""
    with op.batch_alter_table("location_details") as table:
        table.add_column(sa.Column("blocked_by", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE location_details SET blocked_by = location WHERE blocked"))
    below = [dict(row._mapping) for row in connection.execute(sa.text(BLOCKED_BELOW))]
    if below:
        connection.execute(
            sa.text(
                "UPDATE location_details SET blocked = TRUE, blocked_by = :blocked_by"
                " WHERE warehouse = :warehouse AND location = :location"
            ),
            below,
        )
