"""Tables of what central tells its gateways; `tables` has them too. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text

from central.storage.metadata import metadata

# The numbering of the notices of one gateway; its row is the lock of whoever adds one. stream: a
# random name; generation, warehouse: for which it was begun. has_snapshot: whether a snapshot was
# made of which the notices go on; before that only orders are noticed. acked: what the gateway has
# applied, acked_ms when that was last heard. changes_number: the last notice of stock or reference
# data, which say what is so up to stock_revision and reference_revision.
notice_streams = Table(
    "notice_streams",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("has_snapshot", Boolean, nullable=False),
    Column("next_number", BigInteger, nullable=False),
    Column("acked", BigInteger, nullable=False),
    Column("acked_ms", BigInteger, nullable=False),
    Column("changes_number", BigInteger, nullable=False),
    Column("stock_revision", BigInteger, nullable=False),
    Column("reference_revision", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Notices that are not acknowledged, and the newest that are. kind: "stock", "reference",
# "template", "settings", "print" or "settled".
notices = Table(
    "notices",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What each gateway did of a document line, in 10^-6 units of the item: put ready (picked_micro),
# came in or went out (done_micro), reversals deducted. Counted since the table is there. record_no:
# the last fact that changed it; what gateways are to be told is found by it.
document_shares = Table(
    "document_shares",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("gateway", Text, primary_key=True),
    Column("picked_micro", BigInteger, nullable=False),
    Column("done_micro", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Index("document_shares_changed", "warehouse", "record_no"),
    sqlite_with_rowid=False,
)

# The newest snapshot of each gateway, as the file that it loads.
snapshots = Table(
    "snapshots",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("bytes_count", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Index("snapshots_gateway", "gateway"),
)

# Nonces of the requests that were answered: each counts once.
snapshot_requests = Table(
    "snapshot_requests",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("asked_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

gateway_settings = Table(
    "gateway_settings",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Label templates, TOML. gateway: "" for those of all gateways that have none of their own.
label_templates = Table(
    "label_templates",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Codes of print jobs that were given out; digest: SHA-256 of what was asked for under the code.
print_requests = Table(
    "print_requests",
    metadata,
    Column("job", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Index("print_requests_made", "made_ms"),
)

# Reference data as it was when gateways were last told of it, to tell them what changed since:
# zstd of the contract's Reference in MessagePack.
reference_copies = Table(
    "reference_copies",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
