"""Lets reservations follow their goods: picked, shipped, gone. Edge of the database.

    picked    goods moved inside the warehouse under the order's code: what is set aside moves along
    shipped   goods left under the order's code: what was set aside is used up. Other goods than
              those that were set aside: as much of those is freed, and the row says why
    gone      less is left of some stock than is set aside: whoever reserved last gives it up and
              gets other stock if there is any; if not, a discrepancy names the order

A posting that moves nothing under a document, and nothing out of a place, costs nothing here.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from central.ledger.entries import Line, PostedFact
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.ledger.opening import DocumentKey, GoodsKey
from central.ledger.statuses import AVAILABLE
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_book import Granted, ReservationBook, Wanted
from central.orders.reserving.reservation_levels import level_orders
from central.orders.reserving.reservation_rows import read_on_hand
from central.orders.reserving.reservations import SALES_ORDER, Holder, LineKey, Reservation
from central.orders.reserving.shortages import report_shortages
from central.orders.sales.sales_store import mark_stale, read_wanted_lots
from central.storage import bulk, sales_tables


def reservation_looks(
    documents: Sequence[DocumentKey], goods: Sequence[GoodsKey]
) -> list[bulk.Look]:
    """Return what is looked up of documents that may be orders, and of goods that they move."""
    holders = [(warehouse, SALES_ORDER, code) for warehouse, code in documents]
    stocks = sorted(_stock(key) for key in goods if not is_virtual(key[1]))
    return [
        bulk.Look(sales_tables.reservations, holders, 3),
        bulk.Look(sales_tables.allocated, stocks, len(StockKey._fields)),
    ]


def follow_reservations(connection: Connection, posted: Posted) -> None:
    """Bring what is set aside up to what was posted."""
    if not posted.apart and not posted.fallen:
        return
    book = ReservationBook(connection, now_ms=posted.now_ms)
    facts = [fact for fact in posted.apart if fact.document]
    book.load({_holder(fact) for fact in facts})
    ready: set[StockKey] = set()
    unnamed: set[str] = set()
    for fact in facts:
        rows = book.of(_holder(fact))
        if rows:
            _follow_goods(book, fact, ready)
            named = {row.pick_line for row in rows if row.pick_line}
            if fact.progress is not None and _pick_line(fact) not in named:
                unnamed.add(fact.document)
    if unnamed:
        level_orders(connection, book, unnamed)
    on_hand = {_stock(key): amount for key, amount in posted.fallen}
    # Goods that were put where the books were below zero are not all there.
    on_hand = read_on_hand(connection, ready - on_hand.keys()) | on_hand
    gone = book.uncovered(on_hand)
    if gone:
        _take_others(connection, posted, book, gone)
    book.write()


def _follow_goods(book: ReservationBook, fact: PostedFact, ready: set[StockKey]) -> None:
    """Follow the pairs of lines of one fact, each of which gives and takes.

    ready: gets what was put ready, and where.
    """
    for first, second in zip(fact.lines[::2], fact.lines[1::2], strict=True):
        given, taken = (first, second) if first.quantity_micro < 0 else (second, first)
        leaves, enters = is_virtual(taken.location), is_virtual(given.location)
        if leaves and not enters:
            _ship(book, fact, given, taken.quantity_micro)
        elif enters and not leaves:
            _take_back(book, fact, taken)
        elif not leaves and not enters and given.status == taken.status == AVAILABLE:
            _pick(book, fact, given, to_location=taken.location)
            ready.add(_stock(taken))


def _ship(book: ReservationBook, fact: PostedFact, given: Line, quantity_micro: int) -> None:
    stock = _stock(given)
    rest_micro = quantity_micro
    lines = _lines_meant(book, fact, stock)
    if not lines:
        return
    for line in lines:
        row = book.rows.get((line, stock))
        part_micro = min(row.quantity_micro, rest_micro) if row is not None else 0
        if part_micro and given.status == AVAILABLE:
            book.ship(line, stock, part_micro)
            rest_micro -= part_micro
    if not rest_micro:
        return
    book.ship(lines[0], stock, rest_micro)
    why = f"{_name(stock)} went out instead"
    for line in lines:
        for row in _held(book, line, stock.item):
            part_micro = min(row.quantity_micro, rest_micro)
            if part_micro:
                book.free(row, part_micro, reason=why)
                rest_micro -= part_micro


def _take_back(book: ReservationBook, fact: PostedFact, taken: Line) -> None:
    """Note that what went out is here again; it waits for whoever reserves it."""
    stock = _stock(taken)
    rest_micro = taken.quantity_micro
    for line in _lines_meant(book, fact, stock):
        row = book.rows.get((line, stock))
        part_micro = min(row.shipped_micro, rest_micro) if row is not None else 0
        if part_micro:
            book.ship(line, stock, -part_micro)
            rest_micro -= part_micro


def _pick(book: ReservationBook, fact: PostedFact, given: Line, *, to_location: str) -> None:
    stock = _stock(given)
    rest_micro = -given.quantity_micro
    for line in _lines_meant(book, fact, stock):
        row = book.rows.get((line, stock))
        part_micro = min(row.quantity_micro, rest_micro) if row is not None else 0
        if row is not None and part_micro:
            book.pick(row, part_micro, to_location=to_location)
            rest_micro -= part_micro


def _lines_meant(book: ReservationBook, fact: PostedFact, stock: StockKey) -> list[LineKey]:
    """Return the lines of its order that a fact may be about, the likeliest first.

    Those of the pick that it names; else those of the item, what has this very stock first.
    """
    rows = [row for row in book.of(_holder(fact)) if row.stock.item == stock.item]
    pick_line = _pick_line(fact)
    named = [row for row in rows if pick_line and row.pick_line == pick_line]
    rows = named or rows
    rows.sort(key=lambda row: (row.stock != stock or not row.quantity_micro, row.holder.line))
    return list(dict.fromkeys(row.holder for row in rows))


def _pick_line(fact: PostedFact) -> int:
    return fact.progress[0].line if fact.progress is not None else 0


def _held(book: ReservationBook, line: LineKey, item: str) -> list[Reservation]:
    """Return what is set aside for a line, what was not picked yet first."""
    rows = [
        row
        for row in book.of(line.holder)
        if row.holder == line and row.stock.item == item and row.quantity_micro
    ]
    return sorted(rows, key=lambda row: (row.picked, -row.quantity_micro, row.stock))


def _take_others(
    connection: Connection, posted: Posted, book: ReservationBook, gone: dict[StockKey, int]
) -> None:
    """Free what is set aside and gone, and set other stock aside instead, as far as there is."""
    book.load_at(list(gone))
    losers = sorted(
        (row for row in book.rows.values() if row.stock in gone and row.quantity_micro),
        key=lambda row: (-row.reserved_ms, row.holder, row.stock),
    )
    book.load({row.holder.holder for row in losers})
    short: list[tuple[Granted, StockKey, str]] = []
    wanted: list[tuple[Wanted, StockKey]] = []
    lots = read_wanted_lots(connection, {row.holder for row in losers})
    for loser in losers:
        row = book.rows[loser.holder, loser.stock]
        part_micro = min(row.quantity_micro, gone[row.stock])
        if part_micro:
            gone[row.stock] -= part_micro
            book.free(row, part_micro, reason=f"no longer at {row.stock.location}")
            lot = lots.get(row.holder, "")
            wanted.append((Wanted(row.holder, row.stock.item, part_micro, lot), row.stock))
    for one, lost in wanted:
        (granted,) = book.reserve([one])
        short.append((granted, lost, f"{_name(lost)} was set aside and is gone"))
    report_shortages(connection, short, record_no=posted.last_record_no, now_ms=posted.now_ms)
    orders = {row.holder.code for row in losers if row.holder.kind == SALES_ORDER}
    mark_stale(connection, orders)


def _holder(fact: PostedFact) -> Holder:
    return Holder(fact.lines[0].warehouse, SALES_ORDER, fact.document)


def _stock(line: Line | Sequence[str]) -> StockKey:
    if isinstance(line, Line):
        line = line.balance_key
    warehouse, location, item, lot, serial, sscc, unit, *_ = line
    return StockKey(warehouse, item, location, lot, serial, sscc, unit)


def _name(stock: StockKey) -> str:
    what = f"lot {stock.lot}" if stock.lot else stock.item
    return f"{what} of {stock.location}"
