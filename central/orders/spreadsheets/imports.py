"""Imports a file into a book in two steps: everything is judged, then it is written. Edge of SQL.

Checking names every fault by row and column, and writes nothing. Applying writes what was judged,
within one change, and judges again if anything was changed meanwhile; it refuses a file with
faults, unless its sound rows alone are asked for, and then tells which were left out. Judging is
most of the work, and is done before the change takes the ledger's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from central.errors import NotThere, Unusable
from central.ledger.desk import Change
from central.ledger.state import read_state
from central.orders.catalogue.cards import Fault
from central.orders.catalogue.items import PutCounts
from central.orders.spreadsheets.csv_sheets import read_csv
from central.orders.spreadsheets.import_books import CATALOGUE_BOOKS, ImportBook
from central.orders.spreadsheets.import_columns import ImportTable
from central.orders.spreadsheets.import_rows import (
    ImportRow,
    ReadRows,
    RowFault,
    known_columns,
    read_rows,
)
from central.orders.spreadsheets.opening_balances import OPENING_BOOK
from central.orders.spreadsheets.sheets import FILE_BYTES_MAX
from central.orders.spreadsheets.workbook_reading import MAGIC, read_workbook
from central.storage import tables

BOOKS: Mapping[str, ImportBook] = {
    book.table.name: book for book in (*CATALOGUE_BOOKS, OPENING_BOOK)
}
KIND = "import"  # Of the event of each import.
PASSES_MAX = 20  # Rows that need rows that are left out are left out, too, and so on.
FAULTS_LISTED_MAX = 50_000
FAULTS_IN_REFUSAL_MAX = 1000
# Names in the paths of cards' faults that are columns of another name.
COLUMN_OF_FIELD = {"items": {"code": "item"}, "partners": {"code": "partner"}}
COLUMN_OF_FIELD |= {"locations": {"code": "location"}}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that can be read. told: how it was understood."""

    book: ImportBook
    read: ReadRows
    told: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A moment of the ledger: its last event of an object, its reference data, its last fact."""

    event_no: int
    reference_revision: int
    record_no: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What the sound rows of a file come to. faults: of all others, by row.

    asks_stock: stock decided about some of them. seen: what was looked at.
    """

    cards: Sequence[Any]
    stored: Mapping[Any, Any]
    sound_count: int
    faults: tuple[RowFault, ...]
    asks_stock: bool
    seen: Seen


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file, or would. faults: at most FAULTS_LISTED_MAX of faults_count.

    counts: of objects, None where nothing was written. code: of the import's event, "" for none.
    """

    table: str
    told: str
    rows_count: int
    sound_count: int
    faults_count: int
    faults: tuple[RowFault, ...]
    counts: PutCounts | None = None
    code: str = ""


def book_named(name: str) -> ImportBook:
    """Return the book of an import table. Raises NotThere."""
    book = BOOKS.get(name)
    if book is None:
        raise NotThere(
            f"nothing is imported as {name[:40]!r}", hint=f"Use one of: {', '.join(BOOKS)}."
        )
    return book


def read_upload(name: str, data: bytes) -> Upload:
    """Return what a file says; touches no database.

    Raises NotThere for an unknown table, Unusable for a file that is no such table or too large.
    """
    book = book_named(name)
    if len(data) > FILE_BYTES_MAX:
        raise Unusable(
            f"the file of {len(data)} bytes is larger than {FILE_BYTES_MAX}",
            hint="Divide it into several files.",
        )
    table = book.table
    if data.startswith(MAGIC):
        sheet = read_workbook(data)
    else:
        sheet = read_csv(data, known_columns=lambda heading: known_columns(table, heading))
    return Upload(book, read_rows(table, sheet), sheet.told)


def check_import(connection: Connection, upload: Upload) -> ImportReport:
    """Return what an import would find; writes nothing."""
    return _report(upload, judge_import(connection, upload))


def judge_import(connection: Connection, upload: Upload) -> Judged:
    """Return what a file comes to as things are; writes nothing."""
    book, rows, seen = upload.book, list(upload.read.rows), _seen(connection)
    faults = list(upload.read.faults)
    for _ in range(PASSES_MAX):
        cards, stored, found = _judge_rows(book, connection, rows)
        if not found:
            faults.sort()
            asks_stock = any(
                book.asks_stock(stored[owner].card if owner in stored else None, card)
                for owner, card in cards.items()
            )
            return Judged(tuple(cards.values()), stored, len(rows), tuple(faults), asks_stock, seen)
        faults += found
        bad = {fault.row for fault in found}
        rows = [row for row in rows if row.number not in bad]
    raise Unusable(
        "its rows depend on each other too deeply",
        hint="Import the rows that others need first, in a file of their own.",
    )


def apply_import(
    change: Change, upload: Upload, *, only_valid: bool, judged: Judged | None = None
) -> ImportReport:
    """Write the rows of a file, all or, with only_valid, those without faults.

    judged: the same file as it was judged before, if it was. Raises Unusable that lists the faults,
    and then nothing is written.
    """
    if judged is None or not _still_so(change.connection, judged):
        judged = judge_import(change.connection, upload)
    report = _report(upload, judged)
    if judged.faults and not only_valid:
        first = judged.faults[0]
        rows_count = len({fault.row for fault in judged.faults})
        raise Unusable(
            f"{rows_count} of {upload.read.rows_count} rows cannot be imported; row {first.row}:"
            f" {f'{first.column}: ' if first.column else ''}{first.message}",
            hint="Correct the rows, or import the others alone (only_valid).",
            fields={
                "rows_count": report.rows_count,
                "sound_count": report.sound_count,
                "faults_count": report.faults_count,
                "faults": msgspec.to_builtins(report.faults[:FAULTS_IN_REFUSAL_MAX]),
            },
        )
    counts = upload.book.put(change, judged.cards, judged.stored)
    code = change.next_code("IM")
    change.note(
        KIND,
        code,
        "applied",
        table=report.table,
        rows=report.rows_count,
        left_out=report.rows_count - report.sound_count,
        created=counts.created,
        changed=counts.changed,
        unchanged=counts.unchanged,
    )
    return replace(report, counts=counts, code=code)


def _still_so(connection: Connection, judged: Judged) -> bool:
    """Return whether nothing that a judgement rests on was changed since."""
    now = _seen(connection)
    return now == judged.seen or (
        not judged.asks_stock and replace(now, record_no=judged.seen.record_no) == judged.seen
    )


def _seen(connection: Connection) -> Seen:
    state = read_state(connection)
    last = connection.execute(select(func.max(tables.object_events.c.event_no))).scalar_one()
    return Seen(last or 0, state.reference_revision, state.record_no)


def _judge_rows(
    book: ImportBook, connection: Connection, rows: Sequence[ImportRow]
) -> tuple[dict[Any, Any], Mapping[Any, Any], list[RowFault]]:
    by_owner: dict[Any, list[ImportRow]] = {}
    for row in rows:
        by_owner.setdefault(book.owner(row), []).append(row)
    stored = book.read(connection, set(by_owner))
    faults: list[RowFault] = []
    cards = {}
    for owner, some in by_owner.items():
        before = stored.get(owner)
        if before is None and not book.creates:
            faults += (_without_owner(row) for row in some)
            continue
        card = book.merged(before, some)
        own = [] if before is not None and card == before.card else list(book.faults(card))
        if own and before is not None:
            known = set(book.faults(before.card))
            own = [fault for fault in own if fault not in known]
        faults += (_row_fault(book.table, fault, some) for fault in own)
        if not own:
            cards[owner] = card
    changed = [
        card for owner, card in cards.items() if owner not in stored or stored[owner].card != card
    ]
    for owner, fault in book.conflicts(connection, changed, stored):
        faults.append(_row_fault(book.table, fault, by_owner[owner]))
    return cards, stored, faults


def _without_owner(row: ImportRow) -> RowFault:
    column = "partner" if "partner" in row.values else "item"
    message = f"no {column} is called {str(row.values[column])[:64]!r}"
    return RowFault(row.number, column, message, f"Import {column}s first, or correct the code.")


def _row_fault(table: ImportTable, fault: Fault, rows: Sequence[ImportRow]) -> RowFault:
    """Return a fault of a card as one of the row that it comes from, the first if none is named."""
    path = f".{fault.field}."
    row = max(
        rows,
        key=lambda one: sum(
            f".{one.values.get(name, '')}." in path
            for name in (*table.key, "gtin")
            if one.values.get(name)
        ),
    )
    name = fault.field.rsplit(".", 1)[-1]
    name = COLUMN_OF_FIELD.get(table.name, {}).get(name, name)
    known = {column.name for column in table.columns}
    return RowFault(row.number, name if name in known else "", fault.message, fault.hint)


def _report(upload: Upload, judged: Judged) -> ImportReport:
    return ImportReport(
        table=upload.book.table.name,
        told=upload.told,
        rows_count=upload.read.rows_count,
        sound_count=judged.sound_count,
        faults_count=len(judged.faults),
        faults=judged.faults[:FAULTS_LISTED_MAX],
    )
