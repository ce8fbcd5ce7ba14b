"""Tables of what other programs are told over HTTP. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from central.storage.metadata import metadata

# Who is told of events of objects. kinds_json: of these kinds of objects, all if it is empty.
# secret: 64 hexadecimal digits, the key of its signatures. last_event_no: up to this event there
# are deliveries. quiet_until_ms: nobody answered, so nothing is tried before this.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds_json", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("last_event_no", BigInteger, nullable=False),
    Column("quiet_until_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Events that a subscriber has not taken yet; a delivery that succeeds is deleted. kind, code: the
# object. state: "waiting" or "given_up". next_ms: when it is tried. last_status: of the last
# answer, 0 for none; last_error: why that was no success.
deliveries = Table(
    "deliveries",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("event_no", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts_count", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("last_status", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False),
    Index("deliveries_due", "subscription", "state", "next_ms"),
    Index("deliveries_object", "subscription", "kind", "code", "event_no"),
    sqlite_with_rowid=False,
)
