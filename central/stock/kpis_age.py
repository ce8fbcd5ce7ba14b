"""How old stock is, and what is under way for how long. Edge of the database.

What came last is taken to be what is still there (first in, first out): of 100 on hand, with 30
that came within 30 days, 30 are at most 30 days old. What came before the oldest line that is
looked at counts as of the oldest class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, select

from central.stock.feed import last_record_no
from central.stock.kpis import AGE_DAYS, DAY_MS, TRANSIT_DAYS, AgeClass, age_classes
from central.stock.moments import record_no_at
from central.stock.sums import summed, total
from central.stock.views import list_warehouses
from central.storage.places import in_transit, physical
from central.storage.tables import balances, items, lines
from central.storage.transfer_tables import transfers

FACTS_SCANNED_MAX = 1_000_000  # The newest; older arrivals need no look to be old.
ROWS_MAX = 100_000
TRANSFERS_MAX = 10_000
ENTRANCES = ("supplier", "customer", "production", "adjustment")


@dataclass(frozen=True, slots=True)
class StockAge:
    """How old the stock of an item in a warehouse is. amounts_micro: by age, youngest first."""

    warehouse: str
    item: str
    name: str
    name_zh: str
    unit: str
    amounts_micro: tuple[int, ...]

    @property
    def classes(self) -> tuple[AgeClass, ...]:
        """Return the amounts with their ages."""
        return age_classes(self.amounts_micro)

    @property
    def on_hand_micro(self) -> int:
        """Return all of it."""
        return sum(self.amounts_micro)


@dataclass(frozen=True, slots=True)
class AgedWarehouse:
    """How old the stock of one unit in a warehouse is. items_count: that have any of it."""

    warehouse: str
    unit: str
    items_count: int
    classes: tuple[AgeClass, ...]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A transfer of which goods are under way. since_ms: when the oldest of them left."""

    transfer: str
    source: str
    destination: str
    since_ms: int

    def age_days(self, *, now_ms: int) -> int:
        """Return for how many whole days."""
        return max(0, now_ms - self.since_ms) // DAY_MS


def read_stock_age(connection: Connection, *, now_ms: int, warehouse: str = "") -> list[StockAge]:
    """Return the age of stock by warehouse and item, what has most of the oldest first.

    At most ROWS_MAX.
    """
    oldest_no = max(0, last_record_no(connection) - FACTS_SCANNED_MAX)
    numbers = [
        max(oldest_no, record_no_at(connection, now_ms - days * DAY_MS)) for days in AGE_DAYS
    ]
    codes = [warehouse] if warehouse else [one.code for one in list_warehouses(connection)]
    came = _arrivals(connection, codes, numbers)
    names = {
        row.item: (row.name, row.name_zh)
        for row in connection.execute(select(items.c.item, items.c.name, items.c.name_zh))
    }
    found = [
        StockAge(*key[:2], *names.get(key[1], ("", "")), key[2], _aged(on_hand, came.get(key, ())))
        for key, on_hand in _stock(connection, codes).items()
    ]
    found.sort(key=lambda one: ([-amount for amount in one.amounts_micro[::-1]], one.item))
    return found


def by_warehouse(ages: Sequence[StockAge]) -> list[AgedWarehouse]:
    """Return the sums by warehouse and unit, and of all warehouses as warehouse ""."""
    sums: dict[tuple[str, str], list[int]] = {}
    counts: dict[tuple[str, str], int] = {}
    for one in ages:
        for key in ((one.warehouse, one.unit), ("", one.unit)):
            known = sums.setdefault(key, [0] * len(one.amounts_micro))
            for index, amount in enumerate(one.amounts_micro):
                known[index] += amount
            counts[key] = counts.get(key, 0) + 1
    return [AgedWarehouse(*key, counts[key], age_classes(sums[key])) for key in sorted(sums)]


def read_under_way(connection: Connection, *, warehouse: str = "") -> list[UnderWay]:
    """Return transfers with goods under way, the oldest first; at most TRANSFERS_MAX.

    warehouse: either end of them.
    """
    table = transfers.c
    query = select(
        table.transfer,
        table.source_warehouse,
        table.destination_warehouse,
        table.under_way_since_ms,
    ).where(table.under_way_since_ms > 0)
    if warehouse:
        query = query.where(
            (table.source_warehouse == warehouse) | (table.destination_warehouse == warehouse)
        )
    query = query.order_by(table.under_way_since_ms, table.transfer).limit(TRANSFERS_MAX)
    return [UnderWay(*row) for row in connection.execute(query)]


def count_by_age(found: Sequence[UnderWay], *, now_ms: int) -> tuple[AgeClass, ...]:
    """Return how many transfers are under way for how long; amounts are counts, not millionths."""
    counts = [0] * (len(TRANSIT_DAYS) + 1)
    for one in found:
        days = one.age_days(now_ms=now_ms)
        counts[sum(days >= bound for bound in TRANSIT_DAYS)] += 1
    return age_classes(counts, TRANSIT_DAYS)


def _aged(on_hand: int, came: Sequence[int]) -> tuple[int, ...]:
    """Return stock by age. came: what came within each of AGE_DAYS, and not the one before."""
    rest, amounts = on_hand, []
    for amount in came or (0,) * len(AGE_DAYS):
        taken = min(rest, max(amount, 0))
        amounts.append(taken)
        rest -= taken
    return (*amounts, rest)


def _stock(connection: Connection, codes: Sequence[str]) -> dict[tuple[str, str, str], int]:
    table = balances.c
    query = (
        select(table.warehouse, table.item, table.unit, *summed(table.on_hand_micro, "on_hand"))
        .where(table.warehouse.in_(codes), table.on_hand_micro != 0, physical(table.location))
        .group_by(table.warehouse, table.item, table.unit)
        .limit(ROWS_MAX)
    )
    found = {
        (row.warehouse, row.item, row.unit): total(row, "on_hand")
        for row in connection.execute(query)
    }
    return {key: amount for key, amount in found.items() if amount > 0}


def _arrivals(
    connection: Connection, codes: Sequence[str], numbers: Sequence[int]
) -> dict[tuple[str, str, str], list[int]]:
    """Return what entered warehouses, by item and class of age. numbers: where each class begins,
    youngest first.
    """
    table = lines.c
    columns: list[ColumnElement[Any]] = []
    bounds = (None, *numbers)
    for index, number in enumerate(numbers):
        inside: ColumnElement[bool] = table.record_no > number
        if (younger := bounds[index]) is not None:
            inside = and_(inside, table.record_no <= younger)
        # What leaves the outside is below zero there: goods that came.
        entered: ColumnElement[Any] = case((inside, -table.quantity_micro), else_=0)
        columns += summed(entered, f"class_{index}")
    query = (
        select(table.warehouse, table.item, table.unit, *columns)
        .where(
            table.warehouse.in_(codes),
            table.record_no > numbers[-1],
            table.location.in_(ENTRANCES) | in_transit(table.location),
            table.quantity_micro < 0,
        )
        .group_by(table.warehouse, table.item, table.unit)
    )
    return {
        (row.warehouse, row.item, row.unit): [
            total(row, f"class_{index}") for index in range(len(numbers))
        ]
        for row in connection.execute(query)
    }
