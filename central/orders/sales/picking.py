"""Pick lists: what to take where, in the order in which a picker passes it. Pure.

walk order of the place, then place, item, lot, pallet, serial number; places that the catalogue
gives no order come last. Several orders on one round stand together at each place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from central.orders.reserving.reservations import Reservation

NUMBER_MAX = 1_000_000  # What stations say beyond it is no number of a pick.
Walk = Mapping[tuple[str, str], int]  # (warehouse, location) -> where a picker passes it
WaveState = Literal["created", "released", "picking", "picked", "done"]


@dataclass(frozen=True, slots=True)
class PickLine:
    """One thing to take. walk_order: of its place. picked: it stands ready already.

    number: of the line in the order's document.
    """

    order: str
    number: int
    reservation: Reservation
    walk_order: int


def pick_list(rows: Iterable[Reservation], walk: Walk) -> list[PickLine]:
    """Return what is still to be taken, in walking order."""
    lines = [
        PickLine(row.holder.code, row.pick_line, row, walk[row.stock.warehouse, row.stock.location])
        for row in rows
        if row.quantity_micro
    ]
    return sorted(lines, key=_way)


def number_picks(
    rows: Sequence[Reservation], walk: Walk, *, counted: Iterable[int] = ()
) -> list[tuple[Reservation, int]]:
    """Return numbers for those rows of one order that stations were never told of.

    They go on from the highest number there is, in walking order: a number never changes what it
    means. counted: numbers under which stations have moved something already.
    """
    said = [number for number in counted if number <= NUMBER_MAX]
    number = max([*said, *(row.pick_line for row in rows)], default=0)
    fresh = [line.reservation for line in pick_list(rows, walk) if not line.number]
    return list(zip(fresh, range(number + 1, number + 1 + len(fresh)), strict=True))


def wave_state(stages: Sequence[str], lines: Sequence[PickLine]) -> WaveState:
    """Return how far a wave is. stages: of its orders. lines: its pick list."""
    if stages and all(stage in ("shipped", "signed", "closed", "cancelled") for stage in stages):
        return "done"
    if lines and all(line.reservation.picked for line in lines):
        return "picked"
    if any(line.reservation.picked for line in lines) or "part_shipped" in stages:
        return "picking"
    return "released" if "released" in stages else "created"


def _way(line: PickLine) -> tuple[object, ...]:
    stock = line.reservation.stock
    what = (stock.location, stock.item, stock.lot, stock.sscc, stock.serial)
    return line.reservation.picked, line.walk_order, *what, line.order, line.number
