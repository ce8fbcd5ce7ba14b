"""What a count sheet shows: lines in walking order, with names of items. Edge of the database."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from central.orders.counts.count_moves import books_now
from central.orders.counts.count_rows import load_lines
from central.orders.counts.counts import CountHead, CountLine
from central.storage import bulk, catalogue_tables, tables


@dataclass(frozen=True, slots=True)
class ItemName:
    """What people call an item, and the unit in which it is kept; "" if it is not known."""

    name: str = ""
    name_zh: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line to be counted. expected_micro: what the book has, None if nobody is to see it."""

    line: CountLine
    name: ItemName
    expected_micro: int | None


def sheet_lines(connection: Connection, head: CountHead) -> list[SheetLine]:
    """Return the lines of the present round in walking order; places without one come last."""
    lines = load_lines(connection, head.code).get(head.round, ())
    names = item_names(connection, [line.item for line in lines])
    order = _walking_order(connection, head.warehouse, {line.location for line in lines})
    expected = {} if head.blind else expected_by_line(connection, head.warehouse, lines)
    return [
        SheetLine(line, names.get(line.item, ItemName()), expected.get(line.line))
        for line in sorted(
            lines,
            key=lambda line: (
                *order.get(line.location, (1, 0)),
                line.location,
                line.item,
                line.lot,
                line.part,
            ),
        )
    ]


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


def _walking_order(
    connection: Connection, warehouse: str, locations: Iterable[str]
) -> dict[str, tuple[int, int]]:
    table = catalogue_tables.location_details
    at = list(table.columns.keys()).index("walk_order")
    keys = [(warehouse, location) for location in sorted(locations)]
    rows = bulk.select_by_key(connection, table, keys, columns_count=2)
    return {row[1]: (0, row[at]) for row in rows if row[at]}
