"""Items, partners, warehouses and places as cards that are edited. Edge of the database."""

from collections.abc import Sequence

from central.api.item_models import item_out
from central.api.partner_models import partner_out
from central.api.place_models import place_out, warehouse_out
from central.orders.catalogue.items import read_items
from central.orders.catalogue.partners import read_partners
from central.orders.catalogue.places import read_places
from central.orders.catalogue.warehouses import read_warehouses
from central.web.documents.kinds import ActionOf, Connection, DocumentKind, Read, TableOf
from central.web.documents.parts import Values
from central.web.words import marked


def _always(_values: Values) -> bool:
    return True


def _items(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    return [item_out(one).model_dump() for one in read_items(connection, codes).values()]


def _whole_item(_connection: Connection, values: Values, _now_ms: int) -> Read:
    shown = {**values["policy"], **values}
    for name in ("min", "max", "safety", "cost", "shelf_life_days", "min_days_left_to_ship"):
        if str(shown[name]) == "0":
            shown[name] = ""
    return Read(shown, {"edit": values})


def _partners(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    found = read_partners(connection, codes).values()
    return [
        partner_out(one).model_dump() | {"state": "active" if one.card.active else "inactive"}
        for one in found
    ]


def _warehouses(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    return [warehouse_out(one).model_dump() for one in read_warehouses(connection, codes).values()]


def _places(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    keys = [(warehouse, code) for warehouse, _, code in (one.partition("/") for one in codes)]
    return [
        place_out(one).model_dump() | {"named": f"{one.card.warehouse}/{one.card.code}"}
        for one in read_places(connection, keys).values()
    ]


def _cards(path: str) -> tuple[ActionOf, ...]:
    """Return what can be done to every card: edit it as a whole, take it out."""
    return (
        ActionOf("edit", method="PUT", possible=_always),
        ActionOf("retire", method="DELETE", possible=_always, then=path),
    )


ITEM = DocumentKind(
    name="item",
    path="/catalogue/items",
    api="/api/v1/items/{code}",
    title=marked("Item"),
    new_title=marked("New item"),
    create="/api/v1/items",
    facts=(
        *("name", "name_zh", "unit", "kind", "lot_tracked", "serial_tracked", "expiry_tracked"),
        *("inspected", "weight_unit", "category", "storage_class", "abc", "rotation", "min"),
        *("max", "safety", "shelf_life_days", "min_days_left_to_ship", "cost"),
        *("over_tolerance_percent", "under_tolerance_percent", "source"),
    ),
    tables=(
        TableOf("packs", marked("Packs"), ("unit", "numerator", "denominator", "gtin")),
        TableOf("barcodes", marked("Bar codes"), ("gtin", "quantity")),
        TableOf("places", marked("Home places"), ("warehouse", "location", "min", "max")),
    ),
    read_many=_items,
    read_whole=_whole_item,
    actions=_cards("/catalogue/items"),
    links=lambda values: (("/items/" + values["code"], marked("Stock of it")),),
)
PARTNER = DocumentKind(
    name="partner",
    path="/catalogue/partners",
    api="/api/v1/partners/{code}",
    title=marked("Partner"),
    new_title=marked("New partner"),
    create="/api/v1/partners",
    facts=(
        *("name", "name_zh", "kind", "contact", "phone", "email", "address", "region", "gln"),
        *("lead_time_days",),
    ),
    tables=(TableOf("certificates", marked("Certificates"), ("kind", "number", "valid_until")),),
    read_many=_partners,
    read_whole=lambda _connection, values, _now_ms: Read(values),
    actions=_cards("/catalogue/partners"),
    links=lambda values: (
        ("/purchase-orders?supplier=" + values["code"], marked("Purchase orders"))
        if values["kind"] != "customer"
        else ("/sales-orders?customer=" + values["code"], marked("Sales orders")),
    ),
)
WAREHOUSE = DocumentKind(
    name="warehouse",
    path="/catalogue/warehouses",
    api="/api/v1/warehouses/{warehouse}",
    title=marked("Warehouse"),
    new_title=marked("New warehouse"),
    create="/api/v1/warehouses",
    facts=("name", "name_zh", "gln", "address", "source"),
    tables=(),
    read_many=_warehouses,
    read_whole=lambda _connection, values, _now_ms: Read(
        {**values, "warehouse": values["code"]}, {"edit": values}
    ),
    actions=_cards("/catalogue/places"),
    links=lambda values: (
        ("/catalogue/places?warehouse=" + values["code"], marked("Places")),
        ("/catalogue/places/" + values["code"] + "/new", marked("New place")),
    ),
)
PLACE = DocumentKind(
    name="location",
    path="/catalogue/places",
    api="/api/v1/warehouses/{warehouse}/places/{code}",
    title=marked("Place"),
    new_title=marked("New place"),
    create="/api/v1/warehouses/{warehouse}/places",
    facts=(
        *("warehouse", "kind", "name", "parent", "zone", "walk_order", "pick_face", "capacity"),
        *("storage_class", "blocked", "blocked_by", "source"),
    ),
    tables=(),
    read_many=_places,
    actions=_cards("/catalogue/places"),
)
