"""Claims, certificates and what was suspicious about them. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add what makes a Pi a gateway, and what ends it."""
    _claims()
    _certificates()
    op.create_table(
        "trust_events",
        _text("event"),
        _number("at_ms"),
        *map(_text, ("kind", "subject", "detail", "address")),
        sa.PrimaryKeyConstraint("event"),
        sqlite_with_rowid=False,
    )
    op.create_index("trust_events_kind", "trust_events", ["kind", "at_ms"])


def _claims() -> None:
    op.create_table(
        "claims",
        _text("name"),
        _bytes("secret_digest"),
        *map(_text, ("gateway", "warehouse", "role", "made_by")),
        *map(_number, ("made_ms", "expires_ms", "wrong_count", "withdrawn_ms", "used_ms")),
        *map(_bytes, ("spki", "signing_key")),
        *map(_text, ("certificate", "hardware")),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_index("claims_gateway", "claims", ["gateway"])


def _certificates() -> None:
    op.create_table(
        "certificates",
        *map(_text, ("serial", "gateway")),
        _bytes("spki"),
        *map(_text, ("pem", "how")),
        _bytes("signing_key"),
        *map(_number, ("issued_ms", "expires_ms", "replaced_ms", "revoked_ms")),
        *map(_text, ("reason", "revoked_by", "last_epoch")),
        _number("last_seq"),
        sa.PrimaryKeyConstraint("serial"),
        sqlite_with_rowid=False,
    )
    op.create_index("certificates_gateway", "certificates", ["gateway", "issued_ms"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)
