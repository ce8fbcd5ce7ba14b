"""The bodies of requests and answers about notices of shipment. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import (
    LINE_NO_MAX,
    Asking,
    DateText,
    DecimalText,
    DocumentCode,
    LineNo,
    Note,
    positive_micro,
    quantity_text,
)
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.api.purchase_models import UnexpectedOut, UnitText, unexpected_out
from central.orders.document_progress import Fulfilment, LineProgress
from central.orders.purchasing.asn import (
    LINES_COUNT_MAX,
    STATES,
    UNITS_COUNT_MAX,
    HandlingUnit,
    NoticeLine,
    Presence,
    State,
)
from central.orders.purchasing.asn_book import NoticeAsked, NoticeChanges, NoticeLineAsked
from central.orders.purchasing.asn_reading import NoticeView
from central.orders.state_tables import actions_now
from central.stock.times import utc_text

Sscc = Annotated[str, Field(pattern=r"^(\d{18})?$", examples=["006141410000000012"])]
LotText = Annotated[str, Field(max_length=64)]

NOTICE_ASKED: JsonValue = {
    "warehouse": "SH1",
    "supplier": "ACME",
    "expected_date": "2026-06-05",
    "units": [{"sscc": "006141410000000012"}],
    "lines": [{"line": 1, "item": "BOLT", "quantity": "240", "sscc": "006141410000000012"}],
}


class UnitIn(Asking):
    """A handling unit. parent: SSCC of the one that carries it, "" for none."""

    sscc: Sscc
    parent: Sscc = ""


class NoticeLineIn(Asking):
    """What is announced. sscc: "" for loose goods. unit: "" for the item's own.

    order_line: left out, the first line of the order with that item.
    """

    line: LineNo
    item: Text
    quantity: DecimalText
    unit: UnitText = ""
    sscc: Sscc = ""
    lot: LotText = ""
    expiry_date: DateText = ""
    order_line: Annotated[int, Field(ge=0, le=LINE_NO_MAX)] = 0


Units = Annotated[list[UnitIn], Field(max_length=UNITS_COUNT_MAX)]
Lines = Annotated[list[NoticeLineIn], Field(max_length=LINES_COUNT_MAX)]


class ShippingNoticeIn(Asking):
    """A new notice. warehouse, supplier: left out, those of the order.

    own_document: False if stations go on receiving under the code of the order.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NOTICE_ASKED]})

    lines: Lines
    units: Units = Field(default_factory=list)
    order: DocumentCode | None = None
    warehouse: WarehouseCode | None = None
    supplier: Text | None = None
    code: DocumentCode | None = None
    own_document: bool = True
    expected_date: DateText = ""
    note: Note = ""


class ShippingNoticePatch(Asking):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expected_date": "2026-06-06"}]})

    expected_date: DateText | None = None
    note: Note | None = None
    units: Units | None = None
    lines: Lines | None = None


class NoticeParameters(PageParameters):
    """Which notices. late: true for those that should have come before today and have not."""

    state: Literal["announced", "expected", "closed", "cancelled"] | None = None
    warehouse: WarehouseCode | None = None
    supplier: Text | None = None
    order: DocumentCode | None = None
    item: Text | None = None
    sscc: Sscc | None = None
    late: bool = False


class UnitOut(ApiModel):
    """A handling unit. presence: differs if something else, or not all, was in it."""

    sscc: str
    parent: str
    presence: Presence


class NoticeLineOut(ApiModel):
    """What is announced and what of it came, in the unit in which the item is kept."""

    line: int
    item: str
    sscc: str
    lot: str
    expiry_date: str
    unit: str
    expected: str
    received: str
    remaining: str
    fulfilment: Fulfilment
    order_line: int


class ShippingNoticeOut(ApiModel):
    """A notice with what came of it.

    unexpected: goods, unexpected_units: SSCCs that came under its code and that it does not name.
    """

    code: str
    warehouse: str
    supplier: str
    supplier_name: str
    order: str
    state: State
    fulfilment: Fulfilment
    own_document: bool
    expected_date: str
    note: str
    reason: str
    version: int
    created_by: str
    created_time: str | None
    changed_time: str | None
    first_receipt_time: str | None
    last_receipt_time: str | None
    units: list[UnitOut]
    lines: list[NoticeLineOut]
    unexpected: list[UnexpectedOut]
    unexpected_units: list[str]
    actions: list[str]


class ShippingNoticePage(ApiModel):
    """Notices by code. next_cursor: None on the last page."""

    shipping_notices: list[ShippingNoticeOut]
    next_cursor: str | None


def notice_asked(body: ShippingNoticeIn) -> NoticeAsked:
    """Return what is announced. Raises ContractError, Unusable."""
    return NoticeAsked(
        lines=_lines_asked(body.lines),
        units=_units_asked(body.units),
        warehouse=body.warehouse or "",
        supplier=body.supplier or "",
        order_code=body.order or "",
        code=body.code or "",
        own_document=body.own_document,
        expected_date=body.expected_date,
        note=body.note,
    )


def notice_changes(body: ShippingNoticePatch) -> NoticeChanges:
    """Return what is to be different. Raises ContractError, Unusable."""
    return NoticeChanges(
        expected_date=body.expected_date,
        note=body.note,
        units=None if body.units is None else _units_asked(body.units),
        lines=None if body.lines is None else _lines_asked(body.lines),
    )


def shipping_notice_out(view: NoticeView, *, supplier_name: str) -> ShippingNoticeOut:
    """Return a notice as it is answered."""
    notice, arrival = view.notice, view.arrival
    done = {line.line: line for line in view.progress.lines}
    return ShippingNoticeOut(
        code=notice.code,
        warehouse=notice.warehouse,
        supplier=notice.supplier,
        supplier_name=supplier_name,
        order=notice.order_code,
        state=notice.state,
        fulfilment=view.progress.fulfilment,
        own_document=bool(notice.own_document),
        expected_date=notice.expected_date,
        note=notice.note,
        reason=notice.reason,
        version=notice.version,
        created_by=notice.created_by,
        created_time=utc_text(notice.created_ms),
        changed_time=utc_text(notice.changed_ms),
        first_receipt_time=utc_text(arrival.first_ms) if arrival else None,
        last_receipt_time=utc_text(arrival.last_ms) if arrival else None,
        units=[
            UnitOut(sscc=one.unit.sscc, parent=one.unit.parent, presence=one.presence)
            for one in view.units
        ],
        lines=[_line_out(line, done[line.line]) for line in notice.lines],
        unexpected=unexpected_out(view.progress),
        unexpected_units=list(view.unexpected),
        actions=actions_now(STATES, notice.state, untouched=view.progress.untouched),
    )


def _line_out(line: NoticeLine, done: LineProgress) -> NoticeLineOut:
    return NoticeLineOut(
        line=line.line,
        item=line.item,
        sscc=line.sscc,
        lot=line.lot,
        expiry_date=line.expiry_date,
        unit=line.unit,
        expected=quantity_text(line.quantity_micro),
        received=quantity_text(done.done_micro),
        remaining=quantity_text(done.remaining_micro),
        fulfilment=done.fulfilment,
        order_line=line.order_line,
    )


def _units_asked(units: list[UnitIn]) -> tuple[HandlingUnit, ...]:
    return tuple(HandlingUnit(unit.sscc, unit.parent) for unit in units)


def _lines_asked(lines: list[NoticeLineIn]) -> tuple[NoticeLineAsked, ...]:
    return tuple(
        NoticeLineAsked(
            line=line.line,
            item=line.item,
            quantity_micro=positive_micro(line.quantity),
            unit=line.unit,
            sscc=line.sscc,
            lot=line.lot,
            expiry_date=line.expiry_date,
            order_line=line.order_line,
        )
        for line in lines
    )
