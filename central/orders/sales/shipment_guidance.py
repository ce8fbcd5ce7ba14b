"""What stations are told of an order: its picks, numbered on the way. Edge of the database."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from central.ledger.desk import Change
from central.orders.document_progress import CountedKey, by_number
from central.orders.order_documents import replace_document
from central.orders.order_goods import supplier_names
from central.orders.reserving.reservation_book import ReservationBook
from central.orders.reserving.reservation_rows import WALK_ORDER_UNSAID
from central.orders.reserving.reservations import Reservation
from central.orders.reserving.unasked_goods import unasked_of_picks
from central.orders.sales.lost_picks import lost_picks
from central.orders.sales.picking import number_picks
from central.orders.sales.sales_orders import NOTHING, SalesOrder, figures_of, shipment_document
from central.storage import bulk, catalogue_tables


def tell_stations(
    change: Change,
    book: ReservationBook,
    order: SalesOrder,
    counted: Mapping[CountedKey, int],
) -> SalesOrder:
    """Let stations work on what is set aside for a released order; return it, no longer stale.

    book: has the order's rows loaded, and is written by the caller.
    """
    walk = read_walk_orders(change.connection, book.of(order.holder))
    said = [key.line for key in counted]
    for row, pick_line in number_picks(book.of(order.holder), walk, counted=said):
        book.give_pick_line(row, pick_line)
    partner = supplier_names(change.connection, [order.customer])[order.customer]
    rows = book.of(order.holder)
    corrections = _corrections(change.connection, order, rows, counted) if counted else NOTHING
    document = shipment_document(order, rows, counted, partner=partner, corrections=corrections)
    replace_document(change, document, warehouse=order.warehouse, code=order.code)
    return replace(order, stale=False)


def _corrections(
    connection: Connection,
    order: SalesOrder,
    rows: Sequence[Reservation],
    counted: Mapping[CountedKey, int],
) -> dict[int, int]:
    """Return how much more of each pick the order asks for than what left under it and is held."""
    figures = figures_of(order, rows, counted)
    too_much = {
        one.line.line: one.progress.done_micro
        + one.reserved_micro
        - one.line.expected.expected_micro
        for one in figures.lines
    }
    picks = {row.pick_line: row.holder.line for row in rows if row.pick_line}
    went = by_number(counted, {row.pick_line: row.stock.item for row in rows if row.pick_line})
    document = (order.warehouse, order.code)
    unasked = unasked_of_picks(connection, document, went, picks=picks, too_much=too_much)
    found = {number: -quantity_micro for number, quantity_micro in unasked.items()}
    return found | lost_picks(figures) if figures.progress.unexpected else found


def take_from_stations(change: Change, order: SalesOrder) -> SalesOrder:
    """Let stations work on an order no more; return it, no longer stale."""
    replace_document(change, None, warehouse=order.warehouse, code=order.code)
    return replace(order, stale=False)


def read_walk_orders(
    connection: Connection, rows: Iterable[Reservation]
) -> dict[tuple[str, str], int]:
    """Return where pickers pass the places of reservations, by (warehouse, location).

    A place that the catalogue gives none comes after all others.
    """
    places = sorted({(row.stock.warehouse, row.stock.location) for row in rows})
    found = dict.fromkeys(places, WALK_ORDER_UNSAID)
    for row in bulk.select_by_key(
        connection, catalogue_tables.location_details, places, columns_count=2
    ):
        if row[6]:
            found[row[0], row[1]] = row[6]
    return found
