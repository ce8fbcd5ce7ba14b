"""The bodies of requests and answers about supplier returns. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.asn_models import LotText
from central.api.order_values import (
    FEN_PLACES,
    Asking,
    DecimalText,
    DocumentCode,
    LineNo,
    Note,
    amount_text,
    positive_micro,
    quantity_text,
    scaled,
)
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.api.purchase_models import Currency, UnexpectedOut, UnitText, unexpected_out
from central.orders.document_progress import Fulfilment
from central.orders.purchasing.supplier_return_book import ReturnAsked, ReturnLineAsked
from central.orders.purchasing.supplier_return_reading import ReturnView
from central.orders.purchasing.supplier_returns import (
    AMOUNT_FEN_MAX,
    LINES_COUNT_MAX,
    STATES,
    ClaimKind,
    ClaimState,
    Reason,
    Stage,
)
from central.orders.state_tables import actions_now
from central.stock.times import utc_text

RETURN_ASKED: JsonValue = {
    "warehouse": "SH1",
    "supplier": "ACME",
    "reason": "damaged",
    "lines": [{"line": 1, "item": "BOLT", "quantity": "24"}],
}


class ReturnLineIn(Asking):
    """What is to go back. unit: "" for the item's own. location: where to take it, "" anywhere.

    inspection: code of the one that rejected it, "" for none.
    """

    line: LineNo
    item: Text
    quantity: DecimalText
    unit: UnitText = ""
    lot: LotText = ""
    location: LotText = ""
    inspection: LotText = ""


ReturnLines = Annotated[list[ReturnLineIn], Field(min_length=1, max_length=LINES_COUNT_MAX)]


class SupplierReturnIn(Asking):
    """A new return. order: with which the goods came, left out if nobody knows."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [RETURN_ASKED]})

    warehouse: WarehouseCode
    supplier: Text
    reason: Reason
    lines: ReturnLines
    order: DocumentCode | None = None
    code: DocumentCode | None = None
    note: Note = ""


class SupplierReturnPatch(Asking):
    """What is to be different; what is left out stays. lines: all of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "on one pallet"}]})

    note: Note | None = None
    lines: ReturnLines | None = None


class ClaimIn(Asking):
    """What the supplier is to give. amount: left out if it is not about money."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "credit", "amount": "96.5", "currency": "CNY"}]}
    )

    kind: ClaimKind
    amount: DecimalText | None = None
    currency: Currency = ""
    note: Note = ""


class ClaimDecisionIn(Asking):
    """What the supplier says to a claim."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "granted"}]})

    state: Literal["granted", "refused"]


class ReturnParameters(PageParameters):
    """Which returns."""

    state: Stage | None = None
    warehouse: WarehouseCode | None = None
    supplier: Text | None = None
    item: Text | None = None


class ReturnLineOut(ApiModel):
    """What is to go back and what has, in the unit in which the item is kept."""

    line: int
    item: str
    lot: str
    unit: str
    quantity: str
    shipped: str
    remaining: str
    fulfilment: Fulfilment
    location: str
    inspection: str


class ClaimOut(ApiModel):
    """A claim. time, actor: of its last change."""

    number: int
    kind: ClaimKind
    state: ClaimState
    amount: str | None
    currency: str
    note: str
    actor: str
    time: str | None


class SupplierReturnOut(ApiModel):
    """A return with what has left. state: part_shipped and shipped follow from what was counted."""

    code: str
    warehouse: str
    supplier: str
    supplier_name: str
    order: str
    state: Stage
    fulfilment: Fulfilment
    reason: Reason
    note: str
    end_reason: str
    version: int
    created_by: str
    created_time: str | None
    changed_time: str | None
    first_shipment_time: str | None
    last_shipment_time: str | None
    lines: list[ReturnLineOut]
    unexpected: list[UnexpectedOut]
    claims: list[ClaimOut]
    actions: list[str]


class SupplierReturnPage(ApiModel):
    """Returns by code. next_cursor: None on the last page."""

    supplier_returns: list[SupplierReturnOut]
    next_cursor: str | None


def return_asked(body: SupplierReturnIn) -> ReturnAsked:
    """Return what is asked for. Raises ContractError, Unusable."""
    return ReturnAsked(
        warehouse=body.warehouse,
        supplier=body.supplier,
        reason=body.reason,
        lines=return_lines(body.lines),
        order_code=body.order or "",
        code=body.code or "",
        note=body.note,
    )


def return_lines(lines: list[ReturnLineIn]) -> tuple[ReturnLineAsked, ...]:
    """Return the lines that are asked for. Raises ContractError, Unusable."""
    return tuple(
        ReturnLineAsked(
            line=line.line,
            item=line.item,
            quantity_micro=positive_micro(line.quantity),
            unit=line.unit,
            lot=line.lot,
            location=line.location,
            inspection=line.inspection,
        )
        for line in lines
    )


def claim_amount(body: ClaimIn) -> int | None:
    """Return the amount of a claim in 1/100 of its currency. Raises ContractError, Unusable."""
    return scaled(body.amount, places=FEN_PLACES, at_most=AMOUNT_FEN_MAX, what="amount")


def supplier_return_out(view: ReturnView, *, supplier_name: str) -> SupplierReturnOut:
    """Return a supplier return as it is answered."""
    returned, departure = view.returned, view.departure
    done = {line.line: line for line in view.progress.lines}
    return SupplierReturnOut(
        code=returned.code,
        warehouse=returned.warehouse,
        supplier=returned.supplier,
        supplier_name=supplier_name,
        order=returned.order_code,
        state=view.stage,
        fulfilment=view.progress.fulfilment,
        reason=returned.reason,
        note=returned.note,
        end_reason=returned.end_reason,
        version=returned.version,
        created_by=returned.created_by,
        created_time=utc_text(returned.created_ms),
        changed_time=utc_text(returned.changed_ms),
        first_shipment_time=utc_text(departure.first_ms) if departure else None,
        last_shipment_time=utc_text(departure.last_ms) if departure else None,
        lines=[
            ReturnLineOut(
                line=line.line,
                item=line.item,
                lot=line.lot,
                unit=line.unit,
                quantity=quantity_text(line.quantity_micro),
                shipped=quantity_text(done[line.line].done_micro),
                remaining=quantity_text(done[line.line].remaining_micro),
                fulfilment=done[line.line].fulfilment,
                location=line.location,
                inspection=line.inspection,
            )
            for line in returned.lines
        ],
        unexpected=unexpected_out(view.progress),
        claims=[
            ClaimOut(
                number=claim.claim_no,
                kind=claim.kind,
                state=claim.state,
                amount=amount_text(claim.amount_fen, places=FEN_PLACES),
                currency=claim.currency,
                note=claim.note,
                actor=claim.actor,
                time=utc_text(claim.at_ms),
            )
            for claim in returned.claims
        ],
        actions=actions_now(STATES, returned.state, untouched=view.progress.untouched),
    )
