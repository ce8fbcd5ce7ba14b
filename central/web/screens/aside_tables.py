"""Tables of what is available, what is set aside and what is on its way. Edge of HTTP."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from central.api import in_transit_routes, reservation_routes
from central.web.asking import Asking
from central.web.documents.cursor_tables import CursorTable
from central.web.documents.parts import Values
from central.web.listing import Filter
from central.web.past import AS_OF, KNOWN, asked_of_api
from central.web.words import marked

Page = tuple[Sequence[Values], str | None]
Asked = Mapping[str, str]
WAREHOUSE = Filter("warehouse", marked("Warehouse"), "choice")
ITEM = Filter("item", marked("Item"))


def _availability(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    wanted = reservation_routes.AvailabilityParameters.model_validate(
        {**asked, "limit": limit, "cursor": cursor}
    )
    found = reservation_routes.availability(asking.reading, wanted)
    rows = [one.model_dump() for one in found.availability]
    return [one | {"weight": one["weight_unit"] and one["weight"]} for one in rows], (
        found.next_cursor
    )


def _in_transit(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    wanted = in_transit_routes.InTransitParameters.model_validate(
        {**asked_of_api(asked), "limit": limit, "cursor": cursor}
    )
    found = in_transit_routes.in_transit(asking.reading, wanted)
    rows = [one.model_dump() for one in found.in_transit]
    return [one | _transfer_link(one) for one in rows], found.next_cursor


def _transfer_link(one: Values) -> dict[str, str]:
    # Who sends goods out may name a document that is no transfer.
    if not one["source_warehouse"]:
        return {}
    return {"href": f"/transfers/{quote(one['document'], safe='')}"}


def _reservations(asking: Asking, asked: Asked, limit: int, cursor: str | None) -> Page:
    said = asked_of_api(asked)
    if "as_of" in said:
        said.pop("ended", None)  # Of the past only what was set aside then is listed.
    wanted = reservation_routes.ReservationParameters.model_validate(
        {**said, "limit": limit, "cursor": cursor}
    )
    found = reservation_routes.reservations(asking.reading, wanted)
    return [one.model_dump() for one in found.reservations], found.next_cursor


ASIDE_TABLES = (
    CursorTable(
        "availability",
        marked("Availability"),
        "/availability",
        (
            *("item", "warehouse", "on_hand", "weight", "allocated", "available", "in_transit"),
            *("inspection", "held", "rejected"),
        ),
        (WAREHOUSE, ITEM),
        _availability,
        key=("warehouse", "item", "unit"),
        kinds=("movement", "sales_order"),
        wide=frozenset({"on_hand", "weight", "allocated", "inspection", "held", "rejected"}),
        empty=marked("Nothing is in stock."),
    ),
    CursorTable(
        "in-transit",
        marked("On its way"),
        "/in-transit",
        (
            *("document", "item", "source_warehouse", "destination_warehouse", "warehouse"),
            *("lot", "serial", "quantity"),
        ),
        (WAREHOUSE, ITEM, Filter("document", marked("Document")), AS_OF, KNOWN),
        _in_transit,
        key=("document", "warehouse", "item", "lot", "serial", "unit"),
        kinds=("movement", "transfer"),
        wide=frozenset({"warehouse", "lot", "serial"}),
        empty=marked("Nothing is on its way."),
    ),
    CursorTable(
        "reservations",
        marked("What is set aside"),
        "/reservations",
        (
            *("order", "line", "item", "warehouse", "location", "lot", "quantity", "shipped"),
            *("state", "reason"),
        ),
        (
            WAREHOUSE,
            ITEM,
            Filter("order", marked("Order")),
            Filter("location", marked("Place")),
            Filter("ended", marked("Also what is gone"), "check"),
            AS_OF,
        ),
        _reservations,
        key=("warehouse", "order", "line", "item", "location", "lot", "serial", "sscc", "unit"),
        kinds=("movement", "sales_order"),
        wide=frozenset({"line", "warehouse", "lot", "shipped", "reason"}),
        empty=marked("Nothing is set aside."),
    ),
)
