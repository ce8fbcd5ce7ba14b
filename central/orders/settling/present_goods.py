"""Which statuses goods that are taken back are taken from, as far as they are still there. Pure.

BIN-2 now   10 available, 5 rejected      5 came there as rejected: those are the 5
BIN-2 now   10 available, 3 rejected      3 of the rejected, then 2 of whatever is there
BIN-2 now   -5 available, 5 rejected      all by facts that are taken back together: as they came
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from central.ledger.decided_goods import Became
from central.ledger.entries import BalanceKey, FactKey
from central.ledger.statuses import AVAILABLE, INSPECTION, STATUSES


class PresentGoods:
    """What is at places of the warehouse while movements are planned, one after another.

    on_hand: millionths of each balance that may be taken from, absent for zero. untouched: those
    that nothing has changed since, so that just what came goes again, also below zero. became: of
    facts whose goods came to be inspected and were decided on since.
    """

    def __init__(
        self,
        on_hand: Mapping[BalanceKey, int],
        *,
        untouched: AbstractSet[BalanceKey] = frozenset(),
        became: Mapping[FactKey, Sequence[Became]] | None = None,
    ) -> None:
        self._became = became or {}
        self._again: list[tuple[FactKey, str, int]] = []
        self._on_hand = dict(on_hand)
        self._untouched = untouched

    def became(self, fact: FactKey) -> Sequence[Became]:
        """Return what the goods of a fact became, in parts; nothing if nobody decided on them.

        What comes again is taken as it comes; of the rest what still waits goes first.
        """
        parts = self._became.get(fact, ())
        left = sum(part.quantity_micro for part in parts)
        again = [one for one in self._again if one[0] == fact] if parts else []
        found = [Became(location, INSPECTION, quantity) for _, location, quantity in again]
        left -= sum(part.quantity_micro for part in found)
        for part in sorted(parts, key=lambda one: one.status != INSPECTION):
            quantity = min(left, part.quantity_micro)
            if quantity > 0:
                left -= quantity
                found.append(part._replace(quantity_micro=quantity))
        return found

    def come_again(self, fact: FactKey, location: str, quantity_micro: int) -> None:
        """Note that goods of a fact come once more where they came, to be inspected."""
        self._again.append((fact, location, quantity_micro))

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
