"""What settles itself when stations are told of a document. Edge of the database.

Goods that came under a code that nobody knew were counted under it. Once a document of that code is
there, they count as its goods: nothing is left to settle but what it does not expect, or not so
much of, and that is opened as what it is.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import DiscrepancyKind, ExpectedLine, FactKey, Finding
from central.ledger.line_counts import excess_kind, shared_counts
from central.ledger.progress import sign_of
from central.ledger.unexpected_facts import Unexpected, is_left
from central.storage import bulk, tables

# What may no longer be so when a document expects something else than before.
REJUDGED: tuple[DiscrepancyKind, ...] = (
    "unknown_document",
    "unexpected",
    "over_received",
    "over_shipped",
)
COUNTS = slice(2, 5)  # Line, item and unit of a row of the progress.


class Count(NamedTuple):
    """What counts for a line, in which unit, and in which direction it counts."""

    done_micro: int
    unit: str
    direction: int


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
    picked: Collection[tuple[str, str]],
    now_ms: int,
) -> None:
    """Judge what came under documents anew, now that they expect these lines.

    documents: by warehouse and code, the lines as of `document_lines`. picked: those whose lines
    are picks, for which nothing counts that names none. Settles what is no longer so, says why, and
    opens what is left of a document that nobody knew.
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
        lines, shared = documents[document], document not in picked
        _rejudge(connection, document, lines, open_rows, shared=shared, now_ms=now_ms)


def _rejudge(
    connection: Connection,
    document: tuple[str, str],
    lines: Sequence[bulk.Row],
    open_rows: Sequence[OpenRow],
    *,
    shared: bool,
    now_ms: int,
) -> None:
    expected = {line[2]: ExpectedLine(line[3], line[4], line[5]) for line in lines}
    counted = list(
        bulk.select_by_key(connection, tables.document_progress, [document], columns_count=2)
    )
    counts = _counts(expected, counted, shared=shared)
    for row in open_rows:
        if row.kind == "unexpected" and not _is_explained(connection, row, expected):
            continue
        reason = _reason(row, expected, counts)
        if reason:
            settle_discrepancies(connection, [row.id], settlement=reason, now_ms=now_ms)
        if row.kind == "unknown_document":
            left = [*_unexpected(row, expected, counted), *_excesses(row, expected, counts)]
            open_discrepancies(connection, left, now_ms=now_ms)


def _is_explained(
    connection: Connection, row: OpenRow, expected: Mapping[int, ExpectedLine]
) -> bool:
    """Return whether a document expects by now what it did not: the item, and that it went so."""
    if all(line.item != row.item for line in expected.values()):
        return False
    first = FactKey(row.warehouse, row.gateway, row.epoch, row.seq)
    return not is_left(connection, Unexpected(row.document, row.item, first, row.record_no))


def _counts(
    expected: Mapping[int, ExpectedLine], counted: Sequence[bulk.Row], *, shared: bool
) -> dict[int, Count]:
    """Return what counts for each line. shared: also what names none."""
    found: dict[int, Count] = {}
    for number, line in expected.items():
        # Every line that is expected has a progress, in the unit in which its item is kept.
        here = [one for one in counted if (one[2], one[3]) == (number, line.item)]
        own = max(here, key=lambda one: one[5])
        unit, direction = own[4], sign_of(own[9])
        by_line = {one[2]: one[7] for one in counted if (one[3], one[4]) == (line.item, unit)}
        done = own[7]
        if shared:
            done = shared_counts(expected, line.item, partial(_of_line, by_line))[number]
        found[number] = Count(done, unit, direction)
    return found


def _of_line(by_line: Mapping[int, int], number: int) -> int:
    return by_line.get(number, 0)


def _reason(row: OpenRow, expected: Mapping[int, ExpectedLine], counts: Mapping[int, Count]) -> str:
    """Return why a discrepancy is settled now, "" if it is not."""
    if row.kind == "unknown_document":
        return f"document {row.document} is known now; what came under it counts as its goods"
    if row.kind == "unexpected":
        return f"document {row.document} expects {row.item} now"
    line = expected.get(row.document_line)
    if line is None or line.item != row.item:
        return ""
    if counts[row.document_line].done_micro <= line.limit_micro:
        return f"document {row.document} expects as much now"
    return ""


def _first_fact(row: OpenRow) -> Finding:
    """Return a finding behind which is the first fact under a document that nobody knew."""
    return Finding(
        kind="unexpected",
        subject="",
        warehouse=row.warehouse,
        gateway=row.gateway,
        epoch=row.epoch,
        seq=row.seq,
        record_no=row.record_no,
        document=row.document,
    )


def _unexpected(
    row: OpenRow, expected: Mapping[int, ExpectedLine], counted: Sequence[bulk.Row]
) -> Iterator[Finding]:
    """Yield what came before a document was known that it does not expect."""
    items = {line.item for line in expected.values()}
    for one in counted:
        number, item, unit = one[COUNTS]
        line = expected.get(number)
        other_line = number and (line is None or line.item != item)
        if one[7] and (item not in items or other_line):
            subject = f"{row.document}/{item}"
            yield replace(_first_fact(row), subject=subject, item=item, unit=unit)


def _excesses(
    row: OpenRow, expected: Mapping[int, ExpectedLine], counts: Mapping[int, Count]
) -> Iterator[Finding]:
    """Yield the lines of which more came before their document was known than they tolerate."""
    for number, line in sorted(expected.items()):
        count = counts[number]
        if count.done_micro > line.limit_micro:
            yield replace(
                _first_fact(row),
                kind=excess_kind(count.direction),
                subject=f"{row.document}/{number}/{line.item}",
                item=line.item,
                unit=count.unit,
                document_line=number,
                expected_micro=line.expected_micro,
                actual_micro=count.done_micro,
            )
