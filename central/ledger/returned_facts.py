"""Which facts returned goods under a document, or name none of its lines. Edge of the database."""

from collections.abc import Iterator

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.ledger.line_counts import UNNAMED
from central.ledger.locations import CUSTOMER, SUPPLIER
from central.ledger.unexpected_facts import FACTS_READ_MAX, standing_movements
from central.storage import bulk, tables
from central.storage.line_blocks import last_to_read, reach_of


def is_returned(movement: Movement, *, code: str, lot: str, serial: str) -> bool:
    """Return whether goods came back, or went back, under a return. lot, serial: "" for any."""
    crosses = movement.from_location == CUSTOMER or movement.to_location == SUPPLIER
    same = lot in {"", movement.lot} and serial in {"", movement.serial}
    return crosses and same and movement.document == code


def first_returned(
    connection: Connection, document: tuple[str, str], *, item: str, lot: str, serial: str
) -> int:
    """Return the record number of the first fact that returned goods under a document and stands.

    It is looked for among the newest facts of the item; where it is none of these, it is the last
    that counted for the document if any goods will do. 0 for none. document: warehouse and code.
    lot, serial: "" for any.
    """
    warehouse, code = document
    numbers = (
        record_no
        for record_no, movement in _newest(connection, warehouse, item)
        if is_returned(movement, code=code, lot=lot, serial=serial)
    )
    first = min(numbers, default=0)
    if first or lot or serial:
        return first
    counted = bulk.select_by_key(connection, tables.document_progress, [document], columns_count=2)
    return max((row[8] for row in counted if row[3] == item and row[7]), default=0)


def first_unnamed(connection: Connection, document: tuple[str, str], *, item: str) -> int:
    """Return the record number of the first fact under a document that names no line and stands.

    It is looked for among the newest facts of the item. 0 for none.
    """
    warehouse, code = document
    numbers = (
        record_no
        for record_no, movement in _newest(connection, warehouse, item)
        if (movement.document, movement.document_line) == (code, UNNAMED)
    )
    return min(numbers, default=0)


def _newest(connection: Connection, warehouse: str, item: str) -> Iterator[tuple[int, Movement]]:
    """Yield the newest movements of an item that stand, with their record numbers."""
    reach = reach_of(
        connection,
        warehouse=warehouse,
        item=item,
        after=0,
        limit=FACTS_READ_MAX,
        newest_first=True,
    )
    return standing_movements(
        connection,
        warehouse,
        item,
        after=reach.record_no - 1,
        through=last_to_read(connection),
    )
