"""Moves goods that customers sent back, as was decided. Edge of the database."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from central.errors import Conflict
from central.ledger.desk import Change
from central.ledger.statuses import AVAILABLE, INSPECTION
from central.orders.catalogue.packs import text_of
from central.orders.purchasing.inspection_book import STEP, DecisionAsked, decide
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_rows import read_allocated
from central.storage import bulk, purchasing_tables, tables

SCRAP = "scrap"


@dataclass(frozen=True, slots=True)
class GoodsDecided:
    """What is to become of goods that came back under a document.

    location: where they stand. to_location: where they go, "" to stay there; scrap leaves anyway.
    """

    warehouse: str
    document: str
    line: int
    item: str
    unit: str
    quantity_micro: int
    scrap: bool
    location: str
    to_location: str
    lot: str
    serial: str
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done. from_status: what the goods were. epoch, seq: of the fact, or "" and 0."""

    from_status: str
    epoch: str = ""
    seq: int = 0


def move_goods(change: Change, decided: GoodsDecided) -> Moved:
    """Do with goods what was decided.

    Raises Conflict if they are not there, or are set aside for somebody.
    """
    inspection = _inspection_of(change.connection, decided)
    if inspection:
        _through_inspection(change, inspection, decided)
        return Moved(INSPECTION)
    to_location = SCRAP if decided.scrap else decided.to_location
    if not to_location or to_location == decided.location:
        return Moved(AVAILABLE)
    _require_there(change.connection, decided)
    (key,) = change.post(
        [
            change.movement(
                warehouse=decided.warehouse,
                business_step=STEP if decided.scrap else "storing",
                from_location=decided.location,
                to_location=to_location,
                item=decided.item,
                quantity_micro=decided.quantity_micro,
                unit=decided.unit,
                lot=decided.lot,
                serial=decided.serial,
                document=decided.document,
                document_line=decided.line,
            )
        ]
    )
    return Moved(AVAILABLE, key.epoch, key.seq)


def _inspection_of(connection: Connection, decided: GoodsDecided) -> str:
    """Return the code of the open inspection of these goods, "" if they need none."""
    table = purchasing_tables.inspections.c
    query = select(table.code).where(
        table.warehouse == decided.warehouse,
        table.document == decided.document,
        table.document_line == decided.line,
        table.item == decided.item,
        table.unit == decided.unit,
        table.open.is_(True),
    )
    if decided.lot:
        query = query.where(table.lot == decided.lot)
    return connection.execute(query.order_by(table.code).limit(1)).scalar_one_or_none() or ""


def _through_inspection(change: Change, code: str, decided: GoodsDecided) -> None:
    first = DecisionAsked(
        "reject" if decided.scrap else "accept",
        decided.quantity_micro,
        location=decided.location,
        serial=decided.serial,
        to_location="" if decided.scrap else decided.to_location,
        reason=decided.reason,
    )
    asked = [first]
    if decided.scrap:
        asked.append(replace(first, decision="scrap", source="rejected"))
    decide(change, code, asked, version=None)


def _require_there(connection: Connection, decided: GoodsDecided) -> None:
    """Return if the goods stand there loose, available, and set aside for nobody."""
    key = (
        *(decided.warehouse, decided.location, decided.item, decided.lot, decided.serial),
        *("", decided.unit, AVAILABLE),
    )
    rows = bulk.select_by_key(connection, tables.balances, [key], columns_count=len(key))
    on_hand_micro = sum(row[len(key)] for row in rows)
    warehouse, location, item, *what, _ = key
    stock = StockKey(warehouse, item, location, *what)
    free_micro = on_hand_micro - read_allocated(connection, [stock]).get(stock, 0)
    if free_micro >= decided.quantity_micro:
        return
    raise Conflict(
        f"not so much of {decided.item} is free at {decided.location or 'no place'}",
        hint="Say where the goods stand, with lot and serial number.",
        fields={"location": decided.location, "free": text_of(free_micro)},
    )
