"""The page of an item, and the stock by place and lot. Edge of HTTP."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.contract.quantities import from_micro
from central.orders.catalogue.item_cards import ItemCard, all_barcodes
from central.orders.catalogue.items import read_items
from central.stock.closings import item_days
from central.web.asking import Asked, Asking, Table
from central.web.cells import number_cell, quantity_cell, text_cell
from central.web.chart_words import chart_words
from central.web.charts import SERIES_MAX, Picture, Series, line_chart
from central.web.listing import Cell, shown
from central.web.screens.lot_dates import lot_dates
from central.web.screens.movement_tables import ITEM_MOVEMENTS
from central.web.screens.stock_tables import (
    ITEM_DISCREPANCIES,
    ITEM_DOCUMENTS,
    ITEM_FIGURES,
    ITEM_LOTS,
    ITEM_STOCK,
    ITEM_TRACE,
    STOCK,
)
from central.web.screens.stock_total_tables import STOCK_TOTALS
from central.web.shell import listing_of, page
from central.web.stock_words import item_url
from central.web.words import UNITS, marked

CHART_DAYS = 90
KINDS: dict[str, str] = {"piece": marked("counted"), "bulk": marked("weighed")}
ROTATIONS: dict[str, str] = {
    "fefo": marked("nearest expiry first"),
    "fifo": marked("oldest first"),
}
Pairs = list[tuple[str, Cell]]

router = APIRouter(include_in_schema=False)


@router.get("/stock")
def stock(asking: Asked) -> HTMLResponse:
    """Draw what stands where, balance by balance."""
    return _with_its_other(asking, STOCK, other=STOCK_TOTALS)


@router.get("/stock/totals")
def stock_totals(asking: Asked) -> HTMLResponse:
    """Draw how much of each item stands in places taken together."""
    return _with_its_other(asking, STOCK_TOTALS, other=STOCK)


def _with_its_other(asking: Asking, listing: Table, *, other: Table) -> HTMLResponse:
    """Return the page of a table, from which another leads on with what both are narrowed by."""
    names = {one.name for one in other.filters}
    kept = {name: value for name, value in asking.parameters.items() if name in names and value}
    return page(
        asking,
        "stock/balances.html",
        title=asking.texts.say(listing.title),
        kinds=listing.kinds,
        content={
            "listing": listing_of(asking, listing),
            "other": asking.texts.say(other.title),
            "other_url": other.path + ("?" + urlencode(kept) if kept else ""),
        },
    )


@router.get("/items/{item:path}")
def item_page(asking: Asked, item: Annotated[str, Path(max_length=64)]) -> HTMLResponse:
    """Draw everything about an item, also about one that the catalogue does not have."""
    texts = asking.texts
    with asking.read() as connection:
        card = next((one.card for one in read_items(connection, [item]).values()), None)
        days = item_days(connection, item, now_ms=asking.now_ms, days=CHART_DAYS)
        dates = lot_dates(connection, asking, item=item) if asking.parameters.get("lot") else ()
    name = texts.name(english=card.name, chinese=card.name_zh) if card else ""
    lot = shown(asking.parameters.get("lot", ""))
    serial = shown(asking.parameters.get("serial", ""))
    series = [
        Series(
            f"{one.warehouse} ({texts.word(UNITS, one.unit)})",
            tuple(zip(days.ends_ms, one.on_hand, strict=True)),
        )
        for one in sorted(days.rows, key=lambda one: -max(map(abs, one.on_hand)))[:SERIES_MAX]
        if any(one.on_hand)
    ]
    said = texts.say("Stock of %(item)s at the end of each day, a line for each warehouse.")
    picture = Picture(
        key="item", title=texts.say("Stock over time"), description=said % {"item": item}
    )
    tables = [
        listing_of(asking, table, item=item)
        for table in (ITEM_STOCK, ITEM_LOTS, ITEM_FIGURES, ITEM_DOCUMENTS, ITEM_DISCREPANCIES)
    ]
    followed = None
    if lot or serial:
        followed = listing_of(asking, ITEM_TRACE, item=item, lot=lot, serial=serial)
    return page(
        asking,
        "stock/item.html",
        title=item,
        kinds=("movement", "item", "discrepancy"),
        content={
            "name": name,
            "known": card is not None,
            "card_url": f"/catalogue/items/{quote(item, safe='')}",
            "whole_url": item_url(item),
            "hold_url": "/holds?" + urlencode({"item": item, "lot": lot, "serial": serial}),
            "facts": _facts(asking, card) if card else [],
            "packs": _packs(asking, card) if card else [],
            "chart": line_chart(
                sorted(series, key=lambda one: one.label),
                picture,
                chart_words(texts.language),
                steps=True,
            ),
            "lot": lot,
            "serial": serial,
            "followed": followed,
            "dates": dates,
            "tables": tables,
            "movements": listing_of(asking, ITEM_MOVEMENTS, item=item),
        },
    )


def _facts(asking: Asking, card: ItemCard) -> Pairs:
    texts, policy = asking.texts, card.policy
    yes, no = texts.say("yes"), texts.say("no")
    pairs = [
        (texts.say("Name in English"), text_cell(card.name)),
        (texts.say("Name in Chinese"), text_cell(card.name_zh)),
        (texts.say("Unit"), text_cell(texts.word(UNITS, card.unit))),
        (texts.say("How it is taken"), text_cell(texts.word(KINDS, card.kind))),
        (texts.say("By lots"), text_cell(yes if card.lot_tracked else no)),
        (texts.say("By serial numbers"), text_cell(yes if policy.serial_tracked else no)),
        (texts.say("Inspected on receipt"), text_cell(yes if policy.inspected else no)),
        (texts.say("Rotation"), text_cell(texts.word(ROTATIONS, policy.rotation))),
        (texts.say("Class"), text_cell(policy.abc)),
        (texts.say("Item group"), text_cell(policy.category)),
    ]
    for label, micro in (
        (texts.say("Minimum"), policy.min_micro),
        (texts.say("Maximum"), policy.max_micro),
    ):
        if micro:
            pairs.append((label, quantity_cell(from_micro(micro), card.unit, texts)))
    if policy.shelf_life_days:
        days = number_cell(policy.shelf_life_days, texts)
        pairs.append((texts.say("Shelf life in days"), days))
    return pairs


def _packs(asking: Asking, card: ItemCard) -> Pairs:
    texts = asking.texts
    sizes: Pairs = []
    for pack in card.packs:
        size = texts.quantity(from_micro(int(pack.size * 1_000_000)))
        cell = text_cell(f"{size} {texts.word(UNITS, card.unit)}", note=pack.gtin)
        sizes.append((pack.unit, cell))
    packed = {pack.gtin for pack in card.packs}
    for one in all_barcodes(card):
        if one.gtin not in packed:
            amount = texts.quantity(from_micro(one.quantity_micro))
            words = f"{amount} {texts.word(UNITS, card.unit)}"
            sizes.append((texts.say("Bar code"), text_cell(one.gtin, note=words)))
    return sizes
