"""Machines that show a code and ask to be let in as gateways. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "newcomers",
        _text("name"),
        *map(_bytes, ("code_digest", "secret_digest")),
        _text("csr"),
        *map(_bytes, ("spki", "signing_key")),
        *map(_text, ("hardware", "gateway", "address", "network")),
        *map(_number, ("asked_ms", "expires_ms", "interval_s", "polled_ms")),
        *map(_text, ("state", "decided_by")),
        _number("decided_ms"),
        *map(_text, ("claim", "receive_location")),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_index("newcomers_code", "newcomers", ["code_digest"], unique=True)
    op.create_index("newcomers_secret", "newcomers", ["secret_digest"], unique=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)
