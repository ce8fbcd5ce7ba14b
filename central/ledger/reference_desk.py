"""Single entries of the reference data, as books at the desk put them. Edge of the database.

What these write is what gateways are told; what only central needs of an item, a place or an order
stands in tables of its own.
"""

from collections.abc import Sequence

from sqlalchemy import delete

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import ExpectedDocument, Item, Location, Operator, Warehouse
from central.errors import Unusable
from central.ledger.desk import Change
from central.ledger.document_findings import rejudge_documents
from central.ledger.expected import (
    ReferenceChange,
    document_row,
    document_rows,
    expect_anew,
)
from central.ledger.progress import PICKED_KINDS
from central.storage import bulk, tables

CODES_AT_ONCE_MAX = 500
TOUCHED_MAX = 5000  # Entries of which gateways are told one by one.
DESK = "desk"  # The source of what is put here; the next reference document leaves it alone.


def put_warehouse(change: Change, warehouse: Warehouse) -> None:
    """Add a warehouse or rename it; its places are put one by one."""
    row = (warehouse.code, warehouse.name, warehouse.name_zh, DESK)
    bulk.upsert_rows(change.connection, tables.warehouses, [row])
    change.touch(("warehouse", warehouse.code, warehouse.code))


def withdraw_warehouse(change: Change, warehouse: str) -> None:
    """Take out a warehouse that has no places and no documents."""
    table = tables.warehouses
    change.connection.execute(delete(table).where(table.c.warehouse == warehouse))
    change.touch(("warehouse", warehouse, warehouse))


def put_location(change: Change, warehouse: str, location: Location) -> None:
    """Add a place of a warehouse or change its kind."""
    put_locations(change, [(warehouse, location)])


def put_locations(change: Change, places: Sequence[tuple[str, Location]]) -> None:
    """Add places, each with its warehouse, or change their kind."""
    rows = [(warehouse, place.code, place.kind, DESK) for warehouse, place in places]
    bulk.upsert_rows(change.connection, tables.locations, rows)
    _touch_all(change, [("location", warehouse, place.code) for warehouse, place in places])


def withdraw_location(change: Change, warehouse: str, location: str) -> None:
    """Take a place out; what is or comes there is then at an unknown place."""
    table = tables.locations
    change.connection.execute(
        delete(table).where(table.c.warehouse == warehouse, table.c.location == location)
    )
    change.touch(("location", warehouse, location))


def put_item(change: Change, item: Item) -> None:
    """Add an item or change it; its bar codes are exactly these afterwards.

    Raises Unusable if a bar code is another item's.
    """
    put_items(change, [item])


def put_items(change: Change, items: Sequence[Item]) -> None:
    """Add items or change them; bar codes may go from one of them to another.

    Raises Unusable if a bar code is that of an item that is none of these.
    """
    connection, table = change.connection, tables.item_barcodes
    rows: list[bulk.Row] = [
        (item.code, item.name, item.name_zh, item.unit, item.kind, item.lot_tracked, DESK)
        for item in items
    ]
    bulk.upsert_rows(connection, tables.items, rows)
    codes = [item.code for item in items]
    barcodes = [
        (one.gtin, item.code, to_micro(parse_decimal(one.quantity)), DESK)
        for item in items
        for one in item.barcodes
    ]
    _refuse_taken(change, barcodes, items=set(codes))
    for start in range(0, len(codes), CODES_AT_ONCE_MAX):
        some = codes[start : start + CODES_AT_ONCE_MAX]
        connection.execute(delete(table).where(table.c.item.in_(some)))
    bulk.insert_rows(connection, table, barcodes)
    touch_items(change, codes)


def touch_items(change: Change, items: Sequence[str]) -> None:
    """Have caches look items up anew, of which something changed that gateways need not know."""
    _touch_all(change, [("item", "", item) for item in items])


def withdraw_item(change: Change, item: str) -> None:
    """Take an item out with its bar codes; what is scanned of it is then of an unknown item."""
    for table in (tables.item_barcodes, tables.items):
        change.connection.execute(delete(table).where(table.c.item == item))
    change.touch(("item", "", item))


def put_operator(change: Change, operator: Operator) -> None:
    """Add a person at stations, rename them or let them read another language."""
    row = (operator.code, operator.name, DESK, operator.language)
    bulk.upsert_rows(change.connection, tables.operators, [row])
    change.touch(("operator", "", operator.code))


def put_document(change: Change, document: ExpectedDocument) -> None:
    """Let a warehouse work on a document, or change what it expects; what came already counts.

    Raises Unusable if it names an item that is not there.
    """
    put_documents(change, [document])


def put_documents(change: Change, documents: Sequence[ExpectedDocument]) -> None:
    """Put several documents. Raises Unusable if one names an item that is not there."""
    connection = change.connection
    rows = {(one.warehouse, one.code): document_rows(one) for one in documents}
    # A count may ask for a place, whatever is there.
    items = {row[3] for some in rows.values() for row in some if row[3]}
    looks = [bulk.Look(tables.items, [(item,) for item in sorted(items)], 1)]
    bulk.look_ahead(connection, [*looks, *_looks_of(list(rows))])
    units = _units(change, items)
    missing = sorted(items - units.keys())
    if missing:
        raise Unusable(
            f"document {documents[0].code}: no item is called {missing[0]!r}",
            hint="Add the item first, or correct its code.",
            fields={"items": missing},
        )
    for document in documents:
        of_document = rows[document.warehouse, document.code]
        bulk.upsert_rows(connection, tables.documents, [document_row(document, source=DESK)])
        _write_lines(change, document.warehouse, document.code, of_document)
        counts = document.kind != "count"
        expect_anew(
            connection,
            of_document if counts else [],
            warehouse=document.warehouse,
            document=document.code,
            units=units,
            kind=document.kind if counts else None,
        )
    expecting = {
        (one.warehouse, one.code): rows[one.warehouse, one.code]
        for one in documents
        if one.kind != "count"
    }
    picked = {(one.warehouse, one.code) for one in documents if one.kind in PICKED_KINDS}
    rejudge_documents(connection, expecting, picked=picked, now_ms=change.now_ms)
    change.touch(*(("document", one.warehouse, one.code) for one in documents))


def withdraw_document(change: Change, *, warehouse: str, code: str) -> None:
    """Let nobody work on a document any more; what came in under it stays counted."""
    withdraw_documents(change, [(warehouse, code)])


def withdraw_documents(change: Change, documents: Sequence[tuple[str, str]]) -> None:
    """Withdraw several documents, each by its warehouse and code."""
    bulk.look_ahead(change.connection, _looks_of(documents))
    for warehouse, code in documents:
        _write_lines(change, warehouse, code, [])
        expect_anew(
            change.connection,
            [],
            warehouse=warehouse,
            document=code,
            units={},
            kind=None,
        )
    bulk.delete_by_key(change.connection, tables.documents, documents)
    change.touch(*(("document", warehouse, code) for warehouse, code in documents))


def _looks_of(documents: Sequence[tuple[str, str]]) -> list[bulk.Look]:
    """Return what documents are read by before they are changed."""
    stored = (tables.document_lines, tables.document_progress)
    return [bulk.Look(table, documents, 2) for table in stored]


def _refuse_taken(change: Change, barcodes: Sequence[bulk.Row], *, items: set[str]) -> None:
    keys = [(row[0],) for row in barcodes]
    found = bulk.select_by_key(change.connection, tables.item_barcodes, keys, columns_count=1)
    taken = next((row for row in found if row[1] not in items), None)
    if taken is not None:
        raise Unusable(
            f"GTIN {taken[0]} is a bar code of item {taken[1]} already",
            hint="Correct the GTIN, or take it from the other item first.",
            fields={"gtin": taken[0], "item": taken[1]},
        )


def _touch_all(change: Change, changes: Sequence[ReferenceChange]) -> None:
    """Note what was changed one by one, or as a whole where that is less to say."""
    if len(changes) > TOUCHED_MAX:
        changes = [("all", "", "")]
    if changes:
        change.touch(*changes)


def _units(change: Change, items: set[str]) -> dict[str, str]:
    keys = [(item,) for item in sorted(items)]
    found = bulk.select_by_key(change.connection, tables.items, keys, columns_count=1)
    return {row[0]: row[3] for row in found}


def _write_lines(change: Change, warehouse: str, code: str, rows: Sequence[bulk.Row]) -> None:
    """Make these all lines of a document."""
    connection, table = change.connection, tables.document_lines
    stored = bulk.select_by_key(connection, table, [(warehouse, code)], columns_count=2)
    gone = {row[:3] for row in stored} - {row[:3] for row in rows}
    bulk.delete_by_key(connection, table, sorted(gone))
    bulk.upsert_rows(connection, table, rows)
