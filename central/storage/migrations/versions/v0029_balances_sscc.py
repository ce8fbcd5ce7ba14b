"""Where the goods of a handling unit are, by its number. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Let a unit's goods be found; what is in no unit is not in the index."""
    marked = sa.text("sscc <> ''")
    op.create_index(
        "balances_sscc",
        "balances",
        ["warehouse", "sscc"],
        sqlite_where=marked,
        postgresql_where=marked,
    )
