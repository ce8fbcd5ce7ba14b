"""What settles itself when stations are told of a document. Edge of the database.

Goods that came under a code that nobody knew were counted under it. Once a document of that code is
there, they count as its goods: nothing is left to settle but what it does not expect, or not so
much of, and that is opened as what it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import DiscrepancyKind, ExpectedLine, Finding
from central.storage import bulk, tables

# What may no longer be so when a document expects something else than before.
REJUDGED: tuple[DiscrepancyKind, ...] = (
    "unknown_document",
    "unexpected",
    "over_received",
    "over_shipped",
)
COUNTS = slice(2, 5)  # Line, item and unit of a row of the progress.


def rejudge_document(
    connection: Connection,
    *,
    warehouse: str,
    document: str,
    lines: Sequence[bulk.Row],
    now_ms: int,
) -> None:
    """Judge what came under a document anew, now that it expects `lines`.

    lines: as of `document_lines`. Settles what is no longer so, says why, and opens what is left
    of a document that nobody knew.
    """
    table = tables.discrepancies
    open_rows = connection.execute(
        select(table).where(
            table.c.warehouse == warehouse,
            table.c.state == "open",
            table.c.kind.in_(REJUDGED),
            table.c.document == document,
        )
    ).all()
    if not open_rows:
        return
    expected = {line[2]: ExpectedLine(line[3], line[4], line[5]) for line in lines}
    counted = list(
        bulk.select_by_key(
            connection, tables.document_progress, [(warehouse, document)], columns_count=2
        )
    )
    for row in open_rows:
        reason = _reason(row, expected, counted)
        if reason:
            settle_discrepancies(connection, [row.id], settlement=reason, now_ms=now_ms)
        if row.kind == "unknown_document":
            left = _left_over(row, expected, counted)
            open_discrepancies(connection, left, now_ms=now_ms)


def _reason(
    row: Row[Any], expected: Mapping[int, ExpectedLine], counted: Sequence[bulk.Row]
) -> str:
    """Return why a discrepancy is settled now, "" if it is not."""
    if row.kind == "unknown_document":
        return f"document {row.document} is known now; what came under it counts as its goods"
    if row.kind == "unexpected":
        if any(line.item == row.item for line in expected.values()):
            return f"document {row.document} expects {row.item} now"
        return ""
    line = expected.get(row.document_line)
    received_micro = sum(
        one[7] for one in counted if (one[2], one[3]) == (row.document_line, row.item)
    )
    if line is not None and line.item == row.item and received_micro <= line.limit_micro:
        return f"document {row.document} expects as much now"
    return ""


def _left_over(
    row: Row[Any], expected: Mapping[int, ExpectedLine], counted: Sequence[bulk.Row]
) -> list[Finding]:
    """Return what is wrong with what came before the document was known.

    The first fact under it is behind each.
    """
    items = {line.item for line in expected.values()}
    first = Finding(
        kind="unexpected",
        subject="",
        warehouse=row.warehouse,
        gateway=row.gateway,
        epoch=row.epoch,
        seq=row.seq,
        record_no=row.record_no,
        document=row.document,
    )
    found = []
    for one in counted:
        number, item, unit = one[COUNTS]
        received_micro = one[7]
        line = expected.get(number)
        if not received_micro:
            continue
        if item not in items or (number and (line is None or line.item != item)):
            subject = f"{row.document}/{item}"
            found.append(replace(first, subject=subject, item=item, unit=unit))
        elif line is not None and received_micro > line.limit_micro:
            found.append(
                replace(
                    first,
                    kind="over_received",
                    subject=f"{row.document}/{number}/{item}",
                    item=item,
                    unit=unit,
                    document_line=number,
                    expected_micro=line.expected_micro,
                    actual_micro=received_micro,
                )
            )
    return found
