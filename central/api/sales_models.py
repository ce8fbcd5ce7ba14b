"""The bodies of requests and answers about sales orders. Edge of HTTP."""

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import (
    Asking,
    DateText,
    DecimalText,
    DocumentCode,
    LineNo,
    Note,
    Reason,
    positive_micro,
    quantity_text,
)
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.orders.document_progress import Fulfilment
from central.orders.reserving.reservations import Reservation
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.sales.sales_orders import (
    LINES_COUNT_MAX,
    Coverage,
    LineFigures,
    OrderFigures,
    Stage,
    actions_of,
)
from central.orders.sales.sales_remainders import Covered
from central.stock.times import utc_text

UnitText = Annotated[str, Field(max_length=64)]
LotText = Annotated[str, Field(max_length=64)]
ShortText = Annotated[str, Field(max_length=64)]

LINE_ASKED: JsonValue = {"line": 1, "item": "BOLT", "quantity": "10"}
ORDER_ASKED: JsonValue = {
    "warehouse": "SH1",
    "customer": "SHOP",
    "promised_on": "2026-06-05",
    "lines": [LINE_ASKED],
}


class SalesLineIn(Asking):
    """A line of an order. unit: a unit or pack of the item, "" for its own.

    lot: the only one that will do, "" for any.
    """

    line: LineNo
    item: Text
    quantity: DecimalText
    unit: UnitText = ""
    lot: LotText = ""


class SalesOrderIn(Asking):
    """An order. code: left out, the ledger gives the next one; a changed draft keeps its own.

    backorders: false if what cannot be set aside must not be waited for; approving then refuses.
    wanted_on, promised_on: days. reference: the customer's own number.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ORDER_ASKED]})

    warehouse: WarehouseCode
    customer: Text
    lines: Annotated[list[SalesLineIn], Field(min_length=1, max_length=LINES_COUNT_MAX)]
    code: DocumentCode | None = None
    backorders: bool = True
    wanted_on: DateText = ""
    promised_on: DateText = ""
    reference: ShortText = ""
    note: Note = ""
    carrier: ShortText = ""


class SignIn(Asking):
    """Who took the goods. tracking: the carrier's number, left out if there is none."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"signed_by": "Wang Wei", "tracking": "SF1234567890"}]}
    )

    signed_by: Annotated[str, Field(min_length=1, max_length=64)]
    tracking: ShortText = ""


class GiveUpIn(Asking):
    """How much of a line will not be shipped any more, in the item's unit, and why.

    quantity: left out, all that has not gone out yet.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "no longer wanted", "quantity": "1"}]}
    )

    reason: Reason
    quantity: DecimalText | None = None


class ShortPickIn(Asking):
    """What a picker found of one pick, in the item's unit: less than is set aside."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"found": "3"}]})

    found: DecimalText


class SalesParameters(PageParameters):
    """Which orders. late: true for those promised for a day before today that are not shipped."""

    state: Stage | None = None
    warehouse: WarehouseCode | None = None
    customer: Text | None = None
    item: Text | None = None
    wave: DocumentCode | None = None
    late: bool = False


class WarehouseIn(Asking):
    """For which warehouse something is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"warehouse": "SH1"}]})

    warehouse: WarehouseCode


class SalesLineOut(ApiModel):
    """A line and how far it is; quantities are in `unit`, in which the item is kept.

    given_up: will not be shipped. reserved: set aside now, picked of it. backorder: waits for
    stock.
    """

    line: int
    item: str
    unit: str
    quantity: str
    entered_quantity: str
    entered_unit: str
    lot: str
    given_up: str
    shipped: str
    remaining: str
    reserved: str
    picked: str
    backorder: str
    fulfilment: Fulfilment


class PickOut(ApiModel):
    """What is or was set aside for a line. pick: its number in the document of stations, or 0.

    state: "reserved", "picked", "shipped" or "freed". freed: given up again, reason: why, last.
    """

    line: int
    pick: int
    location: str
    lot: str
    serial: str
    sscc: str
    state: str
    quantity: str
    shipped: str
    freed: str
    reason: str


class SalesOrderOut(ApiModel):
    """An order and how far it is.

    state: reserved, picking, shipped and their kin follow from what is set aside and went out.
    coverage: how much of what is still to go out is set aside. stale: stations were told to take
    what is no longer set aside like that.
    """

    code: str
    warehouse: str
    customer: str
    customer_name: str
    state: Stage
    coverage: Coverage
    fulfilment: Fulfilment
    backorders: bool
    wanted_on: str
    promised_on: str
    reference: str
    note: str
    carrier: str
    tracking: str
    reason: str
    signed_by: str
    signed_time: str | None
    stale: bool
    version: int
    created_time: str | None
    changed_time: str | None
    lines: list[SalesLineOut]
    picks: list[PickOut]
    actions: list[str]


class SalesOrderPage(ApiModel):
    """Orders by code. next_cursor: None on the last page, which may not be the first short one."""

    sales_orders: list[SalesOrderOut]
    next_cursor: str | None


class CoveredLineOut(ApiModel):
    """What was set aside for a line that waited."""

    order: str
    line: int
    item: str
    reserved: str
    missing: str


class CoveredOut(ApiModel):
    """What was set aside for orders that waited. more: ask again, there may be others."""

    lines: list[CoveredLineOut]
    more: bool


def sales_asked(body: SalesOrderIn) -> OrderAsked:
    """Return what is asked for. Raises ContractError, Unusable."""
    return OrderAsked(
        warehouse=body.warehouse,
        customer=body.customer,
        lines=tuple(
            LineAsked(line.line, line.item, positive_micro(line.quantity), line.unit, line.lot)
            for line in body.lines
        ),
        code=body.code or "",
        backorders=body.backorders,
        wanted_on=body.wanted_on,
        promised_on=body.promised_on,
        reference=body.reference,
        note=body.note,
        carrier=body.carrier,
    )


def sales_order_out(figures: OrderFigures, *, customer_name: str) -> SalesOrderOut:
    """Return an order as it is answered."""
    order = figures.order
    return SalesOrderOut(
        code=order.code,
        warehouse=order.warehouse,
        customer=order.customer,
        customer_name=customer_name,
        state=figures.stage,
        coverage=figures.coverage,
        fulfilment=figures.progress.fulfilment,
        backorders=order.backorders,
        wanted_on=order.wanted_on,
        promised_on=order.promised_on,
        reference=order.reference,
        note=order.note,
        carrier=order.carrier,
        tracking=order.tracking,
        reason=order.reason,
        signed_by=order.signed_by,
        signed_time=utc_text(order.signed_ms) if order.signed_ms else None,
        stale=order.stale,
        version=order.version,
        created_time=utc_text(order.created_ms),
        changed_time=utc_text(order.changed_ms),
        lines=[_line_out(line) for line in figures.lines],
        picks=[_pick_out(row) for row in figures.reservations],
        actions=actions_of(figures),
    )


def covered_out(covered: Covered) -> CoveredOut:
    """Return what was set aside for orders that waited."""
    return CoveredOut(
        lines=[
            CoveredLineOut(
                order=one.wanted.holder.code,
                line=one.wanted.holder.line,
                item=one.wanted.item,
                reserved=quantity_text(one.granted_micro),
                missing=quantity_text(one.missing_micro),
            )
            for one in covered.granted
        ],
        more=covered.more,
    )


def _line_out(figures: LineFigures) -> SalesLineOut:
    line, progress = figures.line, figures.progress
    return SalesLineOut(
        line=line.line,
        item=line.item,
        unit=line.unit,
        quantity=quantity_text(line.quantity_micro),
        entered_quantity=line.entered_quantity,
        entered_unit=line.entered_unit,
        lot=line.lot,
        given_up=quantity_text(line.given_up_micro),
        shipped=quantity_text(progress.done_micro),
        remaining=quantity_text(progress.remaining_micro),
        reserved=quantity_text(figures.reserved_micro),
        picked=quantity_text(figures.picked_micro),
        backorder=quantity_text(figures.backorder_micro),
        fulfilment=progress.fulfilment,
    )


def _pick_out(row: Reservation) -> PickOut:
    return PickOut(
        line=row.holder.line,
        pick=row.pick_line,
        location=row.stock.location,
        lot=row.stock.lot,
        serial=row.stock.serial,
        sscc=row.stock.sscc,
        state=row.state,
        quantity=quantity_text(row.quantity_micro),
        shipped=quantity_text(row.shipped_micro),
        freed=quantity_text(row.freed_micro),
        reason=row.reason,
    )
