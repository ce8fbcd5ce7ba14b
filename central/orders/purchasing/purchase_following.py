"""Follows what comes from suppliers: when it came, and what has to be inspected. Edge of SQL."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from central.ledger.entries import PostedFact
from central.ledger.ledger import Posted
from central.ledger.locations import CUSTOMER, SUPPLIER, is_virtual
from central.ledger.own_facts import OWN_GATEWAY
from central.ledger.pairs import taken_micro
from central.ledger.statuses import INSPECTION
from central.orders.purchasing.decided_arrivals import take_back_decisions
from central.orders.purchasing.inspection import Inspection, amounts_of
from central.orders.purchasing.inspection_following import (
    goes_under_way,
    is_taken_back,
    missed_micro,
)
from central.orders.purchasing.inspection_reading import read_decisions
from central.storage import bulk, purchasing_tables, tables

PREFIX = "QI"


class ArrivalKey(NamedTuple):
    """What arrivals are kept by, in the order of the table's key."""

    warehouse: str
    document: str
    line: int
    item: str
    unit: str
    lot: str
    sscc: str


class GoodsKey(NamedTuple):
    """What inspections are made for, one each."""

    warehouse: str
    document: str
    document_line: int
    item: str
    lot: str
    unit: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of something in one posting, and when, in milliseconds."""

    quantity_micro: int
    first_ms: int
    last_ms: int
    record_no: int


def follow_arrivals(connection: Connection, posted: Posted) -> None:
    """Note what came from suppliers under documents; costs nothing if nothing did."""
    counted: dict[ArrivalKey, list[tuple[int, PostedFact]]] = {}
    for fact in posted.apart:
        if fact.progress is None:
            continue
        came_micro = -sum(line.quantity_micro for line in fact.lines if line.location == SUPPLIER)
        if not came_micro:
            continue
        first, key = fact.lines[0], fact.progress[0]
        arrival = ArrivalKey(*key, first.lot, first.sscc)
        counted.setdefault(arrival, []).append((came_micro, fact))
    if not counted:
        return
    table = purchasing_tables.document_arrivals
    known = {
        ArrivalKey(*row[:7]): Arrived(*row[7:])
        for row in bulk.select_by_key(connection, table, list(counted), columns_count=7)
    }
    rows = []
    for arrival, facts in sorted(counted.items()):
        after = known.get(arrival)
        for came_micro, fact in facts:
            after = _arrived(after, came_micro, fact)
        assert after is not None
        rows.append(
            (*arrival, after.quantity_micro, after.first_ms, after.last_ms, after.record_no)
        )
    bulk.upsert_rows(connection, table, rows)


def follow_inspections(connection: Connection, posted: Posted) -> None:
    """Open an inspection for what came to be inspected; costs nothing if nothing did."""
    changed: dict[GoodsKey, int] = {}
    for fact in posted.apart:
        goods_micro = sum(
            line.quantity_micro
            for line in fact.lines
            if line.status == INSPECTION and not is_virtual(line.location)
        )
        if fact.came_to:
            goods_micro = -taken_micro(fact.lines)
        if not goods_micro:
            continue
        is_arrival = bool(fact.came_to) or _is_arrival(fact, goods_micro)
        if not is_arrival and not (goes_under_way(fact) and is_taken_back(fact, posted.runs)):
            continue
        if goods_micro > 0:
            if is_taken_back(fact, posted.runs):
                continue  # They came long ago: only the decision is no more.
            goods_micro -= min(goods_micro, missed_micro(connection, posted, fact))
        line = fact.lines[0]
        number = fact.progress[0].line if fact.progress is not None else 0
        key = GoodsKey(line.warehouse, fact.document, number, line.item, line.lot, line.unit)
        if fact.came_to:
            take_back_decisions(connection, posted, fact, key)
        changed[key] = changed.get(key, 0) + goods_micro
    changed = {key: micro for key, micro in changed.items() if micro}
    if changed:
        write_inspections(connection, changed, now_ms=posted.now_ms)


def _arrived(before: Arrived | None, came_micro: int, fact: PostedFact) -> Arrived:
    """Return what came in all. What takes something back does not change when it came."""
    if before is None or not before.quantity_micro:
        return Arrived(came_micro, fact.happened_ms, fact.happened_ms, fact.record_no)
    after_micro = before.quantity_micro + came_micro
    if abs(after_micro) < abs(before.quantity_micro):
        return Arrived(after_micro, before.first_ms, before.last_ms, fact.record_no)
    return Arrived(
        after_micro,
        min(before.first_ms, fact.happened_ms),
        max(before.last_ms, fact.happened_ms),
        fact.record_no,
    )


def _is_arrival(fact: PostedFact, goods_micro: int) -> bool:
    """Return whether goods came to be inspected, or their coming was taken back.

    What leaves inspection by a decision or a transfer is noted as a decision; what else leaves it
    is missed there until somebody decides that it is gone.
    """
    if goods_micro > 0:
        return True
    outside = {SUPPLIER}
    if fact.progress is not None:
        outside.add(CUSTOMER)
    elif fact.gateway == OWN_GATEWAY:
        return False
    return any(line.location in outside for line in fact.lines)


def write_inspections(
    connection: Connection, changed: Mapping[GoodsKey, int], *, now_ms: int
) -> None:
    """Write how much more or less came to be inspected, in inspections of their own if need be."""
    table = purchasing_tables.inspections
    rows = []
    for key, micro in sorted(changed.items()):
        known = connection.execute(
            select(table).where(*(table.c[name] == part for name, part in key._asdict().items()))
        ).first()
        if known is not None:
            before = Inspection(**known._mapping)
            arrived_micro = before.arrived_micro + micro
            after = replace(
                before,
                arrived_micro=arrived_micro,
                open=amounts_of(arrived_micro, read_decisions(connection, before.code)).open,
                version=before.version + 1,
                changed_ms=now_ms,
            )
        elif micro > 0:
            after = Inspection(
                code=_next_code(connection),
                **key._asdict(),
                arrived_micro=micro,
                open=True,
                version=1,
                created_ms=now_ms,
                changed_ms=now_ms,
            )
        else:
            continue
        rows.append(astuple(after))
    bulk.upsert_rows(connection, table, rows)


def _next_code(connection: Connection) -> str:
    table = tables.object_numbers
    rows = list(bulk.select_by_key(connection, table, [(PREFIX,)], columns_count=1))
    number = (rows[0][1] if rows else 0) + 1
    bulk.upsert_rows(connection, table, [(PREFIX, number)])
    return f"{PREFIX}-{number:06d}"
