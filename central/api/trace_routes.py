"""The address below /api/v1 that traces a lot or a serial number. Edge of HTTP."""

from collections.abc import Iterable
from typing import Annotated, Self

import msgspec
from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, model_validator

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import PREFIX, RECORD_NO_MAX, Cursor, Text, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.contract.quantities import canonical_text
from central.stock.times import utc_text
from central.stock.trace import STEPS_MAX, Trace, TraceEnd, Whereabouts, trace
from central.stock.trace_steps import StepKey

STEPS_DEFAULT = 1_000
LINE_NO_MAX = 2**31 - 1

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, tags=["ledger"])


class StepCursor(msgspec.Struct, frozen=True, array_like=True):
    """The last step of a page in the ledger's order."""

    record_no: Annotated[int, msgspec.Meta(ge=0, le=RECORD_NO_MAX)]
    line_no: Annotated[int, msgspec.Meta(ge=0, le=LINE_NO_MAX)]


class TraceParameters(ApiModel):
    """What to trace: an item's lot, or one of its serial numbers.

    limit: of the steps. cursor: `next_cursor` of the page before.
    """

    model_config = ConfigDict(extra="forbid")

    item: Text
    lot: Text | None = None
    serial: Text | None = None
    limit: Annotated[int, Field(ge=1, le=STEPS_MAX)] = STEPS_DEFAULT
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.lot is None) == (self.serial is None):
            raise ValueError("give either a lot or a serial number")
        return self


class TraceStepOut(ApiModel):
    """One movement. id: of its fact, for /movements/{id}; document: the order that it answers."""

    record_no: int
    id: str
    kind: str
    warehouse: str
    from_location: str
    to_location: str
    lot: str
    serial: str
    sscc: str
    quantity: str
    unit: str
    from_status: str
    to_status: str
    business_step: str
    document: str
    operator: str
    event_time: str | None
    record_time: str | None


class TraceEndOut(ApiModel):
    """How much crossed the boundary of a warehouse under one document, less what came back."""

    warehouse: str
    location: str
    document: str
    lot: str
    quantity: str
    unit: str
    first_record_no: int
    last_record_no: int


class TraceSettledOut(ApiModel):
    """Goods of one lot that somebody settled to be of another; the trace goes on with that one.

    record_nos: of the two facts that say so.
    """

    discrepancy: str
    from_lot: str
    to_lot: str
    quantity: str
    unit: str
    record_nos: tuple[int, int]


class WhereaboutsOut(ApiModel):
    """How much stands somewhere now; below zero at a place outside: so much came from there."""

    warehouse: str
    location: str
    lot: str
    serial: str
    sscc: str
    status: str
    on_hand: str
    unit: str


class TraceOut(ApiModel):
    """The way of the goods, also as another lot if somebody settled that they were of it.

    Where they came from includes what came as a lot that became this one, where they went and are
    what this one became; of a way of several pages by the steps of this one alone. outside: by all
    steps there are, how much stands at places outside the warehouses. complete: False if there are
    more steps or places than asked for. next_cursor: None on the last page of the steps.
    """

    item: str
    lot: str
    serial: str
    steps: list[TraceStepOut]
    came_from: list[TraceEndOut]
    went_to: list[TraceEndOut]
    whereabouts: list[WhereaboutsOut]
    outside: list[WhereaboutsOut]
    settled: list[TraceSettledOut]
    complete: bool
    next_cursor: str | None


@router.get("/trace")
def trace_goods(reading: Reading, asked: Annotated[TraceParameters, Query()]) -> TraceOut:
    """Say where a lot or a serial number came from, where it went, and where it is now."""
    after = read_cursor(asked.cursor, StepCursor)
    with reading.database.read() as connection:
        found = trace(
            connection,
            item=asked.item,
            lot=asked.lot or "",
            serial=asked.serial or "",
            after=StepKey(after.record_no, after.line_no) if after else None,
            limit=asked.limit,
        )
    return TraceOut(
        item=asked.item,
        lot=asked.lot or "",
        serial=asked.serial or "",
        steps=_steps_out(found),
        came_from=_ends_out(found.came_from),
        went_to=_ends_out(found.went_to),
        whereabouts=_whereabouts_out(found.whereabouts),
        outside=_whereabouts_out(found.outside),
        settled=[
            TraceSettledOut(
                discrepancy=one.discrepancy,
                from_lot=one.from_lot,
                to_lot=one.to_lot,
                quantity=canonical_text(one.quantity),
                unit=one.unit,
                record_nos=one.record_nos,
            )
            for one in found.settled
        ],
        complete=found.complete,
        next_cursor=write_cursor(StepCursor(*found.last)) if found.last else None,
    )


def _whereabouts_out(rows: Iterable[Whereabouts]) -> list[WhereaboutsOut]:
    return [
        WhereaboutsOut(
            warehouse=one.warehouse,
            location=one.location,
            lot=one.lot,
            serial=one.serial,
            sscc=one.sscc,
            status=one.status,
            on_hand=canonical_text(one.on_hand),
            unit=one.unit,
        )
        for one in rows
    ]


def _steps_out(found: Trace) -> list[TraceStepOut]:
    return [
        TraceStepOut(
            record_no=step.record_no,
            id=str(step.fact_id),
            kind=step.kind,
            warehouse=step.warehouse,
            from_location=step.from_location,
            to_location=step.to_location,
            lot=step.lot,
            serial=step.serial,
            sscc=step.sscc,
            quantity=canonical_text(step.quantity),
            unit=step.unit,
            from_status=step.from_status,
            to_status=step.to_status,
            business_step=step.business_step,
            document=step.document,
            operator=step.operator,
            event_time=utc_text(step.event_time_ms),
            record_time=utc_text(step.record_ms),
        )
        for step in found.steps
    ]


def _ends_out(ends: Iterable[TraceEnd]) -> list[TraceEndOut]:
    return [
        TraceEndOut(
            warehouse=one.warehouse,
            location=one.location,
            document=one.document,
            lot=one.lot,
            quantity=canonical_text(one.quantity),
            unit=one.unit,
            first_record_no=one.first_record_no,
            last_record_no=one.last_record_no,
        )
        for one in ends
    ]
