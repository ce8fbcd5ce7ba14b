"""Reference data: loads a whole document, looks up what a posting needs. Edge of the database."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import chain
from sys import intern
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import Connection, Table, delete, select, update

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import Reference
from central.errors import ReferenceRefused
from central.ledger.entries import ExpectedLine, GoodsRule, Known
from central.ledger.expected import (
    CHANGES_KEPT_MAX,
    ReferenceChange,
    document_row,
    document_rows,
    expect,
    forget_idle_progress,
    note_changes,
    read_changes,
    turn_progress,
)
from central.ledger.progress import PICKED_KINDS
from central.ledger.reference_conflicts import refuse_other_stock
from central.ledger.state import lock_ledger, set_state
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_policies, item_units

# Items and places in memory before both are forgotten: in a ledger that has more in use, calls look
# up again and again what they knew. Some 30 MB.
NAMES_KEPT_MAX = 150_000
DOCUMENTS_KEPT_MAX = 50_000
CODES_AT_ONCE_MAX = 500
REVISIONS_AT_ONCE_MAX = 100  # Of which it is looked up one by one what they touched.
ITEMS_FORESEEN_MAX = 20  # More are better looked up by statements of arrays.
REVISIONS_FORESEEN = 3  # So many are looked for before it is known how many there are.
ITEM_TABLES = (item_policies, tables.items, item_units)
NO_PACKS: Mapping[str, Fraction] = MappingProxyType({})
# Of an item without one: inspected, weight_unit, expiry_tracked, serial_tracked, shelf_life_days,
# min_days_left_to_ship.
NO_POLICY = (False, "", False, False, 0, 0)
FILE = "file"  # The source of what a reference document brought.


class _Item(NamedTuple):
    """What postings need of an item. weight_unit: "" where nobody says in what it is weighed.

    packs: how many of its unit one of another is, where the item itself says so. rule: None if it
    asks for nothing.
    """

    unit: str
    inspected: bool
    weight_unit: str
    packs: Mapping[str, Fraction]
    rule: GoodsRule | None


class _Document(NamedTuple):
    """What postings need of a document. picked: its lines are picks of an order of the desk."""

    kind: str
    picked: bool
    lines: dict[int, ExpectedLine]
    counterpart: str


class ReferenceBook:
    """Looks up reference data and remembers it until another revision is loaded.

    One thread at a time: it is used under the ledger's write lock.
    """

    def __init__(self) -> None:
        self._revision = 0
        self._items: dict[str, _Item | None] = {}
        self._locations: dict[tuple[str, str], bool] = {}
        self._documents: dict[tuple[str, str], _Document | None] = {}

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
        if len(self._items) + len(self._locations) > NAMES_KEPT_MAX:
            self._items, self._locations = {}, {}
        if len(self._documents) > DOCUMENTS_KEPT_MAX:
            self._documents = {}
        if revision != self._revision:
            self._forget(connection, revision)
        # One by one: the keys of a dictionary taken from a set are walked through, all of them.
        unknown_items = {one for one in items if one not in self._items}
        unknown_places = {one for one in locations if one not in self._locations}
        unknown_documents = {one for one in documents if one not in self._documents}
        new_items = _items_of(connection, unknown_items) if unknown_items else {}
        new_places = _places_of(connection, unknown_places) if unknown_places else {}
        new_documents = _documents_of(connection, unknown_documents) if unknown_documents else {}
        # Only what all look-ups have answered is remembered: one that failed says nothing.
        self._items |= new_items
        self._locations |= new_places
        self._documents |= new_documents
        found = [(code, item) for code in items if (item := self._items[code]) is not None]
        expected = [(key, one) for key in documents if (one := self._documents[key]) is not None]
        return Known(
            item_units={code: item.unit for code, item in found},
            locations=frozenset(place for place in locations if self._locations[place]),
            documents={key: one.lines for key, one in expected},
            document_kinds={key: one.kind for key, one in expected},
            counterparts={key: one.counterpart for key, one in expected if one.counterpart},
            inspected_items=frozenset(code for code, item in found if item.inspected),
            weight_units={code: item.weight_unit for code, item in found if item.weight_unit},
            packs={code: item.packs for code, item in found if item.packs},
            goods_rules={code: item.rule for code, item in found if item.rule is not None},
            picked_documents=frozenset(key for key, one in expected if one.picked),
        )

    def looks(self, items: Iterable[str], *, revision: int | None = None) -> list[bulk.Look]:
        """Return what `look_up` of these will look up, if few revisions have come since.

        revision: that will be given to it, None if nobody knows yet.
        """
        if revision is None:
            revision = self._revision + REVISIONS_FORESEEN
        foreseen = self._revisions(revision)
        looks = [bulk.Look(tables.reference_changes, foreseen, 1)]
        # One by one: who holds the lock may remember more of them meanwhile.
        unknown = [(code,) for code in sorted(set(items)) if code not in self._items]
        if 0 < len(unknown) <= ITEMS_FORESEEN_MAX:
            looks += [bulk.Look(table, unknown, 1) for table in ITEM_TABLES]
        return looks

    def _revisions(self, revision: int) -> list[tuple[int]]:
        """Return the keys of the revisions since the remembered one, none if those are many."""
        if not 0 < revision - self._revision <= REVISIONS_AT_ONCE_MAX:
            return []
        return [(number,) for number in range(self._revision + 1, revision + 1)]

    def _forget(self, connection: Connection, revision: int) -> None:
        """Forget what other revisions than the remembered one have touched."""
        changes: list[ReferenceChange] | None = None
        if revisions := self._revisions(revision):
            table = tables.reference_changes
            found = bulk.select_by_key(connection, table, revisions, columns_count=1)
            changes = [(row[1], row[2], row[3]) for row in found]
        elif 0 <= revision - self._revision < CHANGES_KEPT_MAX:
            changes = read_changes(connection, after=self._revision)
        self._revision = revision
        self.forget(changes if changes is not None else [("all", "", "")])

    def forget(self, changes: Iterable[ReferenceChange]) -> None:
        """Forget what is remembered of these entries."""
        for kind, warehouse, code in changes:
            if kind == "all":
                self._items, self._locations, self._documents = {}, {}, {}
            elif kind == "item":
                self._items.pop(code, None)
            elif kind == "location":
                self._locations.pop((warehouse, code), None)
            elif kind == "document":
                self._documents.pop((warehouse, code), None)


def load_reference(connection: Connection, reference: Reference) -> bool:
    """Make a document the ledger's reference data, whole; return False if it was that already.

    Raises ReferenceRefused for an older revision than the loaded one, or one against the stock.
    """
    loaded = lock_ledger(connection).reference_revision
    if reference.revision < loaded:
        raise ReferenceRefused(
            f"reference data of revision {reference.revision} is older than revision {loaded}",
            hint="Raise `revision` in the document if it is meant to replace the loaded one.",
        )
    if reference.revision == loaded:
        return False
    refuse_other_stock(connection, reference)
    _delete_loaded(connection)
    _write_places_and_items(connection, reference)
    _delete_left_behind(connection, reference)
    _write_documents(connection, reference)
    note_changes(connection, [("all", "", "")], revision=reference.revision)
    set_state(connection, "reference_revision", str(reference.revision))
    return True


def _items_of(connection: Connection, codes: set[str]) -> dict[str, _Item | None]:
    items: dict[str, _Item | None] = dict.fromkeys(codes)
    keys = [(code,) for code in sorted(codes)]
    if len(keys) <= ITEMS_FORESEEN_MAX:
        bulk.look_ahead(connection, [bulk.Look(table, keys, 1) for table in ITEM_TABLES])
    packs: dict[str, dict[str, Fraction]] = {}
    for row in bulk.select_by_key(connection, item_units, keys, columns_count=1):
        packs.setdefault(row[0], {})[row[1]] = Fraction(row[2], row[3])
    found = bulk.select_by_key(connection, item_policies, keys, columns_count=1)
    policies = {row[0]: row[2:8] for row in found}
    for row in bulk.select_by_key(connection, tables.items, keys, columns_count=1):
        inspected, weight_unit, dated, serial, _, days_left = policies.get(row[0], NO_POLICY)
        # A date is kept of a lot: who asks for the one asks for the other.
        rule = GoodsRule(bool(row[5] or dated), bool(serial), bool(dated), days_left)
        more = (packs.get(row[0], NO_PACKS), rule if any(rule) else None)
        items[row[0]] = _Item(intern(row[3]), bool(inspected), weight_unit, *more)
    return items


def _places_of(connection: Connection, places: set[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    known = dict.fromkeys(places, False)
    for row in bulk.select_by_key(connection, tables.locations, sorted(places), columns_count=2):
        known[(row[0], row[1])] = True
    return known


def _documents_of(
    connection: Connection, documents: set[tuple[str, str]]
) -> dict[tuple[str, str], _Document | None]:
    known: dict[tuple[str, str], _Document | None] = dict.fromkeys(documents)
    keys = sorted(documents)
    for row in bulk.select_by_key(connection, tables.documents, keys, columns_count=2):
        picked = row[2] in PICKED_KINDS and row[4] != FILE
        known[row[0], row[1]] = _Document(row[2], picked, {}, row[5])
    for row in bulk.select_by_key(connection, tables.document_lines, keys, columns_count=2):
        document = known[(row[0], row[1])]
        assert document is not None
        document.lines[row[2]] = ExpectedLine(*row[3:6])
    return known


def _delete_loaded(connection: Connection) -> None:
    """Delete what an earlier document brought and nothing made at the desk refers to."""
    lines, documents = tables.document_lines.c, tables.documents.c
    of_file = select(documents.document).where(
        documents.warehouse == lines.warehouse,
        documents.document == lines.document,
        documents.source == FILE,
    )
    connection.execute(delete(tables.document_lines).where(of_file.exists()))
    for table in (tables.documents, tables.item_barcodes, tables.locations, tables.operators):
        connection.execute(delete(table).where(table.c.source == FILE))


def _delete_left_behind(connection: Connection, reference: Reference) -> None:
    """Delete items and warehouses that an earlier document brought and this one does not have.

    A warehouse stays while something made at the desk is in it.
    """
    items, warehouses = tables.items.c, tables.warehouses.c
    gone = sorted(
        set(connection.execute(select(items.item).where(items.source == FILE)).scalars())
        - {item.code for item in reference.items}
    )
    for table in (tables.item_barcodes, tables.items):
        for start in range(0, len(gone), CODES_AT_ONCE_MAX):
            codes = gone[start : start + CODES_AT_ONCE_MAX]
            connection.execute(delete(table).where(table.c.item.in_(codes)))
    kept = [
        select(table.c.warehouse).where(table.c.warehouse == warehouses.warehouse).exists()
        for table in (tables.locations, tables.documents)
    ]
    connection.execute(
        delete(tables.warehouses).where(
            warehouses.source == FILE,
            warehouses.warehouse.not_in([one.code for one in reference.warehouses]),
            *(~found for found in kept),
        )
    )


def _write_places_and_items(connection: Connection, reference: Reference) -> None:
    """Write them; what was made at the desk with one of these codes is the document's now."""
    _write(
        connection,
        tables.warehouses,
        ((place.code, place.name, place.name_zh, FILE) for place in reference.warehouses),
    )
    _write(
        connection,
        tables.locations,
        (
            (warehouse.code, place.code, place.kind, FILE)
            for warehouse in reference.warehouses
            for place in warehouse.locations
        ),
    )
    _write(
        connection,
        tables.items,
        (
            (item.code, item.name, item.name_zh, item.unit, item.kind, item.lot_tracked, FILE)
            for item in reference.items
        ),
    )
    _write(
        connection,
        tables.item_barcodes,
        (
            (barcode.gtin, item.code, to_micro(parse_decimal(barcode.quantity)), FILE)
            for item in reference.items
            for barcode in item.barcodes
        ),
    )
    _write(
        connection,
        tables.operators,
        ((one.code, one.name, FILE, one.language) for one in reference.operators),
    )


def _write_documents(connection: Connection, reference: Reference) -> None:
    _write(
        connection,
        tables.documents,
        (document_row(document, source=FILE) for document in reference.documents),
    )
    rows = {document.code: document_rows(document) for document in reference.documents}
    _write(connection, tables.document_lines, chain.from_iterable(rows.values()))
    progress, documents = tables.document_progress, tables.documents.c
    of_desk = select(documents.document).where(
        documents.warehouse == progress.c.warehouse,
        documents.document == progress.c.document,
        documents.source != FILE,
    )
    connection.execute(
        update(progress)
        .where(~of_desk.exists())
        .values(expected_micro=0, tolerance_percent_micro=0)
    )
    expected = [
        row
        for document in reference.documents
        if document.kind != "count"
        for row in rows[document.code]
    ]
    expect(connection, expected, units={item.code: item.unit for item in reference.items})
    turn_progress(connection)
    forget_idle_progress(connection)


def _write(connection: Connection, table: Table, rows: Iterable[bulk.Row]) -> None:
    bulk.upsert_rows(connection, table, list(rows))
