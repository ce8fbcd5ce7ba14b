"""How reliable suppliers are: in time, and good when they were looked at. Edge of the database.

on time     order lines of which all had come by the end of the promised day / lines due
pass rate   inspections without a rejection / inspections that are decided
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import Connection, exists, select

from central.stock.deliveries import day_text, end_of_day
from central.stock.kpis import ON_TIME_ALARM_BELOW, Span, share
from central.stock.sums import AnyRow
from central.storage import bulk
from central.storage.catalogue_tables import partners
from central.storage.purchasing_tables import (
    document_arrivals,
    inspection_decisions,
    inspections,
    purchase_lines,
    purchase_orders,
    shipping_notices,
)

ORDERS_MAX = 20_000
INSPECTIONS_MAX = 50_000
CODES_PER_SELECT_MAX = 500
PERCENT_MICRO = 100_000_000
PROMISED = ("sent", "confirmed", "closed")
DocumentKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SupplierRecord:
    """How one supplier did. late_orders: codes of orders with lines that came late or not."""

    supplier: str
    name: str
    name_zh: str
    due_count: int = 0
    on_time_count: int = 0
    decided_count: int = 0
    passed_count: int = 0
    late_orders: tuple[str, ...] = ()

    @property
    def on_time(self) -> Fraction | None:
        """Return the share of lines that came in time, None if none was due."""
        return share(self.on_time_count, self.due_count)

    @property
    def passed(self) -> Fraction | None:
        """Return the share of inspections without a rejection, None if none was decided."""
        return share(self.passed_count, self.decided_count)

    @property
    def alarm(self) -> bool:
        """Return whether fewer than 95 percent of the lines came in time."""
        return self.on_time is not None and self.on_time < ON_TIME_ALARM_BELOW


@dataclass(frozen=True, slots=True)
class _Arrived:
    quantity_micro: int
    last_ms: int


def read_suppliers(
    connection: Connection, span: Span, *, warehouse: str = ""
) -> list[SupplierRecord]:
    """Return suppliers of whom something was due or inspected in the span, by code."""
    found: dict[str, SupplierRecord] = {}
    _add_lines(connection, span, warehouse, found)
    _add_inspections(connection, span, warehouse, found)
    names = {
        row[0]: (row[3], row[4])
        for row in bulk.select_by_key(
            connection, partners, [(code,) for code in found], columns_count=1
        )
    }
    named = []
    for code in sorted(found):
        name, name_zh = names.get(code, ("", ""))
        named.append(replace(found[code], name=name, name_zh=name_zh))
    return named


def _add_lines(
    connection: Connection, span: Span, warehouse: str, found: dict[str, SupplierRecord]
) -> None:
    lines, orders = purchase_lines.c, purchase_orders.c
    query = (
        select(
            orders.code,
            orders.warehouse,
            orders.supplier,
            orders.promised_date.label("order_date"),
            lines.item,
            lines.expected_micro,
            lines.under_percent_micro,
            lines.promised_date,
        )
        .join_from(purchase_orders, purchase_lines, lines.code == orders.code)
        .where(orders.state.in_(PROMISED))
        .where((lines.promised_date >= day_text(span.from_ms)) | (lines.promised_date == ""))
        .where((lines.promised_date != "") | (orders.promised_date >= day_text(span.from_ms)))
        .order_by(orders.code, lines.line)
        .limit(ORDERS_MAX)
    )
    if warehouse:
        query = query.where(orders.warehouse == warehouse)
    rows = connection.execute(query).all()
    arrived = _arrived(connection, rows)
    wanted: dict[tuple[str, str], int] = {}
    for row in rows:
        due = row.promised_date or row.order_date
        end_ms = end_of_day(due)
        least = row.expected_micro - row.expected_micro * row.under_percent_micro // PERCENT_MICRO
        key = (row.code, row.item)
        # Lines of one item are filled in their order.
        wanted[key] = wanted.get(key, 0) + least
        if end_ms is None or due > day_text(span.to_ms):
            continue
        came = arrived.get(key, _Arrived(0, 0))
        complete = came.quantity_micro >= wanted[key]
        if not complete and span.to_ms < end_ms:
            continue
        _count_line(found, row, on_time=complete and came.last_ms < end_ms)


def _count_line(found: dict[str, SupplierRecord], row: AnyRow, *, on_time: bool) -> None:
    known = found.get(row.supplier, SupplierRecord(row.supplier, "", ""))
    late = known.late_orders
    if not on_time and row.code not in late:
        late = (*late, row.code)
    found[row.supplier] = replace(
        known,
        due_count=known.due_count + 1,
        on_time_count=known.on_time_count + on_time,
        late_orders=late,
    )


def _arrived(connection: Connection, rows: Iterable[AnyRow]) -> dict[tuple[str, str], _Arrived]:
    """Return what came of orders, by order and item, also under codes of shipping notices."""
    order_of: dict[DocumentKey, str] = {(row.warehouse, row.code): row.code for row in rows}
    codes = sorted({code for _, code in order_of})
    notices = shipping_notices.c
    for start in range(0, len(codes), CODES_PER_SELECT_MAX):
        query = select(notices.warehouse, notices.code, notices.order_code).where(
            notices.order_code.in_(codes[start : start + CODES_PER_SELECT_MAX])
        )
        for warehouse, code, order_code in connection.execute(query):
            order_of[warehouse, code] = order_code
    found: dict[tuple[str, str], _Arrived] = {}
    for row in bulk.select_by_key(connection, document_arrivals, sorted(order_of), columns_count=2):
        warehouse, document, _, item, _, _, _, quantity_micro, _, last_ms, _ = row
        key = (order_of[warehouse, document], item)
        known = found.get(key, _Arrived(0, 0))
        found[key] = _Arrived(known.quantity_micro + quantity_micro, max(known.last_ms, last_ms))
    return found


def _add_inspections(
    connection: Connection, span: Span, warehouse: str, found: dict[str, SupplierRecord]
) -> None:
    table, decisions = inspections.c, inspection_decisions.c
    rejected = exists().where(decisions.code == table.code, decisions.decision == "reject")
    decided = exists().where(
        decisions.code == table.code, decisions.decision.in_(("accept", "reject"))
    )
    query = (
        select(table.document, rejected.label("rejected"))
        .where(
            table.open.is_(False),
            table.changed_ms >= span.from_ms,
            table.changed_ms < span.to_ms,
            table.document != "",
            decided,
        )
        .limit(INSPECTIONS_MAX)
    )
    if warehouse:
        query = query.where(table.warehouse == warehouse)
    rows = connection.execute(query).all()
    supplier_of = _suppliers(connection, sorted({row.document for row in rows}))
    for row in rows:
        code = supplier_of.get(row.document)
        if code is None:
            continue
        known = found.get(code, SupplierRecord(code, "", ""))
        found[code] = replace(
            known,
            decided_count=known.decided_count + 1,
            passed_count=known.passed_count + (not row.rejected),
        )


def _suppliers(connection: Connection, documents: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in (shipping_notices, purchase_orders):
        keys = [(code,) for code in documents]
        position = table.columns.keys().index("supplier")
        for row in bulk.select_by_key(connection, table, keys, columns_count=1):
            found[row[0]] = row[position]
    return found
