"""Tables of what stands where, and of what concerns one item. Edge of HTTP."""

import re
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

from central.contract.quantities import from_micro
from central.orders.catalogue.items import read_items, weight_units
from central.orders.reserving.availability import list_availability
from central.stock.item_reading import (
    BalanceQuery,
    list_balances,
    list_item_discrepancies,
    list_open_lines,
)
from central.stock.rows import StockRow
from central.stock.trace import trace
from central.stock.trace_steps import StepKey
from central.web.alert_words import unit_url
from central.web.asking import Asking, Table
from central.web.cells import (
    date_cell,
    link_cell,
    moment_cell,
    quantity_cell,
    text_cell,
)
from central.web.documents.tables import warehouse_choices
from central.web.listing import Cell, Column, Filter, Found, Row, Wanted
from central.web.screens.movement_tables import EVIDENCE_PATH
from central.web.screens.past_stock import PAST, is_past, past_words, read_past, why_unread
from central.web.screens.picture_tables import LOTS
from central.web.screens.status_cells import status_link
from central.web.screens.weight_cells import weight_cell
from central.web.stock_words import STATUSES, found_url, item_url, place_word, under_way_url
from central.web.words import DISCREPANCIES, STEPS, marked

STEP_KEY = re.compile(r"([0-9]{1,17})/([0-9]{1,9})")  # As cursors have it.


def place_cell(asking: Asking, *, warehouse: str, location: str) -> Cell:
    """Return a place that leads to what stands there."""
    query = urlencode({"warehouse": warehouse, "location": location})
    href = under_way_url(location) or f"/stock?{query}"
    return link_cell(place_word(location, asking.texts), href)


def _read_stock(asking: Asking, wanted: Wanted) -> Found:
    values = wanted.values
    past = is_past(values)
    with asking.read() as connection:
        choices = {"warehouse": warehouse_choices(connection, asking.texts)}
        if past and (unread := why_unread(values, asking.texts)):
            return Found((), None, choices=choices, empty=unread)
        if past:
            found = read_past(connection, wanted)
        else:
            names = ("item", "warehouse", "location", "within", "lot", "serial", "sscc", "status")
            query_now = BalanceQuery(
                search=values.get("q", ""), **{name: values.get(name, "") for name in names}
            )
            found = [
                (StockRow(one.key, one.name, one.name_zh, one.on_hand, one.weight), one.expiry_date)
                for one in list_balances(
                    connection, query_now, offset=wanted.offset, limit=wanted.limit + 1
                )
            ]
        units = weight_units(connection, (row.key.item for row, _ in found if row.weight))
    shown = [_row(row, date, asking, units.get(row.key.item, "")) for row, date in found]
    more = len(shown) > wanted.limit
    note = past_words(values, asking.texts) if past else ""
    return Found(tuple(shown[: wanted.limit]), None, more=more, choices=choices, note=note)


def _row(row: StockRow, expiry_date: str, asking: Asking, weight_unit: str) -> Row:
    key, texts = row.key, asking.texts
    name = texts.name(english=row.item_name, chinese=row.item_name_zh)
    serial = " / ".join(filter(None, (key.serial, key.sscc)))
    return Row(
        key="/".join((key.warehouse, key.location, key.item, key.lot, key.serial, key.sscc,
                      key.unit, key.status)),
        cells=(
            link_cell(key.item, item_url(key.item), note=name),
            text_cell(key.warehouse),
            place_cell(asking, warehouse=key.warehouse, location=key.location),
            _lot_cell(key.item, key.lot),
            date_cell(expiry_date),
            link_cell(serial, unit_url(key.warehouse, key.sscc)) if key.sscc else text_cell(serial),
            status_link(asking, key),
            quantity_cell(row.on_hand, key.unit, texts),
            weight_cell(row.weight, weight_unit, texts),
        ),
    )  # fmt: skip


def _lot_cell(item: str, lot: str) -> Cell:
    return link_cell(lot, item_url(item, lot=lot)) if lot else text_cell("")


def _read_lines(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = list_open_lines(
            connection, wanted.values["item"], offset=wanted.offset, limit=wanted.limit + 1
        )
        stored = read_items(connection, [wanted.values["item"]])
    unit = next((one.card.unit for one in stored.values()), "")
    rows = [
        Row(
            key=f"{one.warehouse}/{one.document}/{one.line}",
            cells=(
                link_cell(one.document, found_url(one.document)),
                text_cell(one.warehouse),
                text_cell(one.partner),
                quantity_cell(one.expected, unit, asking.texts),
                quantity_cell(one.done, unit, asking.texts),
                quantity_cell(max(one.expected - one.done, Decimal(0)), unit, asking.texts),
            ),
        )
        for one in found
    ]
    return Found(tuple(rows[: wanted.limit]), None, more=len(rows) > wanted.limit)


def _read_figures(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = list_availability(
            connection, warehouse=asking.within, item=wanted.values["item"], limit=None
        )
        units = weight_units(connection, (one.key.item for one in found if one.weight_micro))
    rows: list[Row] = []
    for one in found:
        figures = (
            one.on_hand_micro,
            one.allocated_micro,
            one.available_micro,
            one.inspection_micro,
            one.held_micro,
            one.rejected_micro,
            one.in_transit_micro,
        )
        on_hand, *cells = (
            quantity_cell(from_micro(micro), one.key.unit, asking.texts) for micro in figures
        )
        unit = units.get(one.key.item, "")
        weight = weight_cell(from_micro(one.weight_micro), unit, asking.texts)
        rows.append(
            Row(key=f"{one.key.warehouse}/{one.key.unit}",
                cells=(text_cell(one.key.warehouse), on_hand, weight, *cells))
        )  # fmt: skip
    return Found(tuple(rows[wanted.offset : wanted.offset + wanted.limit]), len(rows))


def _read_discrepancies(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = list_item_discrepancies(
            connection, wanted.values["item"], offset=wanted.offset, limit=wanted.limit + 1
        )
    texts = asking.texts
    rows = [
        Row(
            key=one.id,
            href=f"/discrepancies/{one.id}",
            cells=(
                link_cell(texts.word(DISCREPANCIES, one.kind), f"/discrepancies/{one.id}"),
                text_cell(one.warehouse),
                text_cell(place_word(one.location, texts)),
                text_cell(one.lot),
                text_cell(one.document),
                moment_cell(one.opened_time_ms),
            ),
        )
        for one in found
    ]
    return Found(tuple(rows[: wanted.limit]), None, more=len(rows) > wanted.limit)


def _read_trace(asking: Asking, wanted: Wanted) -> Found:
    values, texts = wanted.values, asking.texts
    if not values["lot"] and not values["serial"]:
        return Found((), 0)
    named = {"serial": values["serial"]} if values["serial"] else {"lot": values["lot"]}
    after = STEP_KEY.fullmatch(wanted.cursor)
    with asking.read() as connection:
        found = trace(
            connection,
            item=values["item"],
            after=StepKey(*map(int, after.groups())) if after else None,
            limit=wanted.limit,
            **named,
        )
    rows: list[Row] = []
    for step in found.steps:
        word = "reversal" if step.kind == "reversal" else step.business_step
        way = (place_word(step.from_location, texts), place_word(step.to_location, texts))
        cells = (
            moment_cell(step.event_time_ms),
            text_cell(texts.word(STEPS, word)),
            text_cell(step.warehouse),
            text_cell(" → ".join(way)),
            quantity_cell(step.quantity, step.unit, texts),
            text_cell(" / ".join(filter(None, (step.lot, step.serial)))),
            text_cell(step.document),
            text_cell(step.operator),
        )
        path = EVIDENCE_PATH.format(path=step.fact_id)
        rows.append(Row(key="/".join(map(str, step.key)), cells=cells, fragment=path))
    last = "/".join(map(str, found.last or ()))
    return Found(tuple(rows), None, more=found.last is not None, cursor=last)


_ITEM = Filter("item", marked("Item code"), "fixed")
# The only warehouse that somebody is shown; without one it is in no address.
_WITHIN = Filter("warehouse", marked("Warehouse"), "fixed")
STOCK = Table(
    name="stock",
    title=marked("Stock by place and lot"),
    path="/stock",
    columns=(
        Column("item", marked("Item")),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("location", marked("Place")),
        Column("lot", marked("Lot")),
        Column("expiry_date", marked("Expiry date"), "date", phone=False),
        Column("serial", marked("Serial / SSCC"), phone=False),
        Column("status", marked("Status"), "state", phone=False),
        Column("on_hand", marked("On hand"), "number"),
        Column("weight", marked("Weight"), "number", phone=False),
    ),
    read=_read_stock,
    filters=(
        Filter("q", marked("Search item or name")),
        Filter("warehouse", marked("Warehouse"), "choice"),
        Filter("location", marked("Place")),
        Filter("within", marked("Place with all below")),
        Filter("lot", marked("Lot")),
        Filter("sscc", "SSCC"),
        Filter("status", marked("Status"), "choice", tuple(STATUSES.items())),
        *PAST,
    ),
    kinds=("movement",),
    empty=marked("Nothing stands there."),
)
ITEM_STOCK = replace(
    STOCK,
    name="item-stock",
    title=marked("Where it stands"),
    filters=(
        _ITEM,
        Filter("warehouse", marked("Warehouse"), "choice"),
        Filter("lot", marked("Lot")),
        Filter("status", marked("Status"), "choice", tuple(STATUSES.items())),
        *PAST,
    ),
)
_OF_LOTS = (_ITEM, _WITHIN, *LOTS.filters[2:])
ITEM_LOTS = replace(LOTS, name="item-lots", path="/stock", filters=_OF_LOTS)
ITEM_DOCUMENTS = Table(
    name="item-documents",
    title=marked("Open documents"),
    path="/stock",
    columns=(
        Column("document", marked("Document")),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("partner", marked("Partner"), phone=False),
        Column("expected", marked("Asked for"), "number"),
        Column("done", marked("Done"), "number"),
        Column("open", marked("Still open"), "number"),
    ),
    read=_read_lines,
    filters=(_ITEM, _WITHIN),
    kinds=("movement",),
    empty=marked("No open document asks for it."),
)
ITEM_FIGURES = Table(
    name="item-figures",
    title=marked("Available and set aside"),
    path="/stock",
    columns=(
        Column("warehouse", marked("Warehouse")),
        Column("on_hand", marked("On hand"), "number"),
        Column("weight", marked("Weight"), "number", phone=False),
        Column("allocated", marked("Set aside"), "number", phone=False),
        Column("available", marked("Available"), "number"),
        Column("inspection", marked("To be inspected"), "number", phone=False),
        Column("held", marked("Held"), "number", phone=False),
        Column("rejected", marked("Rejected"), "number", phone=False),
        Column("in_transit", marked("In transit"), "number", phone=False),
    ),
    read=_read_figures,
    filters=(_ITEM, _WITHIN),
    kinds=("movement",),
    empty=marked("Nothing is in stock anywhere."),
)
ITEM_DISCREPANCIES = Table(
    name="item-discrepancies",
    title=marked("Open discrepancies"),
    path="/stock",
    columns=(
        Column("kind", marked("What")),
        Column("warehouse", marked("Warehouse")),
        Column("location", marked("Place"), phone=False),
        Column("lot", marked("Lot"), phone=False),
        Column("document", marked("Document"), phone=False),
        Column("opened", marked("Since"), "moment"),
    ),
    read=_read_discrepancies,
    filters=(_ITEM, _WITHIN),
    kinds=("movement", "discrepancy"),
    empty=marked("Everything adds up."),
)
ITEM_TRACE = Table(
    name="item-trace",
    title=marked("The way of the goods"),
    path="/stock",
    columns=(
        Column("event_time", marked("Happened"), "moment"),
        Column("step", marked("What")),
        Column("warehouse", marked("Warehouse")),
        Column("way", marked("From → to")),
        Column("quantity", marked("Quantity"), "number"),
        Column("lot", marked("Lot / serial"), phone=False),
        Column("document", marked("Document"), phone=False),
        Column("operator", marked("Operator"), phone=False),
    ),
    read=_read_trace,
    filters=(
        _ITEM,
        Filter("lot", marked("Lot"), "fixed"),
        Filter("serial", marked("Serial number"), "fixed"),
        _WITHIN,
    ),
    kinds=("movement",),
    by_cursor=True,
)
STOCK_LISTINGS = (
    STOCK,
    ITEM_STOCK,
    ITEM_LOTS,
    ITEM_DOCUMENTS,
    ITEM_FIGURES,
    ITEM_DISCREPANCIES,
    ITEM_TRACE,
)
