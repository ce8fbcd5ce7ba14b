"""Everything on the dashboard, read together and kept for a while. Edge of the database."""

from dataclasses import dataclass
from fractions import Fraction

from central.clock import Clock
from central.stock.count_kpis import Accuracy, AccuracyFilter, read_accuracy
from central.stock.deliveries import WEEK_MS, Cause, Week, causes_of, monday_of, weeks_of
from central.stock.kept import Kept
from central.stock.kpis import ON_TIME_ALARM_BELOW, AgeClass, Span, Turnover, share
from central.stock.kpis_age import (
    AgedWarehouse,
    by_warehouse,
    count_by_age,
    read_stock_age,
    read_under_way,
)
from central.stock.kpis_delivery import read_deliveries
from central.stock.kpis_docks import Throughput, read_throughput
from central.stock.kpis_supply import SupplierRecord, read_suppliers
from central.stock.kpis_turnover import (
    DeadStock,
    Mover,
    read_dead_stock,
    read_movers,
    read_turnover,
)
from central.storage.database import Database

KEPT_S = 60.0
WEEKS = 8
DAYS_CHOICES = (30, 90, 180)
LISTED_MAX = 10


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The figures of a warehouse ("" for all) over a span, read at span.to_ms.

    turnover, ages: those of all of it first. best, worst: at most LISTED_MAX of `sold_count` items
    that were sold and of those that there are. dead: at most LISTED_MAX of `dead_count`.
    """

    span: Span
    turnover: tuple[Turnover, ...]
    best: tuple[Mover, ...]
    worst: tuple[Mover, ...]
    sold_count: int
    dead: tuple[DeadStock, ...]
    dead_count: int
    ages: tuple[AgedWarehouse, ...]
    transit: tuple[AgeClass, ...]
    due_count: int
    on_time_count: int
    weeks: tuple[Week, ...]
    causes: tuple[tuple[Cause, int], ...]
    accuracy: tuple[Accuracy, ...]
    suppliers: tuple[SupplierRecord, ...]
    throughput: tuple[Throughput, ...]

    @property
    def on_time(self) -> Fraction | None:
        """Return the share of orders that were on time, None if none was due."""
        return share(self.on_time_count, self.due_count)

    @property
    def deliveries_alarm(self) -> bool:
        """Return whether fewer than 95 percent were on time."""
        return self.on_time is not None and self.on_time < ON_TIME_ALARM_BELOW

    @property
    def counted_right(self) -> Fraction | None:
        """Return the share of counted lines that matched, None if none was counted."""
        return share(
            sum(one.matching_lines_count for one in self.accuracy),
            sum(one.lines_count for one in self.accuracy),
        )

    @property
    def supplied_on_time(self) -> Fraction | None:
        """Return the share of order lines that came in time, None if none was due."""
        return share(
            sum(one.on_time_count for one in self.suppliers),
            sum(one.due_count for one in self.suppliers),
        )

    @property
    def passed(self) -> Fraction | None:
        """Return the share of inspections without a rejection, None if none was decided."""
        return share(
            sum(one.passed_count for one in self.suppliers),
            sum(one.decided_count for one in self.suppliers),
        )


class FigureBook:
    """The dashboards of one ledger. Any thread."""

    def __init__(self) -> None:
        self._kept: Kept[KeyFigures] = Kept(kept_s=KEPT_S)

    def read(
        self, database: Database, clock: Clock, *, days: int, warehouse: str = ""
    ) -> KeyFigures:
        """Return the figures, at most KEPT_S old. Raises LedgerUnavailable."""

        def read() -> KeyFigures:
            return read_figures(database, clock.now_ms(), days=days, warehouse=warehouse)

        return self._kept.read((days, warehouse), clock, read)


def read_figures(database: Database, now_ms: int, *, days: int, warehouse: str) -> KeyFigures:
    """Return the figures of the last so many days as they are. Raises LedgerUnavailable."""
    span = Span.of_days(days, now_ms=now_ms)
    weeks = Span(monday_of(now_ms) - (WEEKS - 1) * WEEK_MS, now_ms)
    counted = AccuracyFilter(span.from_ms, span.to_ms, warehouse=warehouse)
    with database.read() as connection:
        movers = read_movers(connection, span, warehouse=warehouse)
        dead = read_dead_stock(connection, now_ms=now_ms, warehouse=warehouse)
        judged = read_deliveries(connection, weeks, warehouse=warehouse)
        under_way = read_under_way(connection, warehouse=warehouse)
        sold = [one for one in movers if one.shipped_micro > 0]
        held = [one for one in reversed(movers) if one.on_hand_micro > 0]
        return KeyFigures(
            span=span,
            turnover=tuple(read_turnover(connection, span, warehouse=warehouse)),
            best=tuple(sold[:LISTED_MAX]),
            worst=tuple(held[:LISTED_MAX]),
            sold_count=len(sold),
            dead=tuple(dead[:LISTED_MAX]),
            dead_count=len(dead),
            ages=tuple(
                by_warehouse(read_stock_age(connection, now_ms=now_ms, warehouse=warehouse))
            ),
            transit=count_by_age(under_way, now_ms=now_ms),
            due_count=len(judged),
            on_time_count=sum(one.on_time for one in judged),
            weeks=weeks_of(judged, count=WEEKS, now_ms=now_ms),
            causes=causes_of(judged),
            accuracy=tuple(read_accuracy(connection, counted)),
            suppliers=tuple(read_suppliers(connection, span, warehouse=warehouse)),
            throughput=tuple(read_throughput(connection, now_ms=now_ms, warehouse=warehouse)),
        )
