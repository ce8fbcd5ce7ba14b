"""Tables of backups that were made and of alerts that somebody was told. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from central.storage.metadata import metadata

# What was done for the day on which the ledger's machine is gone. kind: "dump", "base" or "drill".
# name: of the backup. record_no: the last fact in it. detail: why it is not good, "" if it is.
backup_runs = Table(
    "backup_runs",
    metadata,
    Column("run_no", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Column("bytes_count", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Index("backup_runs_kind", "kind", "good", "began_ms"),
    sqlite_with_rowid=False,
)

# An alert that is there, or was a moment ago. alert_json: its fields as they were last. gone_ms:
# since when it is not there any more, 0 while it is. told_ms: when people were told last, 0 if
# they were not.
alert_records = Table(
    "alert_records",
    metadata,
    Column("alert_key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("alert_json", Text, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("gone_ms", BigInteger, nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# A letter that waits, was sent, or was given up (state). message_id: the same at each attempt.
alert_mails = Table(
    "alert_mails",
    metadata,
    Column("mail_no", BigInteger, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts_count", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False),
    Index("alert_mails_due", "state", "next_ms"),
    sqlite_with_rowid=False,
)

# Starts of gateways (and of central, under ""), as they were seen: restarts and cloned cards show.
watched_starts = Table(
    "watched_starts",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("start_count", BigInteger, primary_key=True, autoincrement=False),
    Column("nonce", Text, primary_key=True),
    Column("first_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What watching remembers, e.g. when a recipient's last digest was written.
watching_marks = Table(
    "watching_marks",
    metadata,
    Column("mark", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
