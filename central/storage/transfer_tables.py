"""Tables of transfers between warehouses. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, false, text

from central.storage.metadata import metadata
from central.storage.sales_tables import STALE

# One transfer. state: what people decided, "draft", "requested", "approved", "released", "closed",
# "rejected" or "cancelled". phase: what the facts make of that, "" for nothing more; it follows
# from progress and the in-transit place, is written with every fact that concerns the transfer, and
# proved. second_person: who approves must be another than who requested. ..._ms: 0 for not yet.
# under_way_since_ms: when the oldest goods that are under way left, 0 if nothing is. strayed: a
# third warehouse has facts under it. backorders: may be released although not all of it could be
# set aside. stale: the source was told to take what is no longer set aside like that.
transfers = Table(
    "transfers",
    metadata,
    Column("transfer", Text, primary_key=True),
    Column("source_warehouse", Text, nullable=False),
    Column("destination_warehouse", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("second_person", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("released_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("ended_reason", Text, nullable=False),
    Column("under_way_since_ms", BigInteger, nullable=False),
    Column("strayed", Boolean, nullable=False),
    Column("backorders", Boolean, nullable=False, server_default=false()),
    Column("stale", Boolean, nullable=False, server_default=false()),
    Index("transfers_state", "state", "phase", "transfer"),
    Index("transfers_source", "source_warehouse", "transfer"),
    Index("transfers_destination", "destination_warehouse", "transfer"),
    Index(
        "transfers_under_way",
        "under_way_since_ms",
        sqlite_where=text("under_way_since_ms > 0"),
        postgresql_where=text("under_way_since_ms > 0"),
    ),
    Index("transfers_stale", "transfer", sqlite_where=text(STALE), postgresql_where=text(STALE)),
    sqlite_with_rowid=False,
)

# What is asked for. lot: "" for any. from_location, to_location: where to take and put it, "" for
# anywhere.
transfer_lines = Table(
    "transfer_lines",
    metadata,
    Column("transfer", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("item", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("tolerance_percent_micro", BigInteger, nullable=False),
    Column("lot", Text, nullable=False),
    Column("from_location", Text, nullable=False),
    Column("to_location", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Which facts have moved something to or from the in-transit place of a transfer, in any warehouse.
# It only finds them: quantities stand in lines alone.
transfer_facts = Table(
    "transfer_facts",
    metadata,
    Column("transfer", Text, primary_key=True),
    Column("record_no", BigInteger, primary_key=True),
    Column("warehouse", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What became of goods that were under way when a transfer was closed, 1, 2 ... reason: "lost",
# "damaged", "found" or "sent_back". location: where sent back goods are. warehouse .. seq: the
# ledger's own fact that moved them.
transfer_closings = Table(
    "transfer_closings",
    metadata,
    Column("transfer", Text, primary_key=True),
    Column("closing", BigInteger, primary_key=True),
    Column("item", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
