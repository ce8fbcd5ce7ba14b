"""How much of each item stands in places taken together, by status. Edge of the database."""

from sqlalchemy import Connection, func, select, tuple_

from central.contract.quantities import from_micro
from central.stock.item_reading import BalanceQuery, balances_wanted
from central.stock.sums import summed, total
from central.stock.total_rows import StockTotal, TotalKey
from central.storage.places import physical
from central.storage.tables import balances, items

_KEY = tuple(balances.c[name] for name in TotalKey._fields)


def list_totals(
    connection: Connection,
    wanted: BalanceQuery,
    *,
    after: TotalKey | None = None,
    offset: int = 0,
    limit: int,
) -> list[StockTotal]:
    """Return totals of balances at places of warehouses, in the order of their keys.

    A total of 0 is of places that have less than none and more. Cost: all that is asked for is
    read for each page.
    """
    columns = balances.c
    query = (
        balances_wanted(
            connection,
            wanted,
            select(
                *_KEY,
                func.max(items.c.name).label("name"),
                func.max(items.c.name_zh).label("name_zh"),
                func.count(columns.location.distinct()).label("places_count"),
                *summed(columns.on_hand_micro, "on_hand"),
                *summed(columns.weight_micro, "weight"),
            ).outerjoin_from(balances, items, items.c.item == columns.item),
        )
        .where(physical(columns.location))
        .group_by(*_KEY)
    )
    if after is not None:
        query = query.where(tuple_(*_KEY) > tuple_(*after))
    found = connection.execute(query.order_by(*_KEY).offset(offset).limit(limit))
    return [
        StockTotal(
            key=TotalKey(*row[: len(_KEY)]),
            name=row.name or "",
            name_zh=row.name_zh or "",
            places_count=int(row.places_count),
            on_hand=from_micro(total(row, "on_hand")),
            weight=from_micro(total(row, "weight")),
        )
        for row in found
    ]
