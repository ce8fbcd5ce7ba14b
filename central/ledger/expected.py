"""What documents expect, and which reference data each revision touched. Edge of the database."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal

from sqlalchemy import Connection, Update, bindparam, delete, func, select, update

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import ExpectedDocument
from central.ledger.entries import ProgressKey
from central.ledger.progress import ANY_BORDER, IN, OUT, OUTWARD_KINDS, sign_of, way_of
from central.ledger.recounting import recount_turned, recounted
from central.ledger.state import LedgerState, set_state
from central.storage import bulk, tables

ChangeKind = Literal["all", "warehouse", "location", "item", "document", "operator"]
ReferenceChange = tuple[ChangeKind, str, str]  # kind, warehouse ("" for every one), code

# Revisions of which it is known what they touched; older ones are as if they had touched all.
CHANGES_KEPT_MAX = 10_000
REVISION_MAX = 2**63 - 1
CHANGES_BETWEEN = (
    "SELECT DISTINCT kind, warehouse, code FROM reference_changes"
    " WHERE revision > ? AND revision <= ? ORDER BY kind, warehouse, code"
)
FORGOTTEN_EVERY = 100  # Revisions; a change at the desk is the next one.


def document_row(document: ExpectedDocument, *, source: str) -> bulk.Row:
    """Return the row of `documents` that a document means."""
    return (
        document.warehouse,
        document.code,
        document.kind,
        document.partner,
        source,
        document.counterpart,
        document.round,
    )


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
            line.lot,
            line.location,
            line.sscc,
        )
        for line in document.lines
    ]


def expect(connection: Connection, rows: Sequence[bulk.Row], *, units: Mapping[str, str]) -> None:
    """Give document progress its expected quantities; what came in already stays.

    rows: as of `document_lines`. units: of every item in them.
    """
    progress = tables.document_progress
    keys = [(*row[:4], units[row[3]]) for row in rows]
    bulk.insert_missing_rows(connection, progress, [(*key, 0, 0, 0, 0, 1) for key in keys])
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


def expect_anew(
    connection: Connection,
    rows: Sequence[bulk.Row],
    *,
    warehouse: str,
    document: str,
    units: Mapping[str, str],
    kind: str | None,
) -> None:
    """Let one document expect these rows and nothing else; what came under it stays counted.

    rows: as of `document_lines`. units: of every item in them. kind: of the document,
    None if it counts no more: then each progress keeps the way that counts.
    """
    table = tables.document_progress
    before = {
        row[:5]: row
        for row in bulk.select_by_key(connection, table, [(warehouse, document)], columns_count=2)
    }
    # What any fact came under stays: of what crossed another border nothing is counted.
    after = {key: (*key, 0, 0, *row[7:]) for key, row in before.items() if row[7] or row[8]}
    for row in rows:
        key = (*row[:4], units[row[3]])
        done_micro, number, counts = after[key][7:] if key in after else (0, 0, IN)
        after[key] = (*key, row[4], row[5], done_micro, number, counts)
    if kind is not None:
        after = {key: _turned(connection, row, kind) for key, row in after.items()}
    bulk.delete_by_key(connection, table, sorted(before.keys() - after.keys()))
    changed = [row for key, row in sorted(after.items()) if row != before.get(key)]
    bulk.upsert_rows(connection, table, changed)


def turn_progress(connection: Connection) -> None:
    """Let progress count the way that its document counts; what is of no document stays so."""
    recount_turned(connection)
    for statement in _turning():
        connection.execute(statement)


@cache
def _turning() -> tuple[Update, ...]:
    progress, documents = tables.document_progress, tables.documents.c
    outward = documents.kind.in_(sorted(OUTWARD_KINDS))
    turning = []
    for direction, goes_so in ((IN, ~outward), (OUT, outward)):
        of_document = select(documents.document).where(
            documents.warehouse == progress.c.warehouse,
            documents.document == progress.c.document,
            goes_so,
        )
        other_way = progress.c.direction < 0 if direction == IN else progress.c.direction > 0
        statement = update(progress).where(other_way, of_document.exists())
        turning.append(
            statement.values(
                direction=-progress.c.direction, received_micro=-progress.c.received_micro
            )
        )
    return tuple(turning)


def forget_idle_progress(connection: Connection) -> None:
    """Delete progress of which nothing is expected and that no fact came under."""
    progress = tables.document_progress.c
    idle = (progress.expected_micro == 0, progress.received_micro == 0, progress.record_no == 0)
    connection.execute(delete(tables.document_progress).where(*idle))


def note_changes(
    connection: Connection, changes: Iterable[ReferenceChange], *, revision: int
) -> None:
    """Note what a revision touches; forget, now and then, what is too old to matter."""
    rows = [(revision, *change) for change in sorted(set(changes))]
    bulk.insert_missing_rows(connection, tables.reference_changes, rows)
    table = tables.reference_changes
    whole = any(kind == "all" for _, kind, _, _ in rows)
    if not whole and (revision <= CHANGES_KEPT_MAX or revision % FORGOTTEN_EVERY):
        return
    connection.execute(delete(table).where(table.c.revision <= revision - CHANGES_KEPT_MAX))


def touch_documents(
    connection: Connection, state: LedgerState, documents: Iterable[tuple[str, str]]
) -> None:
    """Note that documents (warehouse, code) say something else, by what was posted.

    state: as it was when that began. All postings of a transaction are one revision, or several.
    """
    revision = state.reference_revision + 1
    set_state(connection, "reference_revision", str(revision))
    changes: list[ReferenceChange] = [("document", *document) for document in documents]
    note_changes(connection, changes, revision=revision)


def read_every_change(
    connection: Connection, *, after: int, until: int
) -> list[ReferenceChange] | None:
    """Return what the revisions after one have touched, up to another.

    None if that is not known of each of them, or one of them replaced everything.
    """
    table = tables.reference_changes.c
    known: int = connection.execute(
        select(func.count(table.revision.distinct())).where(
            table.revision > after, table.revision <= until
        )
    ).scalar_one()
    if known != until - after:
        return None
    changes = read_changes(connection, after=after, until=until)
    return None if any(kind == "all" for kind, _, _ in changes) else changes


def read_changes(
    connection: Connection, *, after: int, until: int | None = None
) -> list[ReferenceChange]:
    """Return what revisions after one have touched, each entry once, in order.

    until: the last revision that counts, None for all.
    """
    rows = bulk.select_rows(
        connection, CHANGES_BETWEEN, [after, REVISION_MAX if until is None else until]
    )
    return [(kind, warehouse, code) for kind, warehouse, code in rows]


def _turned(connection: Connection, row: bulk.Row, kind: str) -> bulk.Row:
    """Return a row of the progress that counts as documents of a kind do."""
    *rest, done_micro, number, way = row
    meant = way_of(kind)
    if not number:
        return (*rest, done_micro, number, meant)
    if abs(way) not in (ANY_BORDER, abs(meant)):
        return (*rest, recounted(connection, ProgressKey(*row[:5]), meant), number, meant)
    same = sign_of(way) == sign_of(meant)
    return (*rest, done_micro, number, way) if same else (*rest, -done_micro, number, -way)
