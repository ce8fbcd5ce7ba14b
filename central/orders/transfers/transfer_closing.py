"""What becomes of goods that are under way when a transfer is closed. Pure.

    shipped 10, received 8                      2 under way: lost, damaged or sent back
    shipped 10, received 11                    -1 under way: found, one more than ever left
    shipped 10 of lot A, received 10 of lot B   10 of A are lost, 10 of B are found

Every thing that is not zero over all warehouses needs reasons for exactly its remainder. Each
becomes a movement of the ledger's own, after which nothing of the transfer is under way.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.ledger.locations import IN_TRANSIT

CLOSINGS_COUNT_MAX = 5000
DIFFERENCES_TOLD_MAX = 100

Reason = Literal["lost", "damaged", "found", "sent_back"]
# Where goods go to that do not arrive; what is sent back goes to a place of the source.
GONE: Mapping[Reason, str] = {"lost": "adjustment", "damaged": "scrap"}
FOUND_AT = "adjustment"


class Thing(NamedTuple):
    """What is told apart under way. SSCCs are not: pallets are opened on the way."""

    item: str
    lot: str
    serial: str
    unit: str


class AtPlace(msgspec.Struct, frozen=True):
    """What is at the in-transit place in the books of one warehouse; below zero: taken from it."""

    warehouse: str
    thing: Thing
    sscc: str
    status: str
    quantity_micro: int
    weight_micro: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """What became of some of a thing. location: at the source, where sent back goods are."""

    thing: Thing
    quantity_micro: int
    reason: Reason
    location: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClosingMove:
    """A movement that closes something. weight_micro: of goods that are weighed, 0 else."""

    closing: Closing
    warehouse: str
    from_location: str
    to_location: str
    sscc: str
    status: str
    quantity_micro: int
    weight_micro: int


def remainders_of(places: Iterable[AtPlace]) -> dict[Thing, int]:
    """Return what is under way of each thing, over all warehouses; zeros are left out."""
    sums: defaultdict[Thing, int] = defaultdict(int)
    for place in places:
        sums[place.thing] += place.quantity_micro
    return {thing: quantity for thing, quantity in sorted(sums.items()) if quantity}


def closing_moves(
    places: Sequence[AtPlace], closings: Sequence[Closing], *, source: str, destination: str
) -> list[ClosingMove]:
    """Return the movements that leave nothing under way, those of the source first.

    Raises Unusable for a closing that cannot be, Conflict unless each remainder is closed exactly;
    its `fields` name the things that differ.
    """
    for closing in closings:
        _check(closing)
    remainders = remainders_of(places)
    _check_exact(remainders, closings)
    parts, weights = _parts(places), _weights(places, remainders)
    moves = []
    for closing in closings:
        thing = closing.thing
        for part, quantity in _taken(parts[thing], closing.quantity_micro):
            weight = weights[thing] * quantity // remainders[thing]  # The last takes the rest.
            weights[thing] -= weight
            remainders[thing] -= quantity
            warehouse = destination if closing.reason == "found" else source
            moves.append(_move(closing, part, quantity, weight, warehouse=warehouse))
    return sorted(moves, key=lambda move: move.warehouse != source)


def _check(closing: Closing) -> None:
    what = closing.thing.item
    if closing.quantity_micro <= 0:
        raise Unusable(
            f"{what}: {_text(closing.quantity_micro)} cannot be closed",
            hint="Give a quantity greater than zero; the reason says which way it goes.",
        )
    if (closing.reason == "sent_back") != bool(closing.location):
        raise Unusable(
            f"{what}: a place belongs to what is sent back, and to nothing else",
            hint="Name the place at the source where sent back goods are.",
        )


def _check_exact(remainders: Mapping[Thing, int], closings: Sequence[Closing]) -> None:
    closed: defaultdict[Thing, int] = defaultdict(int)
    for closing in closings:
        sign = -1 if closing.reason == "found" else 1
        if sign * remainders.get(closing.thing, 0) < 0:
            raise Conflict(
                f"{closing.thing.item}: {closing.reason} does not explain"
                f" {_text(remainders[closing.thing])} under way",
                hint="Goods that came and never left are found; goods that left and never came are"
                " lost, damaged or sent back.",
                fields={"differences": [_difference(closing.thing, remainders, closed)]},
            )
        closed[closing.thing] += sign * closing.quantity_micro
    differing = [
        thing
        for thing in sorted({*remainders, *closed})
        if remainders.get(thing, 0) != closed.get(thing, 0)
    ]
    if differing:
        told = differing[:DIFFERENCES_TOLD_MAX]
        raise Conflict(
            f"{len(differing)} things are not closed exactly, first {told[0].item}:"
            f" {_text(remainders.get(told[0], 0))} under way,"
            f" {_text(closed.get(told[0], 0))} closed",
            hint="Give reasons for exactly what is under way of each, or wait until it has come.",
            fields={"differences": [_difference(thing, remainders, closed) for thing in told]},
        )


def _difference(
    thing: Thing, remainders: Mapping[Thing, int], closed: Mapping[Thing, int]
) -> dict[str, str]:
    return {
        **thing._asdict(),
        "under_way": _text(remainders.get(thing, 0)),
        "closed": _text(closed.get(thing, 0)),
    }


class _Part(NamedTuple):
    """What is under way of one thing in one package and status."""

    sscc: str
    status: str
    quantity_micro: int


def _weights(places: Iterable[AtPlace], remainders: dict[Thing, int]) -> dict[Thing, int]:
    """Return what is under way of each thing weighs, in whichever books and packages.

    From here on neither is below zero in `remainders`; a weight that is has no share.
    """
    weights: defaultdict[Thing, int] = defaultdict(int)
    for place in places:
        weights[place.thing] += place.weight_micro
    for thing, quantity in remainders.items():
        weights[thing] = max(weights[thing] if quantity > 0 else -weights[thing], 0)
        remainders[thing] = abs(quantity)
    return weights


def _parts(places: Iterable[AtPlace]) -> dict[Thing, list[_Part]]:
    """Return the parts of each thing that its remainder consists of, in a fixed order."""
    sums: defaultdict[tuple[Thing, str, str], int] = defaultdict(int)
    totals: defaultdict[Thing, int] = defaultdict(int)
    for place in places:
        sums[place.thing, place.sscc, place.status] += place.quantity_micro
        totals[place.thing] += place.quantity_micro
    parts: dict[Thing, list[_Part]] = {}
    for (thing, sscc, status), quantity in sorted(sums.items()):
        if quantity * totals[thing] > 0:
            parts.setdefault(thing, []).append(_Part(sscc, status, abs(quantity)))
    return parts


def _taken(parts: list[_Part], quantity_micro: int) -> list[tuple[_Part, int]]:
    """Take a quantity out of parts, and return of which how much."""
    taken = []
    while quantity_micro:
        part = parts[0]
        quantity = min(quantity_micro, part.quantity_micro)
        taken.append((part, quantity))
        quantity_micro -= quantity
        left = part._replace(quantity_micro=part.quantity_micro - quantity)
        parts[:1] = [left] if left.quantity_micro else []
    return taken


def _move(
    closing: Closing, part: _Part, quantity: int, weight: int, *, warehouse: str
) -> ClosingMove:
    if closing.reason == "found":
        ends = (FOUND_AT, IN_TRANSIT)
    else:
        ends = (IN_TRANSIT, GONE.get(closing.reason, closing.location))
    return ClosingMove(closing, warehouse, *ends, part.sscc, part.status, quantity, weight)


def _text(micro: int) -> str:
    return canonical_text(from_micro(micro))
