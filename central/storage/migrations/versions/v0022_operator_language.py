"""The language that a person at stations reads. Edge of Alembic."""

import sqlalchemy
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Let operators have a language, none so far."""
    column = sqlalchemy.Column("language", sqlalchemy.Text, nullable=False, server_default="")
    op.add_column("operators", column)
