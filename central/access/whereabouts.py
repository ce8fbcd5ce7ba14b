"""Says to which warehouses an object belongs. Edge of the database."""

from sqlalchemy import Column, Connection, Table, select

from central.storage import (
    count_tables,
    purchasing_tables,
    sales_tables,
    settlement_tables,
    tables,
    transfer_tables,
)


def _kept(table: Table, code: str, *warehouses: str) -> tuple[Column[str], list[Column[str]]]:
    return table.c[code], [table.c[name] for name in warehouses]


# By kind of object: by what it is called, and where it belongs to.
PLACES = {
    "transfer": _kept(
        transfer_tables.transfers, "transfer", "source_warehouse", "destination_warehouse"
    ),
    "transfer_source": _kept(transfer_tables.transfers, "transfer", "source_warehouse"),
    "purchase_order": _kept(purchasing_tables.purchase_orders, "code", "warehouse"),
    "shipping_notice": _kept(purchasing_tables.shipping_notices, "code", "warehouse"),
    "inspection": _kept(purchasing_tables.inspections, "code", "warehouse"),
    "supplier_return": _kept(purchasing_tables.supplier_returns, "code", "warehouse"),
    "sales_order": _kept(sales_tables.sales_orders, "code", "warehouse"),
    "customer_return": _kept(sales_tables.customer_returns, "code", "warehouse"),
    "pick_wave": _kept(sales_tables.pick_waves, "code", "warehouse"),
    "count": _kept(count_tables.counts, "code", "warehouse"),
    "count_plan": _kept(count_tables.count_plans, "code", "warehouse"),
    "discrepancy": _kept(settlement_tables.discrepancies, "id", "warehouse"),
    "gateway": _kept(tables.gateways, "gateway", "warehouse"),
}


def object_warehouses(connection: Connection, kind: str, code: str) -> frozenset[str]:
    """Return where an object belongs to: both ends of a transfer; nothing for one not there."""
    called, warehouses = PLACES[kind]
    row = connection.execute(select(*warehouses).where(called == code)).one_or_none()
    return frozenset(str(one) for one in row) if row is not None else frozenset()
