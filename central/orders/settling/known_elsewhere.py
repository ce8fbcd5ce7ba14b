"""Which order it is that a warehouse worked on and was not told of. Edge of the database.

SO-7 of SH1, and BJ1 ships 5 under SO-7: nobody in BJ1 knows it, and SH1 would ship it again
"""

from sqlalchemy import Connection, Table

from central.orders.settling.cases import KnownKind, KnownOrder
from central.storage import bulk, purchasing_tables, sales_tables, transfer_tables

_ORDERS: tuple[tuple[KnownKind, Table, tuple[str, ...]], ...] = (
    ("purchase_order", purchasing_tables.purchase_orders, ("warehouse",)),
    ("sales_order", sales_tables.sales_orders, ("warehouse",)),
    ("transfer", transfer_tables.transfers, ("source_warehouse", "destination_warehouse")),
)


def known_elsewhere(connection: Connection, code: str, *, warehouse: str) -> KnownOrder | None:
    """Return the order of this code, None if there is none or it is the warehouse's own."""
    for kind, table, ends in _ORDERS:
        places = [list(table.c).index(table.c[end]) for end in ends]
        for row in bulk.select_by_key(connection, table, [(code,)], columns_count=1):
            found = tuple(row[place] for place in places)
            return None if warehouse in found else KnownOrder(kind, code, found)
    return None
