"""Gives up what lines of orders and transfers no longer wait for. Edge of the database.

A station that does not name a pick counts for the lines of the item in their order, whichever of
them the goods were set aside for. What one line then has too much, another of the item may lack.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from central.orders.reserving.reservation_book import ReservationBook, Wanted
from central.orders.reserving.reservations import LineKey
from central.orders.sales.sales_orders import RESERVING, OrderFigures, figures_of
from central.orders.sales.sales_store import read_counted, read_orders
from central.orders.transfers.transfer_picks import waits_micro
from central.orders.transfers.transfer_store import find_transfers, read_standings


def level_orders(
    connection: Connection, book: ReservationBook, codes: Collection[str]
) -> list[OrderFigures]:
    """Level the lines of orders whose rows are loaded, and set aside what others of them lack.

    Returns the figures of those that set something aside, as they were before.
    """
    found = []
    orders = [one for one in read_orders(connection, codes) if one.state in RESERVING]
    counted = read_counted(connection, [(one.warehouse, one.code) for one in orders])
    for order in orders:
        figures = figures_of(order, book.of(order.holder), counted.get(order.code, {}))
        found.append(figures)
        items = {line.line.item for line in figures.lines if line.spare_micro}
        if not items:
            continue
        figures = level(book, figures)
        book.reserve(
            [
                Wanted(
                    order.key_of(line.line.line),
                    line.line.item,
                    line.backorder_micro,
                    line.line.lot,
                )
                for line in figures.lines
                if line.line.item in items and line.backorder_micro
            ]
        )
    return found


def level(book: ReservationBook, figures: OrderFigures) -> OrderFigures:
    """Give up what lines of one order have set aside and no longer wait for; return its figures."""
    order = figures.order
    for line in figures.lines:
        give_up_spare(book, order.key_of(line.line.line), line.spare_micro)
    return figures_of(order, book.of(order.holder), figures.counted)


def level_transfers(
    connection: Connection, book: ReservationBook, codes: Collection[str]
) -> set[str]:
    """Level the lines of transfers whose rows are loaded, as `level_orders` does.

    Returns the codes of those of which goods were freed or set aside, of which nobody was told yet.
    """
    found = [one for one in find_transfers(connection, codes).values() if one.state == "released"]
    untold: set[str] = set()
    for transfer in sorted(found, key=lambda one: one.code):
        rows = {transfer.code: book.of(transfer.holder)}
        standing = read_standings(connection, [transfer], rows=rows)[transfer.code]
        waits = {
            line: waits_micro(line, standing.figures, rows[transfer.code])
            for line in standing.lines
        }
        items = {line.item for line, micro in waits.items() if micro < 0}
        if items:
            untold.add(transfer.code)
        for line, micro in waits.items():
            give_up_spare(book, transfer.key_of(line.line), -micro)
        wanted = [
            Wanted(
                transfer.key_of(line.line),
                line.item,
                micro,
                line.lot,
                location=line.from_location,
            )
            for line, micro in waits.items()
            if micro > 0 and line.item in items
        ]
        book.reserve(wanted)
    return untold


def give_up_spare(book: ReservationBook, line: LineKey, spare_micro: int) -> None:
    """Give up so much of what a line has set aside, what was not picked yet first."""
    if spare_micro <= 0:
        return
    held = [row for row in book.of(line.holder) if row.holder == line and row.quantity_micro]
    for row in sorted(held, key=lambda one: (one.picked, one.stock)):
        part_micro = min(row.quantity_micro, spare_micro)
        if part_micro > 0:
            book.free(row, part_micro, reason="as much went out for the line")
            spare_micro -= part_micro
