"""Which orders and transfers stations were told old places of. Edge of the database.

A holder is stale while what is set aside for it differs from what stations were told, and it is
released: nobody works on others. Upkeep has them told anew (`../sales/stale_guidance`).
"""

from collections.abc import Collection

from sqlalchemy import Connection, Table, select, text

from central.orders.reserving.reservations import SALES_ORDER, TRANSFER
from central.storage import bulk, sales_tables, transfer_tables

# By kind of holder; the first column is its code.
_TABLES: dict[str, Table] = {
    SALES_ORDER: sales_tables.sales_orders,
    TRANSFER: transfer_tables.transfers,
}


def mark_stale(connection: Connection, kind: str, codes: Collection[str]) -> None:
    """Note that stations were told to take what is no longer set aside like that."""
    table = _TABLES[kind]
    names = table.columns.keys()
    state, stale = names.index("state"), names.index("stale")
    keys = [(code,) for code in sorted(set(codes))]
    found = bulk.select_by_key(connection, table, keys, columns_count=1)
    rows: list[bulk.Row] = [
        (row[0], True) for row in found if row[state] == "released" and not row[stale]
    ]
    bulk.update_rows(connection, table, (names[0], "stale"), rows)


def read_stale(
    connection: Connection, kind: str, *, after: str = "", warehouse: str = "", limit: int
) -> list[str]:
    """Return released ones of which stations have old places, by code after one.

    warehouse: of orders, "" for all.
    """
    table = _TABLES[kind]
    code = table.columns[table.columns.keys()[0]]
    query = select(code).where(text(sales_tables.STALE), code > after)
    if warehouse:
        query = query.where(table.c.warehouse == warehouse)
    return list(connection.execute(query.order_by(code).limit(limit)).scalars())
