"""The addresses below /api/v1 of key figures and of alerts. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from central.api.context import Reading
from central.api.kpi_answers import (
    ages_out,
    alert_out,
    dead_out,
    item_age_out,
    late_out,
    mover_out,
    percent_text,
    stock_age_out,
    supplier_out,
    throughput_out,
    times_text,
    turnover_out,
    under_way_out,
    week_out,
)
from central.api.kpi_models import (
    AlertPage,
    AlertParameters,
    DeadParameters,
    DeadStockPage,
    DeliveryPage,
    KpiParameters,
    MoverPage,
    MoverParameters,
    SpanParameters,
    StockAgePage,
    SupplierPage,
    ThroughputPage,
    TransitAgePage,
    TurnoverPage,
    WeekParameters,
)
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.api.ranking import Ranking
from central.orders.order_goods import require_known
from central.stock.alerts import AlertPlace, place_of
from central.stock.deliveries import WEEK_MS, causes_of, monday_of, weeks_of
from central.stock.kpis import ON_TIME_ALARM_BELOW, TURNOVER_NORM, Span, share
from central.stock.kpis_age import by_warehouse, count_by_age, read_stock_age, read_under_way
from central.stock.kpis_delivery import read_deliveries
from central.stock.kpis_docks import read_throughput
from central.stock.kpis_supply import read_suppliers
from central.stock.kpis_turnover import read_dead_stock, read_movers, read_turnover
from central.stock.times import utc_text

router = APIRouter(
    prefix=PREFIX,
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["key figures"],
)


@router.get("/kpis/turnover")
def turnover(reading: Reading, asked: Annotated[SpanParameters, Query()]) -> TurnoverPage:
    """Return how often stock turns over a year: shipped to customers / average on hand."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    span = Span.of_days(asked.days, now_ms=ranking.now_ms)
    with reading.database.read() as connection:
        found = read_turnover(connection, span, warehouse=asked.warehouse or "")
        require_known(connection, found, asked.warehouse)
    page, further = ranking.page(found, lambda one: (one.warehouse, one.unit))
    low, high = (times_text(bound) or "" for bound in TURNOVER_NORM)
    return TurnoverPage(
        days=asked.days,
        norm=(low, high),
        turnover=[turnover_out(one) for one in page],
        next_cursor=further,
    )


@router.get("/kpis/movers")
def movers(reading: Reading, asked: Annotated[MoverParameters, Query()]) -> MoverPage:
    """List what sold best, or what there is of which least was sold."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    span = Span.of_days(asked.days, now_ms=ranking.now_ms)
    with reading.database.read() as connection:
        found = read_movers(connection, span, warehouse=asked.warehouse or "")
        require_known(connection, found, asked.warehouse)
    if asked.order == "worst":
        found, sign = [one for one in found if one.on_hand_micro > 0], 1
    else:
        found, sign = [one for one in found if one.shipped_micro > 0], -1
    page, further = ranking.page(found, lambda one: (sign * one.shipped_micro, one.item, one.unit))
    return MoverPage(
        days=asked.days,
        items_count=len(found),
        items=[mover_out(one, span) for one in page],
        next_cursor=further,
    )


@router.get("/kpis/dead-stock")
def dead_stock(reading: Reading, asked: Annotated[DeadParameters, Query()]) -> DeadStockPage:
    """List stock of which nothing came, went or was moved for so many days."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    now_ms = ranking.now_ms
    with reading.database.read() as connection:
        found = read_dead_stock(
            connection, now_ms=now_ms, days=asked.days, warehouse=asked.warehouse or ""
        )
        require_known(connection, found, asked.warehouse)
    page, further = ranking.page(
        found, lambda one: (one.last_ms, one.warehouse, one.item, one.unit)
    )
    return DeadStockPage(
        days=asked.days,
        items_count=len(found),
        items=[dead_out(one) for one in page],
        next_cursor=further,
    )


@router.get("/kpis/stock-age")
def stock_age(reading: Reading, asked: Annotated[KpiParameters, Query()]) -> StockAgePage:
    """Return how old stock is, what came first taken to have gone first."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    now_ms = ranking.now_ms
    with reading.database.read() as connection:
        found = read_stock_age(connection, now_ms=now_ms, warehouse=asked.warehouse or "")
        require_known(connection, found, asked.warehouse)
    page, further = ranking.page(
        found,
        lambda one: (
            *(-amount for amount in reversed(one.amounts_micro)),
            *(one.item, one.warehouse, one.unit),
        ),
    )
    return StockAgePage(
        sums=[stock_age_out(one) for one in by_warehouse(found)],
        items=[item_age_out(one) for one in page],
        next_cursor=further,
    )


@router.get("/kpis/in-transit-age")
def in_transit_age(reading: Reading, asked: Annotated[KpiParameters, Query()]) -> TransitAgePage:
    """Return for how long goods of transfers are under way."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    now_ms = ranking.now_ms
    with reading.database.read() as connection:
        found = read_under_way(connection, warehouse=asked.warehouse or "")
        require_known(connection, found, asked.warehouse)
    page, further = ranking.page(found, lambda one: (one.since_ms, one.transfer))
    return TransitAgePage(
        ages=ages_out(count_by_age(found, now_ms=now_ms), counted=True),
        transfers=[under_way_out(one, now_ms=now_ms) for one in page],
        next_cursor=further,
    )


@router.get("/kpis/deliveries")
def deliveries(reading: Reading, asked: Annotated[WeekParameters, Query()]) -> DeliveryPage:
    """Return how many orders went out in full by the promised day; below 95 percent is an alarm."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    now_ms = ranking.now_ms
    span = Span(monday_of(now_ms) - (asked.weeks - 1) * WEEK_MS, now_ms)
    with reading.database.read() as connection:
        judged = read_deliveries(connection, span, warehouse=asked.warehouse or "")
        require_known(connection, judged, asked.warehouse)
    on_time_count = sum(one.on_time for one in judged)
    found = share(on_time_count, len(judged))
    late = [one for one in judged if not one.on_time]
    page, further = ranking.page(
        late, lambda one: (-int(one.delivery.due.replace("-", "")), one.delivery.code)
    )
    return DeliveryPage(
        due_count=len(judged),
        on_time_count=on_time_count,
        percent=percent_text(found),
        alarm=found is not None and found < ON_TIME_ALARM_BELOW,
        alarm_below_percent=percent_text(ON_TIME_ALARM_BELOW) or "",
        weeks=[week_out(one) for one in weeks_of(judged, count=asked.weeks, now_ms=now_ms)],
        causes={str(cause): count for cause, count in causes_of(judged)},
        late=[late_out(one) for one in page],
        next_cursor=further,
    )


@router.get("/kpis/suppliers")
def suppliers(reading: Reading, asked: Annotated[SpanParameters, Query()]) -> SupplierPage:
    """List how suppliers kept to their days, and how much of what was inspected passed."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    span = Span.of_days(asked.days, now_ms=ranking.now_ms)
    with reading.database.read() as connection:
        found = read_suppliers(connection, span, warehouse=asked.warehouse or "")
        require_known(connection, found, asked.warehouse)
    page, further = ranking.page(found, lambda one: (one.supplier,))
    return SupplierPage(
        days=asked.days, suppliers=[supplier_out(one) for one in page], next_cursor=further
    )


@router.get("/kpis/throughput")
def throughput(reading: Reading, asked: Annotated[KpiParameters, Query()]) -> ThroughputPage:
    """List what gateways recorded in this hour and the 23 before, hour by hour."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    now_ms = ranking.now_ms
    with reading.database.read() as connection:
        found = read_throughput(connection, now_ms=now_ms, warehouse=asked.warehouse or "")
        require_known(connection, found, asked.warehouse)
    page, further = ranking.page(found, lambda one: (one.warehouse, one.gateway, one.hour_ms))
    return ThroughputPage(hours=[throughput_out(one) for one in page], next_cursor=further)


@router.get("/alerts")
def alerts(reading: Reading, asked: Annotated[AlertParameters, Query()]) -> AlertPage:
    """List what somebody should see to, the bad ones first; computed at most 20 s ago."""
    after = read_cursor(asked.cursor, AlertPlace)
    read = reading.alerts.read(reading.database, reading.clock)
    found = [
        one
        for one in read.alerts
        if (after is None or place_of(one) > after)
        and asked.warehouse in {None, one.warehouse}
        and asked.kind in {None, one.kind}
        and asked.severity in {None, one.severity}
    ]
    if not found and asked.warehouse:
        with reading.database.read() as connection:
            require_known(connection, found, asked.warehouse)
    page = found[: asked.limit]
    return AlertPage(
        read_time=utc_text(read.read_ms),
        bad_count=read.counts.bad_count,
        warn_count=read.counts.warn_count,
        more=read.counts.more,
        alerts=[alert_out(one) for one in page],
        next_cursor=write_cursor(place_of(page[-1])) if len(found) > asked.limit else None,
    )
