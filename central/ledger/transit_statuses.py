"""Which statuses goods have that come from under way of a transfer, by the books. Pure.

    SH1  in_transit/TR-1   +5 held   +4 available       BJ1 receives 6:   4 available, 2 held
    BJ1  in_transit/TR-1             -2 available                         of 2 available, 5 held

What one book has given the other has taken: a status is under way as far as both together have it.
What left on the same logistic unit comes first, then what else is there of the thing, since pallets
are opened on the way; of each what is available first. What nobody has sent yet is available.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

from central.contract.facts import Fact, Movement
from central.ledger.entries import (
    BALANCE_MICRO_MAX,
    GOODS_KEY_SIZE,
    BalanceKey,
    GoodsKey,
    Known,
    Line,
)
from central.ledger.measures import quantity_in_unit
from central.ledger.pairs import places_of
from central.ledger.posting import books_under_way
from central.ledger.statuses import STATUSES
from central.ledger.weight_rests import UnderWayKey, is_under_way, under_way_key

MUCH = 10 * BALANCE_MICRO_MAX  # More than all books have.
# In the books of which warehouses, and the other parts of such a key.
Taken = tuple[tuple[str, ...], tuple[str, ...]]


class TransitStatuses:
    """Statuses of what is under way while facts are posted.

    slots, keys, amounts: of the running books, which go on meanwhile.
    """

    def __init__(
        self, slots: Mapping[BalanceKey, int], keys: Sequence[BalanceKey], amounts: Sequence[int]
    ) -> None:
        self._slots = slots
        self._keys = keys
        self._amounts = amounts
        self._of_things: dict[UnderWayKey, list[int]] = {}
        self._keys_read = 0

    def taken(self, line: Line, books: Sequence[str]) -> dict[str, int]:
        """Return how much of each status a line takes from under way, as far as it is there.

        books: of which warehouses. line: below zero.
        """
        found = dict.fromkeys(STATUSES, 0)
        rest = -line.quantity_micro
        for sums in (self._of_unit, self._of_thing):
            there = sums(line, books)
            for status in STATUSES:
                part = min(rest, max(0, there[status] - found[status]))
                found[status] += part
                rest -= part
            if not rest:
                break
        return found

    def _of_unit(self, line: Line, books: Sequence[str]) -> Counter[str]:
        sums: Counter[str] = Counter()
        what = line.balance_key[1:GOODS_KEY_SIZE]
        for house in books:
            for status in STATUSES:
                slot = self._slots.get(BalanceKey._make((house, *what, status)))
                sums[status] += 0 if slot is None else self._amounts[slot]
        return sums

    def _of_thing(self, line: Line, books: Sequence[str]) -> Counter[str]:
        while self._keys_read < len(self._keys):
            key = self._keys[self._keys_read]
            if is_under_way(key.location):
                self._of_things.setdefault(under_way_key(key), []).append(self._keys_read)
            self._keys_read += 1
        sums: Counter[str] = Counter()
        for slot in self._of_things.get(under_way_key(line), ()):
            if self._keys[slot].warehouse in books:
                sums[self._keys[slot].status] += self._amounts[slot]
        return sums


def taken_from_transit(known: Known, apart: Iterable[tuple[str, Fact]]) -> dict[Taken, int]:
    """Return what facts take from under way, in all, and from the books of which warehouses.

    apart: each with the warehouse of its epoch. Of what is not stated in its item's own unit it is
    not known yet how much it will be: MUCH.
    """
    taken: Counter[Taken] = Counter()
    for warehouse, fact in apart:
        if not isinstance(fact, Movement):
            continue
        books = books_under_way(warehouse, fact, known)
        if books:
            unit = known.item_units.get(fact.item, fact.unit)
            what = (places_of(fact)[0], fact.item, fact.lot, fact.serial, fact.sscc, unit)
            micro = quantity_in_unit(fact, unit) if unit == fact.unit else MUCH
            taken[tuple(sorted(books)), what] += MUCH if micro is None else micro
    return dict(taken)


def keys_in_books(taken: Iterable[Taken]) -> Iterator[GoodsKey]:
    """Yield where the books have what is taken, on the logistic unit on which it is taken."""
    for books, what in taken:
        for house in books:
            yield (house, *what)


def places_short(
    taken: Mapping[Taken, int], on_hand: Callable[[BalanceKey], int], moved: Container[str]
) -> set[tuple[str, str, str]]:
    """Return the warehouses, places and items of which all has to be known: there is too little.

    on_hand: at what `keys_in_books` named. moved: places of which reversals may take some.
    """
    found = set()
    for (books, what), micro in taken.items():
        sums = (
            sum(on_hand(BalanceKey._make((house, *what, status))) for house in books)
            for status in STATUSES
        )
        if what[0] in moved or micro > sum(max(0, one) for one in sums):
            found |= {(house, what[0], what[1]) for house in books}
    return found
