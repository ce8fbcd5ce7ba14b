"""Tables of what is done at the ledger's desk; `tables` has them too. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from central.storage.metadata import metadata

# What happened to an order, a transfer, an item ... in the order in which it was committed, without
# gaps. kind, code: which object. warehouse: "" where it concerns none or several. actor: who did
# it. fields_json: what a reader needs beside, a JSON object.
object_events = Table(
    "object_events",
    metadata,
    Column("event_no", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("fields_json", Text, nullable=False),
    Index("object_events_object", "kind", "code", "event_no"),
    sqlite_with_rowid=False,
)

# The last number given out below each prefix of codes, e.g. "TR".
object_numbers = Table(
    "object_numbers",
    metadata,
    Column("prefix", Text, primary_key=True),
    Column("last_number", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Requests that must not be done twice. key: what the caller named it, with its actor. digest:
# SHA-256 of method, address and body. What was answered is kept and said again.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("headers_json", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("idempotency_keys_at", "at_ms"),
    sqlite_with_rowid=False,
)

# Which entries of the reference data each revision touched, so that gateways are told of these
# alone. kind: "item", "location", "document", "operator", "warehouse", or "all" for a revision that
# replaced everything. warehouse: "" where every warehouse is concerned.
reference_changes = Table(
    "reference_changes",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("warehouse", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    sqlite_with_rowid=False,
)
