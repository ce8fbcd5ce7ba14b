"""The rows behind the key figures of orders, counts and docks: a table each. Edge of HTTP."""

from urllib.parse import quote

from central.ledger.own_facts import OWN_GATEWAY
from central.stock.count_kpis import ALARM_BELOW, Accuracy, AccuracyFilter, read_accuracy
from central.stock.deliveries import WEEK_MS, Judged, monday_of
from central.stock.key_figures import WEEKS
from central.stock.kpis import ON_TIME_ALARM_BELOW, Span
from central.stock.kpis_age import UnderWay, read_under_way
from central.stock.kpis_delivery import read_deliveries
from central.stock.kpis_docks import Throughput, read_throughput
from central.stock.kpis_supply import SupplierRecord, read_suppliers
from central.stock.times import utc_text
from central.web.asking import Asking, Table
from central.web.cells import date_cell, link_cell, moment_cell, number_cell, state_cell, text_cell
from central.web.kpi_cells import DAYS, WAREHOUSE, amount, found_page, share_cell, span_of
from central.web.kpi_words import CAUSES, FIGURES, percent_words
from central.web.listing import Cell, Column, Filter, Found, Row, Wanted
from central.web.words import marked


def _read_late(asking: Asking, wanted: Wanted) -> Found:
    span = Span(monday_of(asking.now_ms) - (WEEKS - 1) * WEEK_MS, asking.now_ms)
    with asking.read() as connection:
        found = read_deliveries(connection, span, warehouse=wanted.values["warehouse"])
    if wanted.values["late"]:
        found = [one for one in found if not one.on_time]
    if wanted.values["cause"]:
        found = [one for one in found if one.cause == wanted.values["cause"]]
    texts = asking.texts

    def row(one: Judged) -> Row:
        href = f"/sales-orders/{quote(one.delivery.code, safe='')}"
        said = state_cell(texts.say("on time"), "good")
        if not one.on_time:
            said = state_cell(texts.say("late"), "bad")
        return Row(
            key=one.delivery.code,
            href=href,
            cells=(
                link_cell(one.delivery.code, href),
                said,
                text_cell(one.delivery.partner),
                text_cell(one.delivery.warehouse),
                date_cell(one.delivery.due),
                number_cell(one.late_days or None, texts),
                text_cell(texts.word(CAUSES, one.cause) if one.cause else ""),
            ),
        )

    return found_page(asking, wanted, found, row)


def _read_suppliers(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = read_suppliers(
            connection, span_of(asking, wanted), warehouse=wanted.values["warehouse"]
        )
    texts = asking.texts

    def row(one: SupplierRecord) -> Row:
        href = f"/purchase-orders?supplier={quote(one.supplier, safe='')}"
        return Row(
            key=one.supplier,
            href=href,
            cells=(
                link_cell(
                    one.supplier, href, note=texts.name(english=one.name, chinese=one.name_zh)
                ),
                share_cell(asking, one.on_time, ON_TIME_ALARM_BELOW),
                number_cell(one.due_count, texts),
                text_cell(percent_words(one.passed, texts)),
                number_cell(one.decided_count, texts),
                text_cell(", ".join(one.late_orders[:5])),
            ),
        )

    return found_page(asking, wanted, found, row)


def _read_accuracy(asking: Asking, wanted: Wanted) -> Found:
    span = span_of(asking, wanted)
    asked = AccuracyFilter(span.from_ms, span.to_ms + 1, warehouse=wanted.values["warehouse"])
    with asking.read() as connection:
        found = read_accuracy(connection, asked)
    texts = asking.texts

    def row(one: Accuracy) -> Row:
        return Row(
            key=f"{one.warehouse}/{one.abc}/{one.unit}",
            href=f"/counts?warehouse={quote(one.warehouse, safe='')}",
            cells=(
                text_cell(one.warehouse),
                text_cell(one.abc),
                share_cell(asking, one.by_lines, ALARM_BELOW),
                number_cell(one.lines_count, texts),
                share_cell(asking, one.by_quantity, ALARM_BELOW),
                amount(asking, -one.lost_micro, one.unit),
                amount(asking, one.found_micro, one.unit),
            ),
        )

    return found_page(asking, wanted, found, row)


def _read_docks(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = read_throughput(
            connection, now_ms=asking.now_ms, warehouse=wanted.values["warehouse"]
        )

    def row(one: Throughput) -> Row:
        # What the desk decides is counted under central's own name, which is no gateway.
        known = one.gateway != OWN_GATEWAY
        href = f"/gateways/{quote(one.gateway, safe='')}" if known else ""
        return Row(
            key=f"{one.gateway}/{one.hour_ms}",
            href=href,
            cells=(
                link_cell(one.gateway, href) if known else text_cell(one.gateway),
                text_cell(one.warehouse),
                Cell(
                    text=(utc_text(one.hour_ms) or "")[:16].replace("T", " ") + " UTC",
                    value=utc_text(one.hour_ms) or "",
                    moment=utc_text(one.hour_ms) or "",
                ),
                number_cell(one.facts_count, asking.texts),
                number_cell(one.moved_count, asking.texts),
            ),
        )

    return found_page(asking, wanted, found, row)


def _read_transit(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = read_under_way(connection, warehouse=wanted.values["warehouse"])

    def row(one: UnderWay) -> Row:
        href = f"/transfers/{quote(one.transfer, safe='')}"
        days = one.age_days(now_ms=asking.now_ms)
        return Row(
            key=one.transfer,
            href=href,
            cells=(
                link_cell(one.transfer, href),
                text_cell(one.source),
                text_cell(one.destination),
                moment_cell(one.since_ms),
                number_cell(days, asking.texts, tone="bad" if days >= 3 else ""),
            ),
        )

    return found_page(asking, wanted, found, row)


ORDER_TABLES: tuple[Table, ...] = (
    Table(
        name="kpi-deliveries",
        title=FIGURES["deliveries"].title,
        path="/dashboard/deliveries",
        columns=(
            Column("order", marked("Sales order")),
            Column("state", marked("State"), "state"),
            Column("customer", marked("Customer"), phone=False),
            Column("warehouse", marked("Warehouse"), phone=False),
            Column("due", marked("Promised"), "date"),
            Column("late", marked("Days late"), "number"),
            Column("cause", marked("Cause")),
        ),
        filters=(
            Filter("late", marked("Only late ones"), "check"),
            Filter("cause", marked("Cause"), "choice", choices=tuple(CAUSES.items())),
            WAREHOUSE,
        ),
        kinds=("sales_order",),
        read=_read_late,
    ),
    Table(
        name="kpi-suppliers",
        title=FIGURES["suppliers"].title,
        path="/dashboard/suppliers",
        columns=(
            Column("supplier", marked("Supplier")),
            Column("on_time", marked("On time"), "state"),
            Column("due", marked("Lines due"), "number", phone=False),
            Column("passed", FIGURES["passed"].title, "number"),
            Column("decided", marked("Inspections"), "number", phone=False),
            Column("late", marked("Late orders"), phone=False),
        ),
        filters=(DAYS, WAREHOUSE),
        read=_read_suppliers,
    ),
    Table(
        name="kpi-accuracy",
        title=FIGURES["accuracy"].title,
        path="/dashboard/accuracy",
        columns=(
            Column("warehouse", marked("Warehouse")),
            Column("abc", marked("Class"), phone=False),
            Column("lines", marked("Lines that matched"), "state"),
            Column("counted", marked("Lines counted"), "number", phone=False),
            Column("quantity", marked("Quantity that matched"), "state"),
            Column("lost", marked("Missing"), "number", phone=False),
            Column("found", marked("Too much"), "number", phone=False),
        ),
        filters=(DAYS, WAREHOUSE),
        kinds=("count",),
        read=_read_accuracy,
    ),
    Table(
        name="kpi-docks",
        title=FIGURES["docks"].title,
        path="/dashboard/docks",
        columns=(
            Column("gateway", marked("Gateway")),
            Column("warehouse", marked("Warehouse"), phone=False),
            Column("hour", marked("Hour from"), "moment"),
            Column("facts", marked("Facts"), "number"),
            Column("moved", marked("Movements"), "number"),
        ),
        filters=(WAREHOUSE,),
        read=_read_docks,
    ),
    Table(
        name="kpi-in-transit",
        title=FIGURES["transit"].title,
        path="/dashboard/in-transit",
        columns=(
            Column("transfer", marked("Transfer")),
            Column("source", marked("From")),
            Column("destination", marked("To")),
            Column("since", marked("Since"), "moment", phone=False),
            Column("days", marked("Days"), "number"),
        ),
        filters=(WAREHOUSE,),
        kinds=("transfer", "movement"),
        read=_read_transit,
    ),
)
