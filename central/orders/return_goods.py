"""Moves goods that customers sent back, as was decided. Edge of the database."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from central.errors import Conflict, Unusable
from central.ledger.desk import Change
from central.ledger.entries import BalanceKey
from central.ledger.locations import is_virtual
from central.ledger.statuses import AVAILABLE, INSPECTION
from central.orders.catalogue.packs import text_of
from central.orders.purchasing.inspection_book import STEP, DecisionAsked, decide
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_rows import read_allocated
from central.storage import bulk, purchasing_tables, tables

SCRAP = "scrap"
_ON_HAND = len(BalanceKey._fields)  # Where that stands in a balance's row.


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


def move_goods(
    change: Change, decided: GoodsDecided, *, refuse_waiting: Callable[[], None]
) -> Moved:
    """Do with goods what was decided.

    refuse_waiting: raises Conflict if they may be goods that still have to be inspected, though no
    inspection of that lot is open. Raises Conflict, too, if they are not there, not available, or
    are to go and set aside for somebody; Unusable for places that are not there.
    """
    _require_places(change.connection, decided)
    inspection = _inspection_of(change.connection, decided)
    if inspection:
        _through_inspection(change, inspection, decided)
        return Moved(INSPECTION)
    refuse_waiting()
    to_location = SCRAP if decided.scrap else decided.to_location
    if not to_location or to_location == decided.location:
        _require_available(change.connection, decided)
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


def _require_places(connection: Connection, decided: GoodsDecided) -> None:
    """Return if the places named are of the warehouse. Raises Unusable.

    Goods may also stand where a station has put them though nobody knows the place.
    """
    stock = tables.balances.c
    for name, place, is_source in (
        ("location", decided.location, True),
        ("to_location", decided.to_location, False),
    ):
        if not place:
            continue
        key = (decided.warehouse, place)
        known = bulk.select_by_key(connection, tables.locations, [key], columns_count=2)
        if any(True for _ in known):
            continue
        there = select(stock.item).where(stock.warehouse == key[0], stock.location == place)
        if is_source and not is_virtual(place) and connection.execute(there.limit(1)).first():
            continue
        raise Unusable(
            f"{decided.warehouse} has no place {place!r}",
            hint="Name a place of the warehouse, or leave it out.",
            fields={name: place},
        )


def _inspection_of(connection: Connection, decided: GoodsDecided) -> str:
    """Return the code of the open inspection of these goods, "" if they need none."""
    table = purchasing_tables.inspections.c
    query = select(table.code).where(
        table.warehouse == decided.warehouse,
        table.document == decided.document,
        table.document_line.in_([decided.line, 0]),  # 0: came for the item, not for a line.
        table.item == decided.item,
        table.unit == decided.unit,
        table.open.is_(True),
    )
    if decided.lot:
        query = query.where(table.lot == decided.lot)
    query = query.order_by(table.document_line.desc(), table.code).limit(1)
    return connection.execute(query).scalar_one_or_none() or ""


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


def _require_available(connection: Connection, decided: GoodsDecided) -> None:
    """Return if goods that stay are available where they are said to stand. Raises Conflict.

    They may be set aside, or in a unit. Where no place is said they may have gone on since: then
    none like them may stand anywhere that is not available.
    """
    standing: Counter[str] = Counter()
    for row in bulk.select_by_columns(
        connection,
        tables.balances,
        [(decided.warehouse, decided.item)],
        columns=("warehouse", "item"),
        index="balances_item",
        where="",
    ):
        key, on_hand_micro = BalanceKey(*row[:_ON_HAND]), row[_ON_HAND]
        meant = all(
            wanted in {"", there}
            for wanted, there in (
                (decided.location, key.location),
                (decided.lot, key.lot),
                (decided.serial, key.serial),
            )
        )
        if meant and key.unit == decided.unit and not is_virtual(key.location):
            standing[key.status] += max(on_hand_micro, 0)
    available_micro = standing.pop(AVAILABLE, 0)
    others = {status: text_of(micro) for status, micro in sorted(standing.items()) if micro}
    if available_micro >= decided.quantity_micro or not (decided.location or others):
        return
    place = decided.location or decided.warehouse
    if others:
        raise Conflict(
            f"of {decided.item} {text_of(available_micro)} is available at {place}, not"
            f" {text_of(decided.quantity_micro)}; of the rest, some is"
            f" {', '.join(others)}",
            hint="Decide on what is not available at its inspection, or lift the hold first.",
            fields={"location": decided.location, "available": text_of(available_micro), **others},
        )
    raise Conflict(
        f"of {decided.item} {text_of(available_micro)} is available at {place}, not"
        f" {text_of(decided.quantity_micro)}",
        hint="Say where the goods stand, or leave the place out if they have gone on.",
        fields={"location": decided.location, "available": text_of(available_micro)},
    )


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
