"""Tables of the catalogue, of what is available and of what is set aside. Edge of HTTP."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from central.api import (
    cleaning_routes,
    item_routes,
    partner_routes,
    picking_routes,
    place_routes,
)
from central.api.item_models import ItemParameters
from central.api.partner_models import PartnerParameters
from central.api.picking_models import PickListParameters, ReplenishmentParameters
from central.api.place_models import PlaceParameters
from central.orders.catalogue.catalogue_lists import list_warehouses
from central.web.asking import Asking
from central.web.documents.cursor_tables import CursorTable, cursor_listing
from central.web.documents.parts import Values
from central.web.documents.state_words import CHOICES
from central.web.listing import Filter
from central.web.screens.aside_tables import ASIDE_TABLES, WAREHOUSE
from central.web.words import marked

Page = tuple[Sequence[Values], str | None]
Asked = Mapping[str, str]
SEARCH = Filter("search", marked("Search"))


def choices(*codes: str) -> tuple[tuple[str, str], ...]:
    """Return what a filter offers: codes with their words."""
    return tuple((code, CHOICES[code]) for code in codes)


def _items(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    wanted = ItemParameters.model_validate({**asked, "limit": limit, "cursor": cursor})
    found = item_routes.items(asking.reading, wanted)
    rows = [one.model_dump() for one in found.items]
    return [{**one["policy"], **one} for one in rows], found.next_cursor


def _partners(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    wanted = PartnerParameters.model_validate({**asked, "limit": limit, "cursor": cursor})
    found = partner_routes.partners(asking.reading, wanted)
    return [one.model_dump() for one in found.partners], found.next_cursor


def _places(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    said = dict(asked)
    warehouse = said.pop("warehouse", "") or _first_warehouse(asking)
    if not warehouse:
        return [], None
    parent = said.pop("parent", None)
    # Without another question a tree begins at its top; a search goes through all of it.
    wanted = PlaceParameters.model_validate(
        {**said, "parent": parent if parent or said else "", "limit": limit, "cursor": cursor}
    )
    found = place_routes.places(asking.reading, warehouse, wanted)
    rows = [one.model_dump() for one in found.places]
    return [one | _place_links(one) for one in rows], found.next_cursor


def _place_links(one: Values) -> dict[str, str]:
    if one["kind"] != "area":
        return {}
    below = urlencode({"warehouse": one["warehouse"], "parent": one["code"]})
    return {"href": f"/catalogue/places?{below}"}


def _first_warehouse(asking: Asking) -> str:
    with asking.read() as connection:
        found = list_warehouses(connection, after="", limit=1)
    return found[0].card.code if found else ""


def _picks(asking: Asking, asked: Asked, _limit: int, cursor: str | None) -> Page:
    warehouse = asked.get("warehouse") or _first_warehouse(asking)
    if not warehouse:
        return [], None
    wanted = PickListParameters(warehouse=warehouse, cursor=cursor)
    found = picking_routes.pick_list(asking.reading, wanted)
    return [one.model_dump() for one in found.lines], found.next_cursor


def _replenishments(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    warehouse = asked.get("warehouse") or _first_warehouse(asking)
    if not warehouse:
        return [], None
    wanted = ReplenishmentParameters(warehouse=warehouse, limit=limit, cursor=cursor)
    found = picking_routes.replenishments(asking.reading, wanted)
    rows = []
    for one in found.replenishments:
        bring = [f"{part.quantity} × {part.location}" for part in one.bring]
        rows.append(one.model_dump() | {"bring": bring})
    return rows, found.next_cursor


def _alike(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    wanted = cleaning_routes.AlikeParameters.model_validate(
        {**asked, "limit": limit, "cursor": cursor}
    )
    found = cleaning_routes.duplicates(asking.reading, wanted)
    return [one.model_dump() for one in found.duplicates], found.next_cursor


def _gaps(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    wanted = cleaning_routes.GapParameters.model_validate(
        {"lacks": "barcode", **asked, "limit": limit, "cursor": cursor}
    )
    found = cleaning_routes.missing(asking.reading, wanted)
    return [one.model_dump() for one in found.items], found.next_cursor


def _idle(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    said = {"since": IDLE_SINCE, **asked, "limit": limit, "cursor": cursor}
    wanted = cleaning_routes.IdleParameters.model_validate(said)
    found = cleaning_routes.unused(asking.reading, wanted)
    return [one.model_dump() for one in found.unused], found.next_cursor


IDLE_SINCE = "2000-01-01"  # Nothing was ever moved since: what was never used at all.
CURSOR_TABLES: tuple[CursorTable, ...] = (
    CursorTable(
        "items",
        marked("Items"),
        "/catalogue/items",
        ("code", "name", "name_zh", "unit", "kind", "category", "abc", "min", "max"),
        (
            SEARCH,
            Filter("gtin", "GTIN"),
            Filter("category", marked("Category")),
            Filter("abc", marked("ABC class"), "choice", choices("A", "B", "C")),
            Filter("kind", marked("Kind"), "choice", choices("piece", "bulk")),
        ),
        _items,
        href="/catalogue/items/{code}",
        kinds=("item",),
        wide=frozenset({"name_zh", "kind", "category", "abc", "min", "max"}),
    ),
    CursorTable(
        "partners",
        marked("Partners"),
        "/catalogue/partners",
        ("code", "name", "name_zh", "kind", "region", "phone", "lead_time_days", "active"),
        (
            SEARCH,
            Filter("kind", marked("Kind"), "choice", choices("supplier", "customer")),
            Filter("region", marked("Region")),
            Filter("certificate_ends_before", marked("Certificate ends before"), "date"),
        ),
        _partners,
        href="/catalogue/partners/{code}",
        kinds=("partner",),
        wide=frozenset({"name_zh", "region", "phone", "lead_time_days", "active"}),
    ),
    CursorTable(
        "places",
        marked("Places"),
        "/catalogue/places",
        (
            *("code", "kind", "name", "parent", "zone", "walk_order", "pick_face", "capacity"),
            *("blocked_by", "warehouse"),
        ),
        (
            WAREHOUSE,
            Filter("parent", marked("In")),
            Filter("zone", marked("Zone")),
            Filter("pick_face", marked("Pick faces"), "check"),
            Filter("blocked", marked("Blocked"), "check"),
        ),
        _places,
        key=("warehouse", "code"),
        href="/catalogue/places/{warehouse}/{code}",
        kinds=("location", "warehouse"),
        wide=frozenset({"name", "zone", "walk_order", "capacity", "warehouse", "blocked_by"}),
    ),
    *ASIDE_TABLES,
    CursorTable(
        "picks",
        marked("To be taken now"),
        "/pick-lists/now",
        (
            *("location", "item", "lot", "serial", "sscc", "quantity", "picked", "order"),
            *("pick",),
        ),
        (WAREHOUSE,),
        _picks,
        key=("order", "pick", "location"),
        kinds=("movement", "sales_order", "pick_wave"),
        wide=frozenset({"serial", "sscc", "pick", "lot"}),
        empty=marked("No released order waits for anything."),
    ),
    CursorTable(
        "replenishments",
        marked("Pick faces that are low"),
        "/replenishments",
        ("location", "item", "there", "minimum", "maximum", "bring", "missing", "unit"),
        (WAREHOUSE,),
        _replenishments,
        key=("item", "location"),
        kinds=("movement",),
        wide=frozenset({"minimum", "maximum", "unit"}),
        empty=marked("No pick face is low."),
    ),
    CursorTable(
        "alike",
        marked("Probably the same"),
        "/catalogue/cleaning",
        ("key", "by", "codes", "names"),
        (
            Filter(
                "of",
                marked("Of"),
                "choice",
                (("items", marked("Items")), ("partners", marked("Partners"))),
            ),
        ),
        _alike,
        key=("by", "key"),
        kinds=("item", "partner"),
        empty=marked("Nothing looks like a duplicate."),
    ),
    CursorTable(
        "gaps",
        marked("Items that lack something"),
        "/catalogue/gaps",
        ("code", "name"),
        (
            Filter(
                "lacks",
                marked("Lacks"),
                "choice",
                (
                    ("barcode", marked("Bar code")),
                    ("policy", marked("Policy")),
                    ("place", marked("Home place")),
                    ("name_zh", marked("Chinese name")),
                    ("cost", marked("Cost")),
                    ("shelf_life", marked("Shelf life")),
                    ("lots", marked("Lots, where expiry is tracked")),
                ),
            ),
        ),
        _gaps,
        href="/catalogue/items/{code}",
        kinds=("item",),
        empty=marked("Every item has it."),
    ),
    CursorTable(
        "idle",
        marked("What nobody uses"),
        "/catalogue/unused",
        ("code", "name", "warehouse", "last_record_no"),
        (
            Filter(
                "of",
                marked("Of"),
                "choice",
                (
                    ("items", marked("Items")),
                    ("locations", marked("Places")),
                    ("partners", marked("Partners")),
                ),
            ),
            Filter("since", marked("Not moved since"), "date"),
        ),
        _idle,
        key=("warehouse", "code"),
        empty=marked("Everything is in use."),
    ),
)
CATALOGUE_LISTINGS = tuple(cursor_listing(one) for one in CURSOR_TABLES)
