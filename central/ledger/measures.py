"""Quantities and catch weights of movements in the units in which items are kept. Pure."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from central.contract.facts import Count, Movement
from central.contract.quantities import (
    GRAMS_PER_MASS_UNIT,
    KILOGRAM,
    MICRO_PER_UNIT,
    QUANTITY_MAX,
    parse_decimal,
    to_micro,
)
from central.ledger.unit_ratios import unit_ratio

QUANTITIES_REMEMBERED_MAX = 4096
_MICRO_MAX = int(QUANTITY_MAX) * MICRO_PER_UNIT
WEIGHED_IN = KILOGRAM  # Items of which nobody says in what they are weighed.


def quantity_in_unit(
    movement: Movement | Count, unit: str, *, pack: Fraction | None = None
) -> int | None:
    """Return how much moved, or was counted, in millionths of `unit`.

    pack: how many of `unit` one of the stated unit is of this item, None if nobody says; then it is
    what it is of every item. None if it has no exact value there.
    """
    if movement.unit == unit:
        return _micro_of(movement.quantity)
    each = pack or unit_ratio(from_unit=movement.unit, to_unit=unit)
    if each is None:
        return None
    exact = _micro_of(movement.quantity) * each
    return exact.numerator if exact.denominator == 1 and exact <= _MICRO_MAX else None


def weight_in_unit(movement: Movement, unit: str) -> int | None:
    """Return a movement's catch weight in millionths of `unit`, 0 if it states none.

    None if it has no value there.
    """
    if not movement.net_weight:
        return 0
    return mass_in_unit(movement.net_weight, from_unit=movement.weight_unit, to_unit=unit)


def weights_possible(movement: Movement) -> set[int]:
    """Return what a movement's catch weight may be, in whichever unit the item is weighed."""
    found = {weight_in_unit(movement, unit) for unit in GRAMS_PER_MASS_UNIT}
    return {weight for weight in found if weight is not None}


def mass_in_unit(text: str, *, from_unit: str, to_unit: str) -> int | None:
    """Return a mass, as decimal text, in millionths of another unit, rounded half to even.

    Its fact moves what is rounded from one place to the other, so none is made or lost by it. None
    if one of the units is no mass, or it is out of range there, or nothing is left of it.
    """
    if from_unit != to_unit and not {from_unit, to_unit} <= GRAMS_PER_MASS_UNIT.keys():
        return None
    ratio = unit_ratio(from_unit=from_unit, to_unit=to_unit)
    assert ratio is not None  # The same, or both a mass.
    micro = round(Fraction(parse_decimal(text)) * ratio * MICRO_PER_UNIT)
    return micro if 0 < micro <= _MICRO_MAX else None


def shares(weight_micro: int, quantities: Sequence[int]) -> list[int]:
    """Return a weight parted over quantities; the last one takes what is left over by rounding."""
    whole = sum(quantities)
    parts = [weight_micro * quantity // whole for quantity in quantities[:-1]]
    return [*parts, weight_micro - sum(parts)]


def weight_share(moved_micro: int, *, there_micro: int, weight_micro: int) -> int:
    """Return what goods weigh that go unweighed from where there is a weight: their share of it.

    The last ones take all that is left, so none is made or lost by rounding. 0 where nothing is
    there, or it weighs less than nothing because more was weighed out than in.
    """
    if there_micro <= 0 or weight_micro <= 0:
        return 0
    return weight_micro * min(moved_micro, there_micro) // there_micro


@lru_cache(maxsize=QUANTITIES_REMEMBERED_MAX)
def _micro_of(text: str) -> int:
    if text.isdecimal() and text.isascii():
        return int(text) * MICRO_PER_UNIT
    return to_micro(parse_decimal(text))
