"""Until when a password counts that somebody else has given. Edge of Alembic."""

import sqlalchemy
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Take every password of before for one's own choice."""
    column = sqlalchemy.Column(
        "password_until_ms", sqlalchemy.BigInteger, nullable=False, server_default="0"
    )
    op.add_column("access_users", column)
