"""Lets reservations follow their goods: picked, shipped, gone. Edge of the database.

    picked    goods moved inside the warehouse under the order's code: what is set aside moves along
    shipped   goods left under the order's code: what was set aside is used up. Other goods than
              those that were set aside: as much of those is freed, and the row says why; who works
              on the order or transfer is told anew what is left to take
    gone      less is left of some stock than is set aside: whoever reserved last gives it up and
              gets other stock if there is any; if not, a discrepancy names the order

A posting that moves nothing under a document, and nothing out of a place, costs nothing here.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from central.ledger.entries import GoodsKey, Line, PostedFact
from central.ledger.ledger import Posted
from central.ledger.locations import CUSTOMER, is_virtual
from central.ledger.opening import DocumentKey
from central.ledger.statuses import AVAILABLE
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_book import Granted, ReservationBook, Wanted
from central.orders.reserving.reservation_levels import level_orders, level_transfers
from central.orders.reserving.reservation_rows import read_on_hand
from central.orders.reserving.reservations import (
    SALES_ORDER,
    TRANSFER,
    Holder,
    LineKey,
    Reservation,
)
from central.orders.reserving.shortages import report_shortages
from central.orders.reserving.stale_holders import mark_stale
from central.orders.sales import sales_store
from central.orders.sales.sales_orders import OrderFigures
from central.orders.transfers import transfer_store
from central.orders.transfers.transfers import CODE_PREFIX
from central.orders.unnamed_excess import Asked, judge_unnamed
from central.storage import bulk, sales_tables

TRANSFERS = f"{CODE_PREFIX}-"
# What came of goods that moved under an order: who works on it is told anew, and whether in all too
# much left is asked of it.
TELLS, BEYOND = 1, 2


def reservation_looks(
    documents: Sequence[DocumentKey], goods: Sequence[GoodsKey]
) -> list[bulk.Look]:
    """Return what is looked up of documents that may be orders, and of goods that they move."""
    holders = [tuple(one) for warehouse, code in documents for one in _holders(warehouse, code)]
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
    book.load({one for fact in facts for one in _holders(_warehouse(fact), fact.document)})
    ready: set[StockKey] = set()
    unnamed: dict[str, list[PostedFact]] = {SALES_ORDER: [], TRANSFER: []}
    untold: dict[str, set[str]] = {SALES_ORDER: set(), TRANSFER: set()}
    beyond: list[PostedFact] = []
    told: dict[Holder, set[int]] = {}  # The picks of each, which facts do not change.
    for fact in facts:
        for holder in _holders(_warehouse(fact), fact.document):
            named = told.get(holder)
            if named is None:
                named = told[holder] = {row.pick_line for row in book.of(holder)}
            if named:
                seen = _follow_goods(book, holder, fact, ready)
                if seen & TELLS:
                    untold[holder.kind].add(holder.code)
                pick_line = _pick_line(fact)
                if fact.progress is not None and not (pick_line and pick_line in named):
                    unnamed[holder.kind].append(fact)
                    if not pick_line:
                        untold[holder.kind].add(holder.code)
                elif seen & BEYOND and holder.kind == SALES_ORDER and fact.progress is not None:
                    beyond.append(fact)
                break
        else:
            if _leaves_unnamed(fact):
                untold[TRANSFER].add(fact.document)
    if unnamed[SALES_ORDER] or beyond:
        judged = sorted(unnamed[SALES_ORDER] + beyond, key=lambda fact: fact.record_no)
        levelled = level_orders(connection, book, {fact.document for fact in judged})
        judge_unnamed(connection, posted, _asked(levelled), judged)
        # They count by picks: what names none counts for no pick of theirs.
        untold[SALES_ORDER] |= {one.order.code for one in levelled if one.order.state == "released"}
    if unnamed[TRANSFER]:
        codes = {fact.document for fact in unnamed[TRANSFER]}
        untold[TRANSFER] |= level_transfers(connection, book, codes)
    _mark_stale(connection, untold)
    on_hand = {_stock(key): amount for key, amount in posted.fallen}
    # Goods that were put where the books were below zero are not all there.
    on_hand = read_on_hand(connection, ready - on_hand.keys()) | on_hand
    gone = book.uncovered(on_hand)
    if gone:
        _take_others(connection, posted, book, gone)
    book.write()


def _follow_goods(
    book: ReservationBook, holder: Holder, fact: PostedFact, ready: set[StockKey]
) -> int:
    """Follow the pairs of lines of one fact, each of which gives and takes.

    ready: gets what was put ready, and where. Returns TELLS if other goods left than were set
    aside, BEYOND if more left than was set aside, or anything came back.
    """
    seen = 0
    for first, second in zip(fact.lines[::2], fact.lines[1::2], strict=True):
        given, taken = (first, second) if first.quantity_micro < 0 else (second, first)
        leaves, enters = is_virtual(taken.location), is_virtual(given.location)
        if leaves and not enters:
            seen |= _ship(book, holder, fact, given, taken.quantity_micro)
        elif enters and not leaves:
            _take_back(book, holder, fact, taken)
            seen |= BEYOND
        elif not leaves and not enters and given.status == taken.status == AVAILABLE:
            _pick(book, holder, fact, given, to_location=taken.location)
            ready.add(_stock(taken))
        elif leaves and taken.location == CUSTOMER:
            lines = _lines_meant(book, holder, fact, _stock(given))
            reason = "another warehouse shipped it"
            seen |= _free(book, lines, given.item, taken.quantity_micro, reason=reason)
    return seen


def _ship(
    book: ReservationBook, holder: Holder, fact: PostedFact, given: Line, quantity_micro: int
) -> int:
    """Use up what was set aside; return TELLS if stations have to be told anew what is left.

    Other goods left and some of it is free, or goods left under the number of another pick. And
    BEYOND if more left than was set aside.
    """
    stock = _stock(given)
    rest_micro = quantity_micro
    lines = _lines_meant(book, holder, fact, stock)
    if not lines:
        return 0
    seen = 0
    for line in lines:
        row = book.rows.get((line, stock))
        part_micro = min(row.quantity_micro, rest_micro) if row is not None else 0
        if row is not None and part_micro and given.status == AVAILABLE:
            if row.pick_line and _pick_line(fact) not in {0, row.pick_line}:
                seen = TELLS
            book.ship(line, stock, part_micro)
            rest_micro -= part_micro
    if not rest_micro:
        return seen
    book.ship(lines[0], stock, rest_micro)
    why = f"{stock_name(stock)} went out instead"
    return BEYOND | seen | _free(book, lines, stock.item, rest_micro, reason=why)


def _free(
    book: ReservationBook, lines: Iterable[LineKey], item: str, quantity_micro: int, *, reason: str
) -> int:
    """Free as much of what is set aside for lines; return TELLS if any is, else 0."""
    rest_micro = quantity_micro
    for line in lines:
        for row in _held(book, line, item):
            part_micro = min(row.quantity_micro, rest_micro)
            if part_micro:
                book.free(row, part_micro, reason=reason)
                rest_micro -= part_micro
    return TELLS if rest_micro < quantity_micro else 0


def _take_back(book: ReservationBook, holder: Holder, fact: PostedFact, taken: Line) -> None:
    """Note that what went out is here again; it waits for whoever reserves it."""
    stock = _stock(taken)
    rest_micro = taken.quantity_micro
    for line in _lines_meant(book, holder, fact, stock):
        row = book.rows.get((line, stock))
        part_micro = min(row.shipped_micro, rest_micro) if row is not None else 0
        if part_micro:
            book.ship(line, stock, -part_micro)
            rest_micro -= part_micro


def _pick(
    book: ReservationBook, holder: Holder, fact: PostedFact, given: Line, *, to_location: str
) -> None:
    stock = _stock(given)
    rest_micro = -given.quantity_micro
    for line in _lines_meant(book, holder, fact, stock):
        row = book.rows.get((line, stock))
        part_micro = min(row.quantity_micro, rest_micro) if row is not None else 0
        if row is not None and part_micro:
            book.pick(row, part_micro, to_location=to_location)
            rest_micro -= part_micro


def _lines_meant(
    book: ReservationBook, holder: Holder, fact: PostedFact, stock: StockKey
) -> list[LineKey]:
    """Return the lines of its order that a fact may be about, the likeliest first.

    Those of the pick that it names; else those of the item, what has this very stock first.
    """
    rows = book.of_item(holder, stock.item)
    pick_line = _pick_line(fact)
    if pick_line:
        rows = [row for row in rows if row.pick_line == pick_line] or rows
    if len(rows) > 1:
        rows.sort(key=lambda row: (row.stock != stock or not row.quantity_micro, row.holder.line))
    return list(dict.fromkeys([row.holder for row in rows]))


def _pick_line(fact: PostedFact) -> int:
    return fact.progress[0].line if fact.progress is not None else 0


def _asked(orders: Iterable[OrderFigures]) -> dict[tuple[str, str], list[Asked]]:
    """Return what orders ask for, as it is after facts."""
    return {
        (one.order.warehouse, one.order.code): [
            Asked(line.line.expected, line.progress.done_micro) for line in one.lines
        ]
        for one in orders
    }


def _leaves_unnamed(fact: PostedFact) -> bool:
    """Return whether goods leave under the code of a transfer, and no number of a pick."""
    leaves = fact.progress is not None and not fact.progress[0].line and fact.progress[1] < 0
    return leaves and fact.document.startswith(TRANSFERS)


def _held(book: ReservationBook, line: LineKey, item: str) -> list[Reservation]:
    """Return what is set aside for a line, what was not picked yet first."""
    rows = [
        row for row in book.of_item(line.holder, item) if row.holder == line and row.quantity_micro
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
    wants = wants_of(connection, {row.holder for row in losers})
    for loser in losers:
        row = book.rows[loser.holder, loser.stock]
        part_micro = min(row.quantity_micro, gone[row.stock])
        if part_micro:
            gone[row.stock] -= part_micro
            book.free(row, part_micro, reason=f"no longer at {row.stock.location}")
            lot, place = wants.get(row.holder, ("", ""))
            only = Wanted(row.holder, row.stock.item, part_micro, lot, location=place)
            wanted.append((only, row.stock))
    for one, lost in wanted:
        (granted,) = book.reserve([one])
        short.append((granted, lost, f"{stock_name(lost)} was set aside and is gone"))
    report_shortages(connection, short, record_no=posted.last_record_no, now_ms=posted.now_ms)
    of_kind: dict[str, set[str]] = {SALES_ORDER: set(), TRANSFER: set()}
    for row in losers:
        of_kind[row.holder.kind].add(row.holder.code)
    _mark_stale(connection, of_kind)


def _mark_stale(connection: Connection, of_kind: Mapping[str, set[str]]) -> None:
    for kind, codes in of_kind.items():
        if codes:
            mark_stale(connection, kind, codes)


def wants_of(connection: Connection, lines: set[LineKey]) -> dict[LineKey, tuple[str, str]]:
    """Return the only lot and place that will do for lines, "" for any."""
    lots = sales_store.read_wanted_lots(connection, lines)
    wants = {line: (lot, "") for line, lot in lots.items()}
    return wants | transfer_store.read_wants(connection, lines)


def _holders(warehouse: str, code: str) -> tuple[Holder, ...]:
    """Return who may have something set aside under the code of a document, the likelier first.

    Transfers have codes of theirs, which an order may have been given, too.
    """
    order = Holder(warehouse, SALES_ORDER, code)
    return (Holder(warehouse, TRANSFER, code), order) if code.startswith(TRANSFERS) else (order,)


def _warehouse(fact: PostedFact) -> str:
    return fact.lines[0].warehouse


def _stock(line: Line | Sequence[str]) -> StockKey:
    if isinstance(line, Line):
        line = line.balance_key
    warehouse, location, item, lot, serial, sscc, unit, *_ = line
    return StockKey(warehouse, item, location, lot, serial, sscc, unit)


def stock_name(stock: StockKey) -> str:
    """Return what some stock is called: its lot or its item, and its place."""
    what = f"lot {stock.lot}" if stock.lot else stock.item
    return f"{what} of {stock.location}"
