"""Tables of lots and of handling units; `tables` has them too. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from central.storage.metadata import metadata

# The expiry date of each lot: as the first movement has it that states one and is not taken back
# (first_record_no), or as somebody corrected it. A lot of which no movement states a date has no
# row.
lots = Table(
    "lots",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("expiry_date", Text, nullable=False),
    Column("first_record_no", BigInteger, nullable=False),
    Index("lots_expiry", "warehouse", "expiry_date"),
    sqlite_with_rowid=False,
)

# What the date of a lot was, 1, 2 ...: of lots alone whose date is no longer what was stated first.
# expiry_date: "" for none. record_no: of the last fact before it was so, or of the one that states
# it. cause: "stated", "taken_back" (what stated another one was), "corrected" or "reopened" (what
# corrected it was). actor, reason: of who did. discrepancy: that settled, "" for none. Rows are
# only added.
lot_dates = Table(
    "lot_dates",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("expiry_date", Text, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("discrepancy", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What is packed in what: one row for each SSCC that is inside another, or was. parent: the one that
# it is in, "" once it was taken out. record_no: the packing that said so last.
handling_units = Table(
    "handling_units",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("parent", Text, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Index("handling_units_parent", "warehouse", "parent"),
    sqlite_with_rowid=False,
)
