"""When stock without a lot came into its warehouse, read from what moved. Edge of the database.

Stock with a lot goes by when its lot first came (`reservation_rows`). Of an item that goes out by
FIFO the rest goes by when it came, place by place, which no row says: the newest facts of the item
do. What lies where it did before the oldest of them goes first.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, and_, select

from central.ledger.locations import is_virtual
from central.ledger.statuses import AVAILABLE
from central.orders.reserving.allocation import Candidate, StockKey
from central.orders.reserving.arrivals import Lying, Move, first_arrivals
from central.storage import tables
from central.storage.line_blocks import first_lines, reach_of

FACTS_MAX = 500  # Of an item in a warehouse: some milliseconds under the ledger's lock.


def with_arrivals(
    connection: Connection, warehouse: str, item: str, candidates: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """Return the stock of one item, each that has no lot with when it came into the warehouse."""
    undated = {(one.key, AVAILABLE): one.available_micro for one in candidates if not one.key.lot}
    if not undated or len(candidates) == 1:
        return tuple(candidates)
    reach = reach_of(
        connection,
        warehouse=warehouse,
        item=item,
        after=0,
        limit=FACTS_MAX,
        newest_first=True,
    )
    moves = list(_moves(connection, warehouse, item, since=reach.record_no))
    before = dict(undated)  # What is there now, less what came, and what went since.
    for move in moves:
        if move.source in before:
            before[move.source] += move.quantity_micro
        if move.target in before:
            before[move.target] -= move.quantity_micro
    came = first_arrivals(moves, before)
    return tuple(
        one if one.key.lot else replace(one, first_record_no=came.get((one.key, AVAILABLE), 0))
        for one in candidates
    )


def _moves(connection: Connection, warehouse: str, item: str, *, since: int) -> Iterator[Move]:
    """Yield how goods without a lot moved with the facts from `since` on, in their order."""
    lines = tables.lines
    first = first_lines(connection, warehouses=[warehouse], items=[item], after=since - 1)
    query = (
        select(lines)
        .join_from(
            first,
            lines,
            and_(lines.c.warehouse == first.c.warehouse, lines.c.record_no == first.c.record_no),
        )
        .where(lines.c.lot == "")
        .order_by(lines.c.record_no, lines.c.line_no)
    )
    rows = connection.execute(query).all()
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        given, taken = (one, other) if one.quantity_micro < 0 else (other, one)
        if taken.quantity_micro > 0:  # A pair may be about a weight alone.
            yield Move(taken.record_no, _stock(given), _stock(taken), taken.quantity_micro)


def _stock(line: Row[Any]) -> Lying | None:
    if is_virtual(line.location):
        return None
    what = (line.location, line.lot, line.serial, line.sscc, line.unit)
    return StockKey(line.warehouse, line.item, *what), line.status
