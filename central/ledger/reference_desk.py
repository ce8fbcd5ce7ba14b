"""Single entries of the reference data, as books at the desk put them. Edge of the database.

What these write is what gateways are told; what only central needs of an item, a place or an order
stands in tables of its own.
"""

from collections.abc import Sequence

from sqlalchemy import delete, update

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import ExpectedDocument, Item, Location, Operator, Warehouse
from central.errors import Unusable
from central.ledger.desk import Change
from central.ledger.document_findings import rejudge_document
from central.ledger.expected import (
    ReferenceChange,
    document_row,
    document_rows,
    expect,
    turn_progress,
)
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
    """Add a person at stations or rename them."""
    row = (operator.code, operator.name, DESK)
    bulk.upsert_rows(change.connection, tables.operators, [row])
    change.touch(("operator", "", operator.code))


def put_document(change: Change, document: ExpectedDocument) -> None:
    """Let a warehouse work on a document, or change what it expects; what came already counts.

    Raises Unusable if it names an item that is not there.
    """
    connection = change.connection
    rows = document_rows(document)
    items = {row[3] for row in rows if row[3]}  # A count may ask for a place, whatever is there.
    units = _units(change, items)
    missing = sorted(items - units.keys())
    if missing:
        raise Unusable(
            f"document {document.code}: no item is called {missing[0]!r}",
            hint="Add the item first, or correct its code.",
            fields={"items": missing},
        )
    _delete_lines(change, document.warehouse, document.code)
    bulk.upsert_rows(connection, tables.documents, [document_row(document, source=DESK)])
    bulk.insert_rows(connection, tables.document_lines, rows)
    if document.kind != "count":
        expect(connection, rows, units=units)
        turn_progress(connection, warehouse=document.warehouse, document=document.code)
        rejudge_document(
            connection,
            warehouse=document.warehouse,
            document=document.code,
            lines=rows,
            now_ms=change.now_ms,
        )
    change.touch(("document", document.warehouse, document.code))


def withdraw_document(change: Change, *, warehouse: str, code: str) -> None:
    """Let nobody work on a document any more; what came in under it stays counted."""
    _delete_lines(change, warehouse, code)
    table = tables.documents
    change.connection.execute(
        delete(table).where(table.c.warehouse == warehouse, table.c.document == code)
    )
    change.touch(("document", warehouse, code))


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


def _delete_lines(change: Change, warehouse: str, code: str) -> None:
    lines, progress = tables.document_lines, tables.document_progress
    change.connection.execute(
        delete(lines).where(lines.c.warehouse == warehouse, lines.c.document == code)
    )
    change.connection.execute(
        update(progress)
        .where(progress.c.warehouse == warehouse, progress.c.document == code)
        .values(expected_micro=0, tolerance_percent_micro=0)
    )
    change.connection.execute(
        delete(progress).where(
            progress.c.warehouse == warehouse,
            progress.c.document == code,
            progress.c.received_micro == 0,
        )
    )
