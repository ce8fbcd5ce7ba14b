"""A pallet or carton: what it is in, what is in it, the goods of each. Edge of the database."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from central.contract.quantities import KILOGRAM
from central.stock.rows import UNDER_WAY_PREFIX, outside
from central.stock.transit_nets import Left, UnderWay, under_way
from central.storage import bulk
from central.storage.catalogue_tables import item_policies
from central.storage.tables import balances, handling_units

DEPTH_MAX = 8  # The ledger packs no deeper.
UNITS_SHOWN_MAX = 500  # Inside one; further ones are left out, and it is said.
GOODS_SHOWN_MAX = 2_000  # Of all of these; further ones likewise.

_units = handling_units.c


@dataclass(frozen=True, slots=True)
class UnitGoods:
    """What stands somewhere with a unit's own number on it, in millionths of its unit.

    Of what is under way with a document, what no warehouse has received, or closed, since.
    weight_unit: in which the item is weighed.
    """

    location: str
    item: str
    lot: str
    serial: str
    status: str
    unit: str
    on_hand_micro: int
    weight_micro: int
    weight_unit: str


@dataclass(frozen=True, slots=True)
class PackedUnit:
    """A unit inside. depth: 1 for what is in the one that was asked for itself."""

    sscc: str
    parent: str
    depth: int
    goods: tuple[UnitGoods, ...]


@dataclass(frozen=True, slots=True)
class UnitView:
    """A handling unit of a warehouse.

    outer: what it is in, the nearest first. inner: what is in it, each after what it is in. Packed,
    but not there any more is what left the warehouse without the rest. more: there is more inside
    than is shown.
    """

    warehouse: str
    sscc: str
    outer: tuple[str, ...]
    goods: tuple[UnitGoods, ...]
    inner: tuple[PackedUnit, ...]
    more: bool


def read_unit(connection: Connection, warehouse: str, sscc: str) -> UnitView | None:
    """Return a unit, None if a warehouse knows nothing of it."""
    outer = _outer(connection, warehouse, sscc)
    inside, more = _inside(connection, warehouse, sscc)
    rows, more_goods = _rows(connection, warehouse, [sscc, *(one for one, _, _ in inside)])
    found = _goods(connection, rows)
    if not (outer or inside or found) and not _was_packed(connection, warehouse, sscc):
        return None
    here = {row.sscc for row in rows if not outside(row.location)}
    if here:
        inside = list(_still_inside(inside, here, {row.sscc for row in rows} - here))
    elif rows and outer:
        outer = _left_with(connection, warehouse, outer)
    return UnitView(
        warehouse,
        sscc,
        tuple(outer),
        tuple(found.get(sscc, ())),
        tuple(
            PackedUnit(one, parent, depth, tuple(found.get(one, ())))
            for one, parent, depth in inside
        ),
        more=more or more_goods,
    )


def _outer(connection: Connection, warehouse: str, sscc: str) -> list[str]:
    outer: list[str] = []
    while len(outer) < DEPTH_MAX:
        rows = list(
            bulk.select_by_key(connection, handling_units, [(warehouse, sscc)], columns_count=2)
        )
        if not rows or not rows[0][2]:
            break
        sscc = str(rows[0][2])
        outer.append(sscc)
    return outer


def _inside(
    connection: Connection, warehouse: str, sscc: str
) -> tuple[list[tuple[str, str, int]], bool]:
    """Return (unit, what it is in, depth) of all that is inside, each after what it is in."""
    children: dict[str, list[str]] = {}
    level, count, more = [sscc], 0, False
    for _ in range(DEPTH_MAX):
        room = UNITS_SHOWN_MAX - count
        query = (
            select(_units.parent, _units.sscc)
            .where(_units.warehouse == warehouse, _units.parent.in_(level))
            .order_by(_units.parent, _units.sscc)
            .limit(room + 1)
        )
        rows = connection.execute(query).all() if level else []
        more = more or len(rows) > room
        for row in rows[:room]:
            children.setdefault(row.parent, []).append(row.sscc)
        level = [row.sscc for row in rows[:room]]
        count += len(level)
    found: list[tuple[str, str, int]] = []
    _walk(children, sscc, 1, found)
    return found, more


def _walk(
    children: dict[str, list[str]], parent: str, depth: int, found: list[tuple[str, str, int]]
) -> None:
    for sscc in children.get(parent, ()):
        found.append((sscc, parent, depth))
        _walk(children, sscc, depth + 1, found)


def _still_inside(
    inside: Sequence[tuple[str, str, int]], here: Set[str], gone: Set[str]
) -> Iterator[tuple[str, str, int]]:
    """Yield what is inside but for units that left with all that is in them.

    inside: each after what it is in. here: those with goods in the warehouse. gone: with none left.
    """
    parents = {one: parent for one, parent, _ in inside}
    some_here, some_gone = _with_outer(here, parents), _with_outer(gone, parents)
    left: set[str] = set()
    for one, parent, depth in inside:
        if parent in left or (one in some_gone and one not in some_here):
            left.add(one)
        else:
            yield one, parent, depth


def _with_outer(units: Set[str], parents: Mapping[str, str]) -> set[str]:
    """Return units and all that they are in."""
    found: set[str] = set()
    for unit in units:
        one = unit
        while one and one not in found:
            found.add(one)
            one = parents.get(one, "")
    return found


def _left_with(connection: Connection, warehouse: str, outer: Sequence[str]) -> list[str]:
    """Return those that a unit is in which left with it: nothing in them is in the warehouse."""
    for count, one in enumerate(outer):
        inside, _ = _inside(connection, warehouse, one)
        rows, _ = _rows(connection, warehouse, [one, *(unit for unit, _, _ in inside)])
        if any(not outside(row.location) for row in rows):
            return list(outer[:count])
    return list(outer)


def _rows(
    connection: Connection, warehouse: str, units: Sequence[str]
) -> tuple[list[Row[Any]], bool]:
    """Return the balances of units, and whether there are more."""
    policies = item_policies.c
    query = (
        select(balances, func.coalesce(policies.weight_unit, "").label("weight_unit"))
        .join(item_policies, policies.item == balances.c.item, isouter=True)
        .where(
            balances.c.warehouse == warehouse,
            balances.c.sscc.in_(units),
            balances.c.sscc != "",  # As its index says.
            balances.c.on_hand_micro > 0,  # Also where it went: to a customer, on the way.
        )
        .order_by(*balances.primary_key.columns)
        .limit(GOODS_SHOWN_MAX + 1)
    )
    rows = list(connection.execute(query).all())
    return rows[:GOODS_SHOWN_MAX], len(rows) > GOODS_SHOWN_MAX


def _goods(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, list[UnitGoods]]:
    """Return the goods of each unit that balances tell."""
    found: dict[str, list[UnitGoods]] = {}
    going = sorted({row.location for row in rows if row.location.startswith(UNDER_WAY_PREFIX)})
    left = under_way(connection, going)
    for row in rows:
        found.setdefault(row.sscc, [])
        said = {name: getattr(row, name) for name in UnitGoods.__slots__}
        if row.location in going:
            key = UnderWay(*(getattr(row, name) for name in UnderWay._fields))
            rest = left[key]
            if not rest.micro:
                continue
            on_hand = min(row.on_hand_micro, rest.micro)
            weight = rest.weight_micro * on_hand // rest.micro
            said |= {"on_hand_micro": on_hand, "weight_micro": weight}
            # Of another status there may be a row more.
            left[key] = Left(rest.micro - on_hand, rest.weight_micro - weight)
        # Who says no unit for an item weighs it in kilograms.
        goods = UnitGoods(**said | {"weight_unit": row.weight_unit or KILOGRAM})
        found[row.sscc].append(goods)
    return found


def _was_packed(connection: Connection, warehouse: str, sscc: str) -> bool:
    rows = bulk.select_by_key(connection, handling_units, [(warehouse, sscc)], columns_count=2)
    return next(iter(rows), None) is not None
