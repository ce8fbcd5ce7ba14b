"""What became of goods at the place where they came, as somebody changed their status there. Pure.

    10 come to BIN-1, 6 are held there, 4 are sold        6 of them are held
    20 stand in BIN-1, 10 come, 6 are held there          none: 24 were available at all times
    10 come to BIN-1, 10 are held, 3 are given free       7 of them are held, 3 are available

What was always there of their status can still be they. Of what cannot, so much became something
else as was made of that status there since.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from central.ledger.pairs import LINES_OF_A_PAIR
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED

MADE_OF = (AVAILABLE, REJECTED, HELD, INSPECTION)  # In which order goods are taken as such.
# What else becomes of goods that somebody has decided on.
ONWARD = ((AVAILABLE, HELD), (HELD, AVAILABLE), (HELD, REJECTED))


class LineSince(NamedTuple):
    """A line at the place, of just these goods in whatever status. quantity_micro: with its sign.

    Fields in the order of the rows that are read.
    """

    record_no: int
    line_no: int
    status: str
    quantity_micro: int


class PlaceSince:
    """What happened at a place to goods of one kind, all of them together.

    on_hand: millionths by status now. lines: of the facts since, in their order. taken_back: record
    numbers of facts that are taken back with those that are asked about, as if they never were.
    """

    def __init__(
        self,
        on_hand: Mapping[str, int],
        lines: Sequence[LineSince],
        *,
        taken_back: Collection[int] = (),
    ) -> None:
        self._on_hand = Counter(on_hand)
        for line in lines:
            if line.record_no in taken_back:
                self._on_hand[line.status] -= line.quantity_micro
        self._lines = [line for line in lines if line.record_no not in taken_back]
        self._used: Counter[tuple[str, str]] = Counter()

    def take(self, status: str, quantity_micro: int, *, after: int) -> dict[str, int]:
        """Return what goods became that came as of a status, in millionths, and take them away.

        after: the record number of what brought them.
        """
        since = [line for line in self._lines if line.record_no > after]
        left_micro = quantity_micro - min(quantity_micro, max(0, self._least(status, since)))
        made = self._made_of(status, since)
        parts = {}
        for one in MADE_OF:
            part_micro = min(left_micro, made[one])
            if part_micro > 0:
                left_micro -= part_micro
                parts[one] = part_micro
                self._used[status, one] += part_micro
        stays_micro = quantity_micro - sum(parts.values())
        if stays_micro:
            parts[status] = stays_micro
        self._on_hand.subtract(parts)
        return parts

    def _least(self, status: str, since: Sequence[LineSince]) -> int:
        """Return the least that there was of a status, at any time since."""
        now_micro = self._on_hand[status]
        of_status = [line for line in since if line.status == status]
        least_micro = then_micro = now_micro - sum(line.quantity_micro for line in of_status)
        for _, lines in groupby(of_status, key=lambda line: line.record_no):
            then_micro += sum(line.quantity_micro for line in lines)
            least_micro = min(least_micro, then_micro)
        return least_micro

    def _made_of(self, status: str, since: Sequence[LineSince]) -> Counter[str]:
        """Return what was made of goods of a status and is not made again what it was."""
        changed: Counter[tuple[str, str]] = Counter()
        for _, pair in groupby(since, key=_pair_of):
            given, *taken = sorted(pair, key=lambda line: line.quantity_micro)
            if taken and given.status != taken[0].status:
                changed[given.status, taken[0].status] += taken[0].quantity_micro
        made: Counter[str] = Counter()
        for one in MADE_OF:
            if one != status:
                used_micro = self._used[status, one]
                back_micro = changed[one, status]
                made[one] = max(0, changed[status, one] - back_micro - used_micro)
        for one, other in ONWARD:
            if status not in {one, other}:
                further_micro = changed[one, other] - changed[other, one]
                further_micro = max(0, min(made[one], further_micro))
                made.update({one: -further_micro, other: further_micro})
        return made


def _pair_of(line: LineSince) -> tuple[int, int]:
    return line.record_no, (line.line_no - 1) // LINES_OF_A_PAIR
