"""People with their roles, sessions and tokens; seals over what was done. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add who may sign in, what they may do, who is signed in, who failed to, and the seals."""
    _create(
        "access_users",
        ("name",),
        texts=("display_name", "password_hash", "external", "totp_secret", "totp_waiting"),
        numbers=("totp_step", "made_ms", "disabled_ms"),
    )
    op.create_index("access_users_external", "access_users", ["external"])
    _create("access_grants", ("name", "role", "warehouse"))
    _create(
        "access_sessions",
        ("digest",),
        texts=("name", "stage"),
        numbers=("made_ms", "seen_ms"),
        last=("address", "browser"),
    )
    op.create_index("access_sessions_name", "access_sessions", ["name"])
    _create(
        "access_tokens",
        ("token",),
        texts=("digest", "name", "label", "permissions", "warehouse"),
        numbers=("made_ms", "expires_ms", "used_ms", "ended_ms"),
    )
    op.create_index("access_tokens_name", "access_tokens", ["name"])
    _create("access_recovery_codes", ("name", "digest"))
    _create("access_failures", ("subject",), numbers=("failures_count", "last_ms", "until_ms"))
    op.create_index("access_failures_last", "access_failures", ["last_ms"])
    _create(
        "access_journeys",
        ("digest",),
        texts=("nonce", "verifier", "next_path"),
        numbers=("made_ms",),
    )
    op.create_table(
        "audit_seals",
        *map(_number, ("seal_no", "through_no", "events_count")),
        _text("digest"),
        _number("sealed_ms"),
        sa.PrimaryKeyConstraint("seal_no"),
        sqlite_with_rowid=False,
    )


def _create(
    table: str,
    keys: tuple[str, ...],
    *,
    texts: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    last: tuple[str, ...] = (),
) -> None:
    op.create_table(
        table,
        *map(_text, (*keys, *texts)),
        *map(_number, numbers),
        *map(_text, last),
        sa.PrimaryKeyConstraint(*keys),
        sqlite_with_rowid=False,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
