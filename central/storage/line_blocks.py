"""First lines of facts, found by their item in blocks of record numbers. Edge of the database.

    lines_item    SH1 | block 0 | BOLT 17, BOLT 90123, NUT 4 ...       262,144 record numbers
                  SH1 | block 1 | BOLT 262150, NUT 300001 ...
                  SH1 | block 2 | NUT 524300 ...                       here postings write

All lines of a fact are about one item, so the index has the first line of each. Every reader names
the blocks that it wants: without them the index would serve for the warehouse alone. Who wants the
newest or the oldest facts begins at that end, and stops where there are enough.

Lots and serial numbers are found in the same way by `lines_lot` and `lines_serial`, in which their
block comes first: they are traced through all warehouses.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Subquery,
    Text,
    bindparam,
    column,
    select,
    text,
)

from central.storage.tables import BLOCK_BITS, ledger_state, lines

# Of itself SQLite, which has no statistics here, reads the whole warehouse by the key of lines.
FIRST_LINES = {"sqlite": "lines AS first INDEXED BY lines_item", "postgresql": "lines AS first"}
Tracing = Literal["lot", "serial"]
# SQLite begins with what has a limit: with the first lines, not with all lines of a warehouse.
_BEGUN_WITH = {"sqlite": " LIMIT -1", "postgresql": ""}
_ENDS = {True: ("MIN", "DESC"), False: ("MAX", "ASC")}  # By whether the newest come first.


class Reach(NamedTuple):
    """How many facts of an item there are, as far as is looked, and the last that was found.

    record_no: the oldest of them if the newest come first, else the newest; 0 for none.
    """

    facts_count: int
    record_no: int


def in_blocks(*, after: int, through: int) -> str:
    """Return the condition that names the blocks of the facts `after` < record_no <= `through`.

    It stands beside one on the record numbers themselves. The lines are called `first`.
    """
    begin = (after + 1) >> BLOCK_BITS
    blocks = range(begin, max(begin, through >> BLOCK_BITS) + 1)
    return f"(first.record_no >> {BLOCK_BITS}) IN ({', '.join(map(str, blocks))})"


def traced_lines(dialect: str, by: Tracing) -> str:
    """Return the lines, called `first`, as whoever looks for a lot or a serial number reads them.

    Where the conditions are `in_blocks` and those of the index.
    """
    return f"lines AS first INDEXED BY lines_{by}" if dialect == "sqlite" else "lines AS first"


def first_of_lot(dialect: str) -> str:
    """Return what reads when the lot of a balance `b` first came to its warehouse; NULL if never.

    It is the record number of that fact: of a look into each block up to the newest that the
    statement sees. A part of a statement, without brackets.
    """
    newest = "SELECT CAST(value AS BIGINT) FROM ledger_state WHERE key = 'record_no'"
    return (
        "WITH RECURSIVE blocks (block) AS (SELECT 0 UNION ALL SELECT block + 1"  # noqa: S608 - ours
        f" FROM blocks WHERE block < ({newest}) >> {BLOCK_BITS})"
        f" SELECT MIN((SELECT first.record_no FROM {traced_lines(dialect, 'lot')}"
        f" WHERE (first.record_no >> {BLOCK_BITS}) = blocks.block AND first.item = b.item"
        " AND first.lot = b.lot AND first.lot <> '' AND first.line_no = 1"
        " AND first.warehouse = b.warehouse ORDER BY first.record_no LIMIT 1)) FROM blocks"
    )


def last_to_read(connection: Connection) -> int:
    """Return a record number that no fact is beyond, for who reads up to the newest one.

    It is a block further on, for facts that come before a statement that does not see the same
    state of the ledger as this one.
    """
    query = select(ledger_state.c.value).where(ledger_state.c.key == "record_no")
    return int(connection.execute(query).scalar() or 0) + (1 << BLOCK_BITS)


def first_lines(
    connection: Connection,
    *,
    warehouses: Sequence[str],
    items: Sequence[str],
    after: int = 0,
    through: int | None = None,
    columns: tuple[str, ...] = ("warehouse", "record_no"),
) -> Subquery:
    """Return these columns of the first lines of items' facts, to be joined; in any order.

    Of the facts after a record number, and through another one, None for all that there are.
    """
    dialect = connection.dialect.name
    last = last_to_read(connection) if through is None else through
    wanted = ", ".join(f"first.{name}" for name in columns)
    query = text(
        f"SELECT {wanted} FROM {FIRST_LINES[dialect]}"  # noqa: S608 - ours
        " WHERE first.warehouse IN :first_warehouses AND first.item IN :first_items"
        f" AND first.line_no = 1 AND {in_blocks(after=after, through=last)}"
        " AND first.record_no > :first_after AND first.record_no <= :first_last"
        f"{_BEGUN_WITH[dialect]}"
    ).bindparams(
        bindparam("first_warehouses", list(warehouses), expanding=True, type_=Text),
        bindparam("first_items", list(items), expanding=True, type_=Text),
        bindparam("first_after", after, type_=BigInteger),
        bindparam("first_last", last, type_=BigInteger),
    )
    return query.columns(*(column(name, lines.c[name].type) for name in columns)).subquery("first")


def reach_of(
    connection: Connection,
    *,
    warehouse: str,
    item: str,
    after: int,
    limit: int,
    newest_first: bool,
) -> Reach:
    """Return how far the newest, or the oldest, `limit` facts of an item after a record number go.

    Twice as many blocks are looked into with each step, none beyond where there are enough.
    """
    end, order = _ENDS[newest_first]
    reach = Reach(0, 0)
    ranges = record_ranges(after=after, through=last_to_read(connection), newest_first=newest_first)
    for begin, until in ranges:
        query = text(
            f"SELECT COUNT(*) AS number, {end}(record_no) AS record_no"  # noqa: S608 - ours
            f" FROM (SELECT first.record_no FROM {FIRST_LINES[connection.dialect.name]}"
            " WHERE first.warehouse = :warehouse AND first.item = :item AND first.line_no = 1"
            f" AND {in_blocks(after=begin, through=until)}"
            " AND first.record_no > :begin AND first.record_no <= :until"
            f" ORDER BY first.record_no {order} LIMIT :limit) AS nearest"
        )
        bounds: dict[str, object] = {"warehouse": warehouse, "item": item}
        bounds |= {"begin": begin, "until": until}
        bounds["limit"] = limit - reach.facts_count
        count, record_no = connection.execute(query, bounds).one()
        if count:
            reach = Reach(reach.facts_count + count, record_no)
        if reach.facts_count >= limit:
            break
    return reach


def record_ranges(*, after: int, through: int, newest_first: bool) -> Iterator[tuple[int, int]]:
    """Yield ranges (after, through] that together are that range: one block, two, four ..."""
    begin, end = (after + 1) >> BLOCK_BITS, through >> BLOCK_BITS
    count = 1
    while begin <= end:
        low = max(begin, end - count + 1) if newest_first else begin
        high = end if newest_first else min(end, begin + count - 1)
        yield max(after, (low << BLOCK_BITS) - 1), min(through, ((high + 1) << BLOCK_BITS) - 1)
        begin, end = (begin, low - 1) if newest_first else (high + 1, end)
        count *= 2
