"""What counts for document lines now, and how much more than they expect. Edge of the database."""

from collections.abc import Collection, Mapping
from functools import partial

from sqlalchemy import Connection

from central.ledger.entries import ExpectedLine
from central.ledger.line_counts import shared_counts
from central.ledger.progress import PICKED_KINDS
from central.orders.settling.discrepancy_facts import Found
from central.storage import bulk, tables

LineKey = tuple[str, int]  # Document and line.


def excess_of(connection: Connection, row: Found, *, kind: str) -> int:
    """Return what counts for the line of an excess above what it expects, in the item's unit.

    row: of `discrepancies`. kind: of its document, "" if stations no longer work on it. What is of
    no line of the document is at most what it was.
    """
    own = (row.document, row.document_line)
    found = counts_of(connection, row.warehouse, {row.document}, item=row.item, kind=kind)
    if own in found:
        done, expected = found[own]
        return done - expected
    key = (row.warehouse, *own, row.item, row.unit)
    progress = bulk.select_by_key(
        connection, tables.document_progress, [key], columns_count=len(key)
    )
    was: int = (row.actual_micro or 0) - (row.expected_micro or 0)
    counted: int = sum(one[7] for one in progress)
    return min(counted, was)


def counts_of(
    connection: Connection, warehouse: str, documents: Collection[str], *, item: str, kind: str
) -> dict[LineKey, tuple[int, int]]:
    """Return what counts for each line of documents that expects an item, and what it expects.

    What names no line counts for the lines of its item, but not for picks. kind: of the documents.
    """
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
    found: dict[LineKey, tuple[int, int]] = {}
    for document, own in lines.items():
        micro = counted.get(document, {})
        if kind in PICKED_KINDS:
            done = {number: micro.get(number, 0) for number in own if own[number].item == item}
        else:
            done = shared_counts(own, item, partial(_at, micro))
        for number, amount in done.items():
            found[document, number] = (amount, own[number].expected_micro)
    return found


def _at(counted: Mapping[int, int], line: int) -> int:
    return counted.get(line, 0)
