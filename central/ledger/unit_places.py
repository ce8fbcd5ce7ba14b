"""Where handling units are, in the books of all warehouses together. Pure.

    SH1/BIN-3   00340...5   it comes from the supplier to BJ1      it is at two places: `unit_twice`
    BJ1/BIN-1   00340...5   the receipt at BJ1 is taken back       it is at SH1/BIN-3 alone

A unit's number is on one pallet. Goods that come in under it while others stand under it elsewhere
came on another one, or have been booked twice. What a station moves within a warehouse, sends by a
transfer, or takes back of what left, is a part of the unit: nobody doubts that.
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

from central.ledger.entries import BalanceKey, Entry, Finding, Line, finding_of
from central.ledger.locations import ADJUSTMENT, IN_TRANSIT, is_virtual
from central.ledger.pairs import LINES_OF_A_PAIR
from central.ledger.posting import Posting
from central.ledger.weight_rests import is_under_way

Place = tuple[str, str]  # Warehouse, location.


class SingleUnit(NamedTuple):
    """A unit that was at several places and is at one. record_no: since which fact."""

    sscc: str
    warehouse: str
    location: str
    record_no: int


def comes_in(from_location: str, to_location: str) -> bool:
    """Return whether goods come from outside all warehouses."""
    if from_location == IN_TRANSIT or is_under_way(from_location) or not is_virtual(from_location):
        return False
    return not is_virtual(to_location)


def is_judged(from_location: str, to_location: str) -> bool:
    """Return whether goods that move so may bring a unit to two places, or to one again."""
    gone = to_location == ADJUSTMENT and not is_virtual(from_location)
    return gone or comes_in(from_location, to_location)


class UnitPlaces:
    """Handling units while facts are posted.

    keys, amounts: of the running books, which go on meanwhile. whole: the units of which every
    balance is among them, those that judged facts bear. The books themselves are not known here, as
    in `serials`.
    """

    def __init__(self, keys: Sequence[BalanceKey], amounts: Sequence[int]) -> None:
        self._keys = keys
        self._amounts = amounts
        self._slots: dict[str, list[int]] = {}
        self._ended: dict[str, int] = {}
        self.whole: Set[str] = frozenset()
        for slot, key in enumerate(keys):
            if key.sscc:
                self.note(key, slot)

    def note(self, key: BalanceKey, slot: int) -> None:
        """Take notice of a balance that has a unit's number."""
        self._slots.setdefault(key.sscc, []).append(slot)

    def judge(self, entry: Entry, posting: Posting, left_micro: int) -> list[Finding]:
        """Return a finding if a unit has come to be at several places; note if it is at one again.

        posting: of a fact, done already. left_micro: what is now where its goods came from.
        """
        takes_back = posting.takes_back is not None
        one, other = posting.lines[:LINES_OF_A_PAIR]
        given, taken = (other, one) if takes_back else (one, other)
        if comes_in(given.location, taken.location):
            # What had gone there comes back: a part of the unit, or all of it.
            if left_micro >= 0 or takes_back:
                return []
            places = self._places(given.sscc)
            return [_twice(entry, taken, places)] if len(places) > 1 else []
        if not is_virtual(given.location) and (takes_back or taken.location == ADJUSTMENT):
            self._note_end(given, record_no=entry.record_no)
        return []

    def singles(self) -> tuple[SingleUnit, ...]:
        """Return the units that a fact took from a place, and that are at one other now."""
        return tuple(
            SingleUnit(sscc, *place, record_no)
            for sscc, record_no in sorted(self._ended.items())
            for place in self._places(sscc)
        )

    def _note_end(self, given: Line, *, record_no: int) -> None:
        if given.sscc not in self.whole:
            return  # What moved and went back in one call has ended nothing.
        places = self._places(given.sscc)
        self._ended.pop(given.sscc, None)
        if len(places) == 1 and (given.warehouse, given.location) not in places:
            self._ended[given.sscc] = record_no

    def _places(self, sscc: str) -> list[Place]:
        """Return the places of any warehouse where some of it is."""
        there = set()
        for slot in self._slots.get(sscc, ()):
            key = self._keys[slot]
            if self._amounts[slot] > 0 and not is_virtual(key.location):
                there.add((key.warehouse, key.location))
        return sorted(there)


def _twice(entry: Entry, arrived: Line, places: Sequence[Place]) -> Finding:
    own = arrived.warehouse
    near = sorted(places, key=lambda place: (place[0] != own, place))
    names = [place if house == own else f"{house}/{place}" for house, place in near]
    return finding_of(
        entry,
        "unit_twice",
        arrived.sscc,
        item=arrived.item,
        location=arrived.location,
        lot=arrived.lot,
        unit=arrived.unit,
        detail=f"it is at {', '.join(names)}",
    )
