"""How many of an item's own unit one of a unit is, and what that makes of facts. Edge of SQL."""

from collections.abc import Sequence
from fractions import Fraction

from sqlalchemy import Connection

from central.ledger.unit_ratios import unit_ratio
from central.orders.catalogue.packs import QUANTITY_MICRO_MAX
from central.orders.settling.settlement_moves import leaves_any
from central.orders.settling.settlement_steps import MovedFact
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_units


def item_unit(connection: Connection, item: str) -> str | None:
    """Return the unit in which an item is kept, None if it is not there."""
    for row in bulk.select_by_key(connection, tables.items, [(item,)], columns_count=1):
        return str(row[3])
    return None


def unit_factor(connection: Connection, *, item: str, unit: str) -> Fraction | None:
    """Return how many of the item's own unit one of `unit` is, None if that is not known."""
    own = item_unit(connection, item)
    if own is None:
        return None
    for row in bulk.select_by_key(connection, item_units, [(item, unit)], columns_count=2):
        return Fraction(row[2], row[3])
    return unit_ratio(from_unit=unit, to_unit=own)


def factor_that_leaves(
    connection: Connection, facts: Sequence[MovedFact], *, item: str
) -> Fraction | None:
    """Return how many of an item's own unit one of the unit of facts is, all of them in one.

    None if that is not known, nothing would be left of them, or more than a movement may be.
    """
    unit = facts[0].unit
    is_own = unit == item_unit(connection, item)
    factor = Fraction(1) if is_own else unit_factor(connection, item=item, unit=unit)
    total = sum(fact.quantity_micro for fact in facts)
    fits = factor is not None and leaves_any(total, factor) and not is_beyond(facts, factor)
    return factor if fits else None


def is_beyond(facts: Sequence[MovedFact], factor: Fraction | None) -> bool:
    """Return whether one of the facts is more in another unit than any movement may be."""
    most = QUANTITY_MICRO_MAX / (factor or 1)
    return any(fact.quantity_micro > most for fact in facts)


def units_beyond(
    connection: Connection, facts: Sequence[MovedFact], *, item: str
) -> tuple[str, ...]:
    """Return units of facts that are known to convert, but say more than a movement may be."""
    units = sorted({fact.unit for fact in facts})
    factors = {unit: unit_factor(connection, item=item, unit=unit) for unit in units}
    return tuple(
        unit
        for unit, factor in factors.items()
        if is_beyond([fact for fact in facts if fact.unit == unit], factor)
    )
