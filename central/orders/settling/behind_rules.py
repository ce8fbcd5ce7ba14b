"""Which facts a discrepancy is about, each by itself. Edge of SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from central.contract.facts import Movement
from central.contract.quantities import MICRO_PER_UNIT
from central.ledger.entries import OWN_GATEWAY, Line, balance_name
from central.ledger.goods_rules import comes_in, is_told, ships
from central.ledger.locations import is_virtual
from central.ledger.measures import quantity_in_unit
from central.ledger.pairs import is_unnamed, is_weighed_there, places_of, takes_share
from central.ledger.rests_back import rests_said
from central.ledger.returned_facts import is_returned
from central.ledger.statuses import AVAILABLE
from central.ledger.unit_reading import brings_unit
from central.orders.returned_goods import goods_of
from central.orders.settling.arrived_goods import is_moved_so
from central.orders.settling.settlement_steps import MovedFact

Found = Row[Any]


def is_behind(row: Found, movement: Movement, line: Found) -> bool:
    """Return whether a movement is of what a discrepancy is about. line: its giving side."""
    if movement.warehouse != row.warehouse:
        return False
    ends = (movement.from_location, movement.to_location)
    if row.kind == "negative_balance":
        return (line.location, line.lot) == (row.location, row.lot)
    if row.kind == "serial_twice":  # What brought it to a place since it is at two.
        return movement.serial == serial_of(row) and not is_virtual(movement.to_location)
    if row.kind == "unit_twice":
        return brings_unit(movement, row.subject)
    if row.kind == "unknown_location":
        return row.subject in ends
    if row.kind == "weight_differs":
        return row.location in places_of(movement) and bool(movement.lot == row.lot)
    if row.kind == "unit_differs":
        # What had an exact value was posted in the item's own unit: nothing is wrong with it.
        return bool(movement.unit == row.unit == line.unit)
    if row.kind == "weight_missing":
        place = row.location
        # A weight in a unit that means nothing there was left out.
        unweighed = takes_share(movement) or (movement.net_weight and not line.weight_micro)
        due = place in ends and is_weighed_there(*ends) and unweighed
        return bool(due and movement.lot == row.lot)
    if row.kind == "piece_parted":
        parted = (quantity_in_unit(movement, line.unit) or line.quantity_micro) % MICRO_PER_UNIT
        return bool(parted and line.gateway != OWN_GATEWAY)
    if row.kind == "moved_unavailable":
        return is_moved_so(row, movement, line)
    if row.kind == "expiry_differs":
        return bool(movement.lot == row.lot and movement.expiry_date)
    if row.kind in {"lot_missing", "serial_missing"}:
        missing = movement.lot if row.kind == "lot_missing" else movement.serial
        return not missing and is_told(*ends)
    if row.kind in {"expiry_missing", "expired_shipped"}:
        is_so = comes_in if row.kind == "expiry_missing" else ships
        return bool(movement.lot == row.lot) and is_so(*ends)
    if row.kind in {"unknown_document", "unexpected"}:
        return bool(movement.document == row.document)
    if row.kind == "transit_unnamed":
        return is_unnamed(movement)
    if row.kind == "over_returned":
        return is_returned(movement, code=row.document, lot=row.lot, serial=goods_of(row).serial)
    if row.kind == "outside_tolerance":
        line_of = (movement.document, movement.document_line)
        return line_of == (row.document, row.document_line)
    return True


def writes_off(row: Found, lines: Sequence[Line]) -> bool:
    """Return whether a fact wrote off a weight without pieces that a discrepancy is about."""
    rests = (line for line in lines if not line.quantity_micro)
    names = (balance_name(line.balance_key._replace(status=AVAILABLE)) for line in rests)
    return row.subject in names


def writes_off_more(fact: MovedFact) -> bool:
    """Return whether a fact wrote off a weight, besides what it gives back of another one."""
    own = sorted((rest.location, -rest.weight_micro) for rest in fact.rests)
    said = rests_said(fact.key.gateway, fact.movement)
    return own != sorted((rest.location, rest.weight_micro) for rest in said)


def serial_of(row: Found) -> str:
    """Return the serial number that a `serial_twice` is about: its subject is item/serial."""
    return str(row.subject.removeprefix(f"{row.item}/"))
