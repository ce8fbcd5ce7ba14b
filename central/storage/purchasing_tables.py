"""Tables of purchasing: orders, notices of shipment, inspections, returns. Edge of SQLAlchemy.

Codes of all of these are document codes: no two objects of a warehouse have the same one. Nothing
here counts stock a second time: what came is `document_progress`, what there is are the balances.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from central.storage.metadata import metadata

# An order to a supplier. state: draft, submitted, approved, sent, confirmed, closed, rejected or
# cancelled. promised_date: YYYY-MM-DD or "". currency: ISO 4217, "" for none. reason: of its end.
purchase_orders = Table(
    "purchase_orders",
    metadata,
    Column("code", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("promised_date", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("purchase_orders_warehouse", "warehouse", "state", "code"),
    Index("purchase_orders_state", "state", "code"),
    Index("purchase_orders_supplier", "supplier", "code"),
    sqlite_with_rowid=False,
)

# quantity_micro of `unit`, as ordered, is expected_micro of base_unit. price_e4: 1/10000 of the
# currency for one of `unit`. closed_reason: why nothing more of it is expected, "" while it is.
purchase_lines = Table(
    "purchase_lines",
    metadata,
    Column("code", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("item", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("base_unit", Text, nullable=False),
    Column("expected_micro", BigInteger, nullable=False),
    Column("over_percent_micro", BigInteger, nullable=False),
    Column("under_percent_micro", BigInteger, nullable=False),
    Column("price_e4", BigInteger, nullable=True),
    Column("promised_date", Text, nullable=False),
    Column("closed_reason", Text, nullable=False),
    Index("purchase_lines_item", "item", "code"),
    sqlite_with_rowid=False,
)

# A supplier's notice of shipment (advance shipping notice). order_code: the order that it fulfils,
# "" for none. own_document: stations work on it by its own code, not by the order's. state:
# announced, expected, closed or cancelled. reason: of its end.
shipping_notices = Table(
    "shipping_notices",
    metadata,
    Column("code", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("order_code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("own_document", Boolean, nullable=False),
    Column("expected_date", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("shipping_notices_warehouse", "warehouse", "state", "code"),
    Index("shipping_notices_order", "order_code", "code"),
    Index("shipping_notices_supplier", "supplier", "code"),
    sqlite_with_rowid=False,
)

# A handling unit that a notice announces. parent: the unit that it stands on or in, "" for none.
notice_units = Table(
    "notice_units",
    metadata,
    Column("code", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("parent", Text, nullable=False),
    Index("notice_units_sscc", "sscc", "code"),
    sqlite_with_rowid=False,
)

# What a notice says is in a handling unit (sscc "": loose), in the unit in which the item is kept.
# order_line: of its order, 0 for none. ended_micro: what of it had come when the notice ended, NULL
# while it has not; the order expects the rest of it under its own code again.
notice_lines = Table(
    "notice_lines",
    metadata,
    Column("code", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("sscc", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("expiry_date", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("order_line", BigInteger, nullable=False),
    Column("ended_micro", BigInteger, nullable=True),
    sqlite_with_rowid=False,
)

# What came from suppliers under documents, less what went back to them (below zero of a return), by
# lot and handling unit, and when by the clocks of the docks: the first and the last fact that made
# it more. A follower of the ledger writes it; its sums are those of `document_progress` (proved).
document_arrivals = Table(
    "document_arrivals",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Index("document_arrivals_sscc", "sscc", "warehouse"),
    sqlite_with_rowid=False,
)

# Goods that came with the status inspection: one row per document line and lot, made by a follower
# of the ledger. document "": they came under none. arrived_micro: how much came to be inspected.
# open: something of it is neither accepted, rejected nor gone.
inspections = Table(
    "inspections",
    metadata,
    Column("code", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("document_line", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("arrived_micro", BigInteger, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index(
        "inspections_goods",
        "warehouse",
        "document",
        "document_line",
        "item",
        "lot",
        "unit",
        unique=True,
    ),
    Index("inspections_item", "warehouse", "item", "lot"),
    Index("inspections_open", "open", "code"),
    sqlite_with_rowid=False,
)

# What was decided of an inspection, in order. decision: accept, reject, hold, sample, sample_used,
# scrap or gone. source: the status that the goods had. location, serial, sscc: where and which they
# were; a decision that took from several places has a row for each. gateway, epoch, seq: the
# movement that carried it out, the ledger's own or a station's; "" and 0 for none. result: of a
# sample, passed, failed or pending.
inspection_decisions = Table(
    "inspection_decisions",
    metadata,
    Column("code", Text, primary_key=True),
    Column("decision_no", BigInteger, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("location", Text, nullable=False),
    Column("to_location", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("sscc", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("gateway", Text, nullable=False, server_default="central"),
    Index("inspection_decisions_fact", "epoch", "seq"),
    sqlite_with_rowid=False,
)

# Goods that go back to a supplier. order_code: the order that they came with, "" for none. state:
# requested, approved, released, closed, rejected or cancelled. reason: why they go back;
# end_reason: of its end.
supplier_returns = Table(
    "supplier_returns",
    metadata,
    Column("code", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("order_code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("end_reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("supplier_returns_warehouse", "warehouse", "state", "code"),
    Index("supplier_returns_state", "state", "code"),
    Index("supplier_returns_supplier", "supplier", "code"),
    sqlite_with_rowid=False,
)

# quantity_micro in the unit in which the item is kept. location: where to take it, "" for anywhere.
# inspection: the one that rejected it, "" for none.
supplier_return_lines = Table(
    "supplier_return_lines",
    metadata,
    Column("code", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("item", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity_micro", BigInteger, nullable=False),
    Column("location", Text, nullable=False),
    Column("inspection", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What a supplier owes for a return. kind: credit, replacement or other. state: open, granted or
# refused. amount_fen: 1/100 of the currency, NULL if it is not about money.
supplier_claims = Table(
    "supplier_claims",
    metadata,
    Column("code", Text, primary_key=True),
    Column("claim_no", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=True),
    Column("currency", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
