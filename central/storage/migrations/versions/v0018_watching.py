"""Backups that were made, alerts that somebody was told, letters that wait. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), primary_key=key, autoincrement=False, nullable=False)


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=key, nullable=False)


def upgrade() -> None:
    """Add their tables."""
    op.create_table(
        "backup_runs",
        _number("run_no", key=True),
        _text("kind"),
        _text("name"),
        _number("began_ms"),
        _number("ended_ms"),
        sa.Column("good", sa.Boolean(), nullable=False),
        _number("record_no"),
        _number("bytes_count"),
        _text("detail"),
        sqlite_with_rowid=False,
    )
    op.create_index("backup_runs_kind", "backup_runs", ["kind", "good", "began_ms"])
    op.create_table(
        "alert_records",
        _text("alert_key", key=True),
        _text("kind"),
        _text("severity"),
        _text("alert_json"),
        _number("first_ms"),
        _number("gone_ms"),
        _number("told_ms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_mails",
        _number("mail_no", key=True),
        *(_text(name) for name in ("recipient", "message_id", "subject", "body", "state")),
        *(_number(name) for name in ("attempts_count", "first_ms", "next_ms")),
        _text("last_error"),
        sqlite_with_rowid=False,
    )
    op.create_index("alert_mails_due", "alert_mails", ["state", "next_ms"])
    op.create_table(
        "watched_starts",
        _text("subject", key=True),
        _number("start_count", key=True),
        _text("nonce", key=True),
        _number("first_ms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "watching_marks", _text("mark", key=True), _text("value"), sqlite_with_rowid=False
    )
