"""Pairs of lines: how a movement becomes some, and whether stored ones are those of a fact. Pure.

    movement                            line 1   from_location   - quantity
                                        line 2   to_location     + quantity
    goods of two statuses               3 and 4: the second status, and so on
    taken back before it came           and all of them turned, numbered on

Where a movement states no status, it takes what is available first, then what waits for inspection,
is held, is rejected; everything keeps its status. What is in none of them is taken as available,
which then falls below zero. What an inspector decides at a place is about what waits for inspection
there, then about what is available; see `over_statuses`. What comes from under way of a transfer is
what it is there, by the books of both warehouses.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

from central.contract.fact_checks import INSPECTING_STEP
from central.contract.facts import Movement
from central.ledger.entries import Entry, Line
from central.ledger.locations import (
    ADJUSTMENT,
    CUSTOMER,
    IN_TRANSIT,
    IN_TRANSIT_PREFIX,
    SCRAP,
    SUPPLIER,
    is_virtual,
    place_of,
)
from central.ledger.measures import quantity_in_unit, shares, weights_possible
from central.ledger.statuses import AVAILABLE, DECIDED_FIRST, HELD, INSPECTION, STATUSES

LINES_OF_A_PAIR = 2
# Of a movement whose goods take no weight along: it takes back one that brought none.
FLAG_WEIGHTLESS = "weightless"
WRITTEN_OFF = (ADJUSTMENT, SCRAP)  # What goes there nobody pays for by its weight.
COMES_FROM = (SUPPLIER, CUSTOMER)  # Where goods come from that may have to be inspected.

Pair = tuple[Line, Line]
Lines = tuple[Line, ...]


def movement_pair(
    entry: Entry,
    movement: Movement,
    *,
    unit: str,
    quantity_micro: int,
    weight_micro: int = 0,
    comes_as: str = "",
) -> Pair:
    """Return the two lines of a movement, giving side first.

    comes_as: what goods of its kind become that come in from outside, "" for what they are.
    """
    from_location, to_location = places_of(movement)
    what = (
        movement.item,
        movement.lot,
        movement.serial,
        movement.sscc,
        movement.expiry_date,
        unit,
    )
    given = movement.from_status or (INSPECTION if _is_decided(movement) else AVAILABLE)
    taken = movement.to_status or given
    if comes_as and not movement.to_status and is_received(from_location, to_location):
        taken = comes_as
    warehouse, number = entry.warehouse, entry.record_no
    return (
        Line(warehouse, number, 1, from_location, *what, -quantity_micro, given, -weight_micro),
        Line(warehouse, number, 2, to_location, *what, quantity_micro, taken, weight_micro),
    )


def places_of(movement: Movement) -> tuple[str, str]:
    """Return the places that a movement's stock goes from and to."""
    document = movement.document
    return (
        place_of(movement.from_location, document=document),
        place_of(movement.to_location, document=document),
    )


def is_received(from_location: str, to_location: str) -> bool:
    """Return whether goods come into the warehouse from outside, which may have to be inspected."""
    return from_location in COMES_FROM and not is_virtual(to_location)


def is_weighed_there(from_location: str, to_location: str) -> bool:
    """Return whether goods of catch weight have to be weighed on this way: in, or out to others."""
    if is_virtual(from_location):
        return not is_virtual(to_location)
    return is_virtual(to_location) and to_location not in WRITTEN_OFF


def takes_share(movement: Movement) -> bool:
    """Return whether a movement takes its share of the weight that is where it comes from."""
    return not movement.net_weight and FLAG_WEIGHTLESS not in movement.flags


def is_unnamed(movement: Movement) -> bool:
    """Return whether a movement crosses to or from another warehouse under no document.

    What is written off of it, or found, needs no document.
    """
    ends = (movement.from_location, movement.to_location)
    return not movement.document and IN_TRANSIT in ends and ADJUSTMENT not in ends


def gives_shares(location: str) -> bool:
    """Return whether goods take a share of the weight there: not where others' goods come from."""
    return not is_virtual(location) or location.startswith(IN_TRANSIT_PREFIX)


def over_statuses(pair: Pair, on_hand: Callable[[str], int], *, keep: bool) -> Lines:
    """Return the lines of a movement that states no status, parted over what there is.

    on_hand: millionths by status, at the place that gives. keep: everything keeps its status; else
    all of it becomes what the taking side says. A pair that takes from inspection is a decision:
    that goes first, and goods that are accepted are never those that are held or rejected.
    """
    given, taken = pair
    rest = taken.quantity_micro
    parts = dict.fromkeys(STATUSES, 0)
    order: tuple[str, ...] = STATUSES
    rest_status = AVAILABLE
    if given.status == INSPECTION:
        accepted = taken.status == AVAILABLE
        order = (INSPECTION, AVAILABLE) if accepted else DECIDED_FIRST
        # More accepted than was there came from nowhere: available goods cannot tell.
        rest_status = INSPECTION if accepted else AVAILABLE
    for status in order:
        parts[status] = min(rest, max(0, on_hand(status)))
        rest -= parts[status]
    parts[rest_status] += rest
    found = [(status, quantity) for status, quantity in parts.items() if quantity]
    if len(found) == 1 and found[0][0] == given.status:
        return pair
    weights = shares(taken.weight_micro, [quantity for _, quantity in found])
    lines: list[Line] = []
    for (status, quantity), weight in zip(found, weights, strict=True):
        number = len(lines) + 1
        lines.append(
            given._replace(
                line_no=number, quantity_micro=-quantity, weight_micro=-weight, status=status
            )
        )
        lines.append(
            taken._replace(
                line_no=number + 1,
                quantity_micro=quantity,
                weight_micro=weight,
                status=status if keep else taken.status,
            )
        )
    return tuple(lines)


def with_shares(lines: Lines, weights: Sequence[int]) -> Lines:
    """Return the lines of a movement, each pair with a weight."""
    return tuple(
        line._replace(weight_micro=weights[index // 2] * (1 if index % 2 else -1))
        for index, line in enumerate(lines)
    )


def turned(lines: Sequence[Line], *, record_no: int, first_line_no: int = 1) -> Lines:
    """Return the lines that take `lines` back, as lines of the fact with this record number."""
    return tuple(
        line._replace(
            record_no=record_no,
            line_no=number,
            quantity_micro=-line.quantity_micro,
            weight_micro=-line.weight_micro,
        )
        for number, line in enumerate(lines, first_line_no)
    )


def own_lines(lines: Sequence[Line]) -> Lines:
    """Return the lines of a movement without its way back, if it was taken back before it came."""
    half = len(lines) // 2
    back = any(line.quantity_micro > 0 for line in lines[::LINES_OF_A_PAIR])
    return tuple(lines[:half] if back else lines)


def taken_micro(lines: Sequence[Line]) -> int:
    """Return how much the lines of a movement, or of its reversal, move in all; never below zero.

    Of a movement's own lines every second one takes, of a reversal's every first.
    """
    return sum(line.quantity_micro for line in lines if line.quantity_micro > 0)


def are_those_of(
    entry: Entry, movement: Movement, lines: Sequence[Line], *, pack: Fraction | None = None
) -> bool:
    """Return whether lines are the own lines of a movement, as far as a fact alone can tell.

    Which statuses the goods had, what has to be inspected and in what an item is weighed depends on
    what was known then; that quantities, weights, places and goods are right does not. What goods
    took along that were not weighed depends on what was there. pack: how many of the lines' unit
    one of the stated unit was then of this item.
    """
    unit = lines[0].unit
    quantity = quantity_in_unit(movement, unit, pack=pack)
    if quantity is None or len(lines) % LINES_OF_A_PAIR or taken_micro(lines) != quantity:
        return False
    takes = lines[1::LINES_OF_A_PAIR]
    weights = [line.weight_micro for line in takes]
    if takes_share(movement) and gives_shares(lines[0].location):
        if min(weights) < 0:
            return False
    else:
        weight = sum(weights)
        if weight and weight not in weights_possible(movement):
            return False
        weights = shares(weight, [line.quantity_micro for line in takes])
    given_statuses = [STATUSES.index(line.status) for line in lines[::LINES_OF_A_PAIR]]
    if any(after <= before for before, after in pairwise(given_statuses)):
        return False
    return all(
        _is_pair_of(entry, movement, (lines[2 * index], lines[2 * index + 1]), share, index)
        for index, share in enumerate(weights)
    )


def _is_decided(movement: Movement) -> bool:
    """Return whether somebody who does not know the goods' status said what it is now."""
    stated = (movement.business_step, movement.from_status) == (INSPECTING_STEP, "")
    return stated and bool(movement.to_status) and not is_virtual(movement.from_location)


def _is_pair_of(
    entry: Entry, movement: Movement, pair: Pair, weight_micro: int, index: int
) -> bool:
    given, taken = pair
    expected = movement_pair(
        entry,
        movement,
        unit=given.unit,
        quantity_micro=taken.quantity_micro,
        weight_micro=weight_micro,
    )
    first_no = LINES_OF_A_PAIR * index + 1
    return _statuses_fit(movement, given, taken) and pair == tuple(
        line._replace(line_no=first_no + side, status=stored.status, location=place)
        for side, (line, stored, place) in enumerate(
            zip(expected, pair, _places_then(movement, pair), strict=True)
        )
    )


def _places_then(movement: Movement, pair: Pair) -> tuple[str, str]:
    """Return where the lines should be; older versions had one place for all that is in transit."""
    stated = (movement.from_location, movement.to_location)
    if (pair[0].location, pair[1].location) == stated:
        return stated
    return places_of(movement)


def _statuses_fit(movement: Movement, given: Line, taken: Line) -> bool:
    from_status, to_status = movement.from_status, movement.to_status
    if from_status and given.status != from_status:
        return False
    outside = is_virtual(given.location) and not given.location.startswith(IN_TRANSIT_PREFIX)
    if not from_status and given.status != AVAILABLE and outside:
        return False
    if to_status or taken.status == given.status:
        return taken.status == (to_status or given.status)
    received = is_received(given.location, taken.location)
    as_said = given.status == (from_status or AVAILABLE)
    of_held_lot = taken.status == HELD and bool(taken.lot)
    return received and as_said and (taken.status == INSPECTION or of_held_lot)
