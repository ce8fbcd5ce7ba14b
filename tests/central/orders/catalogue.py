"""Cards of items, places and partners, and a desk with the usual reference data, for tests."""

from central.ledger.desk import Desk
from central.orders.catalogue.item_cards import ItemBarcode, ItemCard, Pack, Policy
from central.orders.catalogue.partner_cards import Certificate, PartnerCard
from central.orders.catalogue.place_cards import PlaceCard
from tests.central.scenery import FixedClock, load

ONE = 1_000_000
GTIN = "06901234567892"
CARTON_GTIN = "16901234567899"


def furnished_desk(database):
    """A desk with the warehouses SH1 and BJ1 and the items BOLT, NUT and RICE of a document."""
    load(database)
    return Desk(database, clock=FixedClock())


def item(code="GEAR", **fields):
    values = {
        "name": "Gear",
        "name_zh": "齿轮",
        "unit": "C62",
        "barcodes": (ItemBarcode(GTIN, ONE),),
        "packs": (Pack("CT", 24, 1, CARTON_GTIN),),
        "policy": Policy(inspected=True, min_micro=20 * ONE, abc="A"),
    }
    return ItemCard(code=code, **(values | fields))


def plain_item(code="GEAR", **fields):
    return ItemCard(code=code, **({"name": "Gear", "unit": "C62"} | fields))


def place(code="BIN-9", *, warehouse="SH1", **fields):
    return PlaceCard(warehouse, code, **fields)


def partner(code="ACME", **fields):
    values = {
        "name": "Acme",
        "lead_time_days": 14,
        "certificates": (Certificate("ISO 9001", "CN-1", "2027-06-30"),),
    }
    return PartnerCard(code=code, **(values | fields))
