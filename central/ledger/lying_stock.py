"""What lies in stock of an item that its card would no longer suit. Edge of the database.

What is under way counts by what all books together have there: one has given it, another took it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from central.contract.quantities import canonical_text, from_micro
from central.ledger.locations import IN_TRANSIT_PREFIX, is_virtual
from central.ledger.measures import WEIGHED_IN
from central.storage import tables
from central.storage.catalogue_tables import item_policies


class Lying(NamedTuple):
    """Goods at a place, of one item: how much of them, in which unit.

    warehouse: "" for what is under way. lot, serial: "" for none. weight_micro: of all of them.
    """

    warehouse: str
    location: str
    unit: str
    lot: str
    serial: str
    quantity_micro: int
    weight_micro: int

    def __str__(self) -> str:
        """Return what it is and where, as refusals say it."""
        amount = canonical_text(from_micro(self.quantity_micro))
        return f"{amount} {self.unit} at {self.warehouse} {self.location}".replace("  ", " ")


def lying_stock(connection: Connection, item: str) -> Iterator[Lying]:
    """Yield what lies at places of each warehouse and is not nothing, then what is under way."""
    under_way: dict[tuple[str, ...], tuple[int, int]] = {}
    totals: dict[str, int] = {}
    balances, warehouses = tables.balances.c, tables.warehouses.c
    for warehouse in connection.execute(select(warehouses.warehouse)).scalars().all():
        query = (
            select(
                balances.warehouse,
                balances.location,
                balances.unit,
                balances.lot,
                balances.serial,
                balances.on_hand_micro,
                balances.weight_micro,
            )
            .where(balances.warehouse == warehouse, balances.item == item)
            .where(or_(balances.on_hand_micro != 0, balances.weight_micro != 0))
        )
        for row in connection.execute(query):
            found = Lying(*row)
            if found.location.startswith(IN_TRANSIT_PREFIX):
                amount, weight = under_way.get(found[1:5], (0, 0))
                amount, weight = amount + found.quantity_micro, weight + found.weight_micro
                under_way[found[1:5]] = amount, weight
                totals[found.location] = totals.get(found.location, 0) + found.quantity_micro
            elif not is_virtual(found.location):
                yield found
    for goods, (amount, weight) in under_way.items():
        # What left without a lot and arrived with one is under way no longer.
        if amount and totals[goods[0]]:
            location, unit, lot, serial = goods
            yield Lying("", location, unit, lot, serial, amount, weight)


def first_lying(connection: Connection, item: str, lacks: Callable[[Lying], bool]) -> Lying | None:
    """Return all that lies at the first place where something lacks what is asked, None if none."""
    first: Lying | None = None
    for one in lying_stock(connection, item):
        if not lacks(one):
            continue
        if first is None:
            first = one
        elif first[:3] == one[:3]:
            first = first._replace(quantity_micro=first.quantity_micro + one.quantity_micro)
    return first


def dated_lots(connection: Connection, item: str) -> set[str]:
    """Return the lots of an item of which any book knows when they expire."""
    lots, warehouses = tables.lots.c, tables.warehouses.c
    found: set[str] = set()
    for warehouse in connection.execute(select(warehouses.warehouse)).scalars().all():
        query = select(lots.lot).where(lots.warehouse == warehouse, lots.item == item)
        found.update(connection.execute(query).scalars())
    return found


def weighed_in(connection: Connection, item: str) -> str:
    """Return the unit of the weights that the books have of an item, "" if they have none.

    That never changes: a balance, a line and a trace say a weight, and no unit of it.
    """
    balances, warehouses, policies = tables.balances.c, tables.warehouses.c, item_policies.c
    for warehouse in connection.execute(select(warehouses.warehouse)).scalars().all():
        query = (
            select(balances.item)
            .where(balances.warehouse == warehouse, balances.item == item)
            .where(balances.weight_micro != 0)
            .limit(1)
        )
        if connection.execute(query).first() is not None:
            of_item = select(policies.weight_unit).where(policies.item == item)
            return connection.execute(of_item).scalar() or WEIGHED_IN
    return ""
