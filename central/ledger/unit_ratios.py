"""Which units measure the same, and how many of one another is, exactly. Pure.

Sources of the ratios: UN/CEFACT Recommendation 20 (codes and factors), the pound and the yard of
1959, the US liquid gallon of 231 cubic inches, the imperial gallon of 4.54609 litres (1985).
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from central.contract.quantities import GRAMS_PER_MASS_UNIT

UNITS_REMEMBERED_MAX = 1024
# Units that measure the same convert into each other; each is so many of the first of its kind.
_COUNTS = {
    "C62": Fraction(1),  # "one", and the two other codes that people write for a piece.
    "H87": Fraction(1),
    "EA": Fraction(1),
    "PR": Fraction(2),
    "DZN": Fraction(12),
    "CEN": Fraction(100),
    "GRO": Fraction(144),
    "MIL": Fraction(1000),
}
_PIECES = {unit: size.numerator for unit, size in _COUNTS.items()}
_LENGTHS = {
    "MTR": Fraction(1),
    "MMT": Fraction(1, 1000),
    "CMT": Fraction(1, 100),
    "KMT": Fraction(1000),
    "INH": Fraction(254, 10_000),
    "FOT": Fraction(3048, 10_000),
    "YRD": Fraction(9144, 10_000),
}
_AREAS = {
    "MTK": Fraction(1),
    "MMK": Fraction(1, 10**6),
    "CMK": Fraction(1, 10**4),
    "FTK": Fraction(9_290_304, 10**8),
}
_VOLUMES = {
    "LTR": Fraction(1),
    "MLT": Fraction(1, 1000),
    "CLT": Fraction(1, 100),
    "HLT": Fraction(100),
    "MTQ": Fraction(1000),
    "CMQ": Fraction(1, 1000),
    "GLL": Fraction(3_785_411_784, 10**9),
    "GLI": Fraction(454_609, 10**5),
}
KINDS: tuple[Mapping[str, Fraction], ...] = (
    _COUNTS,
    GRAMS_PER_MASS_UNIT,
    _LENGTHS,
    _AREAS,
    _VOLUMES,
)

# Units of which any part may be: what they measure is counted by nobody.
MEASURES = frozenset(unit for kind in KINDS if kind is not _COUNTS for unit in kind)


@lru_cache(maxsize=UNITS_REMEMBERED_MAX)
def unit_ratio(*, from_unit: str, to_unit: str) -> Fraction | None:
    """Return how many of one unit another is, None if they do not measure the same."""
    if from_unit == to_unit:
        return Fraction(1)
    for kind in KINDS:
        if from_unit in kind and to_unit in kind:
            return kind[from_unit] / kind[to_unit]
    return None


def pieces_of(unit: str) -> int:
    """Return how many pieces a counting unit is, 0 for a unit that measures something else."""
    return _PIECES.get(unit, 0)
