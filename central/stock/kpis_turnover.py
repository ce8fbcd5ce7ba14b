"""How often stock turns over, what sells best and worst, what never moves. Edge of the database.

Without money: quantities of one unit, never units added up. "Shipped" is what went to customers,
less what came back from them. A moment is the record number that the ledger had given by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from central.stock.fact_times import facts_at
from central.stock.kpis import DAY_MS, DEAD_DAYS, Span, Turnover, average_of
from central.stock.moments import record_no_at
from central.stock.sums import summed, total
from central.stock.views import list_warehouses
from central.storage.catalogue_tables import item_policies
from central.storage.places import physical
from central.storage.tables import balances, items, lines

PARTS = 6  # Of a span, for its average.
ROWS_MAX = 100_000
CUSTOMER = "customer"
ItemUnit = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Mover:
    """An item with stock or sales, in one unit. on_hand_micro: in places of the warehouses.

    shipped_micro, before_shipped_micro: in the span, and in the one before.
    """

    item: str
    name: str
    name_zh: str
    unit: str
    shipped_micro: int
    before_shipped_micro: int
    on_hand_micro: int

    def covered_days(self, span: Span) -> int | None:
        """Return for how many days the stock lasts at this pace, None where nothing sells."""
        if self.shipped_micro <= 0:
            return None
        return int(max(self.on_hand_micro, 0) * span.days / self.shipped_micro)


@dataclass(frozen=True, slots=True)
class DeadStock:
    """Stock of an item in a warehouse of which nothing moved. last_ms: when something last did.

    value_micro: at the cost of the item's policy, 10^-6 of the currency; None if that is not known.
    """

    warehouse: str
    item: str
    name: str
    name_zh: str
    unit: str
    on_hand_micro: int
    last_ms: int
    value_micro: int | None


def read_turnover(connection: Connection, span: Span, *, warehouse: str = "") -> list[Turnover]:
    """Return turnover by warehouse and unit, and before those by unit of all of them ("").

    span: ends now.
    """
    points = (*span.before.points(PARTS)[:-1], *span.points(PARTS))
    numbers = [record_no_at(connection, point) for point in points]
    codes = _codes(connection, warehouse)
    by_part = _moved_by_part(connection, codes, numbers)
    found: dict[tuple[str, str], list[int]] = {}
    shipped: dict[tuple[str, str], list[int]] = {}
    for code, unit, on_hand in _on_hand(connection, codes):
        places = [on_hand]
        sales = []
        for part in range(len(numbers) - 1, 0, -1):
            moved, sold = by_part.get((code, unit, part), (0, 0))
            places.append(places[-1] - moved)
            sales.append(sold)
        for key in {(code, unit), ("", unit)}:
            _add(found, key, places[::-1])
            _add(shipped, key, sales[::-1])
    return [
        Turnover(
            warehouse=key[0],
            unit=key[1],
            days=span.days,
            shipped_micro=sum(shipped[key][PARTS:]),
            average_micro=average_of(found[key][PARTS:]),
            before_shipped_micro=sum(shipped[key][:PARTS]),
            before_average_micro=average_of(found[key][: PARTS + 1]),
            early=not numbers[PARTS],
        )
        for key in sorted(found)
        if key[0] or not warehouse
    ]


def read_movers(connection: Connection, span: Span, *, warehouse: str = "") -> list[Mover]:
    """Return every item that has stock or was sold, what sold most first, by unit.

    At most ROWS_MAX. span: ends now.
    """
    codes = _codes(connection, warehouse)
    begin = record_no_at(connection, span.from_ms)
    before = record_no_at(connection, span.before.from_ms)
    sold: dict[ItemUnit, list[int]] = {}
    recent = lines.c.record_no > begin
    query = (
        select(
            lines.c.item,
            lines.c.unit,
            *summed(case((recent, lines.c.quantity_micro), else_=0), "now"),
            *summed(case((recent, 0), else_=lines.c.quantity_micro), "before"),
        )
        .where(
            lines.c.warehouse.in_(codes), lines.c.record_no > before, lines.c.location == CUSTOMER
        )
        .group_by(lines.c.item, lines.c.unit)
        .limit(ROWS_MAX)
    )
    for row in connection.execute(query):
        sold[row.item, row.unit] = [total(row, "now"), total(row, "before")]
    there = _stock_of_items(connection, codes)
    names = _names(connection)
    found = [
        Mover(
            item=key[0],
            name=names.get(key[0], ("", ""))[0],
            name_zh=names.get(key[0], ("", ""))[1],
            unit=key[1],
            shipped_micro=sold.get(key, [0, 0])[0],
            before_shipped_micro=sold.get(key, [0, 0])[1],
            on_hand_micro=there.get(key, 0),
        )
        for key in sorted(sold.keys() | there.keys())
    ]
    found.sort(key=lambda one: (-one.shipped_micro, one.item, one.unit))
    return found[:ROWS_MAX]


def read_dead_stock(
    connection: Connection, *, now_ms: int, days: int = DEAD_DAYS, warehouse: str = ""
) -> list[DeadStock]:
    """Return stock of which nothing moved for so many days, the longest first; at most ROWS_MAX."""
    table = balances.c
    last = func.max(table.record_no)
    on_hand = func.sum(table.on_hand_micro // 1_000_000)
    query = (
        select(
            table.warehouse,
            table.item,
            table.unit,
            last.label("last_no"),
            *summed(table.on_hand_micro, "on_hand"),
        )
        .where(table.warehouse.in_(_codes(connection, warehouse)), physical(table.location))
        .group_by(table.warehouse, table.item, table.unit)
        .having(
            and_(
                last <= record_no_at(connection, now_ms - days * DAY_MS),
                on_hand + func.sum(table.on_hand_micro % 1_000_000) > 0,
            )
        )
        .order_by(last, table.warehouse, table.item)
        .limit(ROWS_MAX)
    )
    rows = connection.execute(query).all()
    moments = facts_at(connection, {row.last_no for row in rows})
    times = {one.record_no: one.record_ms for one in moments}
    costs = _costs(connection, {row.item for row in rows})
    names = _names(connection)
    found = []
    for row in rows:
        amount = total(row, "on_hand")
        cost = costs.get(row.item)
        found.append(
            DeadStock(
                warehouse=row.warehouse,
                item=row.item,
                name=names.get(row.item, ("", ""))[0],
                name_zh=names.get(row.item, ("", ""))[1],
                unit=row.unit,
                on_hand_micro=amount,
                last_ms=times.get(row.last_no, 0),
                value_micro=amount * cost // 1_000_000 if cost else None,
            )
        )
    return found


def _moved_by_part(
    connection: Connection, codes: Sequence[str], numbers: Sequence[int]
) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Return what moved into places and to customers, by warehouse, unit and part of the span."""
    table = lines.c
    part = case(
        *((table.record_no <= number, index) for index, number in enumerate(numbers) if index),
        else_=len(numbers) - 1,
    )
    query = (
        select(
            table.warehouse,
            table.unit,
            part.label("part"),
            *summed(_only(physical(table.location)), "moved"),
            *summed(_only(table.location == CUSTOMER), "sold"),
        )
        .where(table.warehouse.in_(codes), table.record_no > numbers[0])
        .group_by(table.warehouse, table.unit, part)
    )
    return {
        (row.warehouse, row.unit, row.part): (
            total(row, "moved"),
            total(row, "sold"),
        )
        for row in connection.execute(query)
    }


def _only(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((condition, lines.c.quantity_micro), else_=0)


def _on_hand(connection: Connection, codes: Sequence[str]) -> list[tuple[str, str, int]]:
    table = balances.c
    query = (
        select(table.warehouse, table.unit, *summed(table.on_hand_micro, "on_hand"))
        .where(table.warehouse.in_(codes), physical(table.location))
        .group_by(table.warehouse, table.unit)
    )
    return [(row.warehouse, row.unit, total(row, "on_hand")) for row in connection.execute(query)]


def _stock_of_items(connection: Connection, codes: Sequence[str]) -> dict[ItemUnit, int]:
    table = balances.c
    query = (
        select(table.item, table.unit, *summed(table.on_hand_micro, "on_hand"))
        .where(table.warehouse.in_(codes), table.on_hand_micro != 0, physical(table.location))
        .group_by(table.item, table.unit)
        .limit(ROWS_MAX)
    )
    return {(row.item, row.unit): total(row, "on_hand") for row in connection.execute(query)}


def _add(found: dict[tuple[str, str], list[int]], key: tuple[str, str], more: list[int]) -> None:
    known = found.setdefault(key, [0] * len(more))
    found[key] = [one + other for one, other in zip(known, more, strict=True)]


def _codes(connection: Connection, warehouse: str) -> list[str]:
    return [warehouse] if warehouse else [one.code for one in list_warehouses(connection)]


def _names(connection: Connection) -> Mapping[str, tuple[str, str]]:
    query = select(items.c.item, items.c.name, items.c.name_zh).limit(ROWS_MAX)
    return {row.item: (row.name, row.name_zh) for row in connection.execute(query)}


def _costs(connection: Connection, codes: set[str]) -> dict[str, int]:
    query = select(item_policies.c.item, item_policies.c.cost_micro).where(
        item_policies.c.cost_micro > 0
    )
    return {row.item: row.cost_micro for row in connection.execute(query) if row.item in codes}
