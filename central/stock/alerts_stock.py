"""Alerts of stock: too little, too much, below zero; near its expiry. Edge of the database.

A bound counts in each warehouse that has or had the item: that of its card for the warehouse, else
that of the item. What is available is compared with the least, everything with the most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, select, union

from central.stock.alerts import PER_KIND_MAX, Alert, AlertKind
from central.stock.alerts_expiry import expiry_alerts
from central.stock.sums import summed, total
from central.stock.views import list_warehouses
from central.storage.catalogue_tables import item_places, item_policies
from central.storage.places import physical
from central.storage.tables import balances, items

AVAILABLE = "available"
BOUNDED_ITEMS_MAX = 100_000
_BOUNDED = union(
    select(item_policies.c.item).where(
        (item_policies.c.min_micro > 0)
        | (item_policies.c.max_micro > 0)
        | (item_policies.c.safety_micro > 0)
    ),
    select(item_places.c.item).where(item_places.c.location == ""),
)


@dataclass(frozen=True, slots=True)
class _Bounds:
    least_micro: int
    most_micro: int
    safety_micro: int


def stock_alerts(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """Yield alerts of stock, at most PER_KIND_MAX a kind."""
    codes = [one.code for one in list_warehouses(connection)]
    yield from _below_zero(connection, codes)
    yield from _out_of_bounds(connection, codes)
    yield from expiry_alerts(connection, codes, now_ms=now_ms)


def _below_zero(connection: Connection, codes: list[str]) -> Iterator[Alert]:
    table = balances.c
    query = (
        select(
            table.warehouse,
            table.location,
            table.item,
            table.lot,
            table.unit,
            table.on_hand_micro,
            items.c.name,
            items.c.name_zh,
        )
        .outerjoin_from(balances, items, items.c.item == table.item)
        .where(table.warehouse.in_(codes), table.on_hand_micro < 0, physical(table.location))
        .order_by(table.warehouse, table.location, table.item, table.lot)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        yield Alert(
            kind="negative_stock",
            warehouse=row.warehouse,
            subject=row.item,
            item=row.item,
            name=row.name or "",
            name_zh=row.name_zh or "",
            location=row.location,
            lot=row.lot,
            unit=row.unit,
            figure_micro=row.on_hand_micro,
            bound_micro=0,
        )


def _out_of_bounds(connection: Connection, codes: list[str]) -> Iterator[Alert]:
    bounds, own = _bounds(connection)
    if not bounds and not own:
        return
    names = {
        row.item: (row.unit, row.name, row.name_zh) for row in connection.execute(select(items))
    }
    counts: dict[AlertKind, int] = {}
    for (warehouse, item), (available, on_hand) in _amounts(connection, codes, bounds, own):
        limits = own.get((warehouse, item)) or bounds.get(item)
        if limits is None or item not in names:
            continue
        unit, name, name_zh = names[item]
        for kind, figure, bound in _kinds(limits, available=available, on_hand=on_hand):
            counts[kind] = counts.get(kind, 0) + 1
            if counts[kind] <= PER_KIND_MAX:
                yield Alert(
                    kind=kind,
                    warehouse=warehouse,
                    subject=item,
                    item=item,
                    name=name,
                    name_zh=name_zh,
                    unit=unit,
                    figure_micro=figure,
                    bound_micro=bound,
                )


def _kinds(
    limits: _Bounds, *, available: int, on_hand: int
) -> Iterator[tuple[AlertKind, int, int]]:
    """Yield what is wrong, with the figure and its bound; of too little only the worse."""
    if limits.safety_micro and available < limits.safety_micro:
        yield "below_safety", available, limits.safety_micro
    elif limits.least_micro and available < limits.least_micro:
        yield "below_minimum", available, limits.least_micro
    if limits.most_micro and on_hand > limits.most_micro:
        yield "above_maximum", on_hand, limits.most_micro


def _bounds(
    connection: Connection,
) -> tuple[dict[str, _Bounds], dict[tuple[str, str], _Bounds]]:
    """Return the bounds of items, and those that a warehouse has of its own."""
    table, places = item_policies.c, item_places.c
    query = select(table.item, table.min_micro, table.max_micro, table.safety_micro).where(
        (table.min_micro > 0) | (table.max_micro > 0) | (table.safety_micro > 0)
    )
    found = {
        row[0]: _Bounds(row[1], row[2], row[3])
        for row in connection.execute(query.limit(BOUNDED_ITEMS_MAX))
    }
    of_warehouses = select(places.warehouse, places.item, places.min_micro, places.max_micro).where(
        places.location == ""
    )
    own = {}
    for row in connection.execute(of_warehouses.limit(BOUNDED_ITEMS_MAX)):
        safety = found[row.item].safety_micro if row.item in found else 0
        own[row.warehouse, row.item] = _Bounds(row.min_micro, row.max_micro, safety)
    return found, own


def _amounts(
    connection: Connection,
    codes: list[str],
    bounds: dict[str, _Bounds],
    own: dict[tuple[str, str], _Bounds],
) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """Yield what is available and what is on hand, of items with bounds in their own unit."""
    table = balances.c
    free: ColumnElement[Any] = case((table.status == AVAILABLE, table.on_hand_micro), else_=0)
    query = (
        select(
            table.warehouse,
            table.item,
            *summed(free, "available"),
            *summed(table.on_hand_micro, "on_hand"),
        )
        .join_from(balances, items, and_(items.c.item == table.item, items.c.unit == table.unit))
        .where(table.warehouse.in_(codes), physical(table.location), table.item.in_(_BOUNDED))
        .group_by(table.warehouse, table.item)
    )
    seen = set()
    for row in connection.execute(query):
        key = (row.warehouse, row.item)
        if row.item in bounds or key in own:
            seen.add(key)
            yield key, (total(row, "available"), total(row, "on_hand"))
    for key in sorted(own.keys() - seen):
        yield key, (0, 0)
