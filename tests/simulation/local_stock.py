"""The stock that a gateway shows: the ledger's, plus its own facts that are not yet in it. Pure.

    shown = base + own facts beyond positions          at any moment

The tables are modelled; which own facts a change of the base takes with it is the product's answer.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from central.contract.identifiers import Epoch
from central.contract.wire_types import EpochSeq
from gateway.journal.base_stock import next_positions
from gateway.journal.own_effects import OwnEpoch, ranges_between
from gateway.journal.records import Standing
from tests.simulation.checkers import Row, moves_of

if TYPE_CHECKING:
    from tests.simulation.card import EpochRows

Level = tuple[Row, int]


class Notice:
    """Stock that changed, absolute, with the positions of the gateway's own facts in it.

    levels None: a notice that says nothing of stock.
    """

    __slots__ = ("levels", "positions")

    def __init__(
        self, levels: Sequence[Level] | None, positions: tuple[EpochSeq, ...] = ()
    ) -> None:
        self.levels = levels
        self.positions = positions


class Snapshot:
    """All stock of a warehouse and all positions of one gateway, where a stream begins."""

    __slots__ = ("levels", "positions", "stream")

    def __init__(
        self, stream: str, levels: Sequence[Level], positions: tuple[EpochSeq, ...]
    ) -> None:
        self.stream = stream
        self.levels = levels
        self.positions = positions


class LocalStock:
    """Base, positions and shown stock of one card."""

    __slots__ = ("base", "positions", "shown", "standing")

    def __init__(self) -> None:
        self.standing = Standing("", 0)
        self.base: dict[Row, int] = {}
        self.positions: dict[Epoch, int] = {}
        self.shown: dict[Row, int] = {}

    def copy(self) -> "LocalStock":
        """Return the same, to be changed alone."""
        other = LocalStock()
        other.standing = self.standing
        other.base, other.positions = self.base.copy(), self.positions.copy()
        other.shown = self.shown.copy()
        return other

    def add(self, bodies: Iterable[bytes], sign: int) -> None:
        """Show what own facts change."""
        shown = self.shown
        for body in bodies:
            for row, quantity in moves_of(body):
                shown[row] = shown.get(row, 0) + sign * quantity

    def apply(self, number: int, notices: Sequence[Notice], epochs: "Sequence[EpochRows]") -> None:
        """Take in notices up to `number`."""
        own = _own(epochs)
        for notice in notices:
            if notice.levels is None:
                continue
            for row, quantity in notice.levels:
                change = quantity - self.base.get(row, 0)
                self.base[row] = quantity
                self.shown[row] = self.shown.get(row, 0) + change
            after = next_positions(own, notice.positions, before=self.positions)
            self._shift(epochs, own, self.positions, after, -1)
            self.positions = after
        self.standing = Standing(self.standing.stream, number)

    def replace(self, snapshot: Snapshot, epochs: "Sequence[EpochRows]") -> None:
        """Begin anew from a snapshot."""
        own = _own(epochs)
        self.base = dict(snapshot.levels)
        self.shown = self.base.copy()
        self.positions = next_positions(own, snapshot.positions, before={})
        heads = {one.epoch: one.head_seq for one in own}
        self._shift(epochs, own, self.positions, heads, 1)
        self.standing = Standing(snapshot.stream, 0)

    def _shift(
        self,
        epochs: "Sequence[EpochRows]",
        own: Sequence[OwnEpoch],
        before: dict[Epoch, int],
        after: dict[Epoch, int],
        sign: int,
    ) -> None:
        for one, rows in zip(own, epochs, strict=True):
            for run in ranges_between([one], before=before, after=after):
                # What is forgotten is nowhere to be read: neither to be added nor to be taken off.
                first = max(run.first_number - 1, rows.forgotten)
                bodies = rows.bodies[first : run.last_number]
                self.add(bodies, sign * run.sign)


def _own(epochs: "Sequence[EpochRows]") -> list[OwnEpoch]:
    return [OwnEpoch(one.epoch, 1, len(one.bodies)) for one in epochs]
