"""Every table of the central database, as SQLAlchemy Core metadata. Edge of SQLAlchemy.

Quantities are integers of 10^-6 units (`..._micro`), times are milliseconds since 1970-01-01 UTC
(`..._ms`), codes and epochs are text, digests and canonical fact bytes are binary. Every key of a
table that knows a warehouse starts with it or leads to one; no foreign key crosses warehouses and
the hot tables (facts, lines, balances) have none; there are no triggers and no sequences. That
keeps the schema distributable by warehouse.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
    true,
)

from central.storage import desk_tables, liveness_tables, outbox_tables
from central.storage.metadata import metadata

boots = liveness_tables.boots
epoch_heads = liveness_tables.epoch_heads
unsynced_facts = liveness_tables.unsynced_facts
workers = liveness_tables.workers
gateway_settings = outbox_tables.gateway_settings
idempotency_keys = desk_tables.idempotency_keys
label_templates = outbox_tables.label_templates
notice_streams = outbox_tables.notice_streams
notices = outbox_tables.notices
object_events = desk_tables.object_events
object_numbers = desk_tables.object_numbers
print_requests = outbox_tables.print_requests
reference_changes = desk_tables.reference_changes
reference_copies = outbox_tables.reference_copies
snapshot_requests = outbox_tables.snapshot_requests
snapshots = outbox_tables.snapshots

# key -> value of the ledger itself: "generation" (random text, another one after a restore),
# "record_no" (the last number given out; its row is the lock of everything that posts),
# "reference_revision", "quarantine_dropped_count", "reversals_waiting_count", "signing_key"
# (Ed25519 private key of its acknowledgements and notices, 64 hexadecimal digits).
ledger_state = Table(
    "ledger_state",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# One row per enrolled gateway. online .. devices_json and all after told_ms are what its last
# state message said, told_ms when that came (0: none yet); devices_json is the JSON list of its
# devices (contract DeviceState). seen_ms: last sign of life.
gateways = Table(
    "gateways",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("online", Boolean, nullable=False),
    Column("state_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("unsent_count", BigInteger, nullable=False),
    Column("software", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("devices_json", Text, nullable=False),
    Column("told_ms", BigInteger, nullable=False, server_default="0"),
    Column("clock_synced", Boolean, nullable=False, server_default=true()),
    Column("lag_s", BigInteger, nullable=False, server_default="0"),
    Column("stream", Text, nullable=False, server_default=""),
    Column("notice", BigInteger, nullable=False, server_default="0"),
    Column("stock_revision", BigInteger, nullable=False, server_default="0"),
    Column("reference_revision", BigInteger, nullable=False, server_default="0"),
    Column("known_age_s", BigInteger, nullable=False, server_default="0"),
    Column("disk_used_percent", BigInteger, nullable=False, server_default="0"),
    Column("written_bytes_day", BigInteger, nullable=False, server_default="0"),
    Column("shed_count", BigInteger, nullable=False, server_default="0"),
)

# How far each epoch of each gateway is committed; head_digest is the chain there. stable_seq: how
# far of it a backup is known to reach.
positions = Table(
    "positions",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("acked_seq", BigInteger, nullable=False),
    Column("head_digest", LargeBinary, nullable=False),
    Column("previous_epoch_head", LargeBinary, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("stable_seq", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# What gateways said, byte for byte, but for event_time_ms: corrected here where the gateway's clock
# was not set (see unsynced_facts). kind: "movement", "weighing", "print", "reversal",
# "passage" or "unreadable". digest: the chain after the fact. record_no: the ledger's own order,
# without gaps.
facts = Table(
    "facts",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("gateway", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("event_time_ms", BigInteger, nullable=False),
    Column("clock_synced", Boolean, nullable=False),
    Column("record_ms", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Index("facts_record_no", "record_no", unique=True),
    Index(
        "facts_unsynced",
        "record_no",
        sqlite_where=text("clock_synced = 0 AND kind <> 'unreadable'"),
        postgresql_where=text("clock_synced = false AND kind <> 'unreadable'"),
    ),
    sqlite_with_rowid=False,
)

# The double entry of facts, by their record_no: line 1 gives (negative), 2 takes, and they sum to
# zero. 3 and 4 are the way back of a movement that was taken back before it came.
lines = Table(
    "lines",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("record_no", BigInteger, primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("location", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("sscc", Text, nullable=False),
    Column("expiry_date", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    # All lines of a fact are about one item: its first one finds them.
    Index(
        "lines_item",
        "warehouse",
        "item",
        "record_no",
        sqlite_where=text("line_no = 1"),
        postgresql_where=text("line_no = 1"),
    ),
    sqlite_with_rowid=False,
)

BALANCE_REST = ("location", "lot", "serial", "sscc", "unit")

# Sum of the lines of each key, virtual places included. record_no: the last fact that changed it.
balances = Table(
    "balances",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("on_hand_micro", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    # With the whole key: a planner that takes it by its first columns still reads one row a key.
    Index("balances_item", "warehouse", "item", *BALANCE_REST),
    # Without the warehouse: else a planner that has no statistics takes it for look-ups by key.
    Index("balances_changed", "record_no"),
    sqlite_with_rowid=False,
)

# Which fact took back which movement: a movement is taken back once.
reversals = Table(
    "reversals",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("gateway", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("by_epoch", Text, nullable=False),
    Column("by_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# How much came in per document line, item and unit. A row of an expected line is made when the
# document is loaded; what nobody expected (line 0, other item, unknown document) has expected 0.
document_progress = Table(
    "document_progress",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("expected_micro", BigInteger, nullable=False),
    Column("tolerance_percent_micro", BigInteger, nullable=False),
    Column("received_micro", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What does not add up. One open row per (warehouse, kind, subject); gateway, epoch, seq name the
# first fact behind it, facts_count how many there are; state: "open" or "settled". settlement: why.
discrepancies = Table(
    "discrepancies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("document_line", BigInteger, nullable=False),
    Column("expected_micro", BigInteger, nullable=True),
    Column("actual_micro", BigInteger, nullable=True),
    Column("detail", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("facts_count", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Column("settled_ms", BigInteger, nullable=False, server_default="0"),
    Column("settlement", Text, nullable=False, server_default=""),
    Index("discrepancies_open", "warehouse", "state", "kind", "subject"),
    Index("discrepancies_record_no", "record_no"),
)

# Payloads that could not be read or authenticated, whole. id: SHA-256 of topic gateway and
# payload, hexadecimal: the same payload is kept once and its offers are counted.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("topic_gateway", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("offers_count", BigInteger, nullable=False),
    Index("quarantine_received", "received_ms"),
)

# source, here and below: "file" for what a reference document brought and the next one replaces,
# "desk" for what was made here.
warehouses = Table(
    "warehouses",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
)

# kind: "dock_door", "staging", "bin" or "quality_hold". Virtual places have no row.
locations = Table(
    "locations",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
    ForeignKeyConstraint(["warehouse"], ["warehouses.warehouse"]),
)

# unit: UN/CEFACT code in which the item is kept. kind: "piece" or "bulk".
items = Table(
    "items",
    metadata,
    Column("item", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lot_tracked", Boolean, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
)

# quantity_micro: how many of the item's unit one scan of the GTIN means.
item_barcodes = Table(
    "item_barcodes",
    metadata,
    Column("gtin", Text, primary_key=True),
    Column("item", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
    ForeignKeyConstraint(["item"], ["items.item"]),
)

documents = Table(
    "documents",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
    ForeignKeyConstraint(["warehouse"], ["warehouses.warehouse"]),
)

document_lines = Table(
    "document_lines",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("item", Text, nullable=False),
    Column("expected_micro", BigInteger, nullable=False),
    Column("tolerance_percent_micro", BigInteger, nullable=False),
    ForeignKeyConstraint(["warehouse", "document"], ["documents.warehouse", "documents.document"]),
)

operators = Table(
    "operators",
    metadata,
    Column("operator", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
)
