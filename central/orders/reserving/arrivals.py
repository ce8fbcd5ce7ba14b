"""When the oldest of what lies at each place came into the warehouse, from what moved. Pure.

    fact 7    supplier -> DOCK    10       DOCK 10 of 7
    fact 8    DOCK -> BIN-1        6       DOCK 4 of 7            BIN-1 6 of 7
    fact 9    supplier -> BIN-1    5       DOCK 4 of 7            BIN-1 6 of 7, 5 of 9
    fact 12   BIN-1 -> customer    8       DOCK 4 of 7            BIN-1 3 of 9

What leaves a place is what of it came first, and takes along when it came.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from central.orders.reserving.allocation import StockKey

Lying = tuple[StockKey, str]  # Which stock, and its status: what is held is none of what is not.
LONG_AGO = 0  # Sorts before every record number.
Layers = list[tuple[int, int]]  # When it came, and how much: oldest first.


class Move(NamedTuple):
    """Goods that went from one place to another. None: from or to outside of the warehouse."""

    record_no: int
    source: Lying | None
    target: Lying | None
    quantity_micro: int


def first_arrivals(moves: Iterable[Move], before: Mapping[Lying, int]) -> dict[Lying, int]:
    """Return with which fact the oldest of each stock came that is left after the moves.

    moves: in the order of their record numbers. before: what lay there before them, in 10^-6 units,
    which came LONG_AGO.
    """
    layers: dict[Lying, Layers] = {
        key: [(LONG_AGO, micro)] for key, micro in before.items() if micro > 0
    }
    for move in moves:
        taken = [(move.record_no, move.quantity_micro)]
        if move.source is not None:
            taken = _taken(layers.setdefault(move.source, []), move.quantity_micro)
        if move.target is not None:
            there = layers.setdefault(move.target, [])
            there += taken
            there.sort()
    return {key: there[0][0] for key, there in layers.items() if there}


def _taken(layers: Layers, quantity_micro: int) -> Layers:
    """Take what came first from layers; what they do not have came LONG_AGO."""
    taken: Layers = []
    while quantity_micro > 0 and layers:
        came, micro = layers.pop(0)
        part = min(micro, quantity_micro)
        taken.append((came, part))
        quantity_micro -= part
        if micro > part:
            layers.insert(0, (came, micro - part))
    if quantity_micro > 0:
        taken.append((LONG_AGO, quantity_micro))
    return taken
