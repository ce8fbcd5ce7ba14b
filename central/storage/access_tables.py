"""Tables of people: who may sign in, what they may do, who is signed in. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from central.storage.metadata import metadata

# Who may work here. password_hash: argon2id in its own text form, "" for whoever only comes from
# the identity provider. external: "issuer subject" of there, "" for none. totp_secret: base32, ""
# while no second factor is set up; totp_waiting: of one that is not confirmed yet; totp_step: the
# last time step that was used. disabled_ms: 0 while the person may come in.
access_users = Table(
    "access_users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("external", Text, nullable=False),
    Column("totp_secret", Text, nullable=False),
    Column("totp_waiting", Text, nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger, nullable=False),
    Column("password_until_ms", BigInteger, nullable=False, server_default="0"),
    Index("access_users_external", "external"),
    sqlite_with_rowid=False,
)

# What somebody is, and where. warehouse: "" for all of them.
access_grants = Table(
    "access_grants",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("warehouse", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Who is signed in. digest: SHA-256 of the session's name, hexadecimal: the name itself is only in
# the browser. stage: "code" while the second factor is still asked for, "whole" after it.
access_sessions = Table(
    "access_sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("access_sessions_name", "name"),
    sqlite_with_rowid=False,
)

# Keys of programs. digest: SHA-256 of the secret, hexadecimal. permissions: separated by blanks.
# warehouse: "" for all that its owner may. ended_ms: 0 until it is taken back.
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("permissions", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Index("access_tokens_name", "name"),
    sqlite_with_rowid=False,
)

# Codes that stand in for a lost second factor, each once. digest: SHA-256, hexadecimal.
access_recovery_codes = Table(
    "access_recovery_codes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Failed attempts in a row. subject: "user:" and a name, or "address:" and where it came from.
access_failures = Table(
    "access_failures",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("failures_count", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Index("access_failures_last", "last_ms"),
    sqlite_with_rowid=False,
)

# Sign-ins that are under way at the identity provider. digest: SHA-256 of `state`.
access_journeys = Table(
    "access_journeys",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("next_path", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The chain over what was done: digest is SHA-256 over that of the seal before and over every event
# after it, through_no being the last. Rows are only ever added.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("seal_no", BigInteger, primary_key=True, autoincrement=False),
    Column("through_no", BigInteger, nullable=False),
    Column("events_count", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sealed_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
