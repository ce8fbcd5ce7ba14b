"""What of goods that left is still under way: what all books together say. Edge of the database.

SH1  in_transit/TR-1  case A  +5        left SH1: 5; came to BJ1: 5; nothing is under way,
BJ1  in_transit/TR-1  case A  -5        and the book of SH1 alone says 5 for ever
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from central.stock.sums import summed, total
from central.stock.views import every_warehouse
from central.storage.tables import balances


class UnderWay(NamedTuple):
    """What is under way, by the unit that it left in."""

    location: str
    item: str
    lot: str
    serial: str
    unit: str
    sscc: str


class Left(NamedTuple):
    """What is left, in millionths of the unit, and its weight."""

    micro: int
    weight_micro: int


def under_way(connection: Connection, locations: Sequence[str]) -> dict[UnderWay, Left]:
    """Return what is left of goods at places under a document, over all warehouses.

    What came without its unit, or in another one, leaves no more than there is of the goods: which
    unit the rest is in nobody knows, so each has at most that.
    """
    if not locations:
        return {}
    columns = balances.c
    keys = tuple(getattr(columns, name) for name in UnderWay._fields)
    query = (
        select(
            *keys, *summed(columns.on_hand_micro, "micro"), *summed(columns.weight_micro, "weight")
        )
        .where(
            columns.warehouse.in_([one.code for one in every_warehouse(connection)]),
            columns.location.in_(locations),
        )
        .group_by(*keys)
    )
    found: dict[UnderWay, Left] = {}
    goods: dict[UnderWay, int] = {}
    for row in connection.execute(query):
        key = UnderWay(*row[: len(keys)])
        found[key] = Left(total(row, "micro"), total(row, "weight"))
        of_goods = key._replace(sscc="")
        goods[of_goods] = goods.get(of_goods, 0) + found[key].micro
    left = {}
    for key, one in found.items():
        micro = max(0, min(one.micro, goods[key._replace(sscc="")]))
        weight = one.weight_micro * micro // one.micro if micro else 0
        left[key] = Left(micro, weight)
    return left
