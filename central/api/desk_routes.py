"""The addresses below /api/v1 at which people and programs work. Root.

Each module has one `router`; all of them stand here, so that an application has all or none.
"""

from fastapi import APIRouter

from central.api import (
    account_routes,
    asn_routes,
    audit_routes,
    cleaning_routes,
    count_actions,
    count_plan_routes,
    count_routes,
    customer_return_routes,
    discrepancy_routes,
    history_routes,
    import_routes,
    inspection_routes,
    item_routes,
    kpi_routes,
    partner_routes,
    period_routes,
    picking_routes,
    place_routes,
    purchase_routes,
    reservation_routes,
    sales_routes,
    supplier_return_routes,
    transfer_routes,
    user_routes,
    view_routes,
    webhook_routes,
)

ROUTERS: tuple[APIRouter, ...] = (
    item_routes.router,
    place_routes.router,
    partner_routes.router,
    import_routes.router,
    cleaning_routes.router,
    purchase_routes.router,
    asn_routes.router,
    inspection_routes.router,
    supplier_return_routes.router,
    transfer_routes.router,
    sales_routes.router,
    reservation_routes.router,
    picking_routes.router,
    customer_return_routes.router,
    history_routes.router,
    discrepancy_routes.router,
    period_routes.router,
    count_routes.router,
    count_actions.router,
    count_plan_routes.router,
    kpi_routes.router,
    webhook_routes.router,
    view_routes.router,
    account_routes.router,
    user_routes.router,
    audit_routes.router,
)
