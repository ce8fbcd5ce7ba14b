"""What a reversal takes back of goods that were decided on since they came: what they became. Pure.

movement    supplier -> BIN-3    6 to be inspected; then 5 are accepted and 1 is rejected
reversal    BIN-3 -> supplier    5 of the available and 1 of the rejected, and none of what waits

movement    BIN-1 -> BIN-2       10 available; then 6 are held
reversal    BIN-2 -> BIN-1       6 of the held, which stay so, and 4 of the available
"""

from collections.abc import Sequence
from typing import NamedTuple

from central.ledger.entries import Line
from central.ledger.locations import is_virtual
from central.ledger.measures import shares
from central.ledger.pairs import LINES_OF_A_PAIR, Lines, is_received
from central.ledger.statuses import INSPECTION


class Became(NamedTuple):
    """A part of goods: where they were brought as they were decided on, and what they are there.

    record_no: since which they are so; 0 for since they came.
    """

    location: str
    status: str
    quantity_micro: int
    record_no: int = 0


def came_to_place(lines: Sequence[Line]) -> bool:
    """Return whether lines are of a movement that brought goods to a place, all of one status.

    What a station decided of goods that wait for inspection is none: its inspection knows more.
    """
    if len(lines) != LINES_OF_A_PAIR or is_virtual(lines[1].location):
        return False
    return lines[0].location != lines[1].location or lines[0].status != INSPECTION


def came_undecided(lines: Sequence[Line]) -> bool:
    """Return whether lines are of a movement whose goods came in to be inspected."""
    if len(lines) != LINES_OF_A_PAIR or lines[1].status != INSPECTION:
        return False
    return is_received(lines[0].location, lines[1].location)


def taken_as(back: Sequence[Line], became: Sequence[Became]) -> Lines:
    """Return the lines of a reversal that takes goods back as what they became.

    back: its pair of lines, as their movement brought them. became: all of them, in parts.
    """
    outside, inside = back
    # From a place of the warehouse they came as they were, and go back as they are.
    keeps = is_virtual(outside.location) or outside.location == inside.location
    weights = shares(outside.weight_micro, [part.quantity_micro for part in became])
    lines: list[Line] = []
    for part, weight in zip(became, weights, strict=True):
        number, quantity = len(lines) + 1, part.quantity_micro
        lines.append(
            outside._replace(
                line_no=number,
                status=outside.status if keeps else part.status,
                quantity_micro=quantity,
                weight_micro=weight,
            )
        )
        lines.append(
            inside._replace(
                line_no=number + 1,
                location=part.location,
                status=part.status,
                quantity_micro=-quantity,
                weight_micro=-weight,
            )
        )
    return tuple(lines)


def are_taken_as(back: Sequence[Line], lines: Sequence[Line]) -> bool:
    """Return whether lines may take goods back as what they became, as far as lines can tell."""
    if not came_to_place(back) or len(lines) % LINES_OF_A_PAIR:
        return False
    parts = [Became(one.location, one.status, -one.quantity_micro) for one in lines[1::2]]
    if not parts or min(part.quantity_micro for part in parts) <= 0:
        return False
    if sum(part.quantity_micro for part in parts) != back[0].quantity_micro:
        return False
    return tuple(lines) == taken_as(back, parts)
