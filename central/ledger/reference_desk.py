"""Single entries of the reference data, as books at the desk put them. Edge of the database.

What these write is what gateways are told; what only central needs of an item, a place or an order
stands in tables of its own.
"""

from sqlalchemy import delete, select, update

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import ExpectedDocument, Item, Location, Operator, Warehouse
from central.errors import Unusable
from central.ledger.desk import Change
from central.ledger.expected import document_rows, expect
from central.storage import bulk, tables

DESK = "desk"  # The source of what is put here; the next reference document leaves it alone.


def put_warehouse(change: Change, warehouse: Warehouse) -> None:
    """Add a warehouse or rename it; its places are put one by one."""
    row = (warehouse.code, warehouse.name, warehouse.name_zh, DESK)
    bulk.upsert_rows(change.connection, tables.warehouses, [row])
    change.touch(("warehouse", warehouse.code, warehouse.code))


def put_location(change: Change, warehouse: str, location: Location) -> None:
    """Add a place of a warehouse or change its kind."""
    row = (warehouse, location.code, location.kind, DESK)
    bulk.upsert_rows(change.connection, tables.locations, [row])
    change.touch(("location", warehouse, location.code))


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
    connection, barcodes = change.connection, tables.item_barcodes
    row = (item.code, item.name, item.name_zh, item.unit, item.kind, item.lot_tracked, DESK)
    bulk.upsert_rows(connection, tables.items, [row])
    taken = connection.execute(
        select(barcodes.c.gtin, barcodes.c.item).where(
            barcodes.c.gtin.in_([one.gtin for one in item.barcodes]), barcodes.c.item != item.code
        )
    ).first()
    if taken is not None:
        raise Unusable(
            f"GTIN {taken.gtin} is a bar code of item {taken.item} already",
            hint="Correct the GTIN, or take it from the other item first.",
            fields={"gtin": taken.gtin, "item": taken.item},
        )
    connection.execute(delete(barcodes).where(barcodes.c.item == item.code))
    rows = [
        (one.gtin, item.code, to_micro(parse_decimal(one.quantity)), DESK) for one in item.barcodes
    ]
    bulk.insert_rows(connection, barcodes, rows)
    change.touch(("item", "", item.code))


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
    units = _units(change, {row[3] for row in rows})
    missing = sorted({row[3] for row in rows} - units.keys())
    if missing:
        raise Unusable(
            f"document {document.code}: no item is called {missing[0]!r}",
            hint="Add the item first, or correct its code.",
            fields={"items": missing},
        )
    _delete_lines(change, document.warehouse, document.code)
    head = (document.warehouse, document.code, document.kind, document.partner, DESK)
    bulk.upsert_rows(connection, tables.documents, [head])
    bulk.insert_rows(connection, tables.document_lines, rows)
    expect(connection, rows, units=units)
    change.touch(("document", document.warehouse, document.code))


def withdraw_document(change: Change, *, warehouse: str, code: str) -> None:
    """Let nobody work on a document any more; what came in under it stays counted."""
    _delete_lines(change, warehouse, code)
    table = tables.documents
    change.connection.execute(
        delete(table).where(table.c.warehouse == warehouse, table.c.document == code)
    )
    change.touch(("document", warehouse, code))


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
