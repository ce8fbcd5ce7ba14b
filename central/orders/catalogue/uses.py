"""What still needs an item, a place, a warehouse or a partner. Edge of the database.

None of them is taken away from under its stock or its orders. Each look goes by an index or over
open orders alone, for one object, and stops at USES_MAX.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Select, Table, func, or_, select

from central.errors import Conflict
from central.ledger.locations import IN_TRANSIT_PREFIX, is_virtual
from central.storage import tables
from central.storage.catalogue_tables import item_places, location_details
from central.storage.count_tables import counts
from central.storage.purchasing_tables import (
    purchase_lines,
    purchase_orders,
    shipping_notices,
    supplier_return_lines,
    supplier_returns,
)
from central.storage.sales_tables import (
    customer_return_lines,
    customer_returns,
    sales_order_lines,
    sales_orders,
)
from central.storage.transfer_tables import transfer_lines, transfers

USES_MAX = 20
# States after which an order, or a count, needs nothing any more.
ENDED = ("closed", "rejected", "cancelled", "posted")
# What is ordered, and of what: name, lines, their order's code, orders, their code.
ORDERS: tuple[tuple[str, Table, str, Table, str], ...] = (
    ("purchase order", purchase_lines, "code", purchase_orders, "code"),
    ("supplier return", supplier_return_lines, "code", supplier_returns, "code"),
    ("sales order", sales_order_lines, "order_code", sales_orders, "code"),
    ("customer return", customer_return_lines, "return_code", customer_returns, "code"),
    ("transfer", transfer_lines, "transfer", transfers, "transfer"),
)
# What names a warehouse before its stations know of it: name, table, code, where it is named.
NAMING: tuple[tuple[str, Table, str, tuple[str, ...]], ...] = (
    ("purchase order", purchase_orders, "code", ("warehouse",)),
    ("shipping notice", shipping_notices, "code", ("warehouse",)),
    ("supplier return", supplier_returns, "code", ("warehouse",)),
    ("sales order", sales_orders, "code", ("warehouse",)),
    ("customer return", customer_returns, "code", ("warehouse",)),
    ("transfer", transfers, "transfer", ("source_warehouse", "destination_warehouse")),
    ("count", counts, "code", ("warehouse",)),
)


def warehouse_uses(connection: Connection, warehouse: str) -> list[str]:
    """Return which places, gateways and documents a warehouse has, and what is open that names it.

    A document that is not ended needs it, though its stations know nothing of that yet.
    """
    uses: list[str] = []
    for what, table, name in (
        ("place", tables.locations, "location"),
        ("area", location_details, "location"),
        ("gateway", tables.gateways, "gateway"),
        ("document", tables.documents, "document"),
        ("stock of item", tables.balances, "item"),
    ):
        named = select(table.c[name]).where(table.c.warehouse == warehouse).limit(USES_MAX)
        uses += _texts(connection, what, named)
    for what, table, name, ends in NAMING:
        named = (
            select(table.c[name])
            .where(or_(*(table.c[end] == warehouse for end in ends)), table.c.state.not_in(ENDED))
            .limit(USES_MAX)
        )
        uses += _texts(connection, what, named)
    return uses[:USES_MAX]


def item_uses(connection: Connection, item: str) -> list[str]:
    """Return what of an item is in stock or on the way, and which open orders name it."""
    uses = list(_item_stock(connection, item))
    uses += _open_documents(connection, item)
    for what, lines, order, orders, code in ORDERS:
        named = (
            select(orders.c[code])
            .join(lines, lines.c[order] == orders.c[code])
            .where(lines.c.item == item, orders.c.state.not_in(ENDED))
            .distinct()
            .limit(USES_MAX)
        )
        uses += _texts(connection, what, named)
    return uses[:USES_MAX]


def place_uses(connection: Connection, warehouse: str, location: str) -> list[str]:
    """Return what is at a place, which places are in it, and which items live there."""
    balances = tables.balances.c
    stock = connection.execute(
        select(balances.item, balances.lot)
        .where(
            balances.warehouse == warehouse,
            balances.location == location,
            balances.on_hand_micro != 0,
        )
        .limit(USES_MAX)
    )
    uses = [f"stock of item {row.item} {row.lot}".rstrip() for row in stock]
    inner = (
        select(location_details.c.location)
        .where(location_details.c.warehouse == warehouse, location_details.c.parent == location)
        .limit(USES_MAX)
    )
    uses += _texts(connection, "place", inner)
    home = (
        select(item_places.c.item)
        .where(item_places.c.warehouse == warehouse, item_places.c.location == location)
        .limit(USES_MAX)
    )
    uses += _texts(connection, "home place of item", home)
    return uses[:USES_MAX]


def partner_uses(connection: Connection, partner: str) -> list[str]:
    """Return which orders name a partner, open or not."""
    uses: list[str] = []
    for what, table, side in (
        ("purchase order", purchase_orders, "supplier"),
        ("shipping notice", shipping_notices, "supplier"),
        ("supplier return", supplier_returns, "supplier"),
        ("sales order", sales_orders, "customer"),
        ("customer return", customer_returns, "customer"),
    ):
        named = select(table.c.code).where(table.c[side] == partner).limit(USES_MAX)
        uses += _texts(connection, what, named)
    return uses[:USES_MAX]


def refuse_while_used(
    what: str,
    uses: Sequence[str],
    *,
    fields: dict[str, object],
    hint: str = "End or move what uses it first.",
) -> None:
    """Raise Conflict that names what still needs an object; return if nothing does."""
    if uses:
        listed = "; ".join(uses[:3]) + ("; ..." if len(uses) > 3 else "")
        raise Conflict(
            f"{what} is in use: {listed}",
            hint=hint,
            fields=fields | {"uses": list(uses)},
        )


def _item_stock(connection: Connection, item: str) -> Iterator[str]:
    balances, warehouses = tables.balances.c, tables.warehouses.c
    for warehouse in connection.execute(select(warehouses.warehouse)).scalars().all():
        found = connection.execute(
            select(balances.location)
            .where(
                balances.warehouse == warehouse,
                balances.item == item,
                balances.on_hand_micro != 0,
            )
            .distinct()
        ).scalars()
        for location in found:
            if location.startswith(IN_TRANSIT_PREFIX) or not is_virtual(location):
                yield f"stock at {warehouse} {location}"


def _open_documents(connection: Connection, item: str) -> Iterator[str]:
    lines, progress = tables.document_lines.c, tables.document_progress.c
    rows = connection.execute(
        select(lines.warehouse, lines.document)
        .outerjoin(
            tables.document_progress,
            (progress.warehouse == lines.warehouse)
            & (progress.document == lines.document)
            & (progress.line == lines.line)
            & (progress.item == lines.item),
        )
        .where(
            lines.item == item,
            func.coalesce(progress.received_micro, 0) < lines.expected_micro,
        )
        .distinct()
        .limit(USES_MAX)
    )
    for row in rows:
        yield f"document {row.document} of {row.warehouse}"


def _texts(connection: Connection, what: str, named: Select[tuple[str]]) -> list[str]:
    return [f"{what} {name}" for name in connection.execute(named).scalars()]
