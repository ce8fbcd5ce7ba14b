"""What documents expect, and which reference data each revision touched. Edge of the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, select, update

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import ExpectedDocument
from central.storage import bulk, tables

ChangeKind = Literal["all", "warehouse", "location", "item", "document", "operator"]
ReferenceChange = tuple[ChangeKind, str, str]  # kind, warehouse ("" for every one), code

# Revisions of which it is known what they touched; older ones are as if they had touched all.
CHANGES_KEPT_MAX = 10_000


def document_rows(document: ExpectedDocument) -> list[bulk.Row]:
    """Return the rows of `document_lines` that a document means."""
    return [
        (
            document.warehouse,
            document.code,
            line.line,
            line.item,
            to_micro(parse_decimal(line.quantity)),
            to_micro(parse_decimal(line.tolerance_percent, what="tolerance"), what="tolerance"),
        )
        for line in document.lines
    ]


def expect(connection: Connection, rows: Sequence[bulk.Row], *, units: Mapping[str, str]) -> None:
    """Give document progress its expected quantities; what came in already stays.

    rows: as of `document_lines`. units: of every item in them.
    """
    progress = tables.document_progress
    keys = [(*row[:4], units[row[3]]) for row in rows]
    bulk.insert_missing_rows(connection, progress, [(*key, 0, 0, 0, 0) for key in keys])
    if not rows:
        return
    connection.execute(
        update(progress)
        .where(
            progress.c.warehouse == bindparam("b_warehouse"),
            progress.c.document == bindparam("b_document"),
            progress.c.line == bindparam("b_line"),
            progress.c.item == bindparam("b_item"),
            progress.c.unit == bindparam("b_unit"),
        )
        .values(
            expected_micro=bindparam("b_expected"),
            tolerance_percent_micro=bindparam("b_tolerance"),
        ),
        [
            {
                "b_warehouse": row[0],
                "b_document": row[1],
                "b_line": row[2],
                "b_item": row[3],
                "b_unit": units[row[3]],
                "b_expected": row[4],
                "b_tolerance": row[5],
            }
            for row in rows
        ],
    )


def forget_idle_progress(connection: Connection) -> None:
    """Delete progress of which nothing is expected and nothing came."""
    progress = tables.document_progress
    connection.execute(
        delete(progress).where(progress.c.expected_micro == 0, progress.c.received_micro == 0)
    )


def note_changes(
    connection: Connection, changes: Iterable[ReferenceChange], *, revision: int
) -> None:
    """Note what a revision touches; forget what is too old to matter."""
    rows = [(revision, *change) for change in sorted(set(changes))]
    bulk.insert_missing_rows(connection, tables.reference_changes, rows)
    table = tables.reference_changes
    connection.execute(delete(table).where(table.c.revision <= revision - CHANGES_KEPT_MAX))


def read_changes(connection: Connection, *, after: int) -> list[ReferenceChange]:
    """Return what revisions after one have touched, each entry once, in order."""
    table = tables.reference_changes.c
    rows = connection.execute(
        select(table.kind, table.warehouse, table.code)
        .where(table.revision > after)
        .distinct()
        .order_by(table.kind, table.warehouse, table.code)
    )
    return [(row.kind, row.warehouse, row.code) for row in rows]
