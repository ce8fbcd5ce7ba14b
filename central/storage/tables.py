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
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
    true,
)

from central.storage import (
    access_tables,
    catalogue_tables,
    checkpoint_tables,
    count_tables,
    desk_tables,
    goods_tables,
    liveness_tables,
    outbox_tables,
    purchasing_tables,
    reference_tables,
    refusal_tables,
    sales_tables,
    settlement_tables,
    subscription_tables,
    transfer_tables,
    trust_tables,
    view_tables,
    watching_tables,
)
from central.storage.metadata import metadata

boots = liveness_tables.boots
discrepancies = settlement_tables.discrepancies
document_lines = reference_tables.document_lines
documents = reference_tables.documents
epoch_heads = liveness_tables.epoch_heads
gateway_settings = outbox_tables.gateway_settings
handling_units = goods_tables.handling_units
idempotency_keys = desk_tables.idempotency_keys
item_barcodes = reference_tables.item_barcodes
items = reference_tables.items
label_templates = outbox_tables.label_templates
locations = reference_tables.locations
lot_dates = goods_tables.lot_dates
lots = goods_tables.lots
notice_streams = outbox_tables.notice_streams
notices = outbox_tables.notices
object_events = desk_tables.object_events
object_numbers = desk_tables.object_numbers
operators = reference_tables.operators
print_requests = outbox_tables.print_requests
reference_changes = desk_tables.reference_changes
reference_copies = outbox_tables.reference_copies
snapshot_requests = outbox_tables.snapshot_requests
snapshots = outbox_tables.snapshots
unsynced_facts = liveness_tables.unsynced_facts
warehouses = reference_tables.warehouses
workers = liveness_tables.workers

# Tables of what people decide are used by the names of their modules; here they are all known.
AREAS = (
    access_tables,
    catalogue_tables,
    checkpoint_tables,
    count_tables,
    purchasing_tables,
    refusal_tables,
    sales_tables,
    settlement_tables,
    subscription_tables,
    transfer_tables,
    trust_tables,
    view_tables,
    watching_tables,
)

# Ten minutes: what is heard of sooner is found by its record number.
LATE = "record_ms - event_time_ms > 600000"

# When a fact counts as having happened, of a row `f` of facts: when its gateway says, by a clock
# that was set, and not later than it was recorded. It never changes.
DATED_SQL = (
    "CASE WHEN f.clock_synced AND f.event_time_ms < f.record_ms THEN f.event_time_ms"
    " ELSE f.record_ms END"
)

# Record numbers stand in blocks of 2^18 in the index of lines by item (`line_blocks`).
BLOCK_BITS = 18

# key -> value of the ledger itself: "generation" (random text, another one after a restore),
# "record_no" (the last number given out; its row is the lock of everything that posts),
# "reference_revision", "quarantine_dropped_count", "reversals_waiting_count", "closed_through_ms",
# "own_facts_count", "last_event_no" (of object_events), "lots_on_hold" (JSON: [warehouse or "" for
# all, item, lot] of each), "signing_key" (Ed25519 private key of its acknowledgements and notices,
# 64 hexadecimal digits). No row is added while the ledger works: all of them are locked.
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
    Column("failed_release", Text, nullable=False, server_default=""),
    Column("failed_reason", Text, nullable=False, server_default=""),
    Column("failed_ms", BigInteger, nullable=False, server_default="0"),
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
    # What the ledger heard of ten minutes late or more: for views as of when it happened.
    Index(
        "facts_late",
        "warehouse",
        "event_time_ms",
        sqlite_where=text(f"{LATE} AND clock_synced = 1"),
        postgresql_where=text(f"{LATE} AND clock_synced = true"),
    ),
    sqlite_with_rowid=False,
)

# The double entry of facts, by their record_no, in pairs: 1 gives (negative) and 2 takes, 3 gives
# and 4 takes ..., each pair sums to zero. A further pair is goods of another status, or the way
# back of a movement that was taken back before it came. weight_micro: catch weight, in the item's
# unit of weight, with the sign of the quantity.
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
    Column("status", Text, nullable=False, server_default="available"),
    Column("weight_micro", BigInteger, nullable=False, server_default="0"),
    # All lines of a fact are about one item: its first one finds them (`line_blocks`).
    Index(
        "lines_item",
        "warehouse",
        text(f"(record_no >> {BLOCK_BITS})"),
        "item",
        "record_no",
        sqlite_where=text("line_no = 1"),
        postgresql_where=text("line_no = 1"),
    ),
    # Only what has a lot or a serial number costs these: they trace it through every warehouse.
    *(
        Index(
            f"lines_{name}",
            text(f"(record_no >> {BLOCK_BITS})"),
            "item",
            name,
            "record_no",
            sqlite_where=text(f"{name} <> '' AND line_no = 1"),
            postgresql_where=text(f"{name} <> '' AND line_no = 1"),
        )
        for name in ("lot", "serial")
    ),
    sqlite_with_rowid=False,
)

BALANCE_REST = ("location", "lot", "serial", "sscc", "unit", "status")

# Sum of the lines of each key, virtual places included. status: "available", "inspection", "held"
# or "rejected". record_no: the last fact that changed it; no index has what changes with each fact.
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
    Column("status", Text, primary_key=True),
    Column("on_hand_micro", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Column("weight_micro", BigInteger, nullable=False),
    # With the whole key: a planner that takes it by its first columns still reads one row a key.
    Index("balances_item", "warehouse", "item", *BALANCE_REST),
    # Where a serial number is; what has none is not in it.
    Index(
        "balances_serial",
        "warehouse",
        "item",
        "serial",
        sqlite_where=text("serial <> ''"),
        postgresql_where=text("serial <> ''"),
    ),
    Index(
        "balances_sscc",
        "warehouse",
        "sscc",
        sqlite_where=text("sscc <> ''"),
        postgresql_where=text("sscc <> ''"),
    ),
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

# How much is done per document line, item and unit: of what comes in if direction is above zero, of
# what goes out if it is below, and across which border (`ledger/progress`). A row of an expected
# line is made when the document is loaded; what nobody expected (line 0, other item, unknown
# document) has expected 0.
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
    Column("direction", Integer, nullable=False, server_default="1"),
    sqlite_with_rowid=False,
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
