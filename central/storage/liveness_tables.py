"""Tables of clocks, reported heads and workers; `tables` has them too. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from central.storage.metadata import metadata

# The last fact that a gateway said an epoch has: what is not committed of it after its card is
# lost is known to be missing. Kept while the epoch is not committed up to there.
epoch_heads = Table(
    "epoch_heads",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("head_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Wall time less monotonic time of a boot of a gateway's machine. source: "synced_fact" (a signed
# fact of a disciplined clock), "synced_state", or "arrival" (from when something came here: an
# upper bound, and the smallest is the best). error_ms: NULL where nobody knows it.
boots = Table(
    "boots",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("boot_id", Text, primary_key=True),
    Column("offset_ms", BigInteger, nullable=False),
    Column("error_ms", BigInteger, nullable=True),
    Column("source", Text, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Facts of a clock that was not set, taken from the index facts_unsynced in the order of record_no.
# offset_ms: of the boot as applied in facts.event_time_ms, NULL while none is.
unsynced_facts = Table(
    "unsynced_facts",
    metadata,
    Column("record_no", BigInteger, primary_key=True, autoincrement=False),
    Column("warehouse", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("monotonic_ms", BigInteger, nullable=False),
    Column("offset_ms", BigInteger, nullable=True),
    Index("unsynced_facts_boot", "gateway", "boot_id", "offset_ms"),
    sqlite_with_rowid=False,
)

# Processes that take facts, as they say of themselves every few seconds. shards_json: a list.
workers = Table(
    "workers",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("online", Boolean, nullable=False),
    Column("shards_json", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
