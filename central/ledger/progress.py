"""What counts towards a document: goods that cross the border that it is about. Pure.

    receipt, customer_return, transfer_in      into the warehouse counts, out of it takes off
    shipment, supplier_return, transfer_out    out of the warehouse counts, into it takes off
    count                                      nothing

What a fact brings in or takes out is computed from the fact alone; on which side that counts is
kept with the progress, so that it can be computed again whatever becomes of the document.
"""

from collections.abc import Mapping

from central.contract.facts import Movement
from central.ledger.entries import ProgressKey
from central.ledger.locations import CUSTOMER, IN_TRANSIT, SUPPLIER, is_virtual

IN, OUT = 1, -1
OUTWARD_KINDS = frozenset({"shipment", "supplier_return", "transfer_out"})
COUNT_KIND = "count"  # Documents of this kind expect nothing to move.
COUNTING_STEP = "counting"  # What a count finds is adjusted under its code; nothing crosses.

# Which border a kind of document is about. What crosses another one under it is unexpected.
BORDERS: Mapping[str, str] = {
    "receipt": SUPPLIER,
    "supplier_return": SUPPLIER,
    "shipment": CUSTOMER,
    "customer_return": CUSTOMER,
    "transfer_out": IN_TRANSIT,
    "transfer_in": IN_TRANSIT,
}
OUTSIDES = frozenset(BORDERS.values())

Progress = tuple[ProgressKey, int]


def direction_of(kind: str) -> int:
    """Return which way goods count towards a document of a kind: IN or OUT."""
    return OUT if kind in OUTWARD_KINDS else IN


def crosses_another_border(movement: Movement, *, kind: str) -> bool:
    """Return whether a movement names an outside that a document of this kind is not about."""
    border = BORDERS.get(kind)
    if border is None:
        return False
    for place in (movement.from_location, movement.to_location):
        if place != border and place in OUTSIDES:
            return True
    return False


def progress_of(
    movement: Movement, *, warehouse: str, unit: str, quantity_micro: int
) -> Progress | None:
    """Return which document line a movement is for, and how much it brings in; None if none.

    Negative for what it takes out of the warehouse. A pure function of the fact and the unit of its
    lines, so that it can be computed again.
    """
    if not movement.document or movement.business_step == COUNTING_STEP:
        return None
    sign = _sign(movement.from_location, movement.to_location)
    if sign is None:
        return None  # Moved inside the warehouse under the document's name: nothing crossed.
    key = ProgressKey(warehouse, movement.document, movement.document_line, movement.item, unit)
    return key, sign * quantity_micro


def _sign(from_location: str, to_location: str) -> int | None:
    for outside in (SUPPLIER, CUSTOMER):
        if from_location == outside:
            return IN
        if to_location == outside:
            return OUT
    # What ends in transit, as lost or damaged, has not been here.
    if from_location == IN_TRANSIT and not is_virtual(to_location):
        return IN
    if to_location == IN_TRANSIT and not is_virtual(from_location):
        return OUT
    return None
