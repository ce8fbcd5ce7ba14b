"""The bodies of requests and answers about items. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import Asking, DecimalText, quantity_text
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.contract.quantities import parse_decimal, to_micro
from central.orders.catalogue.item_cards import (
    BARCODES_MAX,
    PACKS_MAX,
    PLACES_MAX,
    HomePlace,
    ItemBarcode,
    ItemCard,
    Pack,
    Policy,
)
from central.orders.catalogue.items import StoredItem

TEXT_CHARACTERS_MAX = 256
Line = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Ratio = Annotated[int, Field(ge=1, le=10**9)]

ITEM: dict[str, JsonValue] = {
    "name": "Bolt M8",
    "name_zh": "M8 螺栓",
    "unit": "C62",
    "lot_tracked": True,
    "barcodes": [{"gtin": "06901234567892", "quantity": "1"}],
    "packs": [{"unit": "CT", "numerator": 24, "gtin": "16901234567899"}],
    "policy": {"inspected": True, "shelf_life_days": 720, "min": "200", "abc": "A"},
}

CODE: dict[str, JsonValue] = {"code": "BOLT-M8"}
NEW_ITEM: JsonValue = CODE | ITEM


class BarcodeBody(Asking):
    """A GTIN of an item. quantity: how many of its unit one scan means."""

    gtin: Line
    quantity: DecimalText = "1"


class PackBody(Asking):
    """One `unit` is numerator / denominator of the item's unit. gtin: its bar code, "" for none."""

    unit: Line
    numerator: Ratio
    denominator: Ratio = 1
    gtin: Line = ""


class HomePlaceBody(Asking):
    """A place of the item's own, "" for the warehouse; what is to be there, "0" for unsaid."""

    warehouse: WarehouseCode
    location: Line = ""
    min: DecimalText = "0"
    max: DecimalText = "0"


class PolicyBody(Asking):
    """How an item is kept. Quantities in its unit; "0", 0 and "" stand for none.

    inspected: what comes in is inspected before it is available. weight_unit: it is weighed beside
    being counted. min, max, safety: of each warehouse. cost: of one unit, for judging differences.
    """

    inspected: bool = False
    weight_unit: Line = ""
    expiry_tracked: bool = False
    serial_tracked: bool = False
    shelf_life_days: Days = 0
    min_days_left_to_ship: Days = 0
    min: DecimalText = "0"
    max: DecimalText = "0"
    safety: DecimalText = "0"
    over_tolerance_percent: DecimalText = "0"
    under_tolerance_percent: DecimalText = "0"
    rotation: Literal["fefo", "fifo"] = "fefo"
    abc: Literal["", "A", "B", "C"] = ""
    category: Line = ""
    storage_class: Line = ""
    cost: DecimalText = "0"


class ItemBody(Asking):
    """Everything that people say of an item."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ITEM]})

    name: Line
    unit: Line
    name_zh: Line = ""
    kind: Literal["piece", "bulk"] = "piece"
    lot_tracked: bool = False
    barcodes: Annotated[tuple[BarcodeBody, ...], Field(max_length=BARCODES_MAX)] = ()
    packs: Annotated[tuple[PackBody, ...], Field(max_length=PACKS_MAX)] = ()
    places: Annotated[tuple[HomePlaceBody, ...], Field(max_length=PLACES_MAX)] = ()
    policy: PolicyBody = PolicyBody()


class NewItemBody(ItemBody):
    """A new item with its code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_ITEM]})

    code: Line


class ItemPatch(ItemBody):
    """What is to be different; what is left out stays. A list takes the place of the old one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"policy": {"min": "300"}}]}
    )

    name: Line = ""
    unit: Line = ""


class ItemOut(ItemBody):
    """An item. source: "file" if a reference document brought what gateways know of it.

    version: of what was said here, 0 for nothing yet.
    """

    model_config = ConfigDict(json_schema_extra={})

    code: str
    version: int
    source: str


class RetiredOut(ApiModel):
    """What was taken out."""

    retired: str


class ItemPage(ApiModel):
    """Items by code. next_cursor: None on the last page."""

    items: list[ItemOut]
    next_cursor: str | None


class ItemParameters(PageParameters):
    """Which items. search: part of a code or a name. gtin: one of its bar codes."""

    search: Text | None = None
    gtin: Text | None = None
    category: Text | None = None
    abc: Literal["A", "B", "C"] | None = None
    kind: Literal["piece", "bulk"] | None = None


class ConversionParameters(ApiModel):
    """A quantity of an item and the unit or pack to state it in."""

    model_config = ConfigDict(extra="forbid")

    quantity: DecimalText
    from_unit: Text
    to_unit: Text


class PartOut(ApiModel):
    """Whole units of one kind; rest: what is left, in the item's unit."""

    unit: str
    count: int
    rest: str


class ConversionOut(ApiModel):
    """A quantity in another unit. as_packs: the same in whole packs, the largest first."""

    item: str
    quantity: str
    unit: str
    as_packs: list[PartOut]


def item_card(code: str, body: ItemBody) -> ItemCard:
    """Return the card that a body means. Raises ContractError for an unusable number."""
    policy = body.policy
    return ItemCard(
        code=code,
        name=body.name,
        unit=body.unit,
        name_zh=body.name_zh,
        kind=body.kind,
        lot_tracked=body.lot_tracked,
        barcodes=tuple(
            sorted(ItemBarcode(one.gtin, _micro(one.quantity)) for one in body.barcodes)
        ),
        packs=tuple(sorted(_pack(one) for one in body.packs)),
        places=tuple(
            sorted(
                HomePlace(one.warehouse, one.location, _micro(one.min), _micro(one.max))
                for one in body.places
            )
        ),
        policy=Policy(
            inspected=policy.inspected,
            weight_unit=policy.weight_unit,
            expiry_tracked=policy.expiry_tracked,
            serial_tracked=policy.serial_tracked,
            shelf_life_days=policy.shelf_life_days,
            min_days_left_to_ship=policy.min_days_left_to_ship,
            min_micro=_micro(policy.min),
            max_micro=_micro(policy.max),
            safety_micro=_micro(policy.safety),
            over_tolerance_percent_micro=_micro(policy.over_tolerance_percent),
            under_tolerance_percent_micro=_micro(policy.under_tolerance_percent),
            rotation=policy.rotation,
            abc=policy.abc,
            category=policy.category,
            storage_class=policy.storage_class,
            cost_micro=_micro(policy.cost),
        ),
    )


def patched_item(stored: StoredItem, patch: ItemPatch) -> ItemCard:
    """Return the card of an item with what a patch says."""
    present = item_out(stored).model_dump(exclude={"code", "version", "source"})
    said = patch.model_dump(exclude_unset=True)
    policy = present["policy"] | said.pop("policy", {})
    return item_card(stored.card.code, ItemBody.model_validate(present | said | {"policy": policy}))


def item_out(stored: StoredItem) -> ItemOut:
    """Return an item."""
    card, policy = stored.card, stored.card.policy
    return ItemOut.model_construct(
        code=card.code,
        version=stored.version,
        source=stored.source,
        name=card.name,
        unit=card.unit,
        name_zh=card.name_zh,
        kind=card.kind,
        lot_tracked=card.lot_tracked,
        barcodes=tuple(
            BarcodeBody.model_construct(gtin=one.gtin, quantity=quantity_text(one.quantity_micro))
            for one in card.barcodes
        ),
        packs=tuple(
            PackBody.model_construct(
                unit=one.unit, numerator=one.numerator, denominator=one.denominator, gtin=one.gtin
            )
            for one in card.packs
        ),
        places=tuple(
            HomePlaceBody.model_construct(
                warehouse=one.warehouse,
                location=one.location,
                min=quantity_text(one.min_micro),
                max=quantity_text(one.max_micro),
            )
            for one in card.places
        ),
        policy=PolicyBody.model_construct(
            inspected=policy.inspected,
            weight_unit=policy.weight_unit,
            expiry_tracked=policy.expiry_tracked,
            serial_tracked=policy.serial_tracked,
            shelf_life_days=policy.shelf_life_days,
            min_days_left_to_ship=policy.min_days_left_to_ship,
            min=quantity_text(policy.min_micro),
            max=quantity_text(policy.max_micro),
            safety=quantity_text(policy.safety_micro),
            over_tolerance_percent=quantity_text(policy.over_tolerance_percent_micro),
            under_tolerance_percent=quantity_text(policy.under_tolerance_percent_micro),
            rotation=policy.rotation,
            abc=policy.abc,
            category=policy.category,
            storage_class=policy.storage_class,
            cost=quantity_text(policy.cost_micro),
        ),
    )


def _pack(body: PackBody) -> Pack:
    size = Pack(body.unit, body.numerator, body.denominator).size
    return Pack(body.unit, size.numerator, size.denominator, body.gtin)


def _micro(text: str) -> int:
    return to_micro(parse_decimal(text))
