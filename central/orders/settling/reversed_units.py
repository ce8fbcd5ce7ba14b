"""Goods that a reversal brought back in a unit of before, in the item's own. Edge of the database.

What the reversal took back was right in its time and stays taken back: the goods leave the books in
the unit of then and come again in the unit of now, each where it lies, with what it weighs there.
"""

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import Connection, select

from central.errors import Conflict
from central.ledger.entries import BalanceKey, Line
from central.ledger.locations import is_virtual
from central.ledger.measures import WEIGHED_IN, weight_share
from central.orders.settling.discrepancy_facts import Found, weight_units
from central.orders.settling.settlement_moves import step_to_count
from central.orders.settling.settlement_steps import Step, with_weight
from central.storage import bulk, tables


class _Lying(NamedTuple):
    """What is left of goods in one balance; below zero what is missing. weight_micro: of them."""

    key: BalanceKey
    quantity_micro: int
    weight_micro: int


def is_of_reversal(row: Found) -> bool:
    """Return whether a discrepancy is about what a reversal brought back in another unit."""
    return bool(row.kind == "unit_differs" and row.subject != f"{row.item}/{row.unit}")


def lying_micro(connection: Connection, row: Found) -> int:
    """Return how much of it lies there still, in the unit of before; below zero what is missing."""
    return sum(one.quantity_micro for one in _lying(connection, row))


def is_other_open(connection: Connection, row: Found) -> bool:
    """Return whether facts in that unit wait to be settled, which may be of the same goods."""
    table = tables.discrepancies.c
    query = select(table.id).where(
        table.warehouse == row.warehouse,
        table.state == "open",
        table.kind == row.kind,
        table.subject == f"{row.item}/{row.unit}",
    )
    return connection.execute(query).first() is not None


def steps_restated(connection: Connection, row: Found, *, factor: Fraction | None) -> list[Step]:
    """Return what brings it into the unit in which the item is kept.

    factor: how many of that one of the unit of before is. Raises Conflict if nothing lies there.
    """
    found = _lying(connection, row)
    unit = connection.execute(
        select(tables.items.c.unit).where(tables.items.c.item == row.item)
    ).scalar()
    if not found or factor is None or unit is None:
        raise Conflict(
            "what is behind it is taken back already, or moved nothing",
            hint="Accept it; nothing is left to move.",
        )
    gone: list[Step] = []
    come: list[Step] = []
    weighed_in = weight_units(connection, {row.item}).get(row.item) or WEIGHED_IN
    for key, amount, weight in found:
        out = step_to_count(key, on_hand_micro=amount, counted_micro=0)
        kept = key._replace(unit=unit)
        back = step_to_count(kept, on_hand_micro=0, counted_micro=round(amount * factor))
        for step, steps in ((out, gone), (back, come)):
            if step is not None:
                step = replace(step, business_step="storing")
                steps.append(with_weight(step, weight, unit=weighed_in) if weight else step)
    return gone + come


def _lying(connection: Connection, row: Found) -> list[_Lying]:
    """Return the balances that the reversal changed, each with as much of it as is left there."""
    brought: dict[BalanceKey, int] = {}
    numbered = [(row.warehouse, row.record_no)]
    for one in bulk.select_by_key(connection, tables.lines, numbered, columns_count=2):
        line = Line(*one)
        if (line.item, line.unit) == (row.item, row.unit) and not is_virtual(line.location):
            key = line.balance_key
            brought[key] = brought.get(key, 0) + line.quantity_micro
    size = len(BalanceKey._fields)
    rows = bulk.select_by_key(connection, tables.balances, sorted(brought), columns_count=size)
    found = []
    for one in rows:
        key, on_hand, weight = BalanceKey(*one[:size]), one[size], one[size + 2]
        if brought[key] * on_hand > 0:
            sign = 1 if on_hand > 0 else -1
            left = min(abs(on_hand), abs(brought[key]))
            share = weight_share(left, there_micro=abs(on_hand), weight_micro=sign * weight)
            found.append(_Lying(key, sign * left, share))
    return sorted(found)
