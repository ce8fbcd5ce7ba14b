"""Tables of what gateways know, too: the reference data; `tables` has them. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Table, Text

from central.storage.metadata import metadata

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
    Index("item_barcodes_item", "item"),
)

documents = Table(
    "documents",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
    Column("counterpart", Text, nullable=False, server_default=""),
    Column("round", BigInteger, nullable=False, server_default="1"),
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
    *(
        Column(name, Text, nullable=False, server_default="")
        for name in ("lot", "location", "sscc")
    ),
    ForeignKeyConstraint(["warehouse", "document"], ["documents.warehouse", "documents.document"]),
    Index("document_lines_item", "item"),
)

operators = Table(
    "operators",
    metadata,
    Column("operator", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="file"),
    Column("language", Text, nullable=False, server_default=""),
)
