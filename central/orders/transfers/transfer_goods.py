"""Sets goods aside for transfers at their source, and tells its stations. Edge of the database.

release    what there is of each line is set aside; less than all of it is refused, unless the
           transfer may be short (`backorders`)
reserve    what still waits is, and anew what may no longer go; that is given up without others,
           too, if the transfer may be short
end        all that is left of it is free
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from central.contract.reference import DocumentLine
from central.ledger.desk import Change
from central.ledger.reference_desk import put_document
from central.orders.document_progress import by_number
from central.orders.reserving.reservation_book import ReservationBook, Wanted
from central.orders.reserving.reservation_levels import give_up_spare
from central.orders.reserving.reservation_rows import ItemStock
from central.orders.reserving.reservations import Reservation
from central.orders.reserving.shortages import refuse_shortage, settle_shortages
from central.orders.reserving.unasked_goods import unasked_of_picks
from central.orders.sales.shipment_guidance import read_walk_orders
from central.orders.transfers.transfer_picks import (
    NOTHING,
    items_of_numbers,
    lines_of_picks,
    number_rows,
    source_lines,
    waits_micro,
)
from central.orders.transfers.transfer_store import Standing, read_standings
from central.orders.transfers.transfers import Transfer, outward_document
from central.storage import bulk, tables

StockOf = Callable[[str], Mapping[str, ItemStock]]
REVISE = (
    "Wait for stock, or ask for less, or let the rest follow later (backorders). For that a"
    " transfer that is approved is made a draft again."
)


def set_aside_at_release(
    change: Change, transfer: Transfer, standing: Standing, *, stock_of: StockOf | None
) -> ReservationBook:
    """Set aside what a transfer asks for; return the book, for the caller to write.

    stock_of: as `ReservationBook` takes it. Raises Conflict, with what is available of each line,
    if that is less and the transfer may not be short.
    """
    book = ReservationBook(change.connection, now_ms=change.now_ms, stock_of=stock_of)
    granted = book.reserve(_wanted(transfer, standing, ()))
    if not transfer.backorders:
        refuse_shortage(transfer, granted, hint=REVISE)
    return book


def reserve_rest(change: Change, transfer: Transfer) -> Transfer:
    """Set aside what a released transfer still waits for, tell its source, and return it.

    Raises Conflict if there is nothing for any of its lines, unless goods that may no longer go are
    given up and it may be short.
    """
    book = _book_of(change, transfer)
    unfit = book.unfit(transfer.holder)
    for row in unfit:
        book.free(row, row.quantity_micro, reason="may no longer be shipped")
    standing = _standing(change, book, transfer)
    for line in standing.lines:
        spare_micro = -waits_micro(line, standing.figures, book.of(transfer.holder))
        give_up_spare(book, transfer.key_of(line.line), spare_micro)
    granted = book.reserve(_wanted(transfer, standing, book.of(transfer.holder)))
    gives_up = transfer.backorders and unfit
    if not gives_up and not any(one.granted_micro for one in granted):
        refuse_shortage(transfer, granted)
    covered = {one.wanted.holder for one in granted if not one.missing_micro}
    why = "other stock was set aside"
    settle_shortages(change.connection, covered, why=why, now_ms=change.now_ms)
    told = _tell(change, book, transfer, standing)
    book.write()
    return told


def tell_source(change: Change, transfer: Transfer) -> Transfer:
    """Tell the source of a released transfer what is set aside now; return it, not stale."""
    book = _book_of(change, transfer)
    told = _tell(change, book, transfer, _standing(change, book, transfer))
    book.write()
    return told


def free_goods(change: Change, transfer: Transfer, *, reason: str) -> None:
    """Give up all that is set aside for a transfer."""
    book = _book_of(change, transfer)
    for row in book.of(transfer.holder):
        if row.quantity_micro:
            book.free(row, row.quantity_micro, reason=reason)
    book.write()


def number_picks(
    change: Change, book: ReservationBook, transfer: Transfer, standing: Standing
) -> tuple[DocumentLine, ...]:
    """Number what is set aside and was not told yet; return what the source is to work on."""
    rows = book.of(transfer.holder)
    fresh = [row for row in rows if row.quantity_micro and not row.pick_line]
    walk = _walk_orders(change, rows, fresh)
    figures, counted = standing.figures, standing.counted
    for row, number in number_rows(standing.lines, figures, rows, walk, counted=counted):
        book.give_pick_line(row, number)
    rows = book.of(transfer.holder)
    unasked = _unasked(change, transfer, standing, rows) if counted else NOTHING
    return source_lines(standing.lines, rows, counted, unasked=unasked)


def _unasked(
    change: Change, transfer: Transfer, standing: Standing, rows: Sequence[Reservation]
) -> Mapping[int, int]:
    """Return how much of what left under each number the transfer does not ask for."""
    too_much = {}
    for line in standing.lines:
        held_micro = sum(row.quantity_micro for row in rows if row.holder.line == line.line)
        shipped_micro = standing.figures.lines[line.line].shipped_micro
        too_much[line.line] = shipped_micro + held_micro - line.quantity_micro
    document = (transfer.source, transfer.code)
    own = {line.line: line.line for line in standing.lines}
    picks = own | lines_of_picks(rows)
    return unasked_of_picks(
        change.connection,
        document,
        by_number(standing.counted, items_of_numbers(standing.lines, picks)),
        picks=picks,
        too_much=too_much,
    )


def _walk_orders(
    change: Change, rows: Sequence[Reservation], fresh: Sequence[Reservation]
) -> dict[tuple[str, str], int]:
    """Return where pickers pass the places of rows; not asked where it does not matter.

    Of a line that is taken from one place the pick has the number of the line.
    """
    if len(fresh) > len({row.holder.line for row in fresh}):
        return read_walk_orders(change.connection, rows)
    return dict.fromkeys(((row.stock.warehouse, row.stock.location) for row in rows), 0)


def _tell(
    change: Change, book: ReservationBook, transfer: Transfer, standing: Standing
) -> Transfer:
    picks = number_picks(change, book, transfer, standing)
    keys = [(transfer.destination,)]
    found = bulk.select_by_key(change.connection, tables.warehouses, keys, columns_count=1)
    names = [row[1] for row in found if row[1]]
    partner = names[0] if names else transfer.destination
    put_document(change, outward_document(transfer, picks, partner=partner))
    return replace(transfer, stale=False)


def _book_of(change: Change, transfer: Transfer) -> ReservationBook:
    book = ReservationBook(change.connection, now_ms=change.now_ms)
    book.load([transfer.holder])
    return book


def _standing(change: Change, book: ReservationBook, transfer: Transfer) -> Standing:
    rows = {transfer.code: book.of(transfer.holder)}
    return read_standings(change.connection, [transfer], rows=rows)[transfer.code]


def _wanted(transfer: Transfer, standing: Standing, rows: Sequence[Reservation]) -> list[Wanted]:
    """Return what is to be set aside, of each line what neither left nor is set aside."""
    waiting = [(line, waits_micro(line, standing.figures, rows)) for line in standing.lines]
    return [
        Wanted(
            transfer.key_of(line.line),
            line.item,
            quantity_micro,
            line.lot,
            location=line.from_location,
        )
        for line, quantity_micro in waiting
        if quantity_micro > 0
    ]
