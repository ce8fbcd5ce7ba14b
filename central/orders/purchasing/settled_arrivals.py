"""Corrects inspections whose goods a settlement takes back or brings again. Edge of the database.

    PO-1 brought 15, all were accepted; 5 too many are sent back by a settlement
        its facts      10 come (to be inspected), 15 go: 10 of those that wait, 5 of the available
        inspection     15 arrived, 15 accepted  ->  10 arrived, 10 accepted
    it is opened again: the 5 come as available     ->  15 arrived, 15 accepted

What comes and goes of what waits, under a document, is noted as it is posted.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from central.ledger.decided_goods import came_undecided
from central.ledger.desk import Change
from central.ledger.entries import FactKey, Line
from central.ledger.goods_rules import taken_back_by
from central.ledger.locations import is_virtual
from central.ledger.posting import PostedMovement
from central.ledger.reversals import stored_movements
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED
from central.orders.purchasing.decided_arrivals import MADE_BY, inspection_of, key_of
from central.orders.purchasing.inspection import DecisionRow, amounts_of
from central.orders.purchasing.inspection_following import KIND, keep
from central.orders.purchasing.inspection_reading import read_decisions
from central.orders.purchasing.purchase_following import GoodsKey, write_inspections

Moved = Mapping[FactKey, PostedMovement]


def correct_inspections(change: Change, facts: Sequence[FactKey], *, reason: str) -> None:
    """Note what a settlement has taken back of goods that came to be inspected, or brought again.

    facts: that it posted, in their order.
    """
    connection = change.connection
    posted = _read(connection, facts)
    behind = _read(connection, [key for _, key in _taken_back(posted, facts)])
    further = _read(connection, [key for _, key in _taken_back(behind, list(behind))])
    for fact, key in _taken_back(posted, facts):
        came = behind[key]
        if not came_undecided(came.lines):  # What is taken back may itself have taken one back.
            came = next((further[one] for _, one in _taken_back(behind, [key])), came)
        if came.movement is not None and came_undecided(came.lines):
            _correct(change, came, posted[fact].lines, fact, reason=reason)


def _correct(
    change: Change, came: PostedMovement, lines: Sequence[Line], fact: FactKey, *, reason: str
) -> None:
    connection, key = change.connection, key_of(came)
    inspection = inspection_of(connection, key)
    if inspection is None:
        return
    arrived_micro = 0
    decided = []
    for line in lines:
        if is_virtual(line.location) or not line.quantity_micro:
            continue
        if line.status == INSPECTION:
            # Of none under no document it is not seen what it is for as it is posted.
            is_unseen = came.progress is None and line.quantity_micro < 0
            arrived_micro += line.quantity_micro if is_unseen else 0
            continue
        arrived_micro += line.quantity_micro
        decisions = read_decisions(connection, inspection.code)
        amounts = amounts_of(inspection.arrived_micro, decisions)
        made = {
            AVAILABLE: amounts.accepted_micro,
            HELD: amounts.held_micro,
            REJECTED: amounts.rejected_micro,
        }[line.status]
        part_micro = max(line.quantity_micro, min(0, -made))
        if not part_micro:
            continue  # What waits elsewhere is no more to be inspected; others' goods went for it.
        decided.append(MADE_BY[line.status])
        row = DecisionRow(
            decision_no=max((one.decision_no for one in decisions), default=0) + 1,
            decision=MADE_BY[line.status],
            source="inspection",
            quantity_micro=part_micro,
            location=line.location,
            to_location=line.location,
            serial=line.serial,
            sscc=line.sscc,
            reason=reason,
            result="",
            actor=change.actor,
            at_ms=change.now_ms,
            epoch=fact.epoch,
            seq=fact.seq,
        )
        keep(connection, inspection, decisions, row)
    if arrived_micro:
        write_inspections(connection, {GoodsKey(*key): arrived_micro}, now_ms=change.now_ms)
        warehouse = inspection.warehouse
        change.note(KIND, inspection.code, "decided", warehouse=warehouse, decisions=decided)


def _read(connection: Connection, keys: Sequence[FactKey]) -> dict[FactKey, PostedMovement]:
    """Return the movements that facts are; others are left out."""
    if not keys:
        return {}
    found = stored_movements(connection, sorted(set(keys)))
    return {key: one for key, one in found if one.movement is not None}


def _taken_back(moved: Moved, keys: Sequence[FactKey]) -> Iterator[tuple[FactKey, FactKey]]:
    """Yield those of a settlement, each with the fact that it takes back."""
    for key in keys:
        movement = moved[key].movement if key in moved else None
        back = taken_back_by(movement) if movement is not None else None
        if back is not None:
            yield key, back
