"""Tables of reservations, sales orders, pick waves and customer returns. Edge of SQLAlchemy.

Orders are found by their code alone; it leads to their warehouse. No foreign keys: an item or a
customer may be taken away while orders name it.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text

from central.storage.metadata import metadata

# What is set aside for whom. holder_kind, holder, line: e.g. "sales_order", its code, its line. The
# rest of the key is stock of status "available", as of balances. pick_line: under which number of
# the holder's document a gateway is told of it, 0 while it never was. quantity_micro: set aside
# now. picked: it stands ready, taken from where it was. shipped_micro: of this stock went out for
# the line, reserved or not. freed_micro: was given up again; reason: why, the last time.
# reserved_ms: since when; whoever reserved last loses first. Rows stay, as what has become of it.
# changed_ms: when quantity_micro changed last; history: what it was from when on, as
# `reservation_history` writes it. 0 and "" where it has not changed since these are kept.
reservations = Table(
    "reservations",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("holder_kind", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("pick_line", BigInteger, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("picked", Boolean, nullable=False),
    Column("shipped_micro", BigInteger, nullable=False),
    Column("freed_micro", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reserved_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False, server_default="0"),
    Column("history", Text, nullable=False, server_default=""),
    Index(
        "reservations_stock",
        "warehouse",
        "item",
        "location",
        "lot",
        "serial",
        "sscc",
        "unit",
        sqlite_where=text("quantity_micro > 0"),
        postgresql_where=text("quantity_micro > 0"),
    ),
    sqlite_with_rowid=False,
)

# How much of each stock is set aside: the sum of quantity_micro of its reservations, changed with
# them. No row where there is nothing.
allocated = Table(
    "allocated",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("allocated_micro", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Condition of an index and, word for word, of who uses it: stations have old places of these.
STALE = "stale AND state = 'released'"

# What customers ordered of one warehouse. state: what people decided (module
# `sales_orders`); how far it is follows from reservations and progress. backorders: what cannot be
# reserved may wait. wanted_on, promised_on: days, YYYY-MM-DD, "" for none. reference: the
# customer's own number. stale: gateways were told to take what is no longer set aside like that.
# reason: of the last cancelling, sending back or giving up. signed_by: who took the goods.
sales_orders = Table(
    "sales_orders",
    metadata,
    Column("code", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("backorders", Boolean, nullable=False),
    Column("wanted_on", Text, nullable=False),
    Column("promised_on", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("tracking", Text, nullable=False),
    Column("stale", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("signed_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("sales_orders_state", "warehouse", "state", "code"),
    Index("sales_orders_customer", "customer", "code"),
    Index("sales_orders_stale", "code", sqlite_where=text(STALE), postgresql_where=text(STALE)),
    sqlite_with_rowid=False,
)

# quantity_micro: in the item's unit, which is `unit`. lot: the only one that will do, "" for any.
# given_up_micro: will not be shipped any more. over_, under_percent_micro: how far off is still as
# ordered, in 10^-6 percent. entered_quantity, entered_unit: as the customer said it.
sales_order_lines = Table(
    "sales_order_lines",
    metadata,
    Column("order_code", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("lot", Text, nullable=False),
    Column("given_up_micro", BigInteger, nullable=False),
    Column("over_percent_micro", BigInteger, nullable=False),
    Column("under_percent_micro", BigInteger, nullable=False),
    Column("entered_quantity", Text, nullable=False),
    Column("entered_unit", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Orders of a warehouse that are picked on one round.
pick_waves = Table(
    "pick_waves",
    metadata,
    Column("code", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("pick_waves_warehouse", "warehouse", "code"),
    sqlite_with_rowid=False,
)

# Which orders are in which wave; an order is in one wave at most.
pick_wave_orders = Table(
    "pick_wave_orders",
    metadata,
    Column("order_code", Text, primary_key=True),
    Column("wave", Text, nullable=False),
    Index("pick_wave_orders_wave", "wave", "order_code"),
    sqlite_with_rowid=False,
)

# Goods that customers send back. order_code: what they were shipped under, "" if nobody knows.
# reason: why they come back. state: module `customer_returns`. end_reason: of its end before its
# time, "" for none.
customer_returns = Table(
    "customer_returns",
    metadata,
    Column("code", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("order_code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("end_reason", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("customer_returns_state", "warehouse", "state", "code"),
    Index("customer_returns_customer", "customer", "code"),
    sqlite_with_rowid=False,
)

# reason: of this line; that of the return where it is "".
customer_return_lines = Table(
    "customer_return_lines",
    metadata,
    Column("return_code", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("lot", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What was decided of goods that came back, 1, 2 ... decision: "restock", "scrap" or "exchange".
# location, lot, serial: which of them; from_status: what they were. exchange_order: what is sent
# instead. epoch, seq: the ledger's own fact, "" and 0 where nothing moved. Rows are only added.
customer_return_decisions = Table(
    "customer_return_decisions",
    metadata,
    Column("return_code", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("line", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("location", Text, nullable=False),
    Column("to_location", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("from_status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("exchange_order", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
