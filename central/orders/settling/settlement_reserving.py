"""What an order or a transfer lost that was set aside, and what can be instead. Edge of SQL."""

from dataclasses import replace

from sqlalchemy import Connection

from central.ledger.desk import Change
from central.orders.reserving.reservation_book import ReservationBook, Wanted
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.sales.sales_book import reserve_order
from central.orders.sales.sales_orders import RESERVING, LineFigures, SalesOrder
from central.orders.sales.sales_store import read_figures, read_orders
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found
from central.orders.transfers.transfer_book import decide
from central.orders.transfers.transfer_picks import waits_micro
from central.orders.transfers.transfer_store import find_transfers, read_standings
from central.orders.transfers.transfers import Transfer


def case_of_reservation(connection: Connection, row: Found, *, now_ms: int) -> Case:
    """Return what a line waits for, and how much of it could be set aside now."""
    case = Case(
        kind=row.kind, warehouse=row.warehouse, item=row.item, unit=row.unit, document=row.document
    )
    wanted = wanted_now(connection, row)
    if wanted is None:
        return case
    book = ReservationBook(connection, now_ms=now_ms)
    book.load([wanted.holder.holder])
    (granted,) = book.reserve([wanted])  # Tried, and never written.
    return replace(case, missing_micro=wanted.quantity_micro, available_micro=granted.granted_micro)


def reserve_anew(change: Change, row: Found) -> int:
    """Set aside what an order or a transfer waits for; return 1 if its line is still short, else 0.

    Raises Conflict, with what is available, if nothing could be set aside.
    """
    if _transfer(change.connection, row) is None:
        reserve_order(change, row.document)
    else:
        decide(change, row.document, "reserve", version=None)
    return int(wanted_now(change.connection, row) is not None)


def wanted_now(connection: Connection, row: Found) -> Wanted | None:
    """Return what a line still waits for, None if it waits for nothing."""
    transfer = _transfer(connection, row)
    if transfer is not None:
        return _of_transfer(connection, transfer, row)
    found = _of_order(connection, row)
    if found is None:
        return None
    order, figures = found
    line = figures.line
    return Wanted(order.key_of(line.line), line.item, figures.backorder_micro, line.lot)


def _transfer(connection: Connection, row: Found) -> Transfer | None:
    """Return the transfer that lost it, None where it was an order, which may have such a code."""
    transfer = find_transfers(connection, [row.document]).get(row.document)
    return transfer if transfer is not None and transfer.source == row.warehouse else None


def _of_transfer(connection: Connection, transfer: Transfer, row: Found) -> Wanted | None:
    if "reserve" not in transfer.possible:
        return None
    rows = {transfer.code: read_reservations(connection, [transfer.holder])}
    standing = read_standings(connection, [transfer], rows=rows)[transfer.code]
    for line in standing.lines:
        missing_micro = waits_micro(line, standing.figures, rows[transfer.code])
        if line.line == row.document_line and missing_micro > 0:
            key, place = transfer.key_of(line.line), line.from_location
            return Wanted(key, line.item, missing_micro, line.lot, location=place)
    return None


def _of_order(connection: Connection, row: Found) -> tuple[SalesOrder, LineFigures] | None:
    for order in read_orders(connection, [row.document]):
        if order.state not in RESERVING or order.warehouse != row.warehouse:
            continue
        (figures,) = read_figures(connection, [order])
        for line in figures.lines:
            if line.line.line == row.document_line and line.backorder_micro:
                return order, line
    return None
