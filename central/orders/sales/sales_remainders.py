"""What becomes of orders that cannot go out in full. Edge of the database.

backorders   what waits for stock is set aside once there is some, the oldest promise first
short pick   a picker found less than is set aside: other stock is, as far as there is any
giving up    what will not be shipped any more, for a reason
"""

from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import Connection, func, select, tuple_

from central.errors import Conflict, Unusable
from central.ledger.desk import Change
from central.orders.order_goods import checked_reason, require_whole
from central.orders.reserving.reservation_book import Granted, ReservationBook, Wanted
from central.orders.reserving.reservations import SALES_ORDER, Reservation
from central.orders.reserving.shortages import report_shortages, settle_shortages
from central.orders.sales.sales_orders import RESERVING, OrderFigures, SalesOrder, line_of
from central.orders.sales.sales_steps import (
    begin_step,
    book_of,
    save_step,
    set_aside,
    tell_if_released,
)
from central.orders.sales.sales_store import read_figures, read_orders
from central.storage import sales_tables

ORDERS_SAVED_MAX = 200  # That one call sets something aside for.
ORDERS_READ_MAX = 2000  # That one call looks at.
ORDERS_AT_ONCE = 100
NO_PROMISE = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Covered:
    """What was set aside for orders that waited. more: there may be orders left to look at."""

    granted: tuple[Granted, ...]
    more: bool


def reserve_backorders(change: Change, warehouse: str) -> Covered:
    """Set aside what orders of a warehouse wait for, the oldest promise first.

    Orders without a promise come last, in the order of their codes.
    """
    granted: list[Granted] = []
    after = ("", "")
    saved_count = 0
    for _ in range(ORDERS_READ_MAX // ORDERS_AT_ONCE):
        found = _open_orders(change.connection, warehouse, after)
        orders = read_orders(change.connection, [code for _, code in found])
        by_code = {one.order.code: one for one in read_figures(change.connection, orders)}
        waiting = [by_code[code] for _, code in found if _waits(by_code[code])]
        book = book_of(change, [one.order for one in waiting])
        for figures in waiting:
            if saved_count == ORDERS_SAVED_MAX:
                return Covered(tuple(granted), more=True)
            got = [one for one in set_aside(change, book, figures) if one.granted_micro]
            if got:
                order = tell_if_released(change, book, figures.order)
                book.write()
                save_step(change, order, "reserved", lines_count=len(got))
                saved_count += 1
            granted += got
        book.write()
        if len(found) < ORDERS_AT_ONCE:
            return Covered(tuple(granted), more=False)
        after = found[-1]
    return Covered(tuple(granted), more=True)


def give_up(
    change: Change,
    code: str,
    line: int,
    *,
    reason: str,
    quantity_micro: int | None = None,
    version: int | None = None,
) -> SalesOrder:
    """Ship no more of a line, or so much less of it; None for all that has not gone out yet.

    Raises Conflict for more than that, Unusable for a part of a piece that leaves another part.
    """
    order, _ = begin_step(change, code, "give_up", version)
    reason = checked_reason(reason, what=f"giving up line {line} of {order}")
    asked = line_of(order, line)
    (figures,) = read_figures(change.connection, [order])
    (found,) = [one for one in figures.lines if one.line.line == line]
    left_micro = max(asked.expected.expected_micro - found.progress.done_micro, 0)
    quantity_micro = left_micro if quantity_micro is None else quantity_micro
    if quantity_micro != left_micro:
        require_whole(change.connection, asked.item, quantity_micro)
    if not 0 < quantity_micro <= left_micro:
        raise Conflict(
            f"of line {line} of {order} so much is not left to give up",
            hint="Give up no more than has not gone out yet.",
            fields={"line": line, "left_micro": left_micro},
        )
    given_up = replace(asked, given_up_micro=asked.given_up_micro + quantity_micro)
    order = replace(
        order,
        reason=reason,
        lines=tuple(given_up if one.line == line else one for one in order.lines),
    )
    _refuse_empty(order)
    book = book_of(change, [order])
    spare_micro = found.reserved_micro - (left_micro - quantity_micro)
    _free_spare(book, book.of(order.holder), line, spare_micro, reason=f"given up: {reason}")
    if found.backorder_micro <= quantity_micro:
        why = f"given up: {reason}"
        settle_shortages(change.connection, [order.key_of(line)], why=why, now_ms=change.now_ms)
    order = tell_if_released(change, book, order)
    book.write()
    return save_step(change, order, "given_up", lines_too=True, line=line, reason=reason)


def pick_short(
    change: Change, code: str, pick_line: int, *, found_micro: int, version: int | None = None
) -> SalesOrder:
    """Set other stock aside for a pick of which less was found than the books have.

    found_micro: what was found. The books of the place stay as they are until it is counted.
    Raises Unusable for a pick that is not there or a part of a piece, Conflict if all was found.
    """
    order, _ = begin_step(change, code, "short_pick", version)
    book = book_of(change, [order])
    row = _pick_of(book, order, pick_line)
    missing_micro = row.quantity_micro - found_micro
    require_whole(change.connection, row.stock.item, found_micro)
    if missing_micro <= 0 or found_micro < 0:
        raise Conflict(
            f"pick {pick_line} of {order} is not short",
            hint="Say how much was found, if it is less than what is set aside.",
            fields={"pick": pick_line, "set_aside_micro": row.quantity_micro},
        )
    stock = row.stock
    book.free(row, missing_micro, reason=f"not found at {stock.location}")
    line = line_of(order, row.holder.line)
    wanted = Wanted(row.holder, line.item, missing_micro, line.lot)
    (granted,) = book.reserve([wanted], without=frozenset({stock}))
    why = f"{stock.location} has less of {stock.item} than the books say: count it"
    report_shortages(
        change.connection,
        [(granted, stock, why)],
        record_no=change.state.record_no,
        now_ms=change.now_ms,
    )
    order = tell_if_released(change, book, order)
    book.write()
    return save_step(
        change,
        order,
        "picked_short",
        pick=pick_line,
        location=stock.location,
        missing_micro=missing_micro,
        replaced_micro=granted.granted_micro,
    )


def _open_orders(
    connection: Connection, warehouse: str, after: tuple[str, str]
) -> list[tuple[str, str]]:
    """Return (promised on, code) of orders that have a line with less set aside than ordered."""
    orders, lines = sales_tables.sales_orders.c, sales_tables.sales_order_lines.c
    rows = sales_tables.reservations.c
    held = (
        select(func.coalesce(func.sum(rows.quantity_micro), 0))
        .where(
            rows.warehouse == orders.warehouse,
            rows.holder_kind == SALES_ORDER,
            rows.holder == orders.code,
            rows.line == lines.line,
        )
        .correlate(sales_tables.sales_orders, sales_tables.sales_order_lines)
        .scalar_subquery()
    )
    short = (
        select(lines.line)
        .where(lines.order_code == orders.code, lines.quantity_micro - lines.given_up_micro > held)
        .correlate(sales_tables.sales_orders)
        .exists()
    )
    promised = func.coalesce(func.nullif(orders.promised_on, ""), NO_PROMISE)
    query = (
        select(promised, orders.code)
        .where(
            orders.warehouse == warehouse,
            orders.state.in_(sorted(RESERVING)),
            tuple_(promised, orders.code) > tuple_(*after),
            short,
        )
        .order_by(promised, orders.code)
        .limit(ORDERS_AT_ONCE)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def _waits(figures: OrderFigures) -> bool:
    return any(line.backorder_micro for line in figures.lines)


def _refuse_empty(order: SalesOrder) -> None:
    if any(line.expected.expected_micro for line in order.lines):
        return
    raise Conflict(
        f"nothing would be left of {order}",
        hint="Cancel the order instead.",
        fields={"code": order.code},
    )


def _free_spare(
    book: ReservationBook, rows: list[Reservation], line: int, spare_micro: int, *, reason: str
) -> None:
    """Give up what is set aside beyond what is still wanted, what was not picked yet first."""
    held = [row for row in rows if row.holder.line == line and row.quantity_micro]
    for row in sorted(held, key=lambda one: (one.picked, one.stock)):
        part_micro = min(row.quantity_micro, spare_micro)
        if part_micro > 0:
            book.free(row, part_micro, reason=reason)
            spare_micro -= part_micro


def _pick_of(book: ReservationBook, order: SalesOrder, pick_line: int) -> Reservation:
    for row in book.of(order.holder):
        if row.pick_line == pick_line and row.quantity_micro and not row.picked:
            return row
    raise Unusable(
        f"{order} has no pick {pick_line} to be made",
        hint="Name a pick of its list that was not made yet.",
        fields={"pick": pick_line},
    )
