"""What moved around a count, and the book of its moments. Edge of the database; writes nothing.

Only lines of the counted items are read, back to the first record that can have happened after the
earliest observation: what was recorded sooner than that happened sooner. Balances say what changed
them last: nothing is looked for of items that rested at the counted places, nor beyond the last
change of the others, however long a count is open.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from sqlalchemy import Connection, func, select

from central.errors import Conflict
from central.ledger.entries import FactKey
from central.orders.counts.count_judging import Moment, Moved, Thing
from central.orders.counts.count_rows import moments_at
from central.orders.counts.count_undoing import undone_by
from central.storage import bulk, count_tables, tables
from central.storage.count_tables import THING
from central.storage.line_blocks import first_lines

ADJUSTMENT = "adjustment"
# A gateway's clock may run ahead of ours by so much: what it did may bear a later time than ours.
CLOCK_AHEAD_MS_MAX = 10 * 60 * 1000
LINES_READ_MAX = 300_000
ITEMS_PER_SELECT_MAX = 200

Moves = dict[Thing, list[Moved]]
Books = Mapping[Thing, tuple[int, int]]  # How much, and the last record that changed it.


def first_record_since(connection: Connection, moments: Iterable[Moment]) -> int:
    """Return the first record number that can have a bearing on counts of these moments."""
    records, times = [], []
    for moment in moments:
        records.append(moment.record_no)
        if moment.timed:
            times.append(moment.event_time_ms)
    if not times:
        return min(records)
    wanted = min(times) - CLOCK_AHEAD_MS_MAX
    # Record times rise with record numbers: found in some twenty steps, without an index of them.
    low, high = 1, min(records)
    while low < high:
        middle = (low + high) // 2
        if _record_ms(connection, middle) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def moves_since(
    connection: Connection,
    *,
    warehouse: str,
    items: Iterable[str],
    locations: Iterable[str],
    books: Books,
    record_no: int,
    count: str,
    fillings: Set[FactKey] = frozenset(),
) -> tuple[Moves, Moves]:
    """Return what moved at places from a record on, by thing: all but the count's own adjustments,
    and these.

    books: of these places, by `books_now`. fillings: of these items, by `filling_facts`. Raises
    Conflict if that is more than is read for one count.
    """
    places = sorted({*locations, ADJUSTMENT})
    by_record: dict[int, dict[Thing, int]] = {}
    corrections: set[int] = set()
    asked = set(items)
    changed: dict[str, int] = {}  # The last record of each item that did not rest since.
    for thing, (_, last) in books.items():
        if thing.item in asked and last >= record_no:
            changed[thing.item] = max(last, changed.get(thing.item, 0))
    for number, *what, quantity in _lines_since(connection, warehouse, changed, places, record_no):
        amounts = by_record.setdefault(number, {})
        thing = Thing._make(what)
        if thing.location == ADJUSTMENT:
            corrections.add(number)
        else:
            amounts[thing] = amounts.get(thing, 0) + quantity
    moments = moments_at(connection, sorted(by_record))
    taken_back = undone_by(connection, warehouse, sorted(by_record))
    own = own_adjustments(connection, count)
    others_moved: Moves = {}
    own_moved: Moves = {}
    for number, amounts in by_record.items():
        moment = moments[number]
        key = FactKey(warehouse, moment.gateway, moment.epoch, moment.seq)
        into = own_moved if key in own else others_moved
        corrects, back, fills = number in corrections, taken_back.get(number), key in fillings
        for thing, amount in amounts.items():
            if amount:
                moved = Moved(amount, moment, correction=corrects, takes_back=back, fills=fills)
                into.setdefault(thing, []).append(moved)
    return others_moved, own_moved


def books_now(connection: Connection, *, warehouse: str, locations: Iterable[str]) -> Books:
    """Return what the book has at places, by thing: so much of any status, and its last record."""
    keys = [(warehouse, location) for location in sorted(set(locations))]
    names = list(tables.balances.columns.keys())
    at = {name: names.index(name) for name in (*THING, "on_hand_micro", "record_no")}
    books: dict[Thing, tuple[int, int]] = {}
    for row in bulk.select_by_key(connection, tables.balances, keys, columns_count=2):
        thing = Thing(*(row[at[name]] for name in THING))
        amount, last = books.get(thing, (0, 0))
        books[thing] = (amount + row[at["on_hand_micro"]], max(last, row[at["record_no"]]))
    return books


def own_adjustments(connection: Connection, code: str) -> dict[FactKey, tuple[Thing, int]]:
    """Return the movements that a count has posted, with what each changed its place by."""
    table = count_tables.count_adjustments
    return {
        FactKey(row.warehouse, row.gateway, row.epoch, row.seq): (
            Thing(*(getattr(row, name) for name in THING)),
            row.quantity_micro,
        )
        for row in connection.execute(select(table).where(table.c.count == code))
    }


def book_at(now_micro: int, moves: Iterable[Moved], *, record_no: int) -> int:
    """Return what the book had when it had posted a record: what it has, less what came since.

    moves: everything that moved since then at least, the count's own adjustments too.
    """
    return now_micro - sum(
        moved.quantity_micro for moved in moves if moved.moment.record_no > record_no
    )


def _record_ms(connection: Connection, record_no: int) -> int:
    table = tables.facts.c
    query = select(func.min(table.record_ms)).where(table.record_no == record_no)
    return int(connection.execute(query).scalar_one())


def _lines_since(
    connection: Connection,
    warehouse: str,
    changed: Mapping[str, int],
    places: Sequence[str],
    record_no: int,
) -> Iterator[bulk.Row]:
    """Yield record number, thing and quantity of each line. changed: last record, by item."""
    lines = tables.lines
    read_count, items = 0, sorted(changed, key=lambda item: (changed[item], item))
    for start in range(0, len(items), ITEMS_PER_SELECT_MAX):
        some = items[start : start + ITEMS_PER_SELECT_MAX]
        first = first_lines(
            connection,
            warehouses=[warehouse],
            items=some,
            after=record_no - 1,
            through=changed[some[-1]],
        )
        query = (
            select(
                lines.c.record_no,
                *(lines.c[name] for name in THING),
                lines.c.quantity_micro,
            )
            .join(
                first,
                (first.c.warehouse == lines.c.warehouse) & (first.c.record_no == lines.c.record_no),
            )
            .where(lines.c.location.in_(places))
            .limit(LINES_READ_MAX - read_count + 1)
        )
        rows = connection.execute(query).all()
        read_count += len(rows)
        if read_count > LINES_READ_MAX:
            raise Conflict(
                f"more than {LINES_READ_MAX} lines of these items were posted since the count",
                hint="Cancel this count and count again, in smaller counts.",
            )
        yield from map(tuple, rows)
