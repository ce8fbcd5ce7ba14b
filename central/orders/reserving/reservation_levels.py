"""Gives up what lines of an order no longer wait for. Edge of the database.

A station that does not name a pick counts for the lines of the item in their order, whichever of
them the goods were set aside for. What one line then has too much, another of the item may lack.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from central.orders.reserving.reservation_book import ReservationBook, Wanted
from central.orders.sales.sales_orders import RESERVING, OrderFigures, figures_of
from central.orders.sales.sales_store import read_counted, read_orders


def level_orders(connection: Connection, book: ReservationBook, codes: Collection[str]) -> None:
    """Level the lines of orders whose rows are loaded, and set aside what others of them lack."""
    orders = [one for one in read_orders(connection, codes) if one.state in RESERVING]
    counted = read_counted(connection, [(one.warehouse, one.code) for one in orders])
    for order in orders:
        figures = figures_of(order, book.of(order.holder), counted.get(order.code, {}))
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


def level(book: ReservationBook, figures: OrderFigures) -> OrderFigures:
    """Give up what lines of one order have set aside and no longer wait for; return its figures."""
    order = figures.order
    for line in figures.lines:
        spare_micro = line.spare_micro
        held = [
            row
            for row in book.of(order.holder)
            if row.holder.line == line.line.line and row.quantity_micro
        ]
        for row in sorted(held, key=lambda one: (one.picked, one.stock)):
            part_micro = min(row.quantity_micro, spare_micro)
            if part_micro > 0:
                book.free(row, part_micro, reason="as much went out for the line")
                spare_micro -= part_micro
    return figures_of(order, book.of(order.holder), figures.counted)
