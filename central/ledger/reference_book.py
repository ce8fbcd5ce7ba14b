"""Reference data: loads a whole document, looks up what a posting needs. Edge of the database."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, bindparam, delete, update

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import Reference
from central.errors import ReferenceRefused
from central.ledger.entries import ExpectedLine, Known
from central.ledger.state import lock_ledger, set_state
from central.storage import bulk, tables

CACHED_COUNT_MAX = 50_000  # Names kept in memory before the cache starts anew.


class ReferenceBook:
    """Looks up reference data and remembers it until another revision is loaded.

    One thread at a time: it is used under the ledger's write lock.
    """

    def __init__(self) -> None:
        self._revision = 0
        self._units: dict[str, str | None] = {}
        self._locations: dict[tuple[str, str], bool] = {}
        self._documents: dict[tuple[str, str], dict[int, ExpectedLine] | None] = {}

    def look_up(
        self,
        connection: Connection,
        *,
        revision: int,
        items: set[str],
        locations: set[tuple[str, str]],
        documents: set[tuple[str, str]],
    ) -> Known:
        """Return what is known of these items, places and documents.

        revision: of the reference data, as the ledger's state says in this transaction.
        """
        size = len(self._units) + len(self._locations) + len(self._documents)
        if revision != self._revision or size > CACHED_COUNT_MAX:
            self._units, self._locations, self._documents = {}, {}, {}
            self._revision = revision
        units = _units_of(connection, items - self._units.keys())
        places = _places_of(connection, locations - self._locations.keys())
        expected = _lines_of(connection, documents - self._documents.keys())
        # Only what all look-ups have answered is remembered: one that failed says nothing.
        self._units |= units
        self._locations |= places
        self._documents |= expected
        return Known(
            item_units={item: unit for item in items if (unit := self._units[item]) is not None},
            locations=frozenset(place for place in locations if self._locations[place]),
            documents={
                document: lines
                for document in documents
                if (lines := self._documents[document]) is not None
            },
        )


def load_reference(connection: Connection, reference: Reference) -> bool:
    """Make a document the ledger's reference data, whole; return False if it was that already.

    Raises ReferenceRefused for a lower revision than the one that is loaded.
    """
    loaded = lock_ledger(connection).reference_revision
    if reference.revision < loaded:
        raise ReferenceRefused(
            f"reference data of revision {reference.revision} is older than revision {loaded}",
            hint="Raise `revision` in the document if it is meant to replace the loaded one.",
        )
    if reference.revision == loaded:
        return False
    for table in (
        tables.document_lines,
        tables.documents,
        tables.item_barcodes,
        tables.items,
        tables.locations,
        tables.warehouses,
        tables.operators,
    ):
        connection.execute(delete(table))
    _insert_places_and_items(connection, reference)
    _insert_documents(connection, reference)
    set_state(connection, "reference_revision", str(reference.revision))
    return True


def _units_of(connection: Connection, items: set[str]) -> dict[str, str | None]:
    units: dict[str, str | None] = dict.fromkeys(items)
    keys = [(item,) for item in sorted(items)]
    for row in bulk.select_by_key(connection, tables.items, keys, columns_count=1):
        units[row[0]] = row[3]
    return units


def _places_of(connection: Connection, places: set[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    known = dict.fromkeys(places, False)
    for row in bulk.select_by_key(connection, tables.locations, sorted(places), columns_count=2):
        known[(row[0], row[1])] = True
    return known


def _lines_of(
    connection: Connection, documents: set[tuple[str, str]]
) -> dict[tuple[str, str], dict[int, ExpectedLine] | None]:
    known: dict[tuple[str, str], dict[int, ExpectedLine] | None] = dict.fromkeys(documents)
    keys = sorted(documents)
    for row in bulk.select_by_key(connection, tables.documents, keys, columns_count=2):
        known[(row[0], row[1])] = {}
    for row in bulk.select_by_key(connection, tables.document_lines, keys, columns_count=2):
        lines = known[(row[0], row[1])]
        assert lines is not None
        lines[row[2]] = ExpectedLine(
            item=row[3], expected_micro=row[4], tolerance_percent_micro=row[5]
        )
    return known


def _insert_places_and_items(connection: Connection, reference: Reference) -> None:
    _insert(
        connection,
        tables.warehouses,
        ((place.code, place.name, place.name_zh) for place in reference.warehouses),
    )
    _insert(
        connection,
        tables.locations,
        (
            (warehouse.code, place.code, place.kind)
            for warehouse in reference.warehouses
            for place in warehouse.locations
        ),
    )
    _insert(
        connection,
        tables.items,
        (
            (item.code, item.name, item.name_zh, item.unit, item.kind, item.lot_tracked)
            for item in reference.items
        ),
    )
    _insert(
        connection,
        tables.item_barcodes,
        (
            (barcode.gtin, item.code, to_micro(parse_decimal(barcode.quantity)))
            for item in reference.items
            for barcode in item.barcodes
        ),
    )
    _insert(
        connection,
        tables.operators,
        ((operator.code, operator.name) for operator in reference.operators),
    )


def _insert_documents(connection: Connection, reference: Reference) -> None:
    _insert(
        connection,
        tables.documents,
        (
            (document.warehouse, document.code, document.kind, document.partner)
            for document in reference.documents
        ),
    )
    rows = [
        (
            document.warehouse,
            document.code,
            line.line,
            line.item,
            to_micro(parse_decimal(line.quantity)),
            to_micro(parse_decimal(line.tolerance_percent, what="tolerance"), what="tolerance"),
        )
        for document in reference.documents
        for line in document.lines
    ]
    bulk.insert_rows(connection, tables.document_lines, rows)
    _expect(connection, rows, units={item.code: item.unit for item in reference.items})


def _expect(
    connection: Connection,
    rows: list[tuple[str, str, int, str, int, int]],
    *,
    units: dict[str, str],
) -> None:
    """Give document progress its expected quantities; what came in already stays."""
    progress = tables.document_progress
    connection.execute(update(progress).values(expected_micro=0, tolerance_percent_micro=0))
    keys = [
        (warehouse, code, line, item, units[item]) for warehouse, code, line, item, _, _ in rows
    ]
    bulk.insert_missing_rows(connection, progress, [(*key, 0, 0, 0, 0) for key in keys])
    if rows:
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
    connection.execute(
        delete(progress).where(progress.c.expected_micro == 0, progress.c.received_micro == 0)
    )


def _insert(connection: Connection, table: Table, rows: Iterable[bulk.Row]) -> None:
    bulk.insert_rows(connection, table, list(rows))
