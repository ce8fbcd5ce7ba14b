"""A pallet or carton: what it is in, what is in it, the goods of each. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.contract.quantities import KILOGRAM
from central.stock.rows import UNDER_WAY_PREFIX
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

    outer: what it is in, the nearest first. inner: what is in it, each after what it is in. more:
    there is more inside than is shown.
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
    found, more_goods = _goods(connection, warehouse, [sscc, *(one for one, _, _ in inside)])
    if not (outer or inside or found) and not _was_packed(connection, warehouse, sscc):
        return None
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


def _goods(
    connection: Connection, warehouse: str, units: Sequence[str]
) -> tuple[dict[str, list[UnitGoods]], bool]:
    """Return the goods of each unit, and whether there are more."""
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
    rows = connection.execute(query).all()
    found: dict[str, list[UnitGoods]] = {}
    going = sorted({row.location for row in rows if row.location.startswith(UNDER_WAY_PREFIX)})
    left = under_way(connection, going)
    for row in rows[:GOODS_SHOWN_MAX]:
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
    return found, len(rows) > GOODS_SHOWN_MAX


def _was_packed(connection: Connection, warehouse: str, sscc: str) -> bool:
    rows = bulk.select_by_key(connection, handling_units, [(warehouse, sscc)], columns_count=2)
    return next(iter(rows), None) is not None
