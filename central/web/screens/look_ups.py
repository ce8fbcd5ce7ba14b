"""Codes that are proposed while somebody types in a form. Edge of HTTP."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.access.permissions import Permission, may
from central.orders.look_ups import (
    Proposal,
    propose_documents,
    propose_items,
    propose_partners,
    propose_places,
    propose_units,
)
from central.web.asking import Asked, Asking
from central.web.documents.kinds import Connection
from central.web.listing import shown

router = APIRouter(include_in_schema=False)
Propose = Callable[[Connection, str, str], list[Proposal]]  # Connection, text, what it is within.
PROPOSERS: Mapping[str, Propose] = {
    "items": lambda connection, text, _: propose_items(connection, text),
    "suppliers": lambda connection, text, _: propose_partners(connection, text, kind="supplier"),
    "customers": lambda connection, text, _: propose_partners(connection, text, kind="customer"),
    "places": lambda connection, text, within: propose_places(connection, text, warehouse=within),
    "units": lambda connection, _, within: propose_units(connection, item=within),
}
DOCUMENTS: Mapping[str, str] = {
    "purchase-orders": "purchase_order",
    "sales-orders": "sales_order",
    "inspections": "inspection",
}


def _documents(connection: Connection, text: str, within: str, *, kind: str) -> list[Proposal]:
    return propose_documents(connection, kind, text, warehouse=within)


@router.get("/look-up/{what}")
def look_up(asking: Asked, what: Annotated[str, Path(max_length=32)]) -> HTMLResponse:
    """Draw the codes that may be meant, as choices of a field; nothing for an unknown list."""
    text = shown(asking.parameters.get("q", ""))
    within = shown(asking.parameters.get("within", ""))
    propose = PROPOSERS.get(what)
    if what in DOCUMENTS:
        propose = partial(_documents, kind=DOCUMENTS[what])
    found: list[Proposal] = []
    if propose is not None and _may_see(asking, what, within):
        with asking.read() as connection:
            found = propose(connection, text, within)
    options = [
        (one.code, asking.texts.name(english=one.name, chinese=one.name_zh)) for one in found
    ]
    return HTMLResponse(asking.drawing.part("documents/options.html", "options", options))


def _may_see(asking: Asking, what: str, within: str) -> bool:
    """Return whether somebody may be told what there is in a warehouse, "" for all of them."""
    asked = Permission.ORDERS_READ if what in DOCUMENTS else Permission.CATALOGUE_READ
    placed = what == "places" or what in DOCUMENTS
    return not placed or may(asking.principal, asked, warehouse=within)
