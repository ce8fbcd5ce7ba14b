"""How much may come under each document of one line of an order. Pure.

    order line 100, at most 110      notice 60, own document 40     each may bring 10 % more
    the notice closed with 60                      own document 40     50 may come: 25 % more
    50 came under the order's code   notice 60                      no more than its 60

The order's own document and each line of its expected notices have a share of its tolerance, in
equal percents; what came above that already is its own, and leaves less to the others.
"""

from collections.abc import Sequence
from typing import NamedTuple

from central.orders.document_progress import PERCENT_MICRO


class Part(NamedTuple):
    """What one document expects of an order's line, and what came of that under its code."""

    expected_micro: int
    done_micro: int = 0


def tolerances(parts: Sequence[Part], *, room_micro: int) -> list[int]:
    """Return how far each document may go above what it expects, in 10^-6 percent.

    room_micro: what all together may bring, below what they expect if too much came elsewhere.
    Rounded up each is off by less than 10^-8 of the quantity; rounded down the very last piece that
    the order tolerates would be too much.
    """
    own = _with_their_own(parts, room_micro)
    free = [part for part in parts if part not in own]
    expected_micro = sum(part.expected_micro for part in free)
    left_micro = room_micro - sum(part.done_micro for part in parts if part in own)
    return [
        _percent(part.done_micro - part.expected_micro, part.expected_micro)
        if part in own
        else _percent(left_micro - expected_micro, expected_micro)
        for part in parts
    ]


def _with_their_own(parts: Sequence[Part], room_micro: int) -> set[Part]:
    """Return the parts that have brought more than their share, where there is room for that."""
    own: set[Part] = set()
    if sum(map(max, parts)) > room_micro:
        return own
    while True:
        expected_micro = sum(part.expected_micro for part in parts if part not in own)
        left_micro = room_micro - sum(part.done_micro for part in parts if part in own)
        more = {
            part
            for part in parts
            if part not in own
            and part.done_micro * expected_micro > part.expected_micro * left_micro
        }
        if not more:
            return own
        own |= more


def _percent(more_micro: int, expected_micro: int) -> int:
    if not expected_micro:
        return 0
    return max(-(-more_micro * PERCENT_MICRO // expected_micro), 0)
