"""Which discrepancies may be about a fact that is taken back. Pure.

Those that settle themselves by what stands in the books afterwards (a balance, a document line, a
serial number) are not among them.
"""

from collections.abc import Iterator, Sequence

from central.contract.facts import Movement
from central.ledger.entries import DiscrepancyKind, Line, balance_name
from central.ledger.locations import is_virtual
from central.ledger.pairs import is_unnamed
from central.ledger.statuses import AVAILABLE
from central.ledger.weight_rests import is_under_way

KindSubject = tuple[DiscrepancyKind, str]


def subjects_of(movement: Movement, lines: Sequence[Line]) -> set[KindSubject]:
    """Return kind and subject of each discrepancy that a fact may be behind. lines: as posted."""
    return {*_of_item(movement), *_of_document(movement), *_of_places(movement, lines)}


def _of_item(movement: Movement) -> Iterator[KindSubject]:
    item = movement.item
    lot = f"{item}/{movement.lot}"
    yield "unknown_item", item
    yield "lot_missing", item
    yield "serial_missing", item
    yield "piece_parted", item
    if is_unnamed(movement):
        yield "transit_unnamed", item
    yield "expiry_missing", lot
    yield "expiry_differs", lot
    yield "expired_shipped", lot
    for unit in (movement.unit, movement.weight_unit):
        yield "unit_differs", f"{item}/{unit}"


def _of_document(movement: Movement) -> Iterator[KindSubject]:
    document = movement.document
    if document:
        yield "unknown_document", document
        yield "unexpected", f"{document}/{movement.item}"
        yield "outside_tolerance", f"{document}/{movement.document_line}/{movement.item}"


def _of_places(movement: Movement, lines: Sequence[Line]) -> Iterator[KindSubject]:
    for place in (movement.from_location, movement.to_location):
        if not is_virtual(place):
            yield "unknown_location", place
    for line in lines:
        if is_virtual(line.location) and not is_under_way(line.location):
            continue
        name = balance_name(line.balance_key._replace(status=AVAILABLE))
        yield "weight_missing", name
        yield "weight_differs", name
        if line.status != AVAILABLE:
            yield "moved_unavailable", balance_name(line.balance_key)
