"""Reads where goods may be put. Edge of the database; writes nothing, sets nothing aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, false, func, select

from central.errors import NotThere
from central.ledger.entries import BalanceKey
from central.orders.sales.putaway import Goods, Place, Suggestion, suggest
from central.storage import bulk, catalogue_tables, tables

EMPTY_PLACES_MAX = 200  # Of those that will do the nearest are looked at.


@dataclass(frozen=True, slots=True)
class PutawayAsked:
    """What is to be put away, and where it is now, "" if it does not matter. zone: "" for any."""

    warehouse: str
    item: str
    quantity_micro: int
    lot: str = ""
    from_location: str = ""
    zone: str = ""


def suggest_putaway(connection: Connection, asked: PutawayAsked) -> list[Suggestion]:
    """Return where to put goods, best first. Raises NotThere for an unknown item."""
    items, policies = tables.items.c, catalogue_tables.item_policies
    row = connection.execute(
        select(items.item, policies.c.storage_class)
        .select_from(tables.items)
        .outerjoin(policies, policies.c.item == items.item)
        .where(items.item == asked.item)
    ).first()
    if row is None:
        raise NotThere(
            f"there is no item {asked.item}",
            hint="Correct the code, or add the item first.",
            fields={"item": asked.item},
        )
    goods = Goods(asked.quantity_micro, row.storage_class or "", asked.zone)
    walk_from = _walk_order(connection, asked.warehouse, asked.from_location)
    places = _places_of_item(connection, asked)
    known = {place.location for place in places}
    empty = _empty_places(connection, asked, goods, walk_from=walk_from)
    places += [place for place in empty if place.location not in known]
    return suggest(
        (place for place in places if place.location != asked.from_location),
        goods,
        walk_from=walk_from,
    )


def read_used(connection: Connection, warehouse: str, locations: Sequence[str]) -> dict[str, int]:
    """Return how much lies at places, as the sum of units over all that is there."""
    balances = tables.balances.c
    query = (
        select(balances.location, func.sum(balances.on_hand_micro))
        .where(
            balances.warehouse == warehouse,
            balances.location.in_(locations),
            balances.on_hand_micro > 0,
        )
        .group_by(balances.location)
    )
    return {location: int(used) for location, used in connection.execute(query)}


def _walk_order(connection: Connection, warehouse: str, location: str) -> int:
    table = catalogue_tables.location_details
    rows = list(bulk.select_by_key(connection, table, [(warehouse, location)], columns_count=2))
    return int(rows[0][6]) if rows else 0


def _places_of_item(connection: Connection, asked: PutawayAsked) -> list[Place]:
    """Return the places of the item's own, and those where it lies."""
    here: dict[str, int] = {}
    with_lot: set[str] = set()
    # The index is named: without statistics SQLite would read the whole warehouse.
    for row in bulk.select_by_columns(
        connection,
        tables.balances,
        [(asked.warehouse, asked.item)],
        columns=("warehouse", "item"),
        index="balances_item",
        where="",
    ):
        balance = BalanceKey(*row[:8])
        if row[8] > 0:
            here[balance.location] = here.get(balance.location, 0) + row[8]
            if asked.lot and balance.lot == asked.lot:
                with_lot.add(balance.location)
    homes_table = catalogue_tables.item_places
    homes = {
        row[2]: row[4]
        for row in bulk.select_by_key(
            connection, homes_table, [(asked.warehouse, asked.item)], columns_count=2
        )
        if row[2]
    }
    locations = sorted({*here, *homes})
    used = read_used(connection, asked.warehouse, locations)
    return [
        _place(
            row,
            used_micro=used.get(row.location, 0),
            has_item=row.location in here,
            has_lot=row.location in with_lot,
            is_home=row.location in homes,
            home_used_micro=here.get(row.location, 0),
            home_max_micro=homes.get(row.location, 0),
        )
        for row in connection.execute(
            _bins(asked.warehouse).where(tables.locations.c.location.in_(locations))
        )
    ]


def _empty_places(
    connection: Connection, asked: PutawayAsked, goods: Goods, *, walk_from: int
) -> list[Place]:
    """Return bins that will do, where nothing lies: first where all of it fits, the nearest first.

    What will not do is left out here already, or of many such bins none of the others were seen.
    """
    balances, details = tables.balances.c, catalogue_tables.location_details.c
    lies_there = select(balances.item).where(
        balances.warehouse == tables.locations.c.warehouse,
        balances.location == tables.locations.c.location,
        balances.on_hand_micro != 0,
    )
    walk_order = func.coalesce(details.walk_order, 0)
    capacity_micro = func.coalesce(details.capacity_micro, 0)
    storage_class = func.coalesce(details.storage_class, "")
    query = (
        _bins(asked.warehouse)
        .where(~lies_there.exists(), ~func.coalesce(details.blocked, false()))
        .order_by(
            and_(capacity_micro > 0, capacity_micro < goods.quantity_micro),
            walk_order == 0,
            func.abs(walk_order - walk_from),
            tables.locations.c.location,
        )
        .limit(EMPTY_PLACES_MAX)
    )
    if goods.storage_class:
        query = query.where(storage_class.in_(("", goods.storage_class)))
    if goods.zone:
        query = query.where(details.zone == goods.zone)
    return [_place(row, used_micro=0) for row in connection.execute(query)]


def _bins(warehouse: str) -> Select[Any]:
    places, details = tables.locations, catalogue_tables.location_details
    same = and_(details.c.warehouse == places.c.warehouse, details.c.location == places.c.location)
    return (
        select(
            places.c.location,
            details.c.walk_order,
            details.c.zone,
            details.c.storage_class,
            details.c.capacity_micro,
            details.c.blocked,
        )
        .select_from(places)
        .outerjoin(details, same)
        .where(places.c.warehouse == warehouse, places.c.kind == "bin")
    )


def _place(
    row: Row[Any],
    *,
    used_micro: int,
    has_item: bool = False,
    has_lot: bool = False,
    is_home: bool = False,
    home_used_micro: int = 0,
    home_max_micro: int = 0,
) -> Place:
    return Place(
        location=row.location,
        walk_order=row.walk_order or 0,
        zone=row.zone or "",
        storage_class=row.storage_class or "",
        capacity_micro=row.capacity_micro or 0,
        used_micro=used_micro,
        has_item=has_item,
        has_lot=has_lot,
        is_home=is_home,
        home_used_micro=home_used_micro,
        home_max_micro=home_max_micro,
        blocked=bool(row.blocked),
    )
