"""Which facts a feed asks for: their record numbers, found from the near end. Edge of the database.

    facts by record number   ... 4,980,001 .. 5,000,000 | what is asked for stands among the newest
    facts by warehouse       SH1 gw-1 ... SH1 gw-9      | all of a warehouse, read when it does not

No index has a warehouse and record numbers. So the facts nearest to where a page begins are looked
through for those of a warehouse; only what is not found there is looked for among all that it has.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

from sqlalchemy import ColumnElement, Connection, FromClause, Select, select

from central.stock.rows import FeedFilter
from central.stock.views import list_warehouses
from central.storage.line_blocks import first_lines
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
        # They are of the warehouse already: SQLite would read all of its facts to see that.
        touching = facts.c.record_no.in_(numbers_touching(connection, wanted))
        return _numbers(connection, query.where(touching), ends)
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


def numbers_touching(connection: Connection, wanted: FeedFilter) -> Select[tuple[int]]:
    """Return the statement of the facts that concern an item, a place or a lot."""
    # All warehouses are named, so that the index of lines by warehouse and item serves.
    codes = _codes(connection, wanted)
    query: Select[tuple[int]]
    if wanted.item:
        columns = ("warehouse", "record_no", "lot") if wanted.lot else ("warehouse", "record_no")
        found: FromClause = first_lines(
            connection, warehouses=codes, items=[wanted.item], columns=columns
        )
        query = select(found.c.record_no)
    else:
        found = lines
        query = select(lines.c.record_no).where(lines.c.warehouse.in_(codes))
    if wanted.lot:
        query = query.where(found.c.lot == wanted.lot)
    if wanted.location:
        places = lines.alias()
        query = query.join(
            places,
            (places.c.warehouse == found.c.warehouse) & (places.c.record_no == found.c.record_no),
        ).where(places.c.location == wanted.location)
    return query


def _numbers(connection: Connection, query: Select[tuple[int]], ends: Ends) -> list[int]:
    number = facts.c.record_no
    query = (
        query.where(number > ends.after, number < ends.before)
        .order_by(number.desc() if ends.newest_first else number)
        .limit(ends.limit)
    )
    return [row.record_no for row in connection.execute(query)]


def _codes(connection: Connection, wanted: FeedFilter) -> list[str]:
    if wanted.warehouse:
        return [wanted.warehouse]
    return [warehouse.code for warehouse in list_warehouses(connection)]
