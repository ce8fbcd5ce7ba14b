"""Webhooks and what they were told. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add who is told of events of objects, and what they have not taken yet."""
    op.create_table(
        "subscriptions",
        *map(_text, ("subscription", "url", "kinds_json", "secret")),
        sa.Column("active", sa.Boolean(), nullable=False),
        *map(_number, ("version", "made_ms", "last_event_no", "quiet_until_ms")),
        sa.PrimaryKeyConstraint("subscription"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deliveries",
        _text("subscription"),
        _number("event_no"),
        *map(_text, ("kind", "code", "state")),
        *map(_number, ("attempts_count", "first_ms", "next_ms", "last_status")),
        _text("last_error"),
        sa.PrimaryKeyConstraint("subscription", "event_no"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "deliveries_due", "deliveries", ["subscription", "state", "next_ms"], unique=False
    )
    op.create_index(
        "deliveries_object",
        "deliveries",
        ["subscription", "kind", "code", "event_no"],
        unique=False,
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
