"""What an order lost that was set aside, and what can be instead. Edge of the database."""

from dataclasses import replace

from sqlalchemy import Connection

from central.ledger.desk import Change
from central.orders.reserving.reservation_book import ReservationBook, Wanted
from central.orders.sales.sales_book import reserve_order
from central.orders.sales.sales_orders import RESERVING, LineFigures, SalesOrder
from central.orders.sales.sales_store import read_figures, read_orders
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.settlement_proposals import Case


def case_of_reservation(connection: Connection, row: Found, *, now_ms: int) -> Case:
    """Return what a line waits for, and how much of it could be set aside now."""
    case = Case(
        kind=row.kind, warehouse=row.warehouse, item=row.item, unit=row.unit, document=row.document
    )
    if not read_orders(connection, [row.document]):  # It is of something that reserves by itself.
        return replace(case, missing_micro=max(row.expected_micro - row.actual_micro, 0))
    found = _waiting(connection, row)
    if found is None:
        return case
    order, figures = found
    line = figures.line
    book = ReservationBook(connection, now_ms=now_ms)
    book.load([order.holder])
    wanted = Wanted(order.key_of(line.line), line.item, figures.backorder_micro, line.lot)
    (granted,) = book.reserve([wanted])  # Tried, and never written.
    return replace(
        case, missing_micro=figures.backorder_micro, available_micro=granted.granted_micro
    )


def reserve_anew(change: Change, row: Found) -> int:
    """Set aside what an order waits for; return 1 if its line is still short, else 0.

    Raises Conflict, with what is available, if nothing could be set aside.
    """
    reserve_order(change, row.document)
    return int(_waiting(change.connection, row) is not None)


def _waiting(connection: Connection, row: Found) -> tuple[SalesOrder, LineFigures] | None:
    """Return the order and the line that still waits for stock, None if it does not."""
    for order in read_orders(connection, [row.document]):
        if order.state not in RESERVING or order.warehouse != row.warehouse:
            continue
        (figures,) = read_figures(connection, [order])
        for line in figures.lines:
            if line.line.line == row.document_line and line.backorder_micro:
                return order, line
    return None
