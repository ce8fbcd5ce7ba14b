"""What a count sheet shows: lines in walking order, with names of items. Edge of the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection

from central.orders.counts.count_moves import books_now
from central.orders.counts.count_rows import load_lines
from central.orders.counts.counts import CountHead, CountLine
from central.storage import bulk, catalogue_tables, tables

LISTED_ROWS_MAX = 2000  # Of goods of whole places; with the lines of a count it is still printed.


@dataclass(frozen=True, slots=True)
class ItemName:
    """What people call an item, and the unit in which it is kept; "" if it is not known."""

    name: str = ""
    name_zh: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A row to be counted. expected_micro: what the book has, None if nobody is to see it.

    line: one of the count. Of one that asks for a whole place each row names goods that the book
    has there, with the number of that line.
    """

    line: CountLine
    name: ItemName
    expected_micro: int | None


class _Row(NamedTuple):
    line: CountLine
    expected_micro: int | None
    unit: str  # In which the book has it, "" for the item's.


def sheet_lines(connection: Connection, head: CountHead) -> list[SheetLine]:
    """Return the lines of the present round in walking order; places without one come last.

    Unless the count is blind, a whole place is shown as the goods that the book has there, up to
    LISTED_ROWS_MAX such rows in all; further places, and empty ones, have one row each.
    """
    lines = load_lines(connection, head.code).get(head.round, ())
    order = _walking_order(connection, head.warehouse, {line.location for line in lines})
    walked = sorted(lines, key=lambda line: (*order.get(line.location, (1, 0)), *_goods(line)))
    rows = [_Row(line, None, "") for line in walked]
    if not head.blind:
        expected = expected_by_line(connection, head.warehouse, lines)
        rows = [_Row(line, expected.get(line.line), "") for line in walked]
        rows = _with_goods(connection, head.warehouse, rows)
    names = item_names(connection, [row.line.item for row in rows])
    found = []
    for row in rows:
        name = names.get(row.line.item, ItemName())
        name = replace(name, unit=row.unit) if row.unit else name
        found.append(SheetLine(row.line, name, row.expected_micro))
    return found


def expected_by_line(
    connection: Connection, warehouse: str, lines: Iterable[CountLine]
) -> dict[int, int]:
    """Return what the book has for each line that names an item, by its number, from 0 on."""
    asked = [line for line in lines if line.item]
    books = books_now(connection, warehouse=warehouse, locations={one.location for one in asked})
    at: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for thing, (amount, _) in books.items():
        at.setdefault((thing.location, thing.item), []).append((thing.lot, amount))
    return {
        # A book below zero is nothing that anybody could find.
        line.line: max(
            sum(
                amount
                for lot, amount in at.get((line.location, line.item), ())
                if line.lot in {"", lot}
            ),
            0,
        )
        for line in asked
    }


def item_names(connection: Connection, items: Iterable[str]) -> dict[str, ItemName]:
    """Return names and units of items that the reference data knows."""
    table = tables.items
    at = [list(table.columns.keys()).index(name) for name in ("name", "name_zh", "unit")]
    keys = [(item,) for item in sorted({item for item in items if item})]
    rows = bulk.select_by_key(connection, table, keys, columns_count=1)
    return {row[0]: ItemName(*(row[index] for index in at)) for row in rows}


def _goods(line: CountLine) -> tuple[str, str, str, int]:
    return (*line.scope, line.part)


def _with_goods(connection: Connection, warehouse: str, rows: Sequence[_Row]) -> list[_Row]:
    """Return rows in which goods of the book stand for the place that is asked for as a whole.

    What another row of the place names is not shown twice.
    """
    whole = {row.line.location for row in rows if not row.line.item}
    named = {row.line.scope for row in rows if row.line.item}
    goods: dict[str, dict[tuple[str, str, str], int]] = {}
    for thing, (amount, _) in books_now(connection, warehouse=warehouse, locations=whole).items():
        if not named & {(thing.location, thing.item, lot) for lot in ("", thing.lot)}:
            there = goods.setdefault(thing.location, {})
            key = (thing.item, thing.lot, thing.unit)
            there[key] = there.get(key, 0) + amount
    found: list[_Row] = []
    listed_count = 0
    for row in rows:
        there = {} if row.line.item else goods.get(row.line.location, {})
        shown = sorted((*key, amount) for key, amount in there.items() if amount > 0)
        if not shown or listed_count + len(shown) > LISTED_ROWS_MAX:
            found.append(row)
            continue
        listed_count += len(shown)
        for item, lot, unit, amount in shown:
            found.append(_Row(replace(row.line, item=item, lot=lot), amount, unit))
    return found


def _walking_order(
    connection: Connection, warehouse: str, locations: Iterable[str]
) -> dict[str, tuple[int, int]]:
    table = catalogue_tables.location_details
    at = list(table.columns.keys()).index("walk_order")
    keys = [(warehouse, location) for location in sorted(locations)]
    rows = bulk.select_by_key(connection, table, keys, columns_count=2)
    return {row[1]: (0, row[at]) for row in rows if row[at]}
