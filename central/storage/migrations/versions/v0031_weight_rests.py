"""From which fact on no weight is left without pieces. Edge of Alembic."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Note the last fact of before: what it left is proved without, and is not written off."""
    op.execute(
        "INSERT INTO ledger_state (key, value)"
        " SELECT 'rests_after', value FROM ledger_state WHERE key = 'record_no'"
    )
