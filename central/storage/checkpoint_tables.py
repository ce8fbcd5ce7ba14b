"""Tables of balances at certain moments, for views as of then. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Table, Text

from central.storage.metadata import metadata

DAY_MS = 86_400_000
LATE_DAYS = "late_days"  # Tasks that fill the tables of their names.
ITEM_SUMS = "item_sums"

# Moments at which all balances were copied: after the fact with this record number. A moment has a
# row here only once its copy is whole.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("record_no", BigInteger, primary_key=True, autoincrement=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("balances_count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Balances that were not zero then, virtual places included.
checkpoint_balances = Table(
    "checkpoint_balances",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("record_no", BigInteger, primary_key=True, autoincrement=False),
    Column("location", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("on_hand_micro", BigInteger, nullable=False),
    Column("weight_micro", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Of each warehouse and day (since 1970-01-01 UTC) on which something happened: the last day on
# which the ledger heard of it, where that is a later one. Facts of clocks that were not set are not
# in here.
late_days = Table(
    "late_days",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("event_day", BigInteger, primary_key=True, autoincrement=False),
    Column("record_day", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What stood of each item in the places of all warehouses together, and what was in transit, after
# the fact with this record number: whole units and millionths, summed apart. What was neither has
# no row. A moment counts once the task "item_sums" has come as far.
item_sums = Table(
    "item_sums",
    metadata,
    Column("record_no", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Text, primary_key=True),
    Column("here_units", BigInteger, nullable=False),
    Column("here_micro", BigInteger, nullable=False),
    Column("transit_units", BigInteger, nullable=False),
    Column("transit_micro", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# How far a task that follows the ledger from behind has come. task: "late_days", "item_sums",
# "counts", and "checkpoint", which is the copy in hand, less than 0 once that is forgotten.
upkeep_progress = Table(
    "upkeep_progress",
    metadata,
    Column("task", Text, primary_key=True),
    Column("record_no", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
