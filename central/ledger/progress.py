"""What counts towards a document: goods that cross the border that it is about. Pure.

    receipt, customer_return, transfer_in      into the warehouse counts, out of it takes off
    shipment, supplier_return, transfer_out    out of the warehouse counts, into it takes off
    count                                      nothing

What a fact brings in or takes out, and across which border, is computed from the fact alone; which
way counts is kept with the progress, so that it can be computed again whatever becomes of the
document:

    1, -1    in, out, across any border: what came before anybody knew of the document
    2, -2    across that to suppliers alone, 3 to customers, 4 to what is under way

What crosses another border is no part of what the document is about: it is told (`unexpected`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from central.contract.facts import Movement
from central.ledger.entries import ProgressKey
from central.ledger.locations import CUSTOMER, IN_TRANSIT, SUPPLIER, is_virtual

IN, OUT = 1, -1
OUTWARD_KINDS = frozenset({"shipment", "supplier_return", "transfer_out"})
# Of orders and transfers of the desk these have picks as lines.
PICKED_KINDS = frozenset({"shipment", "transfer_out"})
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
ANY_BORDER = 1
BORDER_NUMBERS: Mapping[str, int] = {SUPPLIER: 2, CUSTOMER: 3, IN_TRANSIT: 4}


class Progress(NamedTuple):
    """What a fact brings in (10^-6), negative for what it takes out, and across which border."""

    key: ProgressKey
    brought_in_micro: int
    border: str


class Counted(NamedTuple):
    """What progress holds. way: which way goods count towards it."""

    done_micro: int
    way: int = IN

    def plus(self, progress: Progress) -> "Counted":
        """Return what it holds with what one more fact brought."""
        if not counts(self.way, progress.border):
            return self
        more_micro = sign_of(self.way) * progress.brought_in_micro
        return Counted(self.done_micro + more_micro, self.way)


NOTHING_COUNTED = Counted(0)


def direction_of(kind: str) -> int:
    """Return which way goods count towards a document of a kind: IN or OUT."""
    return OUT if kind in OUTWARD_KINDS else IN


def way_of(kind: str) -> int:
    """Return which way counts towards a document of a kind."""
    return direction_of(kind) * BORDER_NUMBERS.get(BORDERS.get(kind, ""), ANY_BORDER)


WAYS_OF_RETURNS = frozenset(map(way_of, ("customer_return", "supplier_return")))


def border_of(way: int) -> str:
    """Return the only border that counts this way. Raises StopIteration if any does."""
    return next(border for border, number in BORDER_NUMBERS.items() if number == abs(way))


def sign_of(way: int) -> int:
    """Return IN or OUT for a way that counts."""
    return IN if way > 0 else OUT


def counts(way: int, border: str) -> bool:
    """Return whether what crosses a border counts."""
    return abs(way) in (ANY_BORDER, BORDER_NUMBERS[border])


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
    crossed = _crossed(movement.from_location, movement.to_location)
    if crossed is None:
        return None  # Moved inside the warehouse under the document's name: nothing crossed.
    border, sign = crossed
    key = ProgressKey(warehouse, movement.document, movement.document_line, movement.item, unit)
    return Progress(key, sign * quantity_micro, border)


def goes_back(movement: Movement, *, kind: str) -> bool:
    """Return whether goods go the other way than a document of this kind is about."""
    crossed = _crossed(movement.from_location, movement.to_location)
    return crossed is not None and crossed[1] != direction_of(kind)


def _crossed(from_location: str, to_location: str) -> tuple[str, int] | None:
    """Return which border goods cross, and whether in or out."""
    for outside in (SUPPLIER, CUSTOMER):
        if from_location == outside:
            return outside, IN
        if to_location == outside:
            return outside, OUT
    # What ends in transit, as lost or damaged, has not been here.
    if from_location == IN_TRANSIT and not is_virtual(to_location):
        return IN_TRANSIT, IN
    if to_location == IN_TRANSIT and not is_virtual(from_location):
        return IN_TRANSIT, OUT
    return None
