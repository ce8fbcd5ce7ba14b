"""The bodies of requests and answers about purchase orders. Edge of HTTP."""

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import (
    FEN_PLACES,
    PRICE_PLACES,
    Asking,
    DateText,
    DecimalText,
    DocumentCode,
    LineNo,
    Note,
    amount_text,
    percent_micro,
    positive_micro,
    quantity_text,
    scaled,
)
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.orders.document_progress import DocumentProgress, Fulfilment, LineProgress
from central.orders.order_goods import SupplierNote, date_of
from central.orders.purchasing.purchase_book import OrderAsked, OrderChanges
from central.orders.purchasing.purchase_lines import LineAsked
from central.orders.purchasing.purchase_orders import (
    LINES_COUNT_MAX,
    PRICE_E4_MAX,
    STATES,
    PurchaseLine,
    Stage,
)
from central.orders.purchasing.purchase_reading import PurchaseView, is_late
from central.orders.state_tables import actions_now
from central.stock.times import utc_text

Currency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$", examples=["CNY"])]
UnitText = Annotated[str, Field(max_length=64)]

LINE_ASKED: JsonValue = {
    "line": 1,
    "item": "BOLT",
    "quantity": "10",
    "unit": "CT",
    "unit_price": "96.5",
}
ORDER_ASKED: JsonValue = {
    "warehouse": "SH1",
    "supplier": "ACME",
    "promised_date": "2026-06-05",
    "currency": "CNY",
    "lines": [LINE_ASKED],
}


class PurchaseLineIn(Asking):
    """A line of an order. unit: a unit or pack of the item, "" for its own.

    over_, under_tolerance_percent: left out, what the item's policy says. unit_price: for one of
    `unit`, with up to 4 decimal places.
    """

    line: LineNo
    item: Text
    quantity: DecimalText
    unit: UnitText = ""
    over_tolerance_percent: DecimalText | None = None
    under_tolerance_percent: DecimalText | None = None
    unit_price: DecimalText | None = None
    promised_date: DateText = ""


PurchaseLines = Annotated[list[PurchaseLineIn], Field(max_length=LINES_COUNT_MAX)]


class PurchaseOrderIn(Asking):
    """A new order. code: left out, the ledger gives the next one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ORDER_ASKED]})

    warehouse: WarehouseCode
    supplier: Text
    lines: PurchaseLines
    code: DocumentCode | None = None
    promised_date: DateText = ""
    currency: Currency = ""
    note: Note = ""


class PurchaseOrderPatch(Asking):
    """What is to be different; what is left out stays. lines: all of them, in place of the old."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"promised_date": "2026-06-12"}]})

    supplier: Text | None = None
    promised_date: DateText | None = None
    currency: Currency | None = None
    note: Note | None = None
    lines: PurchaseLines | None = None


class ConfirmIn(Asking):
    """What the supplier has confirmed. promised_date: left out, it stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"promised_date": "2026-06-08"}]})

    promised_date: DateText | None = None


class PurchaseParameters(PageParameters):
    """Which orders. late: true for those of which something should have come before today."""

    state: Stage | None = None
    warehouse: WarehouseCode | None = None
    supplier: Text | None = None
    item: Text | None = None
    late: bool = False


class PurchaseLineOut(ApiModel):
    """A line and what came of it; expected, received, remaining and short are in base_unit.

    closed_reason: why nothing more of it is expected, "" while it is; short: how much it lacks.
    """

    line: int
    item: str
    unit: str
    quantity: str
    base_unit: str
    expected: str
    received: str
    remaining: str
    short: str
    fulfilment: Fulfilment
    over_tolerance_percent: str
    under_tolerance_percent: str
    unit_price: str | None
    value: str | None
    promised_date: str
    closed_reason: str


class UnexpectedOut(ApiModel):
    """What came under an order that no line of it expects. line: as the station said, or 0."""

    line: int
    item: str
    unit: str
    received: str


class PurchaseOrderOut(ApiModel):
    """An order with what came of it.

    state: part_received and received follow from what was counted. first_receipt_time,
    last_receipt_time: by the clocks of the docks. late: something should have come before today.
    on_time: whether all that came did by the promised day; None if nobody can say. notices: of
    shipment, that are still on their way. warnings: what somebody should know, for people.
    """

    code: str
    warehouse: str
    supplier: str
    supplier_name: str
    state: Stage
    fulfilment: Fulfilment
    promised_date: str
    currency: str
    value: str | None
    note: str
    reason: str
    version: int
    created_by: str
    created_time: str | None
    changed_time: str | None
    first_receipt_time: str | None
    last_receipt_time: str | None
    late: bool
    on_time: bool | None
    lines: list[PurchaseLineOut]
    unexpected: list[UnexpectedOut]
    notices: list[str]
    actions: list[str]
    warnings: list[str]


class PurchaseOrderPage(ApiModel):
    """Orders by code. next_cursor: None on the last page, which may not be the first short one."""

    purchase_orders: list[PurchaseOrderOut]
    next_cursor: str | None


def order_asked(body: PurchaseOrderIn) -> OrderAsked:
    """Return what is asked for. Raises ContractError, Unusable."""
    return OrderAsked(
        warehouse=body.warehouse,
        supplier=body.supplier,
        lines=_lines_asked(body.lines),
        code=body.code or "",
        promised_date=body.promised_date,
        currency=body.currency,
        note=body.note,
    )


def order_changes(body: PurchaseOrderPatch) -> OrderChanges:
    """Return what is to be different. Raises ContractError, Unusable."""
    return OrderChanges(
        supplier=body.supplier,
        promised_date=body.promised_date,
        currency=body.currency,
        note=body.note,
        lines=None if body.lines is None else _lines_asked(body.lines),
    )


def purchase_order_out(
    view: PurchaseView, supplier: SupplierNote, *, now_ms: int
) -> PurchaseOrderOut:
    """Return an order as it is answered."""
    order, progress, arrival = view.order, view.progress, view.arrival
    done = {line.line: line for line in progress.lines}
    return PurchaseOrderOut(
        code=order.code,
        warehouse=order.warehouse,
        supplier=order.supplier,
        supplier_name=supplier.name,
        state=view.stage,
        fulfilment=progress.fulfilment,
        promised_date=order.promised_date,
        currency=order.currency,
        value=amount_text(order.value_fen, places=FEN_PLACES),
        note=order.note,
        reason=order.reason,
        version=order.version,
        created_by=order.created_by,
        created_time=utc_text(order.created_ms),
        changed_time=utc_text(order.changed_ms),
        first_receipt_time=utc_text(arrival.first_ms) if arrival else None,
        last_receipt_time=utc_text(arrival.last_ms) if arrival else None,
        late=is_late(view, on_date=date_of(now_ms)),
        on_time=_on_time(view),
        lines=[_line_out(line, done[line.line]) for line in order.lines],
        unexpected=unexpected_out(progress),
        notices=list(view.notices),
        actions=actions_now(STATES, order.state, untouched=progress.untouched),
        warnings=[f"certificate {name} is out of date" for name in supplier.expired],
    )


def unexpected_out(progress: DocumentProgress) -> list[UnexpectedOut]:
    """Return what came that no line expects."""
    return [
        UnexpectedOut(line=key.line, item=key.item, unit=key.unit, received=quantity_text(micro))
        for key, micro in progress.unexpected
    ]


def _on_time(view: PurchaseView) -> bool | None:
    if view.arrival is None or not view.order.promised_date:
        return None
    last = date_of(view.arrival.last_ms)
    return last <= view.order.promised_date if last else None


def _line_out(line: PurchaseLine, done: LineProgress) -> PurchaseLineOut:
    return PurchaseLineOut(
        line=line.line,
        item=line.item,
        unit=line.unit,
        quantity=quantity_text(line.quantity_micro),
        base_unit=line.base_unit,
        expected=quantity_text(line.expected_micro),
        received=quantity_text(done.done_micro),
        remaining=quantity_text(done.remaining_micro),
        short=quantity_text(done.short_micro),
        fulfilment=done.fulfilment,
        over_tolerance_percent=quantity_text(line.over_percent_micro),
        under_tolerance_percent=quantity_text(line.under_percent_micro),
        unit_price=amount_text(line.price_e4, places=PRICE_PLACES),
        value=amount_text(line.value_fen, places=FEN_PLACES),
        promised_date=line.promised_date,
        closed_reason=line.closed_reason,
    )


def _lines_asked(lines: list[PurchaseLineIn]) -> tuple[LineAsked, ...]:
    return tuple(
        LineAsked(
            line=line.line,
            item=line.item,
            quantity_micro=positive_micro(line.quantity),
            unit=line.unit,
            over_percent_micro=percent_micro(line.over_tolerance_percent, what="over tolerance"),
            under_percent_micro=percent_micro(line.under_tolerance_percent, what="under tolerance"),
            price_e4=scaled(
                line.unit_price, places=PRICE_PLACES, at_most=PRICE_E4_MAX, what="unit price"
            ),
            promised_date=line.promised_date,
        )
        for line in lines
    )
