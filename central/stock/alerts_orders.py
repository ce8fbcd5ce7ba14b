"""Alerts of orders: under way too long, not come, not gone, not settled. Edge of the database."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, case, func, select, union_all

from central.stock.alerts import PER_KIND_MAX, Alert, AlertKind
from central.stock.deliveries import day_text, end_of_day
from central.stock.kpis import DAY_MS
from central.storage.purchasing_tables import (
    document_arrivals,
    purchase_lines,
    purchase_orders,
    shipping_notices,
)
from central.storage.sales_tables import sales_orders
from central.storage.settlement_tables import discrepancies
from central.storage.transfer_tables import transfers

TRANSFER_DAYS = 3  # Goods that left so long ago should have arrived.
DISCREPANCY_DAYS = 7


def order_alerts(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """Yield alerts of orders and discrepancies, at most PER_KIND_MAX a kind."""
    yield from _transfers(connection, now_ms=now_ms)
    yield from _purchases(connection, now_ms=now_ms)
    yield from _sales(connection, now_ms=now_ms)
    yield from _discrepancies(connection, now_ms=now_ms)


def _transfers(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = transfers.c
    query = (
        select(transfers)
        .where(
            table.under_way_since_ms > 0,
            table.under_way_since_ms <= now_ms - TRANSFER_DAYS * DAY_MS,
        )
        .order_by(table.under_way_since_ms, table.transfer)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        yield Alert(
            kind="transfer_overdue",
            warehouse=row.destination_warehouse,
            subject=row.transfer,
            location=row.source_warehouse,
            since_ms=row.under_way_since_ms,
        )


def _purchases(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """Yield orders of which a promised day is over and something had not come.

    Lines that were closed at the desk are not waited for.
    """
    orders, lines = purchase_orders.c, purchase_lines.c
    due = case((lines.promised_date != "", lines.promised_date), else_=orders.promised_date)
    least = lines.expected_micro - lines.expected_micro // 100_000_000 * lines.under_percent_micro
    notices, arrived = shipping_notices.c, document_arrivals.c
    # Under the order's own code, or under those of its notices of shipment.
    documents = union_all(
        select(orders.code).correlate(purchase_orders),
        select(notices.code).where(notices.order_code == orders.code).correlate(purchase_orders),
    )
    came = (
        select(func.coalesce(func.sum(arrived.quantity_micro), 0))
        .where(
            arrived.warehouse == orders.warehouse,
            arrived.item == lines.item,
            arrived.document.in_(documents),
        )
        .correlate(purchase_orders, purchase_lines)
        .scalar_subquery()
    )
    query = (
        select(orders.code, orders.warehouse, orders.supplier, due.label("due"))
        .join_from(purchase_orders, purchase_lines, lines.code == orders.code)
        .where(
            orders.state.in_(("sent", "confirmed")),
            lines.closed_reason == "",
            due != "",
            due < day_text(now_ms),
            came < least,
        )
        .order_by(due, orders.code)
        .limit(10 * PER_KIND_MAX)
    )
    seen: set[str] = set()
    for row in connection.execute(query):
        if row.code not in seen and len(seen) < PER_KIND_MAX:
            seen.add(row.code)
            yield Alert(
                kind="purchase_overdue",
                warehouse=row.warehouse,
                subject=row.code,
                due=row.due,
                since_ms=end_of_day(row.due) or 0,
                detail=row.supplier,
            )


def _sales(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = sales_orders.c
    query = (
        select(table.code, table.warehouse, table.customer, table.promised_on)
        .where(
            table.state.in_(("submitted", "approved", "released")),
            table.promised_on != "",
            table.promised_on < day_text(now_ms),
        )
        .order_by(table.promised_on, table.code)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        yield Alert(
            kind="sales_overdue",
            warehouse=row.warehouse,
            subject=row.code,
            due=row.promised_on,
            since_ms=end_of_day(row.promised_on) or 0,
            detail=row.customer,
        )


def _discrepancies(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = discrepancies.c
    overdue = and_(table.due_ms > 0, table.due_ms < now_ms)
    old = table.opened_ms < now_ms - DISCREPANCY_DAYS * DAY_MS
    query = (
        select(discrepancies)
        .where(table.state == "open", overdue | old | (table.kind == "fork"))
        .order_by(table.opened_ms, table.id)
        .limit(2 * PER_KIND_MAX)
    )
    counts: dict[AlertKind, int] = {}
    for row in connection.execute(query):
        kind: AlertKind = "discrepancy_old"
        if row.kind == "fork":
            kind = "discrepancy_fork"
        elif 0 < row.due_ms < now_ms:
            kind = "discrepancy_overdue"
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= PER_KIND_MAX:
            yield Alert(
                kind=kind,
                warehouse=row.warehouse,
                subject=row.id,
                item=row.item,
                location=row.location or row.gateway,
                lot=row.lot,
                since_ms=row.opened_ms,
                detail=row.kind,
            )
