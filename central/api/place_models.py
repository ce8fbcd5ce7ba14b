"""The bodies of requests and answers about warehouses and places in them. Edge of HTTP."""

from typing import Annotated, Literal

import msgspec
from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import Asking, DecimalText, quantity_text
from central.api.parameters import PageParameters, Text
from central.contract.quantities import parse_decimal, to_micro
from central.orders.catalogue.place_cards import WALK_ORDER_MAX, PlaceCard, WarehouseCard
from central.orders.catalogue.places import StoredPlace
from central.orders.catalogue.warehouses import StoredWarehouse

Line = Annotated[str, Field(max_length=256)]
PlaceKind = Literal["bin", "dock_door", "staging", "quality_hold", "area"]

WAREHOUSE: dict[str, JsonValue] = {"name": "Shanghai 2", "name_zh": "上海二仓"}
NEW_WAREHOUSE: dict[str, JsonValue] = {"code": "SH2"}
PLACE: dict[str, JsonValue] = {
    "kind": "bin",
    "name": "Aisle 1, level 2",
    "walk_order": 120,
    "pick_face": True,
    "capacity": "500",
    "zone": "A",
}
NEW_PLACE: dict[str, JsonValue] = {"code": "BIN-7"}


class WarehouseBody(Asking):
    """Everything that people say of a warehouse. gln: its GS1 number, "" for none."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [WAREHOUSE]})

    name: Line
    name_zh: Line = ""
    gln: Line = ""
    address: Line = ""


class NewWarehouseBody(WarehouseBody):
    """A new warehouse with its code."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [NEW_WAREHOUSE | WAREHOUSE]}
    )

    code: Line


class WarehouseOut(WarehouseBody):
    """A warehouse. source: "file" if a reference document brought what gateways know of it."""

    model_config = ConfigDict(json_schema_extra={})

    code: str
    version: int
    source: str


class WarehousePage(ApiModel):
    """Warehouses by code. next_cursor: None on the last page."""

    warehouses: list[WarehouseOut]
    next_cursor: str | None


class PlaceBody(Asking):
    """Everything that people say of a place.

    kind: an area is no place for stock but holds places. parent: what it is in, "" for the
    warehouse. walk_order: where a picker's way passes it, 0 for unsaid. pick_face: picked from
    first. capacity: how much fits, "0" for no bound. blocked: nothing is planned to or from it,
    nor to or from whatever is in it.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PLACE]})

    kind: PlaceKind = "bin"
    name: Line = ""
    parent: Line = ""
    walk_order: Annotated[int, Field(ge=0, le=WALK_ORDER_MAX)] = 0
    pick_face: bool = False
    capacity: DecimalText = "0"
    zone: Line = ""
    storage_class: Line = ""
    blocked: bool = False


class NewPlaceBody(PlaceBody):
    """A new place with its code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_PLACE | PLACE]})

    code: Line


class PlaceOut(PlaceBody):
    """A place. source: "file" if a reference document brought what gateways know of it.

    blocked: what was said of the place itself. blocked_by: the nearest place on its way up that is
    blocked, itself first; "" if none is, so that plans may use it.
    """

    model_config = ConfigDict(json_schema_extra={})

    warehouse: str
    code: str
    version: int
    source: str
    blocked_by: str


class PlacePage(ApiModel):
    """Places by warehouse and code. next_cursor: None on the last page."""

    places: list[PlaceOut]
    next_cursor: str | None


class PlaceParameters(PageParameters):
    """Which places. parent: right in that area; "" for right in the warehouse.

    blocked: also by what they are in.
    """

    parent: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._-]*$")] | None = None
    zone: Text | None = None
    pick_face: bool | None = None
    blocked: bool | None = None


class PlaceCursor(msgspec.Struct, frozen=True, array_like=True):
    """The last place of a page."""

    warehouse: str
    code: str


def warehouse_card(code: str, body: WarehouseBody) -> WarehouseCard:
    """Return the card that a body means."""
    return WarehouseCard(code, body.name, body.name_zh, body.gln, body.address)


def warehouse_out(stored: StoredWarehouse) -> WarehouseOut:
    """Return a warehouse."""
    card = stored.card
    return WarehouseOut(
        code=card.code,
        version=stored.version,
        source=stored.source,
        name=card.name,
        name_zh=card.name_zh,
        gln=card.gln,
        address=card.address,
    )


def place_card(warehouse: str, code: str, body: PlaceBody) -> PlaceCard:
    """Return the card that a body means. Raises ContractError for an unusable number."""
    said = body.model_dump(exclude={"code", "capacity"})
    capacity_micro = to_micro(parse_decimal(body.capacity, what="capacity"), what="capacity")
    return PlaceCard(warehouse=warehouse, code=code, **said, capacity_micro=capacity_micro)


def patched_place(stored: StoredPlace, patch: PlaceBody) -> PlaceCard:
    """Return the card of a place with what a patch says."""
    present = place_out(stored).model_dump(include=set(PlaceBody.model_fields))
    said = patch.model_dump(exclude_unset=True)
    return place_card(
        stored.card.warehouse, stored.card.code, PlaceBody.model_validate(present | said)
    )


def place_out(stored: StoredPlace) -> PlaceOut:
    """Return a place."""
    card = stored.card
    return PlaceOut.model_construct(
        warehouse=card.warehouse,
        code=card.code,
        version=stored.version,
        source=stored.source,
        kind=card.kind,
        name=card.name,
        parent=card.parent,
        walk_order=card.walk_order,
        pick_face=card.pick_face,
        capacity=quantity_text(card.capacity_micro),
        zone=card.zone,
        storage_class=card.storage_class,
        blocked=card.blocked,
        blocked_by=stored.blocked_by,
    )
