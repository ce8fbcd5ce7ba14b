"""The places of a warehouse: what is there, how full, what differs. Edge of the database."""

from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, and_, case, func, select

from central.stock.sums import summed, total
from central.storage.catalogue_tables import location_details
from central.storage.count_tables import count_last
from central.storage.places import physical
from central.storage.tables import balances, discrepancies, locations

PLACES_MAX = 10_000
PLACES_AT_ONCE_MAX = 500


@dataclass(frozen=True, slots=True)
class PlaceStock:
    """A place. known: the catalogue has it; one with stock that it has not is shown all the same.

    amounts: how much is there of each unit, over all items; the capacity bounds the one unit that
    all is in, for grams and pieces have no sum. kinds_count: items there. below_count: balances
    below zero. apart_count: balances that are not available (inspection, held, rejected).
    differing_count: open discrepancies. counted_ms: when something there was last counted, 0 for
    never.
    """

    code: str
    known: bool
    kind: str
    name: str
    zone: str
    parent: str
    walk_order: int
    pick_face: bool
    blocked: bool
    capacity_micro: int
    amounts: tuple[tuple[str, int], ...] = ()
    kinds_count: int = 0
    below_count: int = 0
    apart_count: int = 0
    differing_count: int = 0
    counted_ms: int = 0

    @property
    def fill(self) -> Fraction | None:
        """Return how full it is, above 1 if too much is there.

        None without a capacity, and where what is there is in several units.
        """
        if not self.capacity_micro or len(self.amounts) > 1:
            return None
        return Fraction(max(sum(micro for _, micro in self.amounts), 0), self.capacity_micro)


def read_places(connection: Connection, warehouse: str) -> list[PlaceStock]:
    """Return the places of a warehouse by zone, walking order and code, at most PLACES_MAX."""
    known = _known(connection, warehouse)
    stock = _stock(connection, warehouse)
    table = discrepancies.c
    differing = dict(
        tuple(row)
        for row in connection.execute(
            select(table.location, func.count())
            .where(table.warehouse == warehouse, table.state == "open", table.location != "")
            .group_by(table.location)
        )
    )
    counted = dict(
        tuple(row)
        for row in connection.execute(
            select(count_last.c.location, func.max(count_last.c.counted_ms))
            .where(count_last.c.warehouse == warehouse)
            .group_by(count_last.c.location)
        )
    )
    found = []
    for code in known.keys() | stock.keys():
        name, kind, zone, parent, walk_order, pick_face, blocked, capacity = known.get(
            code, ("", "", "", "", 0, False, False, 0)
        )
        amounts, kinds_count, below_count, apart_count = stock.get(code, ((), 0, 0, 0))
        found.append(
            PlaceStock(
                code=code,
                known=code in known,
                kind=kind,
                name=name,
                zone=zone,
                parent=parent,
                walk_order=walk_order,
                pick_face=pick_face,
                blocked=blocked,
                capacity_micro=capacity,
                amounts=amounts,
                kinds_count=kinds_count,
                below_count=below_count,
                apart_count=apart_count,
                differing_count=differing.get(code, 0),
                counted_ms=counted.get(code, 0),
            )
        )
    found.sort(key=lambda one: (one.zone, one.parent, one.walk_order, one.code))
    return found[:PLACES_MAX]


_Known = tuple[str, str, str, str, int, bool, bool, int]


def _known(connection: Connection, warehouse: str) -> dict[str, _Known]:
    detail = location_details.c
    query = (
        select(
            locations.c.location,
            locations.c.kind,
            detail.name,
            detail.zone,
            detail.parent,
            detail.walk_order,
            detail.pick_face,
            detail.blocked,
            detail.capacity_micro,
        )
        .outerjoin_from(
            locations,
            location_details,
            and_(
                detail.warehouse == locations.c.warehouse, detail.location == locations.c.location
            ),
        )
        .where(locations.c.warehouse == warehouse)
        .limit(PLACES_MAX)
    )
    return {
        row.location: (
            row.name or "",
            row.kind,
            row.zone or "",
            row.parent or "",
            row.walk_order or 0,
            bool(row.pick_face),
            bool(row.blocked),
            row.capacity_micro or 0,
        )
        for row in connection.execute(query)
    }


_Amounts = tuple[tuple[str, int], ...]


def _stock(connection: Connection, warehouse: str) -> dict[str, tuple[_Amounts, int, int, int]]:
    table = balances.c
    there = (table.warehouse == warehouse, table.on_hand_micro != 0, physical(table.location))
    query = (
        select(
            table.location,
            *summed(table.on_hand_micro, "on_hand"),
            func.min(table.unit).label("unit"),
            func.max(table.unit).label("other_unit"),
            func.count(table.item.distinct()).label("kinds_count"),
            func.sum(case((table.on_hand_micro < 0, 1), else_=0)).label("below_count"),
            func.sum(case((table.status != "available", 1), else_=0)).label("apart_count"),
        )
        .where(*there)
        .group_by(table.location)
        .limit(PLACES_MAX)
    )
    rows = connection.execute(query).all()
    mixed = [row.location for row in rows if row.unit != row.other_unit]
    by_unit: dict[str, _Amounts] = {}
    for begin in range(0, len(mixed), PLACES_AT_ONCE_MAX):
        apart = (
            select(table.location, table.unit, *summed(table.on_hand_micro, "on_hand"))
            .where(*there, table.location.in_(mixed[begin : begin + PLACES_AT_ONCE_MAX]))
            .group_by(table.location, table.unit)
            .order_by(table.location, table.unit)
        )
        for row in connection.execute(apart):
            here = by_unit.get(row.location, ())
            by_unit[row.location] = (*here, (row.unit, total(row, "on_hand")))
    return {
        row.location: (
            by_unit.get(row.location, ((row.unit, total(row, "on_hand")),)),
            int(row.kinds_count),
            int(row.below_count),
            int(row.apart_count),
        )
        for row in rows
    }
