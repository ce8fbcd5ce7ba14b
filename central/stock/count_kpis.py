"""How true the book is: what counts found as the book had it. Edge of the database.

    by lines     lines without a variance / lines counted
    by quantity  of each line the smaller of counted and book / the larger of the two

A line that was rejected proves nothing, and of goods that were counted again later the later count
speaks. What came late or happened after the count is no variance. Below 98 percent is an alarm.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from central.storage.count_tables import count_results

ALARM_BELOW = Fraction(98, 100)
GROUPS_COUNT_MAX = 1000


@dataclass(frozen=True, slots=True)
class AccuracyFilter:
    """Which counted lines: by when they were counted, from included to excluded; "" is any."""

    from_ms: int
    to_ms: int
    warehouse: str = ""
    abc: str = ""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How true the book was. abc: "" for items without a class. unit: of the quantities.

    lost_micro, found_micro: what was less, or more, than the book had; both above 0. value_micro:
    of both together, 10^-6 of the currency, of items whose cost is known.
    """

    warehouse: str
    abc: str
    unit: str
    lines_count: int
    matching_lines_count: int
    counted_micro: int
    matching_micro: int
    total_micro: int
    lost_micro: int
    found_micro: int
    value_micro: int

    @property
    def by_lines(self) -> Fraction:
        """Return the share of lines that matched."""
        return Fraction(self.matching_lines_count, self.lines_count)

    @property
    def by_quantity(self) -> Fraction:
        """Return the share of quantity that matched; 1 if there was nothing to count."""
        return Fraction(self.matching_micro, self.total_micro) if self.total_micro else Fraction(1)

    @property
    def alarm(self) -> bool:
        """Return whether either is below 98 percent."""
        return min(self.by_lines, self.by_quantity) < ALARM_BELOW


def read_accuracy(connection: Connection, wanted: AccuracyFilter) -> list[Accuracy]:
    """Return the accuracy by warehouse, class and unit: quantities of two units do not add up."""
    table = count_results.c
    book = table.counted_micro - table.variance_micro
    smaller = case((table.counted_micro < book, table.counted_micro), else_=book)
    larger = case((table.counted_micro < book, book), else_=table.counted_micro)
    size = case((table.variance_micro < 0, -table.variance_micro), else_=table.variance_micro)
    query = (
        select(
            table.warehouse,
            table.abc,
            table.unit,
            func.count().label("lines_count"),
            func.sum(case((table.variance_micro == 0, 1), else_=0)).label("matching_lines_count"),
            func.sum(table.counted_micro).label("counted_micro"),
            # A book below zero has nothing that could match.
            func.sum(case((smaller < 0, 0), else_=smaller)).label("matching_micro"),
            func.sum(larger).label("total_micro"),
            func.sum(case((table.variance_micro < 0, size), else_=0)).label("lost_micro"),
            func.sum(case((table.variance_micro > 0, size), else_=0)).label("found_micro"),
            # Whole units and the rest apart: their product with the cost stays inside 64 bits.
            func.sum(
                (size // 1_000_000) * table.cost_micro
                + (size % 1_000_000) * table.cost_micro // 1_000_000
            ).label("value_micro"),
        )
        .where(
            table.event_time_ms >= wanted.from_ms,
            table.event_time_ms < wanted.to_ms,
            table.outcome.in_(("matched", "adjusted")),
        )
        .group_by(table.warehouse, table.abc, table.unit)
        .order_by(table.warehouse, table.abc, table.unit)
        .limit(GROUPS_COUNT_MAX)
    )
    if wanted.warehouse:
        query = query.where(table.warehouse == wanted.warehouse)
    if wanted.abc:
        query = query.where(table.abc == wanted.abc)
    return [_accuracy(row) for row in connection.execute(query)]


def _accuracy(row: Row[Any]) -> Accuracy:
    values = tuple(row)
    # PostgreSQL sums to numbers of any size.
    return Accuracy(*values[:3], *(int(value) for value in values[3:]))
