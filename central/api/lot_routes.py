"""The address below /api/v1 of when a lot expires, and which date it had before. Edge of HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.order_values import Asking, DateText, Reason
from central.api.parameters import PREFIX, Text, WarehouseCode
from central.api.problems import PROBLEM
from central.api.writing import EDIT_REFUSALS, Answer, Edit, Writing, etag_of
from central.ledger.desk import Change
from central.ledger.lot_dates import Cause
from central.orders.settling.lot_corrections import LotDate, correct_lot, read_lot_date
from central.stock.times import utc_text

NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
CORRECTED: JsonValue = {"expiry_date": "2027-01-31", "reason": "the label says so"}

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, tags=["ledger"])


class LotParameters(ApiModel):
    """Which lot of the warehouse."""

    model_config = ConfigDict(extra="forbid")

    item: Text
    lot: Text


class LotDateIn(Asking):
    """When a lot expires really, and how that is known."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CORRECTED]})

    expiry_date: Annotated[DateText, Field(min_length=1)]
    reason: Annotated[Reason, Field(min_length=1)]


class DatedOut(ApiModel):
    """What the date became, "" for nobody knows. cause: what it was stated by, or changed by.

    cause: "stated" by a movement, "taken_back" when that was, "corrected" by somebody, "reopened"
    when that was opened again. record_no: of the last fact until then, or of the one that states
    it. discrepancy: that was settled so, or opened again.
    """

    expiry_date: str
    cause: Cause
    time: str | None
    record_no: int
    actor: str
    reason: str
    discrepancy: str


class LotDateOut(ApiModel):
    """When a lot expires, "" for nobody knows.

    history: what the date was and is, the first one first; empty where it never changed.
    """

    warehouse: str
    item: str
    lot: str
    expiry_date: str
    history: list[DatedOut]


Asked = Annotated[LotParameters, Query()]


@router.get("/warehouses/{warehouse}/lot-date", responses=NOT_THERE)
def lot_date(
    reading: Reading, response: Response, warehouse: WarehouseCode, asked: Asked
) -> LotDateOut:
    """Say when a lot of a warehouse expires, and what was said of that before."""
    with reading.database.read() as connection:
        found = read_lot_date(connection, (warehouse, asked.item, asked.lot))
    response.headers["ETag"] = etag_of(found.version)
    return _lot_date_out(found)


@router.put("/warehouses/{warehouse}/lot-date", response_model=LotDateOut, responses=EDIT_REFUSALS)
def put_lot_date(
    writing: Writing, call: Edit, warehouse: WarehouseCode, asked: Asked, body: LotDateIn
) -> Response:
    """Correct when a lot expires: for what is set aside, shipped and told from now on."""
    lot = (warehouse, asked.item, asked.lot)

    def work(change: Change) -> Answer:
        done = correct_lot(
            change, lot, expiry_date=body.expiry_date, reason=body.reason, version=call.version
        )
        return Answer(_lot_date_out(done), version=done.version)

    return writing.answer(call, work)


def _lot_date_out(found: LotDate) -> LotDateOut:
    warehouse, item, lot = found.lot
    return LotDateOut(
        warehouse=warehouse,
        item=item,
        lot=lot,
        expiry_date=found.expiry_date,
        history=[
            DatedOut(
                expiry_date=one.expiry_date,
                cause=one.cause,
                time=utc_text(one.at_ms) if one.at_ms else None,
                record_no=one.record_no,
                actor=one.actor,
                reason=one.reason,
                discrepancy=one.discrepancy,
            )
            for one in found.history
        ],
    )
