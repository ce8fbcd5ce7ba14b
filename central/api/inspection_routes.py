"""The addresses below /api/v1 of goods that have to be inspected. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.asn_models import LotText, Sscc
from central.api.context import Reading
from central.api.order_values import (
    Asking,
    DecimalText,
    DocumentCode,
    Reason,
    positive_micro,
    quantity_text,
)
from central.api.parameters import (
    PREFIX,
    PageParameters,
    Text,
    WarehouseCode,
    read_cursor,
    write_cursor,
)
from central.api.problems import NOT_THERE, PROBLEM
from central.api.writing import REFUSALS, Answer, Call, Writing, etag_of
from central.ledger.desk import Change
from central.orders.order_goods import require_known
from central.orders.purchasing.inspection import Decision, DecisionRow, SampleResult, Source
from central.orders.purchasing.inspection_book import DecisionAsked, decide
from central.orders.purchasing.inspection_reading import (
    InspectionFilter,
    InspectionView,
    list_inspections,
    view_inspection,
)
from central.stock.times import utc_text

DECISIONS_AT_ONCE_MAX = 50
PlaceText = Annotated[str, Field(max_length=64)]

DECIDED: JsonValue = {
    "decisions": [
        {"decision": "accept", "quantity": "30"},
        {"decision": "reject", "quantity": "20", "reason": "wet"},
    ]
}

router = APIRouter(
    prefix=f"{PREFIX}/inspections",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["purchasing"],
)


class DecisionIn(Asking):
    """What is decided of a quantity. source: the status that the goods have now.

    location, serial, sscc: which goods are meant, "" for any of the lot. to_location: where they go
    at once, "" to stay. reason: needed for reject, hold, scrap and gone. result: of a sample.
    """

    decision: Decision
    quantity: DecimalText
    source: Source = "inspection"
    location: PlaceText = ""
    serial: LotText = ""
    sscc: Sscc = ""
    to_location: PlaceText = ""
    reason: Reason = ""
    result: SampleResult = ""


class DecisionsIn(Asking):
    """Decisions that are made together, all of them or none."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [DECIDED]})

    decisions: Annotated[list[DecisionIn], Field(min_length=1, max_length=DECISIONS_AT_ONCE_MAX)]


class InspectionParameters(PageParameters):
    """Which inspections. open: left out for all."""

    open: bool | None = None
    warehouse: WarehouseCode | None = None
    item: Text | None = None
    lot: Text | None = None
    document: Text | None = None


class DecisionOut(ApiModel):
    """One decision, or its part at one place. fact: of the movement, None if nothing moved.

    "hold" of what is held: it was carried from location to to_location, and stays held.
    """

    number: int
    decision: Decision
    source: Source
    quantity: str
    location: str
    to_location: str
    serial: str
    sscc: str
    reason: str
    result: SampleResult
    actor: str
    time: str | None
    fact: str | None


class InspectionOut(ApiModel):
    """Goods that came to be inspected: of one document line and lot.

    in_inspection, held: still to be decided; rejected: to go back or to scrap. open: whether
    something is still to be decided.
    """

    code: str
    warehouse: str
    document: str
    document_line: int
    item: str
    lot: str
    unit: str
    open: bool
    arrived: str
    in_inspection: str
    held: str
    accepted: str
    rejected: str
    scrapped: str
    gone: str
    version: int
    created_time: str | None
    changed_time: str | None
    decisions: list[DecisionOut]


class InspectionPage(ApiModel):
    """Inspections by code. next_cursor: None on the last page."""

    inspections: list[InspectionOut]
    next_cursor: str | None


@router.get("")
def inspections(
    reading: Reading, asked: Annotated[InspectionParameters, Query()]
) -> InspectionPage:
    """List what came to be inspected, by code."""
    wanted = InspectionFilter(
        open=asked.open,
        warehouse=asked.warehouse or "",
        item=asked.item or "",
        lot=asked.lot or "",
        document=asked.document or "",
    )
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        views = list_inspections(connection, wanted, after=after or "", limit=asked.limit + 1)
        require_known(connection, views, asked.warehouse)
    page = views[: asked.limit]
    more = len(views) > asked.limit
    return InspectionPage(
        inspections=[inspection_out(view) for view in page],
        next_cursor=write_cursor(page[-1].inspection.code) if more else None,
    )


@router.get("/{code}", responses=NOT_THERE)
def inspection(reading: Reading, response: Response, code: DocumentCode) -> InspectionOut:
    """Return what came to be inspected, with every decision."""
    with reading.database.read() as connection:
        view = view_inspection(connection, code)
    response.headers["ETag"] = etag_of(view.inspection.version)
    return inspection_out(view)


@router.post("/{code}/decisions", response_model=InspectionOut, responses=REFUSALS)
def decide_inspection(
    writing: Writing, call: Call, code: DocumentCode, body: DecisionsIn
) -> Response:
    """Accept, reject, hold, sample or scrap goods, in parts if need be."""

    def work(change: Change) -> Answer:
        asked = [_decision_asked(one) for one in body.decisions]
        view = decide(change, code, asked, version=call.version)
        return Answer(inspection_out(view), version=view.inspection.version)

    return writing.answer(call, work)


def _decision_asked(body: DecisionIn) -> DecisionAsked:
    return DecisionAsked(
        decision=body.decision,
        quantity_micro=positive_micro(body.quantity),
        source=body.source,
        location=body.location,
        serial=body.serial,
        sscc=body.sscc,
        to_location=body.to_location,
        reason=body.reason,
        result=body.result,
    )


def inspection_out(view: InspectionView) -> InspectionOut:
    """Return what came to be inspected as it is answered."""
    one, amounts = view.inspection, view.amounts
    return InspectionOut(
        code=one.code,
        warehouse=one.warehouse,
        document=one.document,
        document_line=one.document_line,
        item=one.item,
        lot=one.lot,
        unit=one.unit,
        open=amounts.open,
        arrived=quantity_text(one.arrived_micro),
        in_inspection=quantity_text(amounts.inspection_micro),
        held=quantity_text(amounts.held_micro),
        accepted=quantity_text(amounts.accepted_micro),
        rejected=quantity_text(amounts.rejected_micro),
        scrapped=quantity_text(amounts.scrapped_micro),
        gone=quantity_text(amounts.gone_micro),
        version=one.version,
        created_time=utc_text(one.created_ms),
        changed_time=utc_text(one.changed_ms),
        decisions=[_decision_out(row) for row in view.decisions],
    )


def _decision_out(row: DecisionRow) -> DecisionOut:
    return DecisionOut(
        number=row.decision_no,
        decision=row.decision,
        source=row.source,
        quantity=quantity_text(row.quantity_micro),
        location=row.location,
        to_location=row.to_location,
        serial=row.serial,
        sscc=row.sscc,
        reason=row.reason,
        result=row.result,
        actor=row.actor,
        time=utc_text(row.at_ms),
        fact=f"{row.gateway}/{row.epoch}/{row.seq}" if row.seq else None,
    )
