"""Periods: what is open before one is closed, what came late, its figures. Edge of HTTP."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.api.period_models import end_of
from central.contract.errors import ContractError
from central.contract.quantities import from_micro
from central.errors import NotThere
from central.orders.catalogue.items import weight_units
from central.orders.settling.period_book import find_period, list_balances, list_periods
from central.orders.settling.period_late import LateTotal, count_late, list_late, total_late
from central.orders.settling.period_points import open_points
from central.orders.settling.periods import OpenPoint, Period
from central.stock.deliveries import day_text
from central.stock.feed import list_numbered
from central.stock.times import utc_text
from central.web.asking import Asked, Asking, Table
from central.web.cells import link_cell, moment_cell, number_cell, quantity_cell, text_cell
from central.web.feed_views import FeedView
from central.web.kpi_cells import item_url, warehouse_choices
from central.web.listing import Column, Filter, Found, Row, Wanted, shown
from central.web.past import time_field
from central.web.point_words import point_detail
from central.web.screens.weight_cells import weight_cell
from central.web.shell import listing_of, page
from central.web.stock_words import place_word
from central.web.words import marked

CHECKS: dict[str, str] = {
    "gateway": marked("Gateway"),
    "discrepancy": marked("Discrepancy"),
    "transfer": marked("Transfer"),
    "count": marked("Count"),
    "balance": marked("below zero"),
}
PATHS: dict[str, str] = {
    "gateway": "/gateways/",
    "discrepancy": "/discrepancies/",
    "transfer": "/transfers/",
    "count": "/counts/",
    "balance": "/warehouses/{}/places/",
}
KINDS = ("period", "discrepancy", "transfer", "count", "gateway")
PERIOD = Filter("period", marked("Period"), "fixed")
Code = Annotated[str, Path(max_length=64)]
router = APIRouter(include_in_schema=False)


def read_balances(asking: Asking, wanted: Wanted) -> Found:
    """Return what stood where at the end of a period."""
    with asking.read() as connection:
        try:
            period = find_period(connection, wanted.values["period"])
        except NotThere:
            return Found(rows=(), total=0)
        rows = list_balances(
            connection,
            period,
            warehouse=wanted.values["warehouse"],
            item=wanted.values["item"],
            offset=wanted.offset,
            limit=wanted.limit + 1,
        )
        units = weight_units(connection, (key.item for key, _, weight in rows if weight))
    texts = asking.texts
    return Found(
        rows=tuple(
            Row(
                key="/".join(key),
                cells=(
                    link_cell(key.item, item_url(key.item)),
                    text_cell(key.warehouse),
                    text_cell(place_word(key.location, texts)),
                    text_cell(key.lot),
                    text_cell(key.serial or key.sscc),
                    quantity_cell(from_micro(micro), key.unit, texts),
                    weight_cell(from_micro(weight), units.get(key.item, ""), texts),
                ),
            )
            for key, micro, weight in rows[: wanted.limit]
        ),
        total=None,
        more=len(rows) > wanted.limit,
        choices={"warehouse": warehouse_choices(asking)},
    )


def read_late_totals(asking: Asking, wanted: Wanted) -> Found:
    """Return what came too late for a period, by place and item, what changed most first."""
    with asking.read() as connection:
        try:
            totals = total_late(connection, find_period(connection, wanted.values["period"]))
        except NotThere:
            totals = []
        chosen = totals[wanted.offset : wanted.offset + wanted.limit]
        units = weight_units(connection, (one.item for one in chosen if one.weight_micro))

    def row(one: LateTotal) -> Row:
        return Row(
            key="/".join((one.warehouse, one.location, one.item, one.lot, one.unit)),
            cells=(
                link_cell(one.item, item_url(one.item)),
                text_cell(one.warehouse),
                text_cell(one.location),
                text_cell(one.lot),
                number_cell(one.facts_count, asking.texts),
                quantity_cell(from_micro(one.quantity_micro), one.unit, asking.texts),
                weight_cell(from_micro(one.weight_micro), units.get(one.item, ""), asking.texts),
            ),
        )

    return Found(rows=tuple(row(one) for one in chosen), total=len(totals))


def read_late_facts(asking: Asking, wanted: Wanted) -> Found:
    """Return facts that came too late for a period, as they came."""
    text = wanted.cursor
    after = int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
    with asking.read() as connection:
        try:
            period = find_period(connection, wanted.values["period"])
        except NotThere:
            return Found(rows=(), total=None)
        found = list_late(connection, period, after=after, limit=wanted.limit + 1)
        chosen = found[: wanted.limit]
        known = {
            row.record_no: row
            for row in list_numbered(connection, [one.record_no for one in chosen])
        }
    texts, rows = asking.texts, []
    for one in chosen:
        view = FeedView.of(known[one.record_no], texts)
        rows.append(
            Row(
                key=str(one.record_no),
                fragment=f"/fragments/evidence/{view.fact_path}",
                cells=(
                    moment_cell(one.dated_ms),
                    moment_cell(known[one.record_no].record_time_ms),
                    text_cell(view.step),
                    text_cell(view.item, note=f"{view.quantity} {view.unit}".strip()),
                    text_cell(f"{view.origin} → {view.target}"),
                    text_cell(one.counts_in or texts.say("the open period")),
                ),
            )
        )
    more = len(found) > wanted.limit
    return Found(
        rows=tuple(rows), total=None, more=more, cursor=str(chosen[-1].record_no) if more else ""
    )


BALANCES = Table(
    name="period-balances",
    title=marked("Figures of the period"),
    path="/periods",
    columns=(
        Column("item", marked("Item")),
        Column("warehouse", marked("Warehouse")),
        Column("place", marked("Place")),
        Column("lot", marked("Lot"), phone=False),
        Column("serial", marked("Serial / SSCC"), phone=False),
        Column("on_hand", marked("On hand"), "number"),
        Column("weight", marked("Weight"), "number", phone=False),
    ),
    filters=(
        PERIOD,
        Filter("item", marked("Item")),
        Filter("warehouse", marked("Warehouse"), "choice"),
    ),
    read=read_balances,
)
LATE_TOTALS = Table(
    name="period-late-totals",
    title=marked("What came late, by place and item"),
    path="/periods",
    columns=(
        Column("item", marked("Item")),
        Column("warehouse", marked("Warehouse")),
        Column("place", marked("Place")),
        Column("lot", marked("Lot"), phone=False),
        Column("facts", marked("Facts"), "number"),
        Column("quantity", marked("Changed by"), "number"),
        Column("weight", marked("Weight"), "number", phone=False),
    ),
    filters=(PERIOD,),
    kinds=("movement",),
    empty=marked("Nothing came late."),
    read=read_late_totals,
)
LATE_FACTS = Table(
    name="period-late-facts",
    title=marked("Facts that came late"),
    path="/periods",
    columns=(
        Column("dated", marked("Happened"), "moment"),
        Column("recorded", marked("Recorded"), "moment", phone=False),
        Column("step", marked("Step")),
        Column("item", marked("Item")),
        Column("way", marked("From and to"), phone=False),
        Column("counts", marked("Counts in"), phone=False),
    ),
    filters=(PERIOD,),
    kinds=("movement",),
    by_cursor=True,
    empty=marked("Nothing came late."),
    read=read_late_facts,
)
PERIOD_TABLES: tuple[Table, ...] = (BALANCES, LATE_TOTALS, LATE_FACTS)


@router.get("/periods")
def periods_page(asking: Asked) -> HTMLResponse:
    """Draw closed periods, and what is open before the next one that ends on the chosen day."""
    say = asking.texts.say
    through = shown(asking.parameters.get("through", "")) or _last_day_of_month(asking.now_ms)
    with asking.read() as connection:
        closed = list_periods(connection)
        late = count_late(connection)
        try:
            through_ms = end_of(through)
            points = open_points(connection, through_ms=through_ms)
        except ContractError:
            through, through_ms, points = "", 0, []
    content = {
        "through": through[:10],
        "code": through[:7],
        "passed": 0 < through_ms <= asking.now_ms,
        "groups": _groups(points, asking),
        "open_count": len(points),
        "periods": [_closed(one, late.get(one.number, 0)) for one in reversed(closed)],
    }
    title = say("Periods")
    return page(asking, "oversight/periods.html", title=title, kinds=KINDS, content=content)


@router.get("/periods/{code}")
def period_page(asking: Asked, code: Code) -> HTMLResponse:
    """Draw a closed period: what was open, what came late, its figures."""
    with asking.read() as connection:
        period = find_period(connection, code)
        late_count = count_late(connection).get(period.number, 0)
    content = {
        "period": _closed(period, late_count),
        "groups": _groups(period.open_points, asking),
        "tables": [
            listing_of(asking, table, period=code) for table in (LATE_TOTALS, LATE_FACTS, BALANCES)
        ],
    }
    return page(asking, "oversight/period.html", title=code, kinds=("movement",), content=content)


def _closed(period: Period, late_count: int) -> dict[str, object]:
    return {
        "code": period.code,
        "path": quote(period.code, safe=""),
        "end_time": utc_text(period.through_ms),
        "closed_time": utc_text(period.closed_ms),
        "actor": period.actor,
        "reason": period.reason,
        "open_count": len(period.open_points),
        "late_count": late_count,
        "record_no": period.closed_record_no,
        "stock_url": _stock_url(period),
    }


def _stock_url(period: Period) -> str:
    """Return the address of the stock at its end by both times: it is what its figures are."""
    times = {"as_of": time_field(period.through_ms - 1), "known": time_field(period.closed_ms)}
    return f"/?{urlencode(times)}"


def _groups(
    points: list[OpenPoint] | tuple[OpenPoint, ...], asking: Asking
) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Return open points by check: (label, [(text, address, warehouse, detail)])."""
    found: dict[str, list[tuple[str, str, str, str]]] = {check: [] for check in CHECKS}
    for one in points:
        detail = point_detail(one, asking.texts)
        text, detail = (detail, "") if one.check == "discrepancy" else (one.subject, detail)
        path = PATHS[one.check].format(quote(one.warehouse, safe=""))
        href = path + quote(one.subject, safe="")
        found[one.check].append((text, href, one.warehouse, detail))
    return [(asking.texts.say(CHECKS[check]), rows) for check, rows in found.items()]


def _last_day_of_month(now_ms: int) -> str:
    """Return the last day of the month before, in UTC."""
    today = day_text(now_ms)
    return day_text(now_ms - int(today[8:]) * 86_400_000)
