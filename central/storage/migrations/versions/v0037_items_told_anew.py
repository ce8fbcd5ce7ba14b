"""Items that ask for serial numbers or dates, touched, so that stations know. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Note such items as changed by one revision; programs of before have not told this of them."""
    connection = op.get_bind()
    loaded = connection.scalar(
        sa.text("SELECT value FROM ledger_state WHERE key = 'reference_revision'")
    )
    if loaded is None:  # A ledger that begins here.
        return
    touched = connection.execute(
        sa.text(
            "INSERT INTO reference_changes (revision, kind, warehouse, code)"
            " SELECT :revision, 'item', '', items.item FROM items"
            " JOIN item_policies ON item_policies.item = items.item"
            " WHERE serial_tracked OR expiry_tracked OR min_days_left_to_ship <> 0"
        ),
        {"revision": int(loaded) + 1},
    )
    if touched.rowcount:
        connection.execute(
            sa.text("UPDATE ledger_state SET value = :value WHERE key = 'reference_revision'"),
            {"value": str(int(loaded) + 1)},
        )
