"""Which statuses goods that are taken back are taken from, as far as they are still there. Pure.

BIN-2 now   10 available, 5 rejected      5 came there as rejected: those are the 5
BIN-2 now   10 available, 3 rejected      3 of the rejected, then 2 of whatever is there
BIN-2 now   -5 available, 5 rejected      all by facts that are taken back together: as they came
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from central.ledger.entries import BalanceKey
from central.ledger.statuses import AVAILABLE, STATUSES


class PresentGoods:
    """What is at places of the warehouse while movements are planned, one after another.

    on_hand: millionths of each balance that may be taken from, absent for zero. untouched: those
    that nothing has changed since, so that just what came goes again, also below zero.
    """

    def __init__(
        self,
        on_hand: Mapping[BalanceKey, int],
        *,
        untouched: AbstractSet[BalanceKey] = frozenset(),
    ) -> None:
        self._on_hand = dict(on_hand)
        self._untouched = untouched

    def bring(self, key: BalanceKey, quantity_micro: int) -> None:
        """Note goods that come, or that go if it is below zero."""
        self._on_hand[key] = self._on_hand.get(key, 0) + quantity_micro

    def take(self, key: BalanceKey, quantity_micro: int) -> Iterator[tuple[str, int]]:
        """Yield the status and the quantity of each movement that takes goods of a status.

        "" for whatever is there, which is what is available first.
        """
        stated = quantity_micro if key in self._untouched else self._there(key, quantity_micro)
        if stated:
            self.bring(key, -stated)
            yield key.status, stated
        rest = quantity_micro - stated
        if rest:
            self._take_any(key, rest)
            yield "", rest

    def _there(self, key: BalanceKey, quantity_micro: int) -> int:
        there = 0 if key.status == AVAILABLE else max(0, self._on_hand.get(key, 0))
        return min(quantity_micro, there)

    def _take_any(self, key: BalanceKey, quantity_micro: int) -> None:
        rest = quantity_micro
        for status in STATUSES:
            one = key._replace(status=status)
            part = min(rest, max(0, self._on_hand.get(one, 0)))
            self.bring(one, -part)
            rest -= part
        self.bring(key._replace(status=AVAILABLE), -rest)
