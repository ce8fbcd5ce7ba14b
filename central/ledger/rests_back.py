"""Weights that a fact had written off, given back by what takes it back. Pure.

    fact    BIN-1 -> customer   10 pieces, 24.6 kg: 0.4 kg are left in BIN-1, and written off
    back    customer -> BIN-1   10 pieces, 24.6 kg, "gives back 0.4 available BIN-1"
                                line 3   BIN-1        0 pieces   +0.4 kg
                                line 4   adjustment   0 pieces   -0.4 kg

A reversal turns those lines by itself; a movement that takes another one back has to say so. Only
the ledger's own may.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from central.contract.facts import Movement
from central.contract.quantities import canonical_text, from_micro, parse_decimal, to_micro
from central.ledger.entries import OWN_GATEWAY, Line
from central.ledger.locations import ADJUSTMENT
from central.ledger.pairs import LINES_OF_A_PAIR, Lines
from central.ledger.weight_rests import one_of_each

FLAG_GIVES_BACK = "gives_back"
_GIVES_BACK = b"gives back "


class RestBack(NamedTuple):
    """A weight without pieces at a place, in millionths; below zero where too little was there."""

    location: str
    status: str
    weight_micro: int


def rests_written_off(lines: Sequence[Line]) -> tuple[RestBack, ...]:
    """Return what would give back what a movement wrote off. lines: all of it, in their order."""
    return tuple(
        RestBack(rest.location, rest.status, -rest.weight_micro)
        for rest in lines[::LINES_OF_A_PAIR]
        if not rest.quantity_micro
    )


def evidence_of(rests: Iterable[RestBack]) -> Iterator[str]:
    """Yield how a movement says what it gives back, besides FLAG_GIVES_BACK."""
    for location, status, weight in rests:
        kilograms = canonical_text(from_micro(weight))
        yield f"{_GIVES_BACK.decode()}{kilograms} {status} {location}"


def rests_said(gateway: str, movement: Movement) -> tuple[RestBack, ...]:
    """Return what a movement gives back, besides what it moves. gateway: whose it is."""
    if gateway != OWN_GATEWAY or FLAG_GIVES_BACK not in movement.flags:
        return ()
    raws = (one.raw for one in movement.evidence if one.raw.startswith(_GIVES_BACK))
    said = (raw.removeprefix(_GIVES_BACK).decode().split(" ", 2) for raw in raws)
    return tuple(
        RestBack(location, status, to_micro(parse_decimal(weight)))
        for weight, status, location in said
    )


def lines_back(lines: Sequence[Line], rests: Sequence[RestBack], *, first_line_no: int) -> Lines:
    """Return the pairs that give rests back where goods of a movement come or go.

    As of the status that they had, if goods of that move there, else of one that does. lines: those
    with pieces.
    """
    found: list[Line] = []
    for rest in rests:
        there = [line for line in one_of_each(lines) if line.location == rest.location]
        there.sort(key=lambda line: line.status != rest.status)
        for line in there[:1]:
            number = first_line_no + len(found)
            back = line._replace(line_no=number, quantity_micro=0, weight_micro=rest.weight_micro)
            given = back._replace(
                line_no=number + 1, location=ADJUSTMENT, weight_micro=-rest.weight_micro
            )
            found += (back, given)
    return tuple(found)
