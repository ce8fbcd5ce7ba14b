"""What settles itself when stations are told of a document. Edge of the database.

Goods that came under a code that nobody knew were counted under it. Once a document of that code is
there, they count as its goods: nothing is left to settle but what it does not expect, or not so
much of, and that is opened as what it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import DiscrepancyKind, ExpectedLine, Finding
from central.ledger.unexpected_facts import all_expected
from central.storage import bulk, tables

# What may no longer be so when a document expects something else than before.
REJUDGED: tuple[DiscrepancyKind, ...] = (
    "unknown_document",
    "unexpected",
    "over_received",
    "over_shipped",
)
COUNTS = slice(2, 5)  # Line, item and unit of a row of the progress.


class OpenRow(NamedTuple):
    """What stands first in a row of the discrepancies."""

    id: str
    warehouse: str
    kind: str
    subject: str
    gateway: str
    epoch: str
    seq: int
    item: str
    location: str
    lot: str
    unit: str
    document: str
    document_line: int
    expected_micro: int | None
    actual_micro: int | None
    detail: str
    state: str
    facts_count: int
    opened_ms: int
    record_no: int


def rejudge_documents(
    connection: Connection,
    documents: Mapping[tuple[str, str], Sequence[bulk.Row]],
    *,
    now_ms: int,
) -> None:
    """Judge what came under documents anew, now that they expect these lines.

    documents: by warehouse and code, the lines as of `document_lines`. Settles what is no longer
    so, says why, and opens what is left of a document that nobody knew.
    """
    keys = [(warehouse, "open", kind, code) for warehouse, code in documents for kind in REJUDGED]
    found: dict[tuple[str, str], list[OpenRow]] = {}
    for row in bulk.select_by_columns(
        connection,
        tables.discrepancies,
        keys,
        columns=("warehouse", "state", "kind", "document"),
        index="discrepancies_open",
        where="",
    ):
        one = OpenRow(*row[: len(OpenRow._fields)])
        found.setdefault((one.warehouse, one.document), []).append(one)
    for document, open_rows in sorted(found.items()):
        _rejudge(connection, document, documents[document], open_rows, now_ms=now_ms)


def _rejudge(
    connection: Connection,
    document: tuple[str, str],
    lines: Sequence[bulk.Row],
    open_rows: Sequence[OpenRow],
    *,
    now_ms: int,
) -> None:
    expected = {line[2]: ExpectedLine(line[3], line[4], line[5]) for line in lines}
    counted = list(
        bulk.select_by_key(connection, tables.document_progress, [document], columns_count=2)
    )
    for row in open_rows:
        if row.kind == "unexpected" and not _is_explained(connection, row, expected, counted):
            continue
        reason = _reason(row, expected, counted)
        if reason:
            settle_discrepancies(connection, [row.id], settlement=reason, now_ms=now_ms)
        if row.kind == "unknown_document":
            left = _left_over(row, expected, counted)
            open_discrepancies(connection, left, now_ms=now_ms)


def _is_explained(
    connection: Connection,
    row: OpenRow,
    expected: Mapping[int, ExpectedLine],
    counted: Sequence[bulk.Row],
) -> bool:
    """Return whether a document expects by now what it did not: the item, and that it went so."""
    if all(line.item != row.item for line in expected.values()):
        return False
    if sum(one[7] for one in counted if one[3] == row.item) < 0:
        return False  # More went back than came, or came back than went.
    document = (row.warehouse, row.document)
    return all_expected(connection, document, row.item, expected, since=row.record_no)


def _reason(row: OpenRow, expected: Mapping[int, ExpectedLine], counted: Sequence[bulk.Row]) -> str:
    """Return why a discrepancy is settled now, "" if it is not."""
    if row.kind == "unknown_document":
        return f"document {row.document} is known now; what came under it counts as its goods"
    if row.kind == "unexpected":
        return f"document {row.document} expects {row.item} now"
    line = expected.get(row.document_line)
    received_micro = sum(
        one[7] for one in counted if (one[2], one[3]) == (row.document_line, row.item)
    )
    if line is not None and line.item == row.item and received_micro <= line.limit_micro:
        return f"document {row.document} expects as much now"
    return ""


def _left_over(
    row: OpenRow, expected: Mapping[int, ExpectedLine], counted: Sequence[bulk.Row]
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
