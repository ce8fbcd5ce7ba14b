"""What the figures on the dashboard mean: spans, norms, alarms, shares. Pure.

    turnover       shipped / average on hand, as many times a year
    on time        delivered in full by the day that was promised / all that was due
    pass rate      inspections without a rejection / all that are decided
    ageing         what came last is taken to be what is still there (first in, first out)

Figures are exact fractions of integers; they are cut, not rounded, when they are shown: 99.99 is
not 100.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

DAY_MS = 86_400_000
YEAR_DAYS = 365
TURNOVER_NORM = (Fraction(3), Fraction(6))  # Times a year.
DROP_BELOW = Fraction(7, 10)  # Of the span before: a sudden drop.
ON_TIME_ALARM_BELOW = Fraction(95, 100)
AGE_DAYS = (30, 90, 180, 365)  # Where one class of age ends and the next begins.
TRANSIT_DAYS = (1, 3, 7)
DEAD_DAYS = 90
DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class Span:
    """A time from a moment, included, to another one, excluded; in milliseconds."""

    from_ms: int
    to_ms: int

    @classmethod
    def of_days(cls, days: int, *, now_ms: int) -> "Span":
        """Return the last so many times 24 hours."""
        return cls(now_ms - days * DAY_MS, now_ms)

    @property
    def days(self) -> Fraction:
        """Return its length in days."""
        return Fraction(self.to_ms - self.from_ms, DAY_MS)

    @property
    def before(self) -> "Span":
        """Return the span of the same length that ends where this one begins."""
        return Span(2 * self.from_ms - self.to_ms, self.from_ms)

    def points(self, parts: int) -> tuple[int, ...]:
        """Return its beginning, the ends of all parts but the last, and its end."""
        step = self.to_ms - self.from_ms
        return tuple(self.from_ms + step * number // parts for number in range(parts + 1))


@dataclass(frozen=True, slots=True)
class Turnover:
    """How often stock turned over, in one unit. warehouse: "" for all of them.

    shipped_micro: to customers, less what came back. average_micro: on hand over the span.
    before_...: the same of the span of the same length before. early: the ledger began within the
    span, so that nothing can be judged yet.
    """

    warehouse: str
    unit: str
    days: Fraction
    shipped_micro: int
    average_micro: int
    before_shipped_micro: int
    before_average_micro: int
    early: bool = False

    @property
    def a_year(self) -> Fraction | None:
        """Return how often in a year, None where there was no stock to turn over."""
        return _a_year(self.shipped_micro, self.average_micro, self.days)

    @property
    def before_a_year(self) -> Fraction | None:
        """Return the same of the span before."""
        return _a_year(self.before_shipped_micro, self.before_average_micro, self.days)

    @property
    def below_norm(self) -> bool:
        """Return whether stock turns over too seldom."""
        return self.a_year is not None and self.a_year < TURNOVER_NORM[0]

    @property
    def above_norm(self) -> bool:
        """Return whether stock turns over so often that it may run out."""
        return self.a_year is not None and self.a_year > TURNOVER_NORM[1]

    @property
    def dropped(self) -> bool:
        """Return whether it fell suddenly: by three tenths or more since the span before."""
        now, before = self.a_year, self.before_a_year
        return now is not None and bool(before) and now < DROP_BELOW * (before or 0)


@dataclass(frozen=True, slots=True)
class AgeClass:
    """So much stock of an age. from_days, to_days: to is None for the oldest class."""

    from_days: int
    to_days: int | None
    amount_micro: int


def average_of(points: Sequence[int]) -> int:
    """Return the average of an amount that is known at evenly spaced moments, below zero as zero.

    Between two moments it is taken to go straight from one to the other.
    """
    known = [max(point, 0) for point in points]
    if len(known) < 2:
        return known[0] if known else 0
    doubled = sum(known) * 2 - known[0] - known[-1]
    return doubled // (2 * (len(known) - 1))


def age_classes(amounts: Sequence[int], bounds: Sequence[int] = AGE_DAYS) -> tuple[AgeClass, ...]:
    """Return amounts by class of age, youngest first; one more amount than bounds."""
    starts = (0, *bounds)
    ends: tuple[int | None, ...] = (*bounds, None)
    return tuple(
        AgeClass(start, end, amount)
        for start, end, amount in zip(starts, ends, amounts, strict=True)
    )


def share(part: int, whole: int) -> Fraction | None:
    """Return a share, None of nothing."""
    return Fraction(part, whole) if whole else None


def _a_year(shipped_micro: int, average_micro: int, days: Fraction) -> Fraction | None:
    if average_micro <= 0 or not days:
        return None
    return Fraction(shipped_micro, average_micro) * YEAR_DAYS / days
