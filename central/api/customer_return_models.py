"""The bodies of requests and answers about goods that customers send back. Edge of HTTP."""

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import (
    Asking,
    DecimalText,
    DocumentCode,
    LineNo,
    Note,
    positive_micro,
    quantity_text,
)
from central.api.order_values import Reason as ReasonText
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.orders.document_progress import Fulfilment, LineProgress
from central.orders.sales.customer_return_book import DecisionAsked, ReturnAsked, ReturnLineAsked
from central.orders.sales.customer_returns import (
    DECISIONS_COUNT_MAX,
    LINES_COUNT_MAX,
    STATES,
    Decision,
    Inspected,
    Reason,
    ReturnDecision,
    ReturnLine,
    ReturnView,
    Stage,
    State,
    open_micro,
)
from central.orders.state_tables import actions_now
from central.stock.times import utc_text

CodeText = Annotated[str, Field(max_length=64)]
RETURN_ASKED: JsonValue = {
    "warehouse": "SH1",
    "customer": "SHOP",
    "reason": "damaged",
    "lines": [{"line": 1, "item": "BOLT", "quantity": "2"}],
}


class ReturnLineIn(Asking):
    """What is to come back. reason: of this line, if it is another than that of the return."""

    line: LineNo
    item: Text
    quantity: DecimalText
    unit: CodeText = ""
    lot: CodeText = ""
    reason: ReasonText = ""


class CustomerReturnIn(Asking):
    """A return. order_code: what the goods were shipped under, "" if nobody knows."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [RETURN_ASKED]})

    warehouse: WarehouseCode
    customer: Text
    reason: Reason
    lines: Annotated[list[ReturnLineIn], Field(min_length=1, max_length=LINES_COUNT_MAX)]
    order_code: CodeText = ""
    code: DocumentCode | None = None
    note: Note = ""


class DecisionIn(Asking):
    """What becomes of goods that came back.

    restock: they become stock again, at to_location if it is given. scrap: they leave. exchange:
    a sales order of the same goods is drafted, whatever becomes of these. location, lot, serial:
    which of them.
    """

    line: LineNo
    decision: Decision
    quantity: DecimalText
    reason: ReasonText = ""
    location: CodeText = ""
    to_location: CodeText = ""
    lot: CodeText = ""
    serial: CodeText = ""


class DecisionsIn(Asking):
    """What is decided at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decisions": [
                        {"line": 1, "decision": "restock", "quantity": "1", "location": "DOCK-1"}
                    ]
                }
            ]
        }
    )

    decisions: Annotated[list[DecisionIn], Field(min_length=1, max_length=DECISIONS_COUNT_MAX)]


class CustomerReturnParameters(PageParameters):
    """Which returns. state: as people decided; part_received and received are both released."""

    state: State | None = None
    warehouse: WarehouseCode | None = None
    customer: Text | None = None
    reason: Reason | None = None
    item: Text | None = None


class ReturnLineOut(ApiModel):
    """A line and what came of it.

    by_inspection: came and was decided on at its inspection. undecided: came and is not decided on.
    """

    line: int
    item: str
    unit: str
    quantity: str
    lot: str
    reason: str
    received: str
    remaining: str
    by_inspection: str
    undecided: str
    fulfilment: Fulfilment


class ReturnDecisionOut(ApiModel):
    """What was decided. from_status: what the goods were. exchange_order: what is sent instead.

    fact: the ledger's own, "epoch/seq", "" where nothing moved or the inspection has it.
    """

    number: int
    line: int
    decision: Decision
    quantity: str
    location: str
    to_location: str
    lot: str
    serial: str
    from_status: str
    reason: str
    exchange_order: str
    fact: str
    actor: str
    time: str | None


class CustomerReturnOut(ApiModel):
    """A return with what came of it. state: part_received, received follow from what came."""

    code: str
    warehouse: str
    customer: str
    customer_name: str
    order_code: str
    state: Stage
    fulfilment: Fulfilment
    reason: Reason
    note: str
    end_reason: str
    version: int
    created_time: str | None
    changed_time: str | None
    lines: list[ReturnLineOut]
    decisions: list[ReturnDecisionOut]
    actions: list[str]


class CustomerReturnPage(ApiModel):
    """Returns by code. next_cursor: None on the last page."""

    customer_returns: list[CustomerReturnOut]
    next_cursor: str | None


def return_asked(body: CustomerReturnIn) -> ReturnAsked:
    """Return what is asked for. Raises ContractError, Unusable."""
    return ReturnAsked(
        warehouse=body.warehouse,
        customer=body.customer,
        reason=body.reason,
        lines=tuple(
            ReturnLineAsked(
                line.line,
                line.item,
                positive_micro(line.quantity),
                line.unit,
                line.lot,
                line.reason,
            )
            for line in body.lines
        ),
        order_code=body.order_code,
        code=body.code or "",
        note=body.note,
    )


def decisions_asked(body: DecisionsIn) -> list[DecisionAsked]:
    """Return what is decided. Raises ContractError, Unusable."""
    return [
        DecisionAsked(
            line=one.line,
            decision=one.decision,
            quantity_micro=positive_micro(one.quantity),
            reason=one.reason,
            location=one.location,
            to_location=one.to_location,
            lot=one.lot,
            serial=one.serial,
        )
        for one in body.decisions
    ]


def customer_return_out(view: ReturnView, *, customer_name: str) -> CustomerReturnOut:
    """Return a customer return as it is answered."""
    returned = view.returned
    return CustomerReturnOut(
        code=returned.code,
        warehouse=returned.warehouse,
        customer=returned.customer,
        customer_name=customer_name,
        order_code=returned.order_code,
        state=view.stage,
        fulfilment=view.progress.fulfilment,
        reason=returned.reason,
        note=returned.note,
        end_reason=returned.end_reason,
        version=returned.version,
        created_time=utc_text(returned.created_ms),
        changed_time=utc_text(returned.changed_ms),
        lines=[
            _line_out(view, line, done)
            for line, done in zip(returned.lines, view.progress.lines, strict=True)
        ],
        decisions=[_decision_out(one) for one in returned.decisions],
        actions=actions_now(STATES, returned.state, untouched=view.progress.untouched),
    )


def _line_out(view: ReturnView, line: ReturnLine, done: LineProgress) -> ReturnLineOut:
    return ReturnLineOut(
        line=line.line,
        item=line.item,
        unit=line.unit,
        quantity=quantity_text(line.quantity_micro),
        lot=line.lot,
        reason=line.reason,
        received=quantity_text(done.done_micro),
        remaining=quantity_text(done.remaining_micro),
        by_inspection=quantity_text(view.inspected.get(line.line, Inspected()).decided_micro),
        undecided=quantity_text(max(open_micro(view, line.line), 0)),
        fulfilment=done.fulfilment,
    )


def _decision_out(one: ReturnDecision) -> ReturnDecisionOut:
    return ReturnDecisionOut(
        number=one.number,
        line=one.line,
        decision=one.decision,
        quantity=quantity_text(one.quantity_micro),
        location=one.location,
        to_location=one.to_location,
        lot=one.lot,
        serial=one.serial,
        from_status=one.from_status,
        reason=one.reason,
        exchange_order=one.exchange_order,
        fact=f"{one.epoch}/{one.seq}" if one.seq else "",
        actor=one.actor,
        time=utc_text(one.at_ms),
    )
