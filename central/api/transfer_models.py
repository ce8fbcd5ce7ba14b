"""The bodies of requests about transfers. Edge of HTTP."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from central.api.order_values import (
    Asking,
    DecimalText,
    Note,
    Reason,
    percent_micro,
    positive_micro,
)
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.contract.identifiers import parse_code
from central.orders.transfers.transfer_book import LineWanted
from central.orders.transfers.transfer_closing import CLOSINGS_COUNT_MAX, Closing, Thing
from central.orders.transfers.transfer_closing import Reason as ClosingReason
from central.orders.transfers.transfers import LINES_COUNT_MAX, ShownState

OptionalText = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]*$")]
PlaceCode = Annotated[
    str, Field(max_length=64), AfterValidator(lambda text: text and parse_code(text, what="place"))
]

LINE_WANTED: JsonValue = {"item": "BOLT", "quantity": "10"}
TRANSFER_WANTED: JsonValue = {
    "source_warehouse": "SH1",
    "destination_warehouse": "BJ1",
    "note": "for the shop",
    "lines": [LINE_WANTED],
}
CHANGED: JsonValue = {"lines": [{"item": "BOLT", "quantity": "12"}]}
CLOSED: JsonValue = {
    "reason": "counted twice",
    "closings": [{"item": "BOLT", "unit": "C62", "quantity": "2", "reason": "lost"}],
}


class TransferLineIn(Asking):
    """A line that is asked for. unit: a unit or pack of the item, "" for its own.

    lot: "" for any. from_location, to_location: where to take and to put it, "" for anywhere.
    """

    item: Text
    quantity: DecimalText
    unit: OptionalText = ""
    lot: OptionalText = ""
    from_location: PlaceCode = ""
    to_location: PlaceCode = ""
    tolerance_percent: DecimalText = "0"


TransferLines = Annotated[list[TransferLineIn], Field(min_length=1, max_length=LINES_COUNT_MAX)]


class TransferAtOnceIn(Asking):
    """A new transfer that one person asks for and decides.

    backorders: true if it may be released although not all of it can be set aside at the source.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [TRANSFER_WANTED]})

    source_warehouse: WarehouseCode
    destination_warehouse: WarehouseCode
    lines: TransferLines
    note: Note = ""
    backorders: bool = False


class TransferIn(TransferAtOnceIn):
    """A new transfer. second_person: who approves it must be another than who requested it."""

    second_person: bool = False


class TransferPatch(Asking):
    """What is to be different; what is left out stays. lines: all of them, in place of the old."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CHANGED]})

    lines: TransferLines | None = None
    note: Note | None = None
    second_person: bool | None = None
    backorders: bool | None = None


class ClosingIn(Asking):
    """What became of goods that are under way.

    reason: "lost", "damaged" or "sent_back" for what left and did not come, "found" for what came
    and never left. location: a place of the source, for what was sent back.
    """

    item: Text
    unit: Annotated[str, Field(min_length=1, max_length=64)]
    quantity: DecimalText
    reason: ClosingReason
    lot: OptionalText = ""
    serial: OptionalText = ""
    location: PlaceCode = ""
    note: Reason = ""


class CloseIn(Asking):
    """The end of a transfer. closings: exactly what is under way, nothing if nothing is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CLOSED]})

    closings: Annotated[list[ClosingIn], Field(max_length=CLOSINGS_COUNT_MAX)] = Field(
        default_factory=list
    )
    reason: Reason = ""


class TransferParameters(PageParameters):
    """Which transfers. state: what facts have made of it, too, e.g. "in_transit".

    warehouse, partner: either end. under_way_days: with goods under way for so long at least.
    open_only: leave out what is finished.
    """

    state: ShownState | None = None
    warehouse: WarehouseCode | None = None
    partner: WarehouseCode | None = None
    source: WarehouseCode | None = None
    destination: WarehouseCode | None = None
    under_way_days: Annotated[int, Field(ge=0, le=10_000)] | None = None
    open_only: bool = False


def lines_wanted(lines: list[TransferLineIn]) -> list[LineWanted]:
    """Return the lines that are asked for. Raises ContractError, Unusable."""
    return [
        LineWanted(
            item=line.item,
            quantity_micro=positive_micro(line.quantity),
            unit=line.unit,
            lot=line.lot,
            from_location=line.from_location,
            to_location=line.to_location,
            tolerance_percent_micro=percent_micro(line.tolerance_percent, what="tolerance") or 0,
        )
        for line in lines
    ]


def closings_of(body: CloseIn) -> list[Closing]:
    """Return what became of what is under way. Raises ContractError, Unusable."""
    return [
        Closing(
            Thing(one.item, one.lot, one.serial, one.unit),
            positive_micro(one.quantity),
            one.reason,
            one.location,
            one.note,
        )
        for one in body.closings
    ]
