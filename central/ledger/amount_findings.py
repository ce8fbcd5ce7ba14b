"""What is wrong with balances that a posting changes: below zero, twice, too much. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from central.contract.quantities import MICRO_PER_UNIT, PIECE, canonical_text, from_micro
from central.ledger.entries import Entry, Finding, Line, balance_name, finding_of
from central.ledger.locations import CUSTOMER, IN_TRANSIT, IN_TRANSIT_PREFIX, is_virtual
from central.ledger.pairs import LINES_OF_A_PAIR, is_weighed_there
from central.ledger.posting import Posting
from central.ledger.statuses import AVAILABLE

OUTWEIGHED = "more was weighed out than in"


def left_out(entry: Entry, posting: Posting) -> Posting:
    """Return what is left of a posting that would take a balance out of range: a finding."""
    first = posting.lines[0]
    finding = finding_of(
        entry,
        "quantity_overflow",
        str(entry),
        item=first.item,
        location=first.location,
        unit=first.unit,
        actual_micro=posting.lines[1].quantity_micro,
        detail="the quantity takes a balance out of range; check its digits and its unit",
    )
    return Posting(findings=(*posting.findings, finding))


def negative(entry: Entry, line: Line, *, on_hand_micro: int) -> Finding:
    """Return the finding of a place of the warehouse that is below zero."""
    return finding_of(
        entry,
        "negative_balance",
        balance_name(line.balance_key),
        item=line.item,
        location=line.location,
        lot=line.lot,
        unit=line.unit,
        expected_micro=0,
        actual_micro=on_hand_micro,
    )


def unavailable(entry: Entry, lines: Sequence[Line]) -> Iterator[Finding]:
    """Yield a finding for each pair of a movement that takes out what is not available.

    To a customer or another warehouse: to the supplier, or to scrap, it is meant to go.
    """
    for given, taken in zip(lines[::LINES_OF_A_PAIR], lines[1::LINES_OF_A_PAIR], strict=True):
        if given.status != AVAILABLE and not is_virtual(given.location) and _leaves(taken):
            yield finding_of(
                entry,
                "moved_unavailable",
                balance_name(given.balance_key),
                item=given.item,
                location=given.location,
                lot=given.lot,
                unit=given.unit,
                actual_micro=taken.quantity_micro,
                detail=f"{given.status} goods have gone to {taken.location}",
            )


def unweighed(entry: Entry, lines: Sequence[Line], *, detail: str = "") -> Iterator[Finding]:
    """Yield a finding if goods of catch weight came in, or went out to others, without a weight.

    detail: of a weight that was stated, and means nothing in the unit of the item.
    """
    given, taken = lines[:LINES_OF_A_PAIR]
    if not is_weighed_there(given.location, taken.location):
        return
    physical = taken if is_virtual(given.location) else given
    yield finding_of(
        entry,
        "weight_missing",
        balance_name(physical.balance_key._replace(status=AVAILABLE)),
        item=physical.item,
        location=physical.location,
        lot=physical.lot,
        unit=physical.unit,
        actual_micro=sum(line.quantity_micro for line in lines[1::LINES_OF_A_PAIR]),
        detail=detail,
    )


def outweighed(entry: Entry, line: Line, *, weight_micro: int) -> Finding:
    """Return the finding of pieces for which no weight is left: more was weighed out than in."""
    key = line.balance_key._replace(status=AVAILABLE)
    return finding_of(
        entry,
        "weight_missing",
        balance_name(key),
        item=line.item,
        location=line.location,
        lot=line.lot,
        unit=line.unit,
        document=line.location.partition(IN_TRANSIT_PREFIX)[2],
        detail=f"{OUTWEIGHED}: {_text(weight_micro)} is left for the pieces that are there",
    )


def rested(entry: Entry, rests: Sequence[Line], *, unit: str) -> Iterator[Finding]:
    """Yield a finding for each weight that was left without pieces. unit: of the weights."""
    for rest in rests[::LINES_OF_A_PAIR]:
        weight = -rest.weight_micro
        under_way = rest.location.partition(IN_TRANSIT_PREFIX)[2]
        yield finding_of(
            entry,
            "weight_differs",
            balance_name(rest.balance_key._replace(status=AVAILABLE)),
            item=rest.item,
            location=rest.location,
            lot=rest.lot,
            unit=unit,
            document=under_way,
            expected_micro=0,
            actual_micro=weight,
        )


def twice(entry: Entry, arrived: Line, there: Mapping[tuple[str, str], int]) -> Finding | None:
    """Return a finding if a serial number has come where it cannot be as well.

    there: how much of it is at each place of any warehouse now, in the unit in which it arrived.
    """
    total = sum(there.values())
    if len(there) <= 1 and not (arrived.unit == PIECE and total > MICRO_PER_UNIT):
        return None
    own = arrived.warehouse
    places = sorted(there, key=lambda place: (place[0] != own, place))
    names = [place if house == own else f"{house}/{place}" for house, place in places]
    finding = finding_of(
        entry,
        "serial_twice",
        f"{arrived.item}/{arrived.serial}",
        item=arrived.item,
        location=arrived.location,
        lot=arrived.lot,
        unit=arrived.unit,
        actual_micro=total,
        detail=f"it is at {', '.join(names)}",
    )
    return replace(finding, expected_micro=MICRO_PER_UNIT) if arrived.unit == PIECE else finding


def _text(micro: int) -> str:
    return canonical_text(from_micro(micro))


def _leaves(taken: Line) -> bool:
    place = taken.location
    return place in (CUSTOMER, IN_TRANSIT) or place.startswith(IN_TRANSIT_PREFIX)
