"""What a reference document contradicts of the stock that lies there. Edge of the database.

A card at the desk is refused for the same (`../orders/catalogue/stock_conflicts.py`). Gateways go
on with the document of before, whole.
"""

from sqlalchemy import Connection, or_, select

from central.contract.reference import Item, Reference
from central.errors import ReferenceRefused
from central.ledger.lying_stock import first_lying
from central.ledger.unit_ratios import unit_ratio
from central.storage import tables
from central.storage.catalogue_tables import item_places, item_policies, item_units


def refuse_other_stock(connection: Connection, reference: Reference) -> None:
    """Raise ReferenceRefused for an item that lies there in another unit, or without a lot."""
    items = tables.items.c
    query = select(items.item, items.unit, items.lot_tracked)
    stored = {row[0]: (row[1], bool(row[2])) for row in connection.execute(query)}
    for item in reference.items:
        unit, lot_tracked = stored.get(item.code, (item.unit, item.lot_tracked))
        if unit != item.unit:
            _refuse_unit(connection, item, unit=unit)
        if item.lot_tracked and not lot_tracked:
            lying = first_lying(connection, item.code, lambda one: not one.lot)
            if lying is not None:
                raise ReferenceRefused(
                    f"item {item.code}: lot_tracked: cannot be asked for while {lying} have no lot",
                    hint="Count them with their lots first (a count may name lots of any item),"
                    " or use them up.",
                )


def _refuse_unit(connection: Connection, item: Item, *, unit: str) -> None:
    lying = first_lying(connection, item.code, lambda one: one.quantity_micro != 0)
    if lying is not None:
        raise ReferenceRefused(
            f"item {item.code}: unit: cannot become {item.unit} while there is stock: {lying}",
            hint=f"Keep it in {unit}, or use up what is there first.",
        )
    if unit_ratio(from_unit=unit, to_unit=item.unit) != 1 and _has_figures(connection, item.code):
        raise ReferenceRefused(
            f"item {item.code}: unit: cannot change from {unit} to {item.unit} while its card at"
            f" the desk has figures in {unit}",
            hint="Take its levels, its cost and its packs away at the desk first.",
        )


def _has_figures(connection: Connection, item: str) -> bool:
    policy, place = item_policies.c, item_places.c
    levels = (policy.min_micro, policy.max_micro, policy.safety_micro, policy.cost_micro)
    found = (
        select(policy.item).where(policy.item == item, or_(*(one != 0 for one in levels))),
        select(item_units.c.item).where(item_units.c.item == item),
        select(place.item).where(
            place.item == item, or_(place.min_micro != 0, place.max_micro != 0)
        ),
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in found)
