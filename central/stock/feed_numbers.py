"""Which facts a feed asks for: their record numbers, found from the near end. Edge of the database.

    facts by record number   ... 4,980,001 .. 5,000,000 | what is asked for stands among the newest
    facts by warehouse       SH1 gw-1 ... SH1 gw-9      | all of a warehouse, read when it does not

No index has a warehouse and record numbers. So the facts nearest to where a page begins are looked
through for those of a warehouse; only what is not found there is looked for among all that it has.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

from sqlalchemy import ColumnElement, Connection, Select, select

from central.stock.rows import FeedFilter
from central.stock.views import list_warehouses
from central.storage.line_blocks import first_lines, record_ranges
from central.storage.tables import facts, lines

NEAR_COUNT = 20_000  # Record numbers that are looked through before all facts of a warehouse are.


class Ends(NamedTuple):
    """Between which record numbers, from which end, and how many at most."""

    after: int
    before: int
    limit: int
    newest_first: bool

    def nearest(self, count: int) -> Self:
        """Return the `count` numbers at the end where reading begins; all if there are no more."""
        if self.newest_first:
            return self._replace(after=max(self.after, self.before - count - 1))
        return self._replace(before=min(self.before, self.after + count + 1))


def record_numbers(
    connection: Connection,
    wanted: FeedFilter,
    *,
    after: int,
    before: int,
    limit: int,
    newest_first: bool,
    near_count: int = NEAR_COUNT,
    also: Sequence[ColumnElement[bool]] = (),
) -> list[int]:
    """Return up to `limit` numbers of facts, after < record_no < before, from one end of these.

    also: further conditions on `facts`. near_count: how many record numbers are looked through
    fact by fact, before a warehouse or a gateway is looked for by its key.
    """
    query = select(facts.c.record_no).where(facts.c.kind.in_(wanted.kinds), *also)
    for column, value in ((facts.c.gateway, wanted.gateway), (facts.c.epoch, wanted.epoch)):
        if value:
            query = query.where(column == value)
    ends = Ends(after, before, limit, newest_first)
    if wanted.item or wanted.location or wanted.lot:
        return _touching(connection, query, wanted, ends)
    if not (wanted.warehouse or wanted.gateway):
        return _numbers(connection, query, ends)
    nearest, near = query, ends.nearest(near_count)
    if wanted.warehouse:
        # Not the column itself: by that SQLite would read the whole warehouse.
        nearest = query.where(facts.c.warehouse.concat("") == wanted.warehouse)
    found = _numbers(connection, nearest, near)
    if near == ends or len(found) == limit:
        return found
    return _numbers(
        connection, query.where(facts.c.warehouse.in_(_codes(connection, wanted))), ends
    )


def numbers_touching(
    connection: Connection, wanted: FeedFilter, *, after: int = 0, through: int | None = None
) -> Select[tuple[int]]:
    """Return the statement of the facts that concern an item, a place or a lot.

    Of those after a record number and through another one, None for all that there are.
    """
    # All warehouses are named, so that the index of lines by warehouse and item serves.
    codes = _codes(connection, wanted)
    if not wanted.item:
        # All lines of a fact are of one lot.
        conditions = [lines.c.warehouse.in_(codes), lines.c.record_no > after]
        if through is not None:
            conditions.append(lines.c.record_no <= through)
        for column, value in ((lines.c.lot, wanted.lot), (lines.c.location, wanted.location)):
            if value:
                conditions.append(column == value)
        return select(lines.c.record_no).where(*conditions)
    columns = ("warehouse", "record_no", "lot") if wanted.lot else ("warehouse", "record_no")
    first = first_lines(
        connection,
        warehouses=codes,
        items=[wanted.item],
        after=after,
        through=through,
        columns=columns,
    )
    query: Select[tuple[int]] = select(first.c.record_no)
    if wanted.lot:
        query = query.where(first.c.lot == wanted.lot)
    if wanted.location:
        places = (lines.c.warehouse == first.c.warehouse) & (lines.c.record_no == first.c.record_no)
        query = query.join(lines, places).where(lines.c.location == wanted.location)
    return query


def _touching(
    connection: Connection, query: Select[tuple[int]], wanted: FeedFilter, ends: Ends
) -> list[int]:
    """Look from the near end on, into twice as many blocks each time, until there are enough."""
    found: list[int] = []
    for after, through in record_ranges(
        after=ends.after, through=ends.before - 1, newest_first=ends.newest_first
    ):
        # They are of the warehouse, and of the range: SQLite would read all facts to see that.
        numbers = numbers_touching(connection, wanted, after=after, through=through)
        some = query.where(facts.c.record_no.in_(numbers))
        found += _in_order(connection, some, ends._replace(limit=ends.limit - len(found)))
        if len(found) == ends.limit:
            break
    return found


def _numbers(connection: Connection, query: Select[tuple[int]], ends: Ends) -> list[int]:
    number = facts.c.record_no
    return _in_order(connection, query.where(number > ends.after, number < ends.before), ends)


def _in_order(connection: Connection, query: Select[tuple[int]], ends: Ends) -> list[int]:
    number = facts.c.record_no
    query = query.order_by(number.desc() if ends.newest_first else number).limit(ends.limit)
    return [row.record_no for row in connection.execute(query)]


def _codes(connection: Connection, wanted: FeedFilter) -> list[str]:
    if wanted.warehouse:
        return [wanted.warehouse]
    return [warehouse.code for warehouse in list_warehouses(connection)]
