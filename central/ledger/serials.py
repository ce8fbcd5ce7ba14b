"""Where serial numbers are, in the books of all warehouses together. Pure.

    SH1/BIN-1   S9    BJ1 takes S9 out of TR-1     it is at two places: `serial_twice`
    SH1/BIN-1   S9    SH1 says that it left        it is at BJ1/BIN-1 alone: nothing is wrong

Facts of a sending warehouse may come after the receipt. What such a fact explains settles itself:
the number is at one place, and came from outside once; a piece that was written off never came.
Where two came and one was sold, nobody knows which one it is: that stays open for people.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from central.contract.quantities import MICRO_PER_UNIT, PIECE
from central.ledger.amount_findings import twice
from central.ledger.entries import BalanceKey, Entry, Finding, Line
from central.ledger.locations import ADJUSTMENT, IN_TRANSIT, is_virtual
from central.ledger.weight_rests import is_under_way

SerialKey = tuple[str, str, str]  # Item, serial number, unit.
Place = tuple[str, str]  # Warehouse, location.


class Single(NamedTuple):
    """A serial number that was at several places and is at one. record_no: since which fact."""

    item: str
    serial: str
    warehouse: str
    location: str
    record_no: int


class SerialPlaces:
    """Serial numbers while facts are posted.

    keys, amounts: of the running books, which go on meanwhile; every balance of each number that a
    fact bears is among them. The books themselves are not known here: they would be a circle.
    """

    def __init__(self, keys: Sequence[BalanceKey], amounts: Sequence[int]) -> None:
        self._keys = keys
        self._amounts = amounts
        self._slots: dict[SerialKey, list[int]] = {}
        self._ended: dict[SerialKey, int] = {}
        for slot, key in enumerate(keys):
            if key.serial:
                self.note(key, slot)

    def note(self, key: BalanceKey, slot: int) -> None:
        """Take notice of a balance that has a serial number."""
        self._slots.setdefault(_serial_of(key), []).append(slot)

    def is_twice(self, line: Line) -> bool:
        """Return whether the number of a line is at several places, or more than one piece."""
        if not line.serial:
            return False
        serial = _serial_of(line)
        return _are_several(serial, self._places(serial))

    def note_end(self, line: Line, *, record_no: int) -> None:
        """Take notice of a fact after which a number that was at several places may be at one."""
        serial = _serial_of(line)
        if not _are_several(serial, self._places(serial)):
            self._ended[serial] = record_no

    def found_twice(self, entry: Entry, lines: Sequence[Line]) -> Finding | None:
        """Return a finding if a number has come to be where it cannot be as well."""
        arrived = next((line for line in lines if line.quantity_micro > 0), None)
        if arrived is None or is_virtual(arrived.location):
            return None
        return twice(entry, arrived, self._places(_serial_of(arrived)))

    def singles(self) -> tuple[Single, ...]:
        """Return the numbers that were at several places, also on the way, and now are at one."""
        return tuple(self._find_singles())

    def _find_singles(self) -> Iterator[Single]:
        for serial, record_no in sorted(self._ended.items()):
            places = self._places(serial)
            if len(places) == 1 and not _are_several(serial, places) and self._came_once(serial):
                (place,) = places
                yield Single(*serial[:2], *place, record_no)

    def _places(self, serial: SerialKey) -> dict[Place, int]:
        """Return how much of it is at each place of any warehouse."""
        there: dict[Place, int] = {}
        for slot in self._slots.get(serial, ()):
            key, amount = self._keys[slot], self._amounts[slot]
            if amount > 0 and not is_virtual(key.location):
                place = (key.warehouse, key.location)
                there[place] = there.get(place, 0) + amount
        return there

    def _came_once(self, serial: SerialKey) -> bool:
        """Return whether all books together had no more than one piece of it from outside."""
        given: dict[str, int] = {}
        for slot in self._slots.get(serial, ()):
            place = self._keys[slot].location
            if is_virtual(place) and place != IN_TRANSIT and not is_under_way(place):
                given[place] = given.get(place, 0) - self._amounts[slot]
        # What was written off is taken not to have come, what was sold did come.
        came = given.pop(ADJUSTMENT, 0) + sum(amount for amount in given.values() if amount > 0)
        return serial[-1] != PIECE or came <= MICRO_PER_UNIT


def _serial_of(key: BalanceKey | Line) -> SerialKey:
    return key.item, key.serial, key.unit


def _are_several(serial: SerialKey, places: dict[Place, int]) -> bool:
    return len(places) > 1 or (serial[-1] == PIECE and sum(places.values()) > MICRO_PER_UNIT)
