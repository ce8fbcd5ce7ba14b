"""Weights of what is under way, and what is left of a weight when the last piece has gone. Pure.

    under way of TR-1, in all books     10 pieces, 25 kg    2 come unweighed:  5 kg come with them
                                         8 pieces, 20 kg    8 come, 19.5 kg:   0.5 kg are left

    BIN-1   10 pieces, 25 kg            line 1   BIN-1        -10 pieces   -24.6 kg
    all go, weighed again: 24.6 kg      line 2   customer     +10 pieces   +24.6 kg
                                        line 3   BIN-1          0 pieces    -0.4 kg
                                        line 4   adjustment     0 pieces    +0.4 kg

No place of a warehouse, and nothing under way, is left with a weight and no pieces: what is left is
written off by the fact that took the last piece, as a pair of lines of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from central.ledger.entries import BALANCE_MICRO_MAX, BalanceKey, Line
from central.ledger.locations import ADJUSTMENT, IN_TRANSIT_PREFIX, is_virtual
from central.ledger.pairs import LINES_OF_A_PAIR, Lines

# A thing under way: location, item, lot, serial, unit. Pallets are opened on the way, and what one
# book has given another takes: neither is told apart.
UnderWayKey = tuple[str, str, str, str, str]
Left = tuple[int, int]  # Pieces and weight, in millionths of their units.


class Reweighed(NamedTuple):
    """A place that had pieces and no weight left, and after a fact a weight, or no pieces."""

    line: Line
    quantity_micro: int
    weight_micro: int


class WeighedPlaces:
    """What is at places while facts are posted: of what is under way, in all books together.

    slots, keys, amounts, weights: of the running books, which go on meanwhile. The books themselves
    are not known here: in a circle all that a call has read would stay until Python looks for such.
    """

    def __init__(
        self,
        slots: Mapping[BalanceKey, int],
        keys: Sequence[BalanceKey],
        amounts: Sequence[int],
        weights: Mapping[int, int],
    ) -> None:
        self._slots = slots
        self._keys = keys
        self._amounts = amounts
        self._weights = weights
        # Summed up once somebody asks, then moved on by `note`: they may be on many pallets.
        self._under_way: dict[UnderWayKey, Left] | None = None

    def left(self, line: Line) -> Left:
        """Return what is at the place of a line."""
        if is_under_way(line.location):
            return self._sums_under_way().get(under_way_key(line), (0, 0))
        slot = self._slots.get(line.balance_key)
        return (0, 0) if slot is None else (self._amounts[slot], self._weights.get(slot, 0))

    def note(self, lines: Sequence[Line]) -> None:
        """Take notice of lines that the running books have just added up."""
        if self._under_way is None:
            return
        for line in lines:
            if is_under_way(line.location):
                key = under_way_key(line)
                quantity, weight = self._under_way.get(key, (0, 0))
                after = (quantity + line.quantity_micro, weight + line.weight_micro)
                self._under_way[key] = after

    def outweighed(self, lines: Sequence[Line]) -> Iterator[tuple[Line, int]]:
        """Yield lines that took a weight from where pieces stay and no weight, with what is left.

        Below zero more was weighed out than in.
        """
        for line in one_of_each(lines):
            quantity, weight = self.left(line)
            if quantity > 0 >= weight and line.weight_micro < 0:
                yield line, weight

    def reweighed(self, lines: Sequence[Line]) -> Iterator[Reweighed]:
        """Yield places of these lines where pieces have a weight again, or are no more."""
        for line in one_of_each(lines):
            quantity, weight = self.left(line)
            if quantity > 0 >= weight:
                continue
            same = [one for one in lines if _is_at_place_of(one, line)]
            before = quantity - sum(one.quantity_micro for one in same)
            if before > 0 >= weight - sum(one.weight_micro for one in same):
                yield Reweighed(line, quantity, weight)

    def have_room(
        self, lines: Sequence[Line], given_back: Sequence[tuple[str, str, int]] = ()
    ) -> bool:
        """Return whether what these lines may leave without pieces can be written off.

        That is never more than what is at their places, what they move and what is given back
        there (location, status, weight), together.
        """
        places = list(one_of_each(lines))
        moved = sum(abs(line.weight_micro) for line in lines)
        moved += sum(abs(weight) for _, _, weight in given_back)
        rest_max = moved + sum(abs(self.left(line)[1]) for line in places)
        taken = (line.balance_key._replace(location=ADJUSTMENT) for line in places)
        slots = (self._slots[key] for key in taken if key in self._slots)
        written_off = (abs(self._weights.get(slot, 0)) for slot in slots)
        return all(weight + rest_max <= BALANCE_MICRO_MAX for weight in written_off)

    def _sums_under_way(self) -> dict[UnderWayKey, Left]:
        if self._under_way is None:
            self._under_way = {}
            for slot, key in enumerate(self._keys):
                if is_under_way(key.location):
                    thing = under_way_key(key)
                    quantity, weight = self._under_way.get(thing, (0, 0))
                    quantity += self._amounts[slot]
                    self._under_way[thing] = (quantity, weight + self._weights.get(slot, 0))
        return self._under_way


def is_under_way(location: str) -> bool:
    """Return whether a place is where goods are under way under a document."""
    return location.startswith(IN_TRANSIT_PREFIX)


def under_way_key(key: BalanceKey | Line) -> UnderWayKey:
    """Return what a balance, or a line, at such a place is part of."""
    return (key.location, key.item, key.lot, key.serial, key.unit)


def _is_at_place_of(line: Line, other: Line) -> bool:
    if is_under_way(other.location):
        return under_way_key(line) == under_way_key(other)
    return line.balance_key == other.balance_key


def rest_lines(lines: Sequence[Line], left: Callable[[Line], Left], *, first_line_no: int) -> Lines:
    """Return the pairs that write off weights of which no pieces are left after these lines.

    left: what is at the place of a line after all of them; of what is under way, in all books.
    """
    rests: list[Line] = []
    for line in one_of_each(lines):
        quantity, weight = left(line)
        if quantity or not weight:
            continue
        number = first_line_no + len(rests)
        rest = line._replace(line_no=number, quantity_micro=0, weight_micro=-weight)
        taken = rest._replace(line_no=number + 1, location=ADJUSTMENT, weight_micro=weight)
        rests += (rest, taken)
    return tuple(rests)


def one_of_each(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield one line of each place where weights belong to pieces: none of others' places."""
    seen: set[BalanceKey | UnderWayKey] = set()
    for line in lines:
        under_way = is_under_way(line.location)
        if is_virtual(line.location) and not under_way:
            continue
        key = under_way_key(line) if under_way else line.balance_key
        if key not in seen:
            seen.add(key)
            yield line


def parted(lines: Sequence[Line]) -> tuple[Lines, Lines]:
    """Return the lines that a movement says, and those that wrote off what was left."""
    count = len(lines)
    while count and not lines[count - 1].quantity_micro:
        count -= 1
    return tuple(lines[:count]), tuple(lines[count:])


def are_rests(main: Sequence[Line], rests: Sequence[Line]) -> bool:
    """Return whether `rests` may be what was left after `main`, as far as lines alone can tell."""
    if len(rests) % LINES_OF_A_PAIR:
        return False
    of_places = list(one_of_each(main))
    for index, (rest, taken) in enumerate(zip(rests[::2], rests[1::2], strict=True)):
        number, weight = len(main) + LINES_OF_A_PAIR * index + 1, rest.weight_micro
        possible = [
            one._replace(line_no=number, quantity_micro=0, weight_micro=weight) for one in of_places
        ]
        other = rest._replace(line_no=number + 1, location=ADJUSTMENT, weight_micro=-weight)
        if not weight or rest not in possible or taken != other:
            return False
    return True
