"""The bodies of requests and answers about picking, putaway and replenishment. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from central.api.api_model import ApiModel
from central.api.order_values import Asking, DecimalText, DocumentCode, Note, quantity_text
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.orders.sales.pick_waves import ORDERS_COUNT_MAX, Wave, WaveView
from central.orders.sales.picking import PickLine, WaveState
from central.orders.sales.putaway import Rule
from central.orders.sales.replenishment_reading import FaceProposal
from central.stock.times import utc_text

ORDERS_ON_A_LIST_MAX = 200
CodeText = Annotated[str, Field(max_length=64)]


class PickListParameters(PageParameters):
    """For which orders of a warehouse; given several times for several, left out for all.

    limit: of orders, each of them whole; a page is one round.
    """

    limit: Annotated[int, Field(ge=1, le=ORDERS_ON_A_LIST_MAX)] = ORDERS_ON_A_LIST_MAX
    warehouse: WarehouseCode
    order: list[DocumentCode] = Field(default=[], max_length=ORDERS_COUNT_MAX)


class WaveParameters(PageParameters):
    """Which waves."""

    warehouse: WarehouseCode | None = None


class PutawayParameters(ApiModel):
    """What is to be put away. from_location: where it is now. zone: where it has to go."""

    model_config = ConfigDict(extra="forbid")

    warehouse: WarehouseCode
    item: Text
    quantity: DecimalText
    lot: CodeText = ""
    from_location: CodeText = ""
    zone: CodeText = ""


class ReplenishmentParameters(PageParameters):
    """Of which warehouse. limit: of items with pick faces that are looked at."""

    warehouse: WarehouseCode


class WaveIn(Asking):
    """Orders that are to be picked on one round."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"warehouse": "SH1", "orders": ["SO-000001"]}]},
    )

    warehouse: WarehouseCode
    orders: Annotated[list[DocumentCode], Field(min_length=1, max_length=ORDERS_COUNT_MAX)]
    note: Note = ""


class PickLineOut(ApiModel):
    """One thing to take. pick: its number in the order's document. picked: it stands ready."""

    order: str
    pick: int
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    quantity: str
    unit: str
    picked: bool


class PickListOut(ApiModel):
    """What is to be taken, in walking order. next_cursor: None on the last page."""

    lines: list[PickLineOut]
    next_cursor: str | None


class WaveOrderOut(ApiModel):
    """An order of a wave, and how far it is."""

    code: str
    state: str


class WaveOut(ApiModel):
    """A wave. state follows from its orders and what was picked. lines: in walking order."""

    code: str
    version: int
    warehouse: str
    note: str
    state: WaveState
    created_time: str | None
    orders: list[WaveOrderOut]
    lines: list[PickLineOut]


class WaveRowOut(ApiModel):
    """A wave in a list."""

    code: str
    version: int
    warehouse: str
    note: str
    created_time: str | None


class WavePage(ApiModel):
    """Waves by code."""

    pick_waves: list[WaveRowOut]
    next_cursor: str | None


class ToldOut(ApiModel):
    """Orders that stations were told of anew; when there are many, ask again for the others."""

    orders: list[str]


class SuggestionOut(ApiModel):
    """Put so much there; rule: why there."""

    location: str
    quantity: str
    rule: Rule


class PutawayOut(ApiModel):
    """Where to put goods, best first. without_room: for how much no place was found."""

    suggestions: list[SuggestionOut]
    without_room: str


class BringOut(ApiModel):
    """Take so much from there."""

    location: str
    lot: str
    serial: str
    sscc: str
    quantity: str


class ReplenishmentOut(ApiModel):
    """What to bring to a pick face. there: what lies there that nobody has set aside.

    missing: of what fits, what no other place has.
    """

    item: str
    unit: str
    location: str
    minimum: str
    maximum: str
    there: str
    bring: list[BringOut]
    missing: str


class ReplenishmentPage(ApiModel):
    """Pick faces that are low, by item, the emptiest first. A page may be shorter than asked."""

    kind: Literal["proposal"] = "proposal"
    replenishments: list[ReplenishmentOut]
    next_cursor: str | None


def pick_line_out(line: PickLine) -> PickLineOut:
    """Return one thing to take as it is answered."""
    stock = line.reservation.stock
    return PickLineOut(
        order=line.order,
        pick=line.number,
        location=stock.location,
        item=stock.item,
        lot=stock.lot,
        serial=stock.serial,
        sscc=stock.sscc,
        quantity=quantity_text(line.reservation.quantity_micro),
        unit=stock.unit,
        picked=line.reservation.picked,
    )


def wave_out(view: WaveView) -> WaveOut:
    """Return a wave as it is answered."""
    return WaveOut(
        **wave_row_out(view.wave).model_dump(),
        state=view.state,
        orders=[WaveOrderOut(code=one.order.code, state=one.stage) for one in view.orders],
        lines=[pick_line_out(line) for line in view.lines],
    )


def wave_row_out(wave: Wave) -> WaveRowOut:
    """Return a wave as it stands in a list."""
    return WaveRowOut(
        code=wave.code,
        version=wave.version,
        warehouse=wave.warehouse,
        note=wave.note,
        created_time=utc_text(wave.created_ms),
    )


def replenishment_out(one: FaceProposal) -> ReplenishmentOut:
    """Return what to bring to a pick face as it is answered."""
    face = one.replenishment.face
    return ReplenishmentOut(
        item=one.item,
        unit=one.unit,
        location=face.location,
        minimum=quantity_text(face.min_micro),
        maximum=quantity_text(face.max_micro),
        there=quantity_text(face.on_hand_micro),
        bring=[
            BringOut(
                location=pick.key.location,
                lot=pick.key.lot,
                serial=pick.key.serial,
                sscc=pick.key.sscc,
                quantity=quantity_text(pick.quantity_micro),
            )
            for pick in one.replenishment.picks
        ],
        missing=quantity_text(one.replenishment.missing_micro),
    )
