"""Units and packs of an item as exact ratios: what converts, what is left over. Pure.

    12 cartons of 24      convert   ->  288 pieces, exactly
    100 pieces            split     ->  4 cartons and 4 pieces
    1 kg among 1 : 1 : 1  apportion ->  333 334, 333 333, 333 333 mg; their sum is 1 kg

A conversion has an exact value in 10^-6 units or is refused; what cannot be whole stays as a rest
that is told. Nothing is rounded, so nothing is created and nothing lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from central.contract.quantities import MICRO_PER_UNIT, QUANTITY_MAX
from central.errors import Unusable
from central.ledger.unit_ratios import unit_ratio

QUANTITY_MICRO_MAX = int(QUANTITY_MAX) * MICRO_PER_UNIT
RATIO_TERM_MAX = 10**9  # Of numerator and denominator of a pack, in lowest terms.
SHARES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class ItemUnits:
    """The units in which an item can be stated.

    item: its code, for messages. base: the unit in which it is kept. packs: how many of `base` one
    of each other unit is. pieces: that one of `base` is, none of which is ever parted; 0 for goods
    of which any part can be.
    """

    item: str
    base: str
    packs: Mapping[str, Fraction] = field(default_factory=dict)
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """A quantity as whole packs and what is left, in the item's unit.

    packs_count packs and rest_micro are together exactly what was split; both have its sign.
    """

    unit: str
    packs_count: int
    rest_micro: int


def ratio(units: ItemUnits, unit: str) -> Fraction:
    """Return how many of the item's own unit one of `unit` is.

    Raises Unusable for one that does not convert.
    """
    found = known_ratio(units, unit)
    if found is None:
        known = sorted({units.base, *units.packs})
        raise Unusable(
            f"item {units.item} is not stated in {unit!r}",
            hint=f"Use one of {', '.join(known)}, or add {unit[:20]} as a pack of the item.",
            fields={"item": units.item, "unit": unit, "units": list(known)},
        )
    return found


def known_ratio(units: ItemUnits, unit: str) -> Fraction | None:
    """Return how many of the item's own unit one of `unit` is, None for one that does not convert.

    The item's own packs win over general units.
    """
    if unit == units.base:
        return Fraction(1)
    return units.packs.get(unit) or unit_ratio(from_unit=unit, to_unit=units.base)


def convert(quantity_micro: int, units: ItemUnits, *, from_unit: str, to_unit: str) -> int:
    """Return a quantity in another unit of the item, exactly.

    Raises Unusable if either unit is not the item's, or the value is not exact in 10^-6 of
    `to_unit`, or is beyond what a quantity can be.
    """
    exact = quantity_micro * ratio(units, from_unit) / ratio(units, to_unit)
    if exact.denominator != 1:
        raise Unusable(
            f"{text_of(quantity_micro)} {from_unit} of item {units.item} has no exact value in"
            f" {to_unit}",
            hint=f"State it in {from_unit}, or as whole {to_unit} and a rest.",
            fields={"item": units.item, "from_unit": from_unit, "to_unit": to_unit},
        )
    return _bounded(exact.numerator, units)


def to_base(quantity_micro: int, units: ItemUnits, *, unit: str) -> int:
    """Return what somebody asks for in the unit in which the item is kept.

    Everything that is drafted at the desk passes here. Raises Unusable as `convert`, and for a part
    of a piece of goods that are kept in pieces.
    """
    base_micro = convert(quantity_micro, units, from_unit=unit, to_unit=units.base)
    refuse_part(quantity_micro, units, unit=unit)
    return base_micro


def refuse_part(quantity_micro: int, units: ItemUnits, *, unit: str) -> None:
    """Raise Unusable for a part of a piece; a unit that does not convert is not judged."""
    if parts_piece(quantity_micro, units, unit=unit):
        raise Unusable(
            f"{text_of(quantity_micro)} {unit} of item {units.item} is a part of a piece",
            hint="The item is kept in whole pieces: correct the quantity, or its unit.",
            fields={"item": units.item, "unit": unit, "quantity": text_of(quantity_micro)},
        )


def parts_piece(quantity_micro: int, units: ItemUnits, *, unit: str) -> bool:
    """Return whether so much leaves a part of a piece; never in a unit that does not convert."""
    size = known_ratio(units, unit) if units.pieces else None
    return size is not None and not is_whole(quantity_micro * size, units)


def is_whole(base_micro: int | Fraction, units: ItemUnits) -> bool:
    """Return whether so much in the item's unit parts no piece, or the goods can be parted."""
    return not units.pieces or base_micro * units.pieces % MICRO_PER_UNIT == 0


def split(quantity_micro: int, units: ItemUnits, *, into: str) -> Split:
    """Return a quantity in the item's unit as whole packs and a rest in the item's unit.

    Packs are counted in such lots that they are exact in 10^-6 of the item's unit: of a pack of
    1/3 piece only every third one can leave an exact rest. Raises Unusable for an unknown unit.
    """
    pack = ratio(units, into) * MICRO_PER_UNIT
    count = int(Fraction(abs(quantity_micro)) / pack)
    count -= count % pack.denominator
    rest = abs(quantity_micro) - count * pack
    assert rest.denominator == 1
    sign = -1 if quantity_micro < 0 else 1
    return Split(unit=into, packs_count=sign * count, rest_micro=sign * rest.numerator)


def join(parts: Split, units: ItemUnits) -> int:
    """Return the quantity in the item's unit that `split` has made parts of."""
    whole = parts.packs_count * ratio(units, parts.unit) * MICRO_PER_UNIT
    assert whole.denominator == 1
    return whole.numerator + parts.rest_micro


def largest_packs(quantity_micro: int, units: ItemUnits) -> tuple[Split, ...]:
    """Return a quantity as few packs: of the largest as many as go in, then of the next one.

    The last part is of the item's own unit, with what is no whole one of it as its rest. Packs of
    less than one unit are not used. Parts of no pack are left out, but for the last.
    """
    parts: list[Split] = []
    rest_micro = quantity_micro
    for unit, size in sorted(units.packs.items(), key=lambda one: (-one[1], one[0])):
        if size <= 1:
            break
        part = split(rest_micro, units, into=unit)
        if part.packs_count:
            parts.append(Split(unit, part.packs_count, 0))
            rest_micro = part.rest_micro
    return (*parts, split(rest_micro, units, into=units.base))


def apportion(quantity_micro: int, shares: Sequence[int]) -> list[int]:
    """Return a quantity divided by shares, whose sum is exactly the quantity.

    What does not divide goes, 10^-6 each, to those whose part was cut most, the first before others
    as much cut. shares: none negative, not all zero, at most SHARES_MAX.
    """
    total = sum(shares)
    assert 0 < len(shares) <= SHARES_MAX and total > 0 and min(shares) >= 0
    size = abs(quantity_micro)
    parts = [size * share // total for share in shares]
    cut = sorted(range(len(shares)), key=lambda index: (-(size * shares[index] % total), index))
    for index in cut[: size - sum(parts)]:
        parts[index] += 1
    return [-part for part in parts] if quantity_micro < 0 else parts


def text_of(quantity_micro: int) -> str:
    """Return a quantity as plain decimal text."""
    whole, rest = divmod(abs(quantity_micro), MICRO_PER_UNIT)
    digits = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{digits}" if quantity_micro < 0 else digits


def _bounded(quantity_micro: int, units: ItemUnits) -> int:
    if abs(quantity_micro) > QUANTITY_MICRO_MAX:
        raise Unusable(
            f"{text_of(quantity_micro)} of item {units.item} is out of range",
            hint=f"Quantities go up to {QUANTITY_MAX}; check unit and digits.",
        )
    return quantity_micro
