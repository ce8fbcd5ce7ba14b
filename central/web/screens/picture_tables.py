"""The tables behind the pictures: the same figures, to be sorted out and exported. Edge of HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from central.ledger.own_facts import OWN_GATEWAY
from central.stock.ageing import (
    EXPIRY_CLASSES,
    REST_CLASSES,
    ClassCounts,
    days_left,
    expiry_counts,
    list_expiring,
    rest_counts,
)
from central.stock.throughput import HOURS
from central.web.asking import Asking, Table
from central.web.cells import date_cell, link_cell, number_cell, quantity_cell, text_cell
from central.web.documents.tables import warehouse_choices
from central.web.listing import Cell, Column, Filter, Found, Row, Tone, Wanted
from central.web.screens.picture_reading import (
    offset_ms_of,
    read_classes,
    read_days,
    read_flows,
    read_pareto,
    read_throughput,
)
from central.web.stock_words import EXPIRY_WORDS, REST_WORDS, item_url
from central.web.words import UNITS, marked

DAYS_CHOICES = (
    ("7", marked("7 days")),
    ("30", marked("30 days")),
    ("90", marked("90 days")),
    ("365", marked("365 days")),
)
DAYS = Filter("days", marked("Time span"), "choice", DAYS_CHOICES)
ZONE = Filter(
    "zone",
    marked("Time zone"),
    "choice",
    tuple((str(60 * hours), f"UTC{hours:+d}") for hours in range(-12, 15)),
)
WAREHOUSE = Filter("warehouse", marked("Warehouse"), "choice")


def _days(asking: Asking, wanted: Wanted) -> Found:
    item, found = read_days(asking, wanted)
    rows = [
        Row(
            key=f"{end_ms}/{one.warehouse}/{one.unit}",
            cells=(
                date_cell(_day(end_ms - 1 + offset_ms_of(wanted))),
                link_cell(item, item_url(item)),
                text_cell(one.warehouse),
                quantity_cell(one.on_hand[at], one.unit, asking.texts),
            ),
        )
        for at, end_ms in reversed(list(enumerate(found.ends_ms)))
        for one in found.rows
    ]
    return _page(rows, asking, wanted)


def _throughput(asking: Asking, wanted: Wanted) -> Found:
    found = read_throughput(asking, wanted)
    rows = [
        Row(
            key=f"{one.gateway}/{hour}",
            cells=(
                _gateway_cell(one.gateway),
                text_cell(f"{hour:02d}:00"),
                number_cell(one.movements[hour], asking.texts),
                number_cell(one.others[hour], asking.texts),
            ),
        )
        for one in found.rows
        for hour in range(HOURS)
        if one.movements[hour] or one.others[hour]
    ]
    return _page(rows, asking, wanted)


def _gateway_cell(gateway: str) -> Cell:
    # What the desk decides moves stock under central's own name, which is no gateway.
    if gateway == OWN_GATEWAY:
        return text_cell(gateway)
    return link_cell(gateway, f"/gateways/{gateway}")


def _expiry(asking: Asking, wanted: Wanted) -> Found:
    found = read_classes(asking, wanted, expiry_counts)
    return _classes(asking, wanted, found, EXPIRY_CLASSES)


def _rest(asking: Asking, wanted: Wanted) -> Found:
    found = read_classes(asking, wanted, rest_counts)
    return _classes(asking, wanted, found, REST_CLASSES)


def _classes(
    asking: Asking, wanted: Wanted, found: Sequence[ClassCounts], classes: Sequence[str]
) -> Found:
    rows = []
    for one in found:
        link = link_cell(one.warehouse, f"/warehouses/{one.warehouse}")
        counts = (number_cell(count, asking.texts) for count in one.counts[: len(classes)])
        rows.append(Row(key=one.warehouse, cells=(link, *counts)))
    return _page(rows, asking, wanted)


def _lots(asking: Asking, wanted: Wanted) -> Found:
    values = wanted.values
    with asking.read() as connection:
        found = list_expiring(
            connection,
            now_ms=asking.now_ms,
            warehouse=values.get("warehouse", ""),
            item=values["item"],
            expiry_class=values.get("class", ""),
            offset=wanted.offset,
            limit=wanted.limit + 1,
        )
        warehouses = warehouse_choices(connection, asking.texts)
    rows = []
    for one in found[: wanted.limit]:
        left = days_left(one.expiry_date, now_ms=asking.now_ms)
        cells = (
            link_cell(one.lot, item_url(one.item, lot=one.lot)),
            link_cell(one.item, item_url(one.item)),
            text_cell(one.warehouse),
            _left_cell(asking, one.expiry_date, left),
            number_cell(left, asking.texts),
            quantity_cell(one.on_hand, one.unit, asking.texts),
        )
        rows.append(Row(key=f"{one.warehouse}/{one.item}/{one.lot}/{one.unit}", cells=cells))
    choices = {"warehouse": warehouses}
    return Found(tuple(rows), None, more=len(found) > wanted.limit, choices=choices)


def _left_cell(asking: Asking, expiry_date: str, left: int | None) -> Cell:
    tone: Tone = ""
    note = ""
    if left is not None and left < 0:
        tone, note = "bad", asking.texts.say("expired")
    elif left is not None and left <= 30:
        tone, note = "warn", asking.texts.say("soon")
    return date_cell(expiry_date, tone=tone, note=note)


def _pareto(asking: Asking, wanted: Wanted) -> Found:
    found = read_pareto(asking, wanted)
    rows = [
        Row(
            key=f"{one.item}/{one.unit}",
            cells=(
                link_cell(one.item, item_url(one.item)),
                text_cell(one.abc),
                number_cell(one.movements, asking.texts),
                quantity_cell(one.quantity, one.unit, asking.texts),
                number_cell((one.share * 100).quantize(Decimal("0.1")), asking.texts),
            ),
        )
        for one in found.rows[wanted.offset : wanted.offset + wanted.limit]
    ]
    with asking.read() as connection:
        choices = {"warehouse": warehouse_choices(connection, asking.texts)}
    units = sorted({one.unit for one in found.rows} | {wanted.values["unit"]} - {""})
    choices["unit"] = tuple(
        (unit, asking.texts.say("quantity in %(unit)s") % {"unit": asking.texts.word(UNITS, unit)})
        for unit in units
    )
    return Found(tuple(rows), len(found.rows), choices=choices)


def _flows(asking: Asking, wanted: Wanted) -> Found:
    found = read_flows(asking, wanted)
    rows = [
        Row(
            key=f"{one.source}/{one.destination}/{one.unit}",
            cells=(
                text_cell(one.source),
                text_cell(one.destination),
                number_cell(one.transfers, asking.texts),
                quantity_cell(one.sent, one.unit, asking.texts),
                quantity_cell(one.arrived, one.unit, asking.texts),
                quantity_cell(one.sent - one.arrived, one.unit, asking.texts),
            ),
        )
        for one in found
    ]
    return _page(rows, asking, wanted)


def _page(rows: list[Row], asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        choices = {"warehouse": warehouse_choices(connection, asking.texts)}
    shown = tuple(rows[wanted.offset : wanted.offset + wanted.limit])
    return Found(shown, len(rows), choices=choices)


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).date().isoformat()


STOCK_DAYS = Table(
    name="stock-days",
    title=marked("Stock over time"),
    path="/pictures",
    columns=(
        Column("day", marked("Day"), "date"),
        Column("item", marked("Item"), phone=False),
        Column("warehouse", marked("Warehouse")),
        Column("on_hand", marked("On hand at its end"), "number"),
    ),
    read=_days,
    filters=(Filter("item", marked("Item code")), WAREHOUSE, DAYS, ZONE),
    empty=marked("Nothing has moved yet."),
)
THROUGHPUT = Table(
    name="throughput",
    title=marked("Work of the docks by hour"),
    path="/pictures/throughput",
    columns=(
        Column("gateway", marked("Gateway")),
        Column("hour", marked("Hour")),
        Column("movements", marked("Movements"), "number"),
        Column("others", marked("Other scans"), "number"),
    ),
    read=_throughput,
    filters=(WAREHOUSE, DAYS, ZONE),
    empty=marked("Nothing has moved yet."),
)
EXPIRY = Table(
    name="expiry",
    title=marked("Lots in stock by days to expiry"),
    path="/pictures/expiry",
    columns=(
        Column("warehouse", marked("Warehouse")),
        *(Column(one, EXPIRY_WORDS[one], "number") for one in EXPIRY_CLASSES),
    ),
    read=_expiry,
    filters=(WAREHOUSE,),
)
REST = Table(
    name="untouched",
    title=marked("Stocks by days since they moved"),
    path="/pictures/untouched",
    columns=(
        Column("warehouse", marked("Warehouse")),
        *(Column(one, REST_WORDS[one], "number") for one in REST_CLASSES),
    ),
    read=_rest,
    filters=(WAREHOUSE,),
)
LOTS = Table(
    name="lots",
    title=marked("Lots by expiry date"),
    path="/pictures/lots",
    columns=(
        Column("lot", marked("Lot")),
        Column("item", marked("Item")),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("expiry_date", marked("Expiry date"), "date"),
        Column("days", marked("Days left"), "number", phone=False),
        Column("on_hand", marked("On hand"), "number"),
    ),
    read=_lots,
    filters=(
        WAREHOUSE,
        Filter("item", marked("Item code")),
        Filter("class", marked("Days to expiry"), "choice", tuple(EXPIRY_WORDS.items())[:-1]),
    ),
    empty=marked("No lot with an expiry date is in stock."),
)
PARETO = Table(
    name="pareto",
    title=marked("ABC: what moves most"),
    path="/pictures/pareto",
    columns=(
        Column("item", marked("Item")),
        Column("abc", marked("Class")),
        Column("movements", marked("Movements"), "number"),
        Column("quantity", marked("Quantity moved"), "number"),
        Column("share", marked("Share up to here, %"), "number", phone=False),
    ),
    read=_pareto,
    filters=(WAREHOUSE, Filter("unit", marked("Compared by"), "choice"), DAYS),
    empty=marked("Nothing has moved yet."),
)
FLOWS = Table(
    name="transfer-flows",
    title=marked("Flow between warehouses"),
    path="/pictures/flows",
    columns=(
        Column("source", marked("From")),
        Column("destination", marked("To")),
        Column("transfers", marked("Transfers"), "number", phone=False),
        Column("sent", marked("Sent"), "number"),
        Column("arrived", marked("Arrived"), "number"),
        Column("missing", marked("Not arrived"), "number", phone=False),
    ),
    read=_flows,
    filters=(WAREHOUSE, DAYS),
    empty=marked("No transfer was released in this time."),
)
PICTURE_LISTINGS = (STOCK_DAYS, THROUGHPUT, EXPIRY, REST, LOTS, PARETO, FLOWS)
