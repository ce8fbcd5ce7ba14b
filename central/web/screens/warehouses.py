"""Warehouses, their places as a grid, and one place with its stock. Edge of HTTP."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response

from central.api.problems import Problem
from central.contract.quantities import from_micro
from central.orders.settling.discrepancy_views import count_open
from central.stock.discrepancy_pages import InboxFilter, page_of
from central.stock.places import PlaceStock, read_places
from central.stock.rows import WarehouseRow
from central.stock.states import list_gateways
from central.stock.times import utc_text
from central.stock.views import list_warehouses
from central.web.alert_words import place_url
from central.web.asking import Asked, Asking, Table
from central.web.cells import link_cell, moment_cell, number_cell, state_cell, text_cell
from central.web.gateway_views import gateway_cell
from central.web.kpi_words import percent_words
from central.web.listing import Cell, Column, Filter, Found, Row, Tone, Wanted, shown
from central.web.screens.past_stock import PAST
from central.web.screens.stock_tables import STOCK
from central.web.shell import listing_of, page, refusal_page
from central.web.texts import Texts
from central.web.words import DISCREPANCIES, UNITS, marked

GATEWAYS_MAX = 5000
DIFFERENCES_SHOWN = 20
FILL_WIDTH = 100  # Of the drawn bar, in units of its picture.
FULL = Fraction(9, 10)
PLACE_KINDS: dict[str, str] = {
    "bin": marked("bin"),
    "dock_door": marked("dock door"),
    "staging": marked("staging"),
    "quality_hold": marked("quality hold"),
    "": marked("not in the catalogue"),
}
ONLY: dict[str, str] = {
    "differs": marked("with discrepancies"),
    "blocked": marked("blocked"),
    "full": marked("nearly full or fuller"),
    "empty": marked("empty"),
}
Code = Annotated[str, Path(max_length=64)]
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place in the grid. width: of its fill, of FILL_WIDTH; None without a capacity.

    tone, icon and word say the same.
    """

    code: str
    href: str
    tone: Tone
    icon: str
    word: str
    note: str
    fill: str
    width: int | None
    over: bool


def read_warehouses(asking: Asking, wanted: Wanted) -> Found:
    """Return all warehouses by code."""
    with asking.read() as connection:
        rows = list_warehouses(connection)
        gateways = list_gateways(connection, limit=GATEWAYS_MAX)
        counts = count_open(connection, now_ms=asking.now_ms)
    search = wanted.values["q"].casefold()
    found = [one for one in rows if search in f"{one.code} {one.name} {one.name_zh}".casefold()]
    chosen = found[wanted.offset : wanted.offset + wanted.limit]

    def row(one: WarehouseRow) -> Row:
        href = f"/warehouses/{quote(one.code, safe='')}"
        own = [gateway for gateway in gateways if gateway.warehouse == one.code]
        wrong = sum(gateway_cell(gateway, asking.texts).tone in {"warn", "bad"} for gateway in own)
        differing = sum(count.open_count for count in counts if count.warehouse == one.code)
        return Row(
            key=one.code,
            href=href,
            cells=(
                link_cell(one.code, href),
                text_cell(asking.texts.name(english=one.name, chinese=one.name_zh)),
                number_cell(len(own), asking.texts),
                number_cell(wrong, asking.texts, tone="bad" if wrong else ""),
                Cell(
                    asking.texts.quantity(from_micro(differing * 1_000_000)),
                    value=str(differing),
                    tone="warn" if differing else "",
                    href="/discrepancies?" + urlencode({"warehouse": one.code, "state": "open"}),
                ),
            ),
        )

    return Found(rows=tuple(row(one) for one in chosen), total=len(found))


WAREHOUSES = Table(
    name="warehouses",
    title=marked("Warehouses"),
    path="/warehouses",
    columns=(
        Column("code", marked("Warehouse")),
        Column("name", marked("Name")),
        Column("gateways", marked("Gateways"), "number", phone=False),
        Column("wrong", marked("Gateways that need somebody"), "number", phone=False),
        Column("open", marked("Open discrepancies"), "number"),
    ),
    filters=(
        Filter("q", marked("Search code or name")),
        Filter("warehouse", marked("Warehouse"), "fixed"),  # The only one that somebody sees.
    ),
    kinds=("gateway", "discrepancy", "warehouse"),
    read=read_warehouses,
)

PLACE_STOCK = replace(
    STOCK,
    name="place-stock",
    filters=(
        Filter("warehouse", marked("Warehouse"), "fixed"),
        Filter("location", marked("Place"), "fixed"),
        Filter("q", marked("Search item or name")),
        *PAST,
    ),
)


@router.get("/warehouses")
def warehouses_page(asking: Asked) -> HTMLResponse:
    """Draw all warehouses."""
    content = {"listing": listing_of(asking, WAREHOUSES)}
    title = asking.texts.say("Warehouses")
    return page(asking, "listing.html", title=title, kinds=WAREHOUSES.kinds, content=content)


@router.get("/warehouses/{code}")
def warehouse_page(asking: Asked, code: Code) -> Response:
    """Draw the places of a warehouse as a grid, by zone and aisle."""
    with asking.read() as connection:
        known = next((one for one in list_warehouses(connection) if one.code == code), None)
        places = read_places(connection, code) if known else []
    if known is None:
        return _nothing(asking, marked("No such warehouse"), marked("No warehouse has this code."))
    search = shown(asking.parameters.get("q", "")).casefold()
    only = asking.parameters.get("only", "")
    chosen = [one for one in places if search in one.code.casefold() and _is_wanted(one, only)]
    zones: dict[str, list[PlaceView]] = {}
    for one in chosen:
        heading = " · ".join(filter(None, (one.zone, one.parent))) or asking.texts.word(
            PLACE_KINDS, one.kind
        )
        zones.setdefault(heading, []).append(place_view(one, code, asking.texts))
    name = asking.texts.name(english=known.name, chinese=known.name_zh)
    content = {
        "code": code,
        "zones": list(zones.items()),
        "shown_count": len(chosen),
        "count": len(places),
        "q": search,
        "only": only,
        "choices": [(value, asking.texts.say(text)) for value, text in ONLY.items()],
        "stock_url": "/stock?" + urlencode({"warehouse": code}),
    }
    return page(
        asking,
        "oversight/warehouse.html",
        title=f"{code} {name}".strip(),
        kinds=("movement", "place", "discrepancy", "count"),
        content=content,
    )


@router.get("/warehouses/{code}/places/{place}")
def place_page(asking: Asked, code: Code, place: Code) -> Response:
    """Draw one place with what stands there and what differs."""
    with asking.read() as connection:
        found = next((one for one in read_places(connection, code) if one.code == place), None)
        wanted = InboxFilter(warehouse=code, location=place)
        differing, _ = page_of(connection, wanted, offset=0, limit=DIFFERENCES_SHOWN)
    if found is None:
        return _nothing(
            asking, marked("No such place"), marked("The warehouse has no place of this code.")
        )
    texts = asking.texts
    view = place_view(found, code, texts)
    pairs = [
        (texts.say("State"), state_cell(view.word, view.tone)),
        (texts.say("Kind"), text_cell(texts.word(PLACE_KINDS, found.kind))),
        (texts.say("Name"), text_cell(found.name)),
        (texts.say("Zone"), text_cell(found.zone)),
        (texts.say("Aisle"), text_cell(found.parent)),
        (
            texts.say("Full by"),
            text_cell(percent_words(found.fill, texts) if found.fill is not None else ""),
        ),
        (
            texts.say("Capacity in units"),
            number_cell(from_micro(found.capacity_micro), texts)
            if found.capacity_micro
            else text_cell(""),
        ),
        (texts.say("Items"), number_cell(found.kinds_count, texts)),
        (texts.say("Pick face"), text_cell(texts.say("yes") if found.pick_face else "")),
        (texts.say("Last counted"), moment_cell(found.counted_ms)),
    ]
    content = {
        "pairs": pairs,
        "warehouse": code,
        "path": quote(code, safe=""),
        "differing": [
            (one.id, texts.word(DISCREPANCIES, one.kind), one.item, utc_text(one.opened_time_ms))
            for one in differing
        ],
        "stock": listing_of(asking, PLACE_STOCK, warehouse=code, location=place),
    }
    return page(
        asking,
        "oversight/place.html",
        title=f"{code} · {place}",
        kinds=("movement", "place", "discrepancy", "count"),
        content=content,
    )


def place_view(one: PlaceStock, warehouse: str, texts: Texts) -> PlaceView:
    """Return a place in the grid."""
    tone, word = _state(one, texts)
    width = None if one.fill is None else min(FILL_WIDTH, int(one.fill * FILL_WIDTH))
    fill = percent_words(one.fill, texts) if one.fill is not None else ""
    if one.fill is None:
        # Of several units there is no sum.
        fill = " + ".join(
            f"{texts.quantity(from_micro(micro))} {texts.word(UNITS, unit)}"
            for unit, micro in one.amounts
            if micro
        )
    icons = {"good": "good", "warn": "warn", "bad": "bad"}
    return PlaceView(
        code=one.code,
        href=place_url(warehouse, one.code),
        tone=tone,
        icon=icons.get(tone, "idle"),
        word=word,
        note=texts.say("items: %(num)s") % {"num": one.kinds_count} if one.kinds_count else "",
        fill=fill,
        width=width,
        over=one.fill is not None and one.fill > 1,
    )


def _state(one: PlaceStock, texts: Texts) -> tuple[Tone, str]:
    if one.below_count:
        return "bad", texts.say("below zero")
    if one.differing_count:
        return "bad", texts.say("differs")
    if one.fill is not None and one.fill > 1:
        return "bad", texts.say("too full")
    if one.blocked:
        return "warn", texts.say("blocked")
    if not one.known:
        return "warn", texts.say("not in the catalogue")
    if one.apart_count:
        return "warn", texts.say("held or in inspection")
    if not one.kinds_count:
        return "quiet", texts.say("empty")
    return "good", texts.say("in order")


def _is_wanted(one: PlaceStock, only: str) -> bool:
    wanted = {
        "differs": one.differing_count > 0 or one.below_count > 0,
        "blocked": one.blocked,
        "full": one.fill is not None and one.fill >= FULL,
        "empty": not one.kinds_count,
    }
    return wanted.get(only, True)


def _nothing(asking: Asking, title: str, detail: str) -> Response:
    problem = Problem(
        status=404,
        title=asking.texts.say(title),
        detail=asking.texts.say(detail),
        hint=asking.texts.say("Choose one of the list."),
    )
    return refusal_page(asking, problem)
