"""What is available of items in warehouses, and why not more. Edge of the database.

    available = on hand (status "available", places of the warehouse) - allocated

Below zero only where the books themselves are: more went out than was ever seen coming.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    and_,
    func,
    join,
    select,
    text,
    tuple_,
    union_all,
)

from central.ledger.entries import BalanceKey
from central.ledger.locations import IN_TRANSIT_PREFIX, is_virtual
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED
from central.storage import bulk, sales_tables, tables, transfer_tables

ITEMS_PER_SELECT_MAX = 200
BALANCE_KEY_SIZE = len(BalanceKey._fields)
_WEIGHT = tuple(tables.balances.columns.keys()).index("weight_micro")
Items = Sequence[tuple[str, str]]  # warehouse, item
Columns = tuple[ColumnElement[str], ColumnElement[str], ColumnElement[str]]


class ItemKey(NamedTuple):
    """Of what and where, in the order of lists."""

    warehouse: str
    item: str
    unit: str


@dataclass(frozen=True, slots=True)
class Availability:
    """The figures of an item in a warehouse, in one unit.

    on_hand_micro: of status "available"; what waits for inspection, is held or rejected is apart.
    in_transit_micro: on its way to the warehouse. weight_micro: catch weight of what is on hand.
    """

    key: ItemKey
    on_hand_micro: int = 0
    allocated_micro: int = 0
    inspection_micro: int = 0
    held_micro: int = 0
    rejected_micro: int = 0
    in_transit_micro: int = 0
    weight_micro: int = 0

    @property
    def available_micro(self) -> int:
        """Return what nobody has set aside yet."""
        return self.on_hand_micro - self.allocated_micro


def availability(connection: Connection, *, item: str, warehouse: str) -> Availability:
    """Return the figures of one item in one warehouse, in the unit in which it is kept.

    All zero for an item of which there is nothing.
    """
    unit = connection.execute(
        select(tables.items.c.unit).where(tables.items.c.item == item)
    ).scalar_one_or_none()
    key = ItemKey(warehouse, item, unit or "")
    found = list_availability(connection, warehouse=warehouse, item=item, limit=None)
    return next((one for one in found if one.key == key), Availability(key))


def list_availability(
    connection: Connection,
    *,
    warehouse: str = "",
    item: str = "",
    after: ItemKey | None = None,
    limit: int | None,
) -> list[Availability]:
    """Return figures by warehouse, item and unit; "" for every one. Where nothing is, no row."""
    codes = [warehouse] if warehouse else _warehouses(connection, after)
    if item:
        found = _figures(connection, [(code, item) for code in codes])
        return [one for one in found if not _passed(one.key, after)][:limit]
    found = []
    for code in codes:
        last = ""
        if after is not None and code == after.warehouse:
            last = after.item
            of_item = _figures(connection, [(code, last)])
            found += [one for one in of_item if not _passed(one.key, after)]
        while items := _items_after(connection, code, last):
            found += _figures(connection, [(code, one) for one in items])
            if limit is not None and len(found) >= limit:
                return found[:limit]
            last = items[-1]
    return found[:limit]


def _passed(key: ItemKey, after: ItemKey | None) -> bool:
    """Return whether a key was on a page before; the order of codes is the database's own."""
    return after is not None and key[:2] == after[:2] and key.unit <= after.unit


def _figures(connection: Connection, items: Items) -> list[Availability]:
    """Return the figures of these items, in the order of their keys; without any, no row."""
    found: dict[ItemKey, Availability] = {}
    # The index is named: without statistics SQLite would read the whole warehouse for each.
    for row in bulk.select_by_columns(
        connection,
        tables.balances,
        items,
        columns=("warehouse", "item"),
        index="balances_item",
        where="",
    ):
        balance = BalanceKey(*row[:BALANCE_KEY_SIZE])
        if row[BALANCE_KEY_SIZE] and not is_virtual(balance.location):
            key = ItemKey(balance.warehouse, balance.item, balance.unit)
            _add(found, key, _FIELDS[balance.status], row[BALANCE_KEY_SIZE])
            if row[_WEIGHT] and balance.status == AVAILABLE:
                _add(found, key, "weight_micro", row[_WEIGHT])
    for row in bulk.select_by_key(connection, sales_tables.allocated, items, columns_count=2):
        _add(found, ItemKey(row[0], row[1], row[6]), "allocated_micro", row[7])
    for start in range(0, len(items), ITEMS_PER_SELECT_MAX):
        chunk = items[start : start + ITEMS_PER_SELECT_MAX]
        for row in connection.execute(_under_way_query(chunk)):
            _add(found, ItemKey(*row[:3]), "in_transit_micro", int(row.amount))
    place = {one: number for number, one in enumerate(items)}
    return [found[key] for key in sorted(found, key=lambda key: (place[key[:2]], key.unit))]


def _items_after(connection: Connection, warehouse: str, last: str) -> list[str]:
    """Return the next items of a warehouse: those that are or were there, or are on their way."""
    wanted = {"warehouse": warehouse, "last": last, "limit": ITEMS_PER_SELECT_MAX}
    return list(connection.execute(_ITEMS[connection.dialect.name], wanted).scalars())


def _warehouses(connection: Connection, after: ItemKey | None) -> list[str]:
    table = tables.warehouses.c
    query = select(table.warehouse).order_by(table.warehouse)
    if after is not None:
        query = query.where(table.warehouse >= after.warehouse)
    return list(connection.execute(query).scalars())


def _under_way_query(items: Items) -> CompoundSelect[str, str, str, Any]:
    """Return the statement of what is under way, by its transfers' ends and by third warehouses."""
    transfers, columns = transfer_tables.transfers.c, _key_under_way()
    parts = [
        select(*columns, func.sum(tables.balances.c.on_hand_micro).label("amount"))
        .select_from(books)
        .where(
            transfers.under_way_since_ms > 0,
            *only,
            tuple_(transfers.destination_warehouse, tables.balances.c.item).in_(items),
        )
        .group_by(*columns)
        for books, only in ((_UNDER_WAY, ()), (_STRAYED, (transfers.strayed,)))
    ]
    return union_all(*parts)


def _key_under_way() -> Columns:
    table = tables.balances.c
    warehouse = transfer_tables.transfers.c.destination_warehouse
    return warehouse.label("warehouse"), table.item, table.unit


def _add(found: dict[ItemKey, Availability], key: ItemKey, field: str, amount: int) -> None:
    there = found.get(key) or Availability(key)
    found[key] = replace(there, **{field: getattr(there, field) + amount})


# What is under way to a warehouse where the item never was stands in the source's books alone.
_ITEMS_SQL = """
SELECT item FROM (
    SELECT DISTINCT item FROM balances {indexed}
    WHERE warehouse = :warehouse AND item > :last ORDER BY item LIMIT :limit) there
UNION
SELECT item FROM (
    SELECT DISTINCT b.item FROM transfers t
    JOIN balances b ON b.location = 'in_transit/' || t.transfer
         AND b.warehouse IN (t.source_warehouse, t.destination_warehouse)
    WHERE t.under_way_since_ms > 0 AND t.destination_warehouse = :warehouse AND b.item > :last
    ORDER BY b.item LIMIT :limit) coming
ORDER BY item LIMIT :limit
"""
_ITEMS = {
    dialect: text(_ITEMS_SQL.format(indexed=indexed))
    for dialect, indexed in (("sqlite", "INDEXED BY balances_item"), ("postgresql", ""))
}
_FIELDS = {
    AVAILABLE: "on_hand_micro",
    INSPECTION: "inspection_micro",
    HELD: "held_micro",
    REJECTED: "rejected_micro",
}
_UNDER_WAY = join(
    transfer_tables.transfers,
    tables.balances,
    and_(
        tables.balances.c.location == IN_TRANSIT_PREFIX + transfer_tables.transfers.c.transfer,
        tables.balances.c.warehouse.in_(
            [
                transfer_tables.transfers.c.source_warehouse,
                transfer_tables.transfers.c.destination_warehouse,
            ]
        ),
    ),
)
# What third warehouses took out of transfers stands in their own books.
_STRAYED = join(
    transfer_tables.transfers,
    tables.balances,
    and_(
        tables.balances.c.location == IN_TRANSIT_PREFIX + transfer_tables.transfers.c.transfer,
        tables.balances.c.warehouse.in_(select(tables.warehouses.c.warehouse)),
        tables.balances.c.warehouse != transfer_tables.transfers.c.source_warehouse,
        tables.balances.c.warehouse != transfer_tables.transfers.c.destination_warehouse,
    ),
)
