"""What every step of a sales order begins and ends with. Edge of the database."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from msgspec.structs import replace

from central.ledger.desk import Change, require_version
from central.orders.reserving.reservation_book import Granted, ReservationBook, Wanted
from central.orders.reserving.reservation_levels import level
from central.orders.reserving.reservation_rows import ItemStock
from central.orders.reserving.shortages import settle_shortages
from central.orders.sales.sales_orders import STATES, OrderFigures, SalesOrder, State
from central.orders.sales.sales_store import read_counted, read_order, write_order
from central.orders.sales.shipment_guidance import tell_stations
from central.orders.state_tables import next_state

KIND = "sales_order"  # Of its events.


def begin_step(
    change: Change, code: str, action: str, version: int | None
) -> tuple[SalesOrder, State]:
    """Return an order and its state after an action. Raises NotThere, Outdated, Conflict."""
    order = read_order(change.connection, code)
    require_version(order.version, version, what=str(order))
    after = next_state(STATES, action=action, state=order.state, what=str(order))
    return order, cast("State", after)


def save_step(
    change: Change,
    order: SalesOrder,
    done: str,
    *,
    after: State | None = None,
    lines_too: bool = False,
    **fields: object,
) -> SalesOrder:
    """Write an order as its next version, with an event that says what was done.

    after: its state from now on, None for the one that it has.
    """
    order = replace(
        order, version=order.version + 1, changed_ms=change.now_ms, state=after or order.state
    )
    write_order(change.connection, order, lines_too=lines_too)
    note_step(change, order, done, **fields)
    return order


def note_step(change: Change, order: SalesOrder, done: str, **fields: object) -> None:
    """Note what was done to an order."""
    change.note(KIND, order.code, done, warehouse=order.warehouse, **fields)


def book_of(
    change: Change,
    orders: Sequence[SalesOrder],
    *,
    stock_of: Callable[[str], Mapping[str, ItemStock]] | None = None,
) -> ReservationBook:
    """Return the reservations of orders. stock_of: as `ReservationBook` takes it."""
    book = ReservationBook(change.connection, now_ms=change.now_ms, stock_of=stock_of)
    book.load([order.holder for order in orders])
    return book


def set_aside(change: Change, book: ReservationBook, figures: OrderFigures) -> list[Granted]:
    """Set aside what an order still waits for, and anew what may no longer be shipped.

    Returns what came of each line that wants something. The caller writes the book.
    """
    order = figures.order
    figures = level(book, figures)
    missing = {line.line.line: line.backorder_micro for line in figures.lines}
    for row in book.unfit(order.holder):
        missing[row.holder.line] += row.quantity_micro
        book.free(row, row.quantity_micro, reason="may no longer be shipped")
    granted = book.reserve(
        [
            Wanted(order.key_of(line.line), line.item, missing[line.line], line.lot)
            for line in order.lines
            if missing[line.line]
        ]
    )
    covered = {one.wanted.holder for one in granted if not one.missing_micro}
    settle_shortages(
        change.connection, covered, why="other stock was set aside", now_ms=change.now_ms
    )
    return granted


def tell_if_released(change: Change, book: ReservationBook, order: SalesOrder) -> SalesOrder:
    """Let stations know what is now set aside for an order that they work on."""
    if order.state != "released":
        return order
    document = (order.warehouse, order.code)
    counted = read_counted(change.connection, [document])
    return tell_stations(change, book, order, counted.get(order.code, {}))


def free_all(change: Change, order: SalesOrder, *, reason: str) -> None:
    """Give up all that is set aside for an order, and settle what was short."""
    book = book_of(change, [order])
    for row in book.of(order.holder):
        if row.quantity_micro:
            book.free(row, row.quantity_micro, reason=reason)
    book.write()
    lines = [order.key_of(line.line) for line in order.lines]
    settle_shortages(change.connection, lines, why=reason, now_ms=change.now_ms)
