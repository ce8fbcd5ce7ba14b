"""Tables of items, packs, places and partners beyond what gateways know. Edge of SQLAlchemy.

Items, places and warehouses of the reference data may stand without a row here: those have version
0 and what each column's comment calls none. No foreign keys: a reference document may take away
what these rows are about.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from central.storage.metadata import metadata

# How an item is kept. inspected: what comes in has to be inspected before it is available.
# weight_unit: UN/CEFACT unit in which each movement of it is weighed beside being counted (a catch
# weight item), "" for none. shelf_life_days: from making to expiry, 0: not said.
# min_days_left_to_ship: an expiry date nearer than this is not shipped. min_micro, max_micro,
# safety_micro: of one warehouse, in the item's unit; 0: none. over_, under_tolerance_percent_micro:
# how far a receipt or shipment may be off in silence. rotation: "fefo" or "fifo". abc: "A", "B",
# "C" or "". storage_class: which places suit, "" for any. cost_micro: 10^-6 of the ledger's
# currency for one of the item's unit, 0: not known; for judging differences, not for accounts.
item_policies = Table(
    "item_policies",
    metadata,
    Column("item", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("inspected", Boolean, nullable=False),
    Column("weight_unit", Text, nullable=False),
    Column("expiry_tracked", Boolean, nullable=False),
    Column("serial_tracked", Boolean, nullable=False),
    Column("shelf_life_days", BigInteger, nullable=False),
    Column("min_days_left_to_ship", BigInteger, nullable=False),
    Column("min_micro", BigInteger, nullable=False),
    Column("max_micro", BigInteger, nullable=False),
    Column("safety_micro", BigInteger, nullable=False),
    Column("over_tolerance_percent_micro", BigInteger, nullable=False),
    Column("under_tolerance_percent_micro", BigInteger, nullable=False),
    Column("rotation", Text, nullable=False),
    Column("abc", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("storage_class", Text, nullable=False),
    Column("cost_micro", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Units of an item beside its own: one of `unit` (a UN/CEFACT code or a pack's code, e.g. "CT",
# "BOX-12") is numerator / denominator of the item's unit, in lowest terms. gtin: bar code of the
# pack, "" for none; it stands in item_barcodes, too. Part of the item: its version is the item's.
item_units = Table(
    "item_units",
    metadata,
    Column("item", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    Column("gtin", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What a pack of an item held before it was changed or taken away: one of `unit` was numerator /
# denominator of the item's unit up to and including the fact `until_record_no`. Lines of then are
# proved by it; rows are only added.
former_packs = Table(
    "former_packs",
    metadata,
    Column("item", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("until_record_no", BigInteger, primary_key=True, autoincrement=False),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Where an item lives: a place of its own in a warehouse, and what is to be there at least and at
# most (0: not said), in the item's unit. location "": the warehouse as a whole, instead of what
# the item's policy says. Part of the item: its version is the item's.
item_places = Table(
    "item_places",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("min_micro", BigInteger, nullable=False),
    Column("max_micro", BigInteger, nullable=False),
    Index("item_places_item", "item"),
    sqlite_with_rowid=False,
)

# What only central needs of a place. area: it is no place for stock but holds places (an aisle, a
# cold store); an area has no row in `locations`. parent: place or area that it is in, "" for the
# warehouse itself; there is no cycle. walk_order: where the way of a picker passes it, 0: not said.
# pick_face: picked from first, replenished from elsewhere. capacity_micro: how much fits, as the
# sum over all that is there, in the unit that it is in; 0: no bound. zone: where in the warehouse,
# for work lists. storage_class: as of items, "" for any. blocked: nothing is put there or taken
# from there by plan.
# blocked_by: why: the nearest place on the way up that people block, this one first; "" if none is.
location_details = Table(
    "location_details",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("area", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("walk_order", BigInteger, nullable=False),
    Column("pick_face", Boolean, nullable=False),
    Column("capacity_micro", BigInteger, nullable=False),
    Column("zone", Text, nullable=False),
    Column("storage_class", Text, nullable=False),
    Column("blocked", Boolean, nullable=False),
    Column("blocked_by", Text, nullable=False, server_default=""),
    Index("location_details_parent", "warehouse", "parent"),
    sqlite_with_rowid=False,
)

# What only central needs of a warehouse. gln: its GS1 number, "" for none.
warehouse_details = Table(
    "warehouse_details",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("gln", Text, nullable=False),
    Column("address", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Suppliers and customers. kind: "supplier", "customer" or "both". lead_time_days: from order to
# goods, of a supplier; 0: not said. gln: GS1 number of the party, "" for none. active: False for
# one that no new order may name.
partners = Table(
    "partners",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("gln", Text, nullable=False),
    Column("lead_time_days", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# What a partner has to be able to show. kind: e.g. "food-licence". valid_until: the last day, as
# YYYY-MM-DD; "" for one without an end. Part of the partner: its version is the partner's.
partner_certificates = Table(
    "partner_certificates",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("valid_until", Text, nullable=False),
    Index("partner_certificates_end", "valid_until"),
    sqlite_with_rowid=False,
)
