"""What the database looks for in the facts that may be behind a discrepancy. Edge of the database.

Only a fact that holds what the discrepancy is about is read: its document, its lot or serial number
in its own bytes, its place or unit in its lines. So many more facts of an item are looked through
than could be read one by one.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, func, literal

from central.contract.facts import decode_fact
from central.ledger.entries import FactKey
from central.ledger.locations import IN_TRANSIT
from central.orders.settling.settlement_steps import SETTLES
from central.storage import bulk
from central.storage.tables import facts

# Kinds whose facts are of their item.
KINDS_BY_ITEM = frozenset(
    {
        "unknown_item",
        "unexpected",
        "over_received",
        "over_shipped",
        "over_returned",
        "outside_tolerance",
        "unit_differs",
        "weight_missing",
        "lot_missing",
        "serial_missing",
        "expiry_missing",
        "expired_shipped",
        "piece_parted",
        "expiry_differs",
        "moved_unavailable",
        "transit_unnamed",
    }
)
# Kinds whose facts name the document of the discrepancy, and kinds whose facts name its lot.
OF_DOCUMENT = frozenset(
    {
        "unknown_document",
        "unexpected",
        "over_received",
        "over_shipped",
        "over_returned",
        "outside_tolerance",
    }
)
OF_LOT = frozenset({"weight_missing", "expiry_differs", "expiry_missing", "expired_shipped"})


def may_be_behind(
    connection: Connection, row: Row[Any], scanned: FromClause
) -> list[ColumnElement[bool]]:
    """Return conditions that hold for every fact behind a discrepancy; others may fit as well.

    row: of `discrepancies`. scanned: first lines of facts, joined with `facts`.
    """
    if row.kind in OF_DOCUMENT and row.document:
        return [_holds(connection, row.document)]
    if row.kind in OF_LOT and row.lot:
        return [_holds(connection, row.lot)]
    if row.kind == "transit_unnamed":
        return [_holds(connection, IN_TRANSIT)]
    if row.kind == "serial_twice":
        return [_holds(connection, row.subject.removeprefix(f"{row.item}/"))]
    if row.kind == "negative_balance":
        return [scanned.c.location == row.location, scanned.c.lot == row.lot]
    if row.kind == "unit_twice":
        return [scanned.c.sscc == row.subject]
    if row.kind == "unit_differs":
        return [scanned.c.unit == row.unit]
    return []


def settled_by(connection: Connection, keys: Sequence[FactKey]) -> set[str]:
    """Return the discrepancies that facts of the ledger's own settle, by what they say."""
    rows = bulk.select_by_key(connection, facts, sorted(set(keys)), columns_count=4)
    evidence = [one for row in rows for one in decode_fact(bytes(row[5])).evidence]
    said = [one.raw.decode() for one in evidence]
    return {text.removeprefix(SETTLES) for text in said if text.startswith(SETTLES)}


def _holds(connection: Connection, wanted: str) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return func.instr(facts.c.body, wanted.encode()) > 0
    return func.position(literal(wanted.encode()).op("IN")(facts.c.body)) > 0
