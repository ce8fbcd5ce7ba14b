"""What counts for document lines now, and how much more than they expect. Edge of the database."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, select

from central.ledger.entries import ExpectedLine
from central.ledger.line_counts import shared_counts
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.excess_facts import shared_documents
from central.storage import bulk, tables

LineKey = tuple[str, int]  # Document and line.


class LineCount(NamedTuple):
    """What counts for a line, what it expects, and the most that is as expected."""

    done_micro: int
    expected_micro: int
    limit_micro: int


class Excess(NamedTuple):
    """What counts for a line above what it expects. tolerated_micro: how much of it may stay."""

    micro: int
    tolerated_micro: int = 0


def excess_of(connection: Connection, row: Found) -> Excess:
    """Return what counts for the line of an excess above what it expects, in the item's unit.

    row: of `discrepancies`. What is of no line of the document is at most what it was.
    """
    line = _line_of(connection, row)
    if line is not None:
        excess_micro = line.done_micro - line.expected_micro
        return Excess(excess_micro, line.limit_micro - line.expected_micro)
    was: int = (row.actual_micro or 0) - (row.expected_micro or 0)
    return Excess(min(_counted_micro(connection, row), was))


def still_counted_micro(connection: Connection, row: Found, *, rest_micro: int) -> int | None:
    """Return what counts for the line of an excess that was settled in part; None if all was.

    rest_micro: what the settlement left of the excess; nothing else is known of what is of no line,
    but that followers have settled it.
    """
    line = _line_of(connection, row)
    if line is not None:
        return line.done_micro if line.done_micro > line.limit_micro else None
    left_micro = min(_counted_micro(connection, row), rest_micro)
    table = tables.discrepancies.c
    query = select(table.state).where(table.id == row.id)
    is_open = left_micro > 0 and connection.execute(query).scalar_one() == "open"
    return (row.expected_micro or 0) + left_micro if is_open else None


def _line_of(connection: Connection, row: Found) -> LineCount | None:
    """Return what counts for the line that an excess is about; None if no document has it."""
    found = counts_of(connection, row.warehouse, {row.document}, item=row.item)
    return found.get((row.document, row.document_line))


def _counted_micro(connection: Connection, row: Found) -> int:
    """Return what counts under the very number that an excess is about."""
    key = (row.warehouse, row.document, row.document_line, row.item, row.unit)
    progress = bulk.select_by_key(
        connection, tables.document_progress, [key], columns_count=len(key)
    )
    return sum(one[7] for one in progress)


def counts_of(
    connection: Connection, warehouse: str, documents: Collection[str], *, item: str
) -> dict[LineKey, LineCount]:
    """Return what counts for each line of documents that expects an item, and what it expects.

    What names no line counts for the lines of its item, but not for picks.
    """
    shared = shared_documents(connection, warehouse, documents)
    keys = [(warehouse, document) for document in sorted(documents)]
    lines: dict[str, dict[int, ExpectedLine]] = {}
    for row in bulk.select_by_key(connection, tables.document_lines, keys, columns_count=2):
        lines.setdefault(row[1], {})[row[2]] = ExpectedLine(*row[3:6])
    counted: dict[str, dict[int, int]] = {}
    units: dict[str, str] = {}
    rows = bulk.select_by_key(connection, tables.document_progress, keys, columns_count=2)
    # Lines that expect something first: they say in which unit.
    for row in sorted(rows, key=lambda one: not one[5]):
        if row[3] == item and units.setdefault(row[1], row[4]) == row[4]:
            counted.setdefault(row[1], {})[row[2]] = row[7]
    found: dict[LineKey, LineCount] = {}
    for document, own in lines.items():
        micro = counted.get(document, {})
        if document in shared:
            done = shared_counts(own, item, partial(_at, micro))
        else:
            done = {number: micro.get(number, 0) for number in own if own[number].item == item}
        for number, amount in done.items():
            line = own[number]
            found[document, number] = LineCount(amount, line.expected_micro, line.limit_micro)
    return found


def _at(counted: Mapping[int, int], line: int) -> int:
    return counted.get(line, 0)
