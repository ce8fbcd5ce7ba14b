"""Which whole millionths stand for exact amounts, so that rounding makes and loses nothing. Pure.

    a third of a carton comes, three times     333,333 1/3 each      333,333   333,334   333,333
    posted more than exactly, so far                                    -1/3      +1/3         0

Each movement is rounded so that what is posted at its places, and towards its document line, stays
less than a millionth from what it would be exactly, over all settlements so far: whatever is whole
again is exact again. One movement has two ends. A place of the warehouse comes first, of two such
where the goods come from; what is left open is decided by everybody's rest. So a place that another
of the warehouse fills may be off by whole millionths until goods leave it or come from outside.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from central.ledger.locations import is_virtual


class Way(NamedTuple):
    """Where goods go: the places as in the books, and what they are counted towards."""

    from_location: str
    to_location: str
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    document: str = ""
    document_line: int = 0


class Rest(NamedTuple):
    """By how much a movement of an item was more than exactly, in millionths of the unit."""

    item: str
    unit: str
    way: Way
    more: Fraction


Account = tuple[str, ...]  # A place with what is there, or a document line.


class Roundings:
    """Amounts of one item and unit in one warehouse, rounded one after another.

    earlier: the rests of the movements so far.
    """

    def __init__(self, earlier: Iterable[tuple[Way, Fraction]] = ()) -> None:
        self._rests: dict[Account, Fraction] = {}
        for way, more in earlier:
            self._note(way, more)

    def whole(self, way: Way, exact: Fraction) -> int:
        """Return what stands for an exact amount of millionths, perhaps none; and note it."""
        source, target = _places(way)
        best = min(
            self._possible(source, target, exact),
            key=lambda one: self._costs(way, one - exact),
        )
        self._note(way, best - exact)
        return best

    def _possible(self, source: Account, target: Account, exact: Fraction) -> set[int]:
        """Return what makes one of the ends exact, or as near to it as whole millionths are."""
        none = Fraction(0)
        wanted = (
            exact,
            exact + self._rests.get(source, none),
            exact - self._rests.get(target, none),
        )
        return {max(0, whole(one)) for one in wanted for whole in (floor, ceil)}

    def _costs(self, way: Way, more: Fraction) -> tuple[bool, bool, Fraction, Fraction]:
        none = Fraction(0)
        rests = {
            account: self._rests.get(account, none) + part for account, part in _parts(way, more)
        }
        source, target = _places(way)
        return (
            not is_virtual(way.from_location) and abs(rests.get(source, none)) >= 1,
            not is_virtual(way.to_location) and abs(rests.get(target, none)) >= 1,
            sum((rest * rest for rest in rests.values()), none),
            abs(more),
        )

    def _note(self, way: Way, more: Fraction) -> None:
        for account, part in _parts(way, more):
            rest = self._rests.get(account, 0) + part
            if rest:
                self._rests[account] = rest
            else:
                self._rests.pop(account, None)


def _places(way: Way) -> tuple[Account, Account]:
    goods = (way.lot, way.serial, way.sscc)
    return ("place", way.from_location, *goods), ("place", way.to_location, *goods)


def _parts(way: Way, more: Fraction) -> Iterator[tuple[Account, Fraction]]:
    """Yield what a movement that is so much too large adds to each account."""
    source, target = _places(way)
    if source != target:  # Else they have another status alone.
        yield source, -more
        yield target, more
    if way.document:
        coming = is_virtual(way.from_location)
        yield ("document", way.document, str(way.document_line)), more if coming else -more
