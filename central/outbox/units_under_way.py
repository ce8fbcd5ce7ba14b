"""Reads what is under way to a warehouse on logistic units, for its stations. Edge of the database.

The source's book has what it shipped under which SSCC, and what of it is packed in what; the
destination's what came of it under the same. What is told is what is left.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import CARRIERS_MAX, UNITS_MAX, UnitUnderWay
from central.ledger.entries import BalanceKey
from central.ledger.locations import IN_TRANSIT, place_of
from central.outbox.packed_units import read_units_of
from central.storage import bulk
from central.storage.tables import balances

KEY_SIZE = len(BalanceKey._fields)


class Incoming(NamedTuple):
    """A document of a transfer that comes in."""

    warehouse: str
    code: str
    source: str


class _Goods(NamedTuple):
    """Goods on a unit, sorted as stations are told of them."""

    sscc: str
    item: str
    lot: str
    serial: str
    unit: str


def read_units_under_way(
    connection: Connection, incoming: Sequence[Incoming]
) -> dict[tuple[str, str], tuple[UnitUnderWay, ...]]:
    """Return what is under way on units by warehouse and code; none where it is over UNITS_MAX."""
    keys = {
        (house, place_of(IN_TRANSIT, document=one.code))
        for one in incoming
        for house in (one.warehouse, one.source)
    }
    left: defaultdict[tuple[str, str], defaultdict[_Goods, int]]
    left = defaultdict(lambda: defaultdict(int))
    for row in bulk.select_by_key(connection, balances, sorted(keys), columns_count=2):
        key = BalanceKey(*row[:KEY_SIZE])
        if key.sscc:
            goods = _Goods(key.sscc, key.item, key.lot, key.serial, key.unit)
            left[key.warehouse, key.location][goods] += row[KEY_SIZE]
    found = {}
    for one in incoming:
        place = place_of(IN_TRANSIT, document=one.code)
        shipped, came = left[one.source, place], left[one.warehouse, place]
        rest = {goods: micro + came[goods] for goods, micro in shipped.items()}
        rest = {goods: micro for goods, micro in rest.items() if micro > 0}
        if rest and len(rest) <= UNITS_MAX:
            found[one.warehouse, one.code] = _told(connection, one.source, rest)
    return found


def _told(
    connection: Connection, source: str, rest: Mapping[_Goods, int]
) -> tuple[UnitUnderWay, ...]:
    packed = read_units_of(connection, source, {goods.sscc for goods in rest})
    parents = {one.sscc: one.parent for one in packed}
    return tuple(
        UnitUnderWay(
            sscc=goods.sscc,
            item=goods.item,
            quantity=canonical_text(from_micro(micro)),
            unit=goods.unit,
            lot=goods.lot,
            serial=goods.serial,
            carried_by=_carriers(parents, goods.sscc),
        )
        for goods, micro in sorted(rest.items())
    )


def _carriers(parents: Mapping[str, str], sscc: str) -> tuple[str, ...]:
    carriers: list[str] = []
    above = parents.get(sscc, "")
    while above and len(carriers) < CARRIERS_MAX:
        carriers.append(above)
        above = parents.get(above, "")
    return tuple(carriers)
