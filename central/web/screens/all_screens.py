"""Every page and every table of central. Root."""

from fastapi import APIRouter

from central.web.asking import Table
from central.web.documents.all_tables import DOCUMENT_LISTINGS
from central.web.people import pages as people_pages
from central.web.people import sign_in
from central.web.screens import (
    alerts,
    catalogue_screens,
    claims,
    dashboard,
    discrepancies,
    document_screens,
    finding,
    gateways,
    handling_units,
    holds,
    items,
    look_ups,
    newcomers,
    order_screens,
    periods,
    pictures,
    printing,
    stock_page,
    warehouses,
)
from central.web.screens.catalogue_tables import CATALOGUE_LISTINGS
from central.web.screens.movement_tables import ITEM_MOVEMENTS, MOVEMENTS
from central.web.screens.picture_tables import PICTURE_LISTINGS
from central.web.screens.stock_tables import STOCK_LISTINGS
from central.web.screens.stock_total_tables import STOCK_TOTALS

# One router an area; the tables by their names.
SCREENS: tuple[APIRouter, ...] = (
    sign_in.router,
    people_pages.router,
    look_ups.router,
    alerts.router,
    claims.router,
    newcomers.router,
    dashboard.router,
    discrepancies.router,
    gateways.router,
    periods.router,
    warehouses.router,
    handling_units.router,
    holds.router,
    order_screens.router,  # Before the documents: "/pick-lists/now" is no code of a round.
    catalogue_screens.router,
    document_screens.router,
    finding.router,
    items.router,
    pictures.router,
    stock_page.router,
    printing.router,
)
_TABLES: tuple[Table, ...] = (
    *DOCUMENT_LISTINGS,
    *CATALOGUE_LISTINGS,
    *STOCK_LISTINGS,
    STOCK_TOTALS,
    *PICTURE_LISTINGS,
    MOVEMENTS,
    ITEM_MOVEMENTS,
    holds.HOLDS,
    alerts.ALERT_TABLE,
    discrepancies.INBOX,
    gateways.GATEWAYS,
    gateways.REFUSED,
    *periods.PERIOD_TABLES,
    warehouses.WAREHOUSES,
    warehouses.PLACE_STOCK,
    *dashboard.KPI_TABLES,
)

LISTINGS: dict[str, Table] = {table.name: table for table in _TABLES}


def table_place(name: str) -> tuple[str, bool] | None:
    """Return the address of a table's page, and whether a table can be narrowed to a warehouse."""
    table = LISTINGS.get(name)
    if table is None:
        return None
    return table.path, any(one.name == "warehouse" for one in table.filters)
