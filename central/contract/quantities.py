"""Exact quantities with a UN/CEFACT unit; no float, no rounding that nobody asked for. Pure.

Three forms of one number: `Decimal` in Python, canonical decimal text on the wire, and an integer
of millionths of the unit ("micro") in databases.
"""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from central.contract.errors import ContractError

MICRO_PER_UNIT = 1_000_000
# Ten digits before the point: a line fits a signed 64-bit integer some 900 times over; whoever sums
# more lines guards the sum.
DIGITS_MAX = 10
QUANTITY_MAX = Decimal(10**DIGITS_MAX - 1)
DECIMAL_TEXT = re.compile(r"-?\d{1,19}(?:\.\d{1,12})?", re.ASCII)
UNITS_REMEMBERED_MAX = 256
UNIT_CODE = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)

PIECE = "C62"
KILOGRAM = "KGM"
# Mass units in grams, exact: the avoirdupois pound is 0.45359237 kg by definition (1959 agreement).
GRAMS_PER_MASS_UNIT: dict[str, Fraction] = {
    "KGM": Fraction(1000),
    "GRM": Fraction(1),
    "MGM": Fraction(1, 1000),
    "TNE": Fraction(1_000_000),
    "LBR": Fraction(45_359_237, 100_000),
    "ONZ": Fraction(45_359_237, 1_600_000),
    "APZ": Fraction(311_034_768, 10_000_000),  # The troy ounce: 480 grains of 64.79891 mg.
}


def parse_decimal(text: str, *, what: str = "quantity") -> Decimal:
    """Return the number that `text` states in plain notation; digits as given ("1.50" keeps its 0).

    Refuses exponents, signs other than a leading "-", spaces, NaN and anything longer than a
    quantity can be. Raises ContractError that names `what`.
    """
    if not DECIMAL_TEXT.fullmatch(text):
        raise ContractError(
            f"{what} {text[:40]!r} is not a decimal number",
            hint="Write digits with at most one decimal point, e.g. 12.5.",
        )
    return Decimal(text)


@lru_cache(maxsize=UNITS_REMEMBERED_MAX)
def parse_unit(text: str) -> str:
    """Return a unit code of UN/CEFACT Recommendation 20 (C62 piece, KGM kilogram ...), by its form.

    Raises ContractError.
    """
    if not UNIT_CODE.fullmatch(text):
        raise ContractError(
            f"unit {text[:20]!r} is not a UN/CEFACT unit code",
            hint="Use a code of Recommendation 20, such as C62 for pieces or KGM for kilograms.",
        )
    return text


def canonical_text(value: Decimal) -> str:
    """Return the one text of a number on the wire: plain notation, no trailing zeros, no "-0"."""
    if not value.is_finite():
        raise ContractError(f"{value} is not a finite number")
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def to_micro(value: Decimal, *, what: str = "quantity") -> int:
    """Return millionths of the unit, exactly.

    Raises ContractError if that needs rounding or overflows.
    """
    if not value.is_finite() or abs(value) > QUANTITY_MAX:
        raise ContractError(
            f"{what} {value} is out of range",
            hint=f"Quantities go up to {QUANTITY_MAX}; check unit and digits.",
        )
    micro = int(scaled := value * MICRO_PER_UNIT)
    if micro != scaled:
        raise ContractError(
            f"{what} {value} has more than 6 decimal places",
            hint="Use a smaller unit, such as grams instead of kilograms.",
        )
    return micro


def from_micro(micro: int) -> Decimal:
    """Return the number that an integer of millionths stands for, without trailing zeros."""
    return Decimal(canonical_text(Decimal(micro).scaleb(-6)))


def convert_mass(value: Decimal, *, from_unit: str, to_unit: str) -> Decimal:
    """Return a mass in another unit, exactly.

    Raises ContractError if either unit is no mass or the result needs more than 12 decimal places.
    """
    if from_unit == to_unit:
        return value
    if from_unit not in GRAMS_PER_MASS_UNIT or to_unit not in GRAMS_PER_MASS_UNIT:
        raise ContractError(
            f"cannot convert {from_unit} to {to_unit}",
            hint="Only mass units (KGM, GRM, MGM, TNE, LBR, ONZ, APZ) convert into each other.",
        )
    exact = Fraction(value) * GRAMS_PER_MASS_UNIT[from_unit] / GRAMS_PER_MASS_UNIT[to_unit]
    scaled = exact * 10**12
    if scaled.denominator != 1:
        raise ContractError(
            f"{value} {from_unit} has no exact value in {to_unit}",
            hint="Set the scale to the unit in which the item is kept.",
        )
    return Decimal(canonical_text(Decimal(scaled.numerator).scaleb(-12)))
