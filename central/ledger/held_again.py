"""What a reversal brings back of a lot that is on hold: it comes back held. Pure.

movement    BIN-1 -> customer    3 available; then all of the lot is held
reversal    customer -> BIN-1    3 from available to held
"""

from collections.abc import Sequence

from central.ledger.entries import Known, Line
from central.ledger.locations import is_virtual
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION

HELD_THEN = frozenset({AVAILABLE, INSPECTION})


def held_again(lines: Sequence[Line], known: Known) -> tuple[Line, ...]:
    """Return the lines of a reversal, whose goods are held if they come back of a lot on hold."""
    first = lines[0]
    held = known.is_on_hold(first.warehouse, first.item, first.lot)
    return as_held(lines) if held else tuple(lines)


def as_held(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines of a reversal with what comes back into the warehouse as held."""
    inside, outside = lines[0].location, lines[1].location
    if is_virtual(inside) or not is_virtual(outside):
        return tuple(lines)
    return tuple(
        line._replace(status=HELD) if line.location == inside and line.status in HELD_THEN else line
        for line in lines
    )
