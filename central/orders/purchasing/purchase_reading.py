"""Reads purchase orders with what came of them. Edge of the database; writes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, select

from central.errors import NotThere
from central.ledger.progress import IN, sign_of
from central.orders.document_progress import (
    CountedKey,
    DocumentProgress,
    ExpectedQuantity,
    progress_of,
    share_out,
)
from central.orders.purchasing.purchase_orders import (
    RELEASED,
    NotifiedQuantity,
    PurchaseLine,
    PurchaseOrder,
    Stage,
    stage_of,
)
from central.storage import bulk, purchasing_tables, tables

SCANNED_MAX = 2000  # Orders that one page looks at; a page of few matches ends sooner.
DERIVED: frozenset[str] = frozenset({"part_received", "received"})
DocumentKey = tuple[str, str]  # warehouse, document


@dataclass(frozen=True, slots=True)
class Arrival:
    """When goods of a document came, by the clocks of the docks, in milliseconds."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class PurchaseView:
    """An order with what came of it. arrival: None if nothing came.

    notices: codes of the notices of shipment that are still on their way.
    """

    order: PurchaseOrder
    progress: DocumentProgress
    stage: Stage
    arrival: Arrival | None
    notices: tuple[str, ...]


class NotifiedLine(NamedTuple):
    """A line of a notice that is on its way, and what the ledger has counted for it."""

    notice: str
    line: int
    order_line: int
    expected_micro: int
    done_micro: int


@dataclass(frozen=True, slots=True)
class NoticeShares:
    """What notices of shipment say of one order. coming: lines of those on their way.

    promised: by line, what they are to bring instead of the order's own document, or brought until
    they ended. counted: by line, what the ledger has counted under their codes; ended: under those
    of the ones that ended, or more, if it was when they did.
    """

    codes: tuple[str, ...]
    coming: tuple[NotifiedLine, ...]
    promised: Mapping[int, NotifiedQuantity]
    counted: Mapping[int, int]
    ended: Mapping[int, int]

    def outstanding_micro(self, line: int) -> int:
        """Return what notices on their way are still to bring of a line of the order."""
        return sum(
            max(one.expected_micro - max(one.done_micro, 0), 0)
            for one in self.coming
            if one.order_line == line
        )


@dataclass(frozen=True, slots=True)
class PurchaseFilter:
    """Which orders. state: also the derived ones. late_on: those that are late on that day.

    "" is any, everywhere.
    """

    state: str = ""
    warehouse: str = ""
    supplier: str = ""
    item: str = ""
    late_on: str = ""


NO_SHARES = NoticeShares((), (), {}, {}, {})


def load_order(connection: Connection, code: str) -> PurchaseOrder:
    """Return an order. Raises NotThere."""
    found = load_orders(connection, [code])
    if not found:
        raise NotThere(
            f"no purchase order is called {code}",
            hint="Correct the code; the list shows all orders.",
            fields={"code": code},
        )
    return found[0]


def load_orders(connection: Connection, codes: Sequence[str]) -> list[PurchaseOrder]:
    """Return those orders that are there, by code."""
    table = purchasing_tables.purchase_orders
    query = select(table).where(table.c.code.in_(codes)).order_by(table.c.code)
    return _orders(connection, connection.execute(query).all())


def view_order(connection: Connection, code: str) -> PurchaseView:
    """Return an order with what came of it. Raises NotThere."""
    return view_orders(connection, [load_order(connection, code)])[0]


def view_orders(connection: Connection, orders: Sequence[PurchaseOrder]) -> list[PurchaseView]:
    """Return orders with what came of them."""
    keys = [(order.warehouse, order.code) for order in orders]
    counted = read_counted(connection, keys)
    arrivals = read_arrivals(connection, keys)
    shares = read_shares(connection, orders)
    views = []
    for order, key in zip(orders, keys, strict=True):
        share = shares.get(order.code, NO_SHARES)
        progress = progress_of(
            [line.expected for line in order.lines],
            counted.get(key, {}),
            elsewhere=share.counted,
        )
        views.append(
            PurchaseView(order, progress, stage_of(order, progress), arrivals.get(key), share.codes)
        )
    return views


def list_orders(
    connection: Connection, wanted: PurchaseFilter, *, after: str, limit: int
) -> tuple[list[PurchaseView], str]:
    """Return orders by code after one, and the code to go on after ("": there are no more).

    What is derived is judged order by order: a page may be shorter than `limit` and not the last.
    """
    found: list[PurchaseView] = []
    for _ in range(max(SCANNED_MAX // limit, 1)):
        rows = _candidates(connection, wanted, after=after, limit=limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        for view in view_orders(connection, _orders(connection, rows)):
            if _matches(view, wanted):
                found.append(view)
                if len(found) == limit:
                    last = view.order.code
                    return found, last if more or last != rows[-1].code else ""
        if not more:
            return found, ""
        after = rows[-1].code
    return found, after


def is_late(view: PurchaseView, *, on_date: str) -> bool:
    """Return whether something that was promised for a day before did not come until then."""
    if view.order.state not in RELEASED:
        return False
    open_lines = {line.line for line in view.progress.lines if line.remaining_micro}
    promised = [
        line.promised_date or view.order.promised_date
        for line in view.order.lines
        if line.line in open_lines
    ]
    return any(date and date < on_date for date in promised)


def read_counted(
    connection: Connection, keys: Sequence[DocumentKey], *, way: int = IN
) -> dict[DocumentKey, dict[CountedKey, int]]:
    """Return what the ledger has counted towards documents.

    way: IN for what came in, OUT for what went out, whichever way it was counted: facts that come
    while stations are not told of a document are counted as coming in.
    """
    counted: dict[DocumentKey, dict[CountedKey, int]] = {}
    for row in bulk.select_by_key(connection, tables.document_progress, keys, columns_count=2):
        warehouse, document, line, item, unit, _, _, received_micro, _, direction = row
        if received_micro:
            key = CountedKey(line, item, unit)
            counted.setdefault((warehouse, document), {})[key] = (
                received_micro * sign_of(direction) * way
            )
    return counted


def read_arrivals(
    connection: Connection, keys: Sequence[DocumentKey]
) -> dict[DocumentKey, Arrival]:
    """Return when goods of documents came; documents of which nothing is there are left out."""
    found: dict[DocumentKey, Arrival] = {}
    table = purchasing_tables.document_arrivals
    for row in bulk.select_by_key(connection, table, keys, columns_count=2):
        warehouse, document, *_, quantity_micro, first_ms, last_ms, _ = row
        if not quantity_micro:
            continue
        known = found.get((warehouse, document), Arrival(first_ms, last_ms))
        found[warehouse, document] = Arrival(
            min(known.first_ms, first_ms), max(known.last_ms, last_ms)
        )
    return found


def read_shares(connection: Connection, orders: Sequence[PurchaseOrder]) -> dict[str, NoticeShares]:
    """Return what notices of shipment with documents of their own say of orders, by order."""
    notices, lines = purchasing_tables.shipping_notices.c, purchasing_tables.notice_lines.c
    heads = connection.execute(
        select(notices.code, notices.warehouse, notices.order_code, notices.state)
        .where(
            notices.order_code.in_([order.code for order in orders]),
            notices.own_document,
            notices.state.in_(("expected", "closed")),
        )
        .order_by(notices.code)
    ).all()
    if not heads:
        return {}
    rows: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(
        select(purchasing_tables.notice_lines)
        .where(lines.code.in_([head.code for head in heads]))
        .order_by(lines.code, lines.line)
    ):
        rows.setdefault(row.code, []).append(row)
    counted = read_counted(connection, [(head.warehouse, head.code) for head in heads])
    codes: dict[str, list[str]] = {}
    coming: dict[str, list[NotifiedLine]] = {}
    promised: dict[str, dict[int, NotifiedQuantity]] = {}
    arrived: dict[str, dict[int, int]] = {}
    ended: dict[str, dict[int, int]] = {}
    for head in heads:
        own = rows.get(head.code, [])
        if head.state == "expected":
            codes.setdefault(head.order_code, []).append(head.code)
        _promise(promised.setdefault(head.order_code, {}), own)
        done, _ = share_out(
            [ExpectedQuantity(row.line, row.item, row.unit, row.quantity_micro) for row in own],
            counted.get((head.warehouse, head.code), {}),
        )
        sums = arrived.setdefault(head.order_code, {})
        past = ended.setdefault(head.order_code, {})
        on_way = coming.setdefault(head.order_code, [])
        for row in own:
            micro, order_line = done[row.line], row.order_line
            sums[order_line] = sums.get(order_line, 0) + micro
            if row.ended_micro is None:
                expected = (order_line, row.quantity_micro)
                on_way.append(NotifiedLine(head.code, row.line, *expected, micro))
            else:
                past[order_line] = past.get(order_line, 0) + max(micro, row.ended_micro)
    return {
        code: NoticeShares(
            tuple(codes.get(code, ())),
            tuple(coming[code]),
            promised[code],
            arrived[code],
            ended[code],
        )
        for code in promised
    }


def _promise(promised: dict[int, NotifiedQuantity], rows: Iterable[Row[Any]]) -> None:
    for row in rows:
        before = promised.get(row.order_line, NotifiedQuantity())
        if row.ended_micro is None:
            said = NotifiedQuantity(before.awaited_micro + row.quantity_micro, before.arrived_micro)
        else:
            said = NotifiedQuantity(before.awaited_micro, before.arrived_micro + row.ended_micro)
        promised[row.order_line] = said


def _candidates(
    connection: Connection, wanted: PurchaseFilter, *, after: str, limit: int
) -> Sequence[Row[Any]]:
    table = purchasing_tables.purchase_orders
    conditions = [table.c.code > after]
    if wanted.warehouse:
        conditions.append(table.c.warehouse == wanted.warehouse)
    if wanted.supplier:
        conditions.append(table.c.supplier == wanted.supplier)
    if wanted.state in DERIVED or wanted.late_on:
        conditions.append(table.c.state.in_(sorted(RELEASED)))
    if wanted.state and wanted.state not in DERIVED:
        conditions.append(table.c.state == wanted.state)
    if wanted.item:
        lines = purchasing_tables.purchase_lines.c
        has_item = select(lines.code).where(
            and_(lines.item == wanted.item, lines.code == table.c.code)
        )
        conditions.append(has_item.exists())
    query = select(table).where(*conditions).order_by(table.c.code).limit(limit)
    return connection.execute(query).all()


def _matches(view: PurchaseView, wanted: PurchaseFilter) -> bool:
    if wanted.state and view.stage != wanted.state:
        return False
    return not wanted.late_on or is_late(view, on_date=wanted.late_on)


def _orders(connection: Connection, rows: Sequence[Row[Any]]) -> list[PurchaseOrder]:
    lines: dict[str, list[PurchaseLine]] = {}
    keys = [(row.code,) for row in rows]
    for found in bulk.select_by_key(
        connection, purchasing_tables.purchase_lines, keys, columns_count=1
    ):
        lines.setdefault(found[0], []).append(PurchaseLine(*found[1:]))
    return [
        PurchaseOrder(
            **row._mapping,
            lines=tuple(sorted(lines.get(row.code, []), key=lambda line: line.line)),
        )
        for row in rows
    ]
