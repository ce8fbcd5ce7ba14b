"""The address below /api/v1 of what is on its way, now or as of a moment. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import (
    PREFIX,
    PastParameters,
    Text,
    WarehouseCode,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.contract.quantities import canonical_text
from central.orders.order_goods import require_known
from central.stock.in_transit import TransitFilter, TransitKey, TransitRow, list_in_transit
from central.stock.moments import moment_at
from central.stock.times import parse_time

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, tags=["transfers"])


class InTransitParameters(PastParameters):
    """What of it. warehouse: from or to there. document: of a transfer, or what a station named."""

    warehouse: WarehouseCode | None = None
    item: Text | None = None
    document: Text | None = None


class InTransitOut(ApiModel):
    """A thing on its way. quantity: below zero, it came, and nobody has said that it left.

    source_warehouse, destination_warehouse: of the transfer, "" where the document is none.
    warehouse: in whose books it stands where no document is named, else "".
    """

    document: str
    source_warehouse: str
    destination_warehouse: str
    warehouse: str
    item: str
    lot: str
    serial: str
    quantity: str
    unit: str


class InTransitPage(ApiModel):
    """Things by document, item, lot and serial number. next_cursor: None on the last page."""

    in_transit: list[InTransitOut]
    next_cursor: str | None


@router.get("/in-transit")
def in_transit(reading: Reading, asked: Annotated[InTransitParameters, Query()]) -> InTransitPage:
    """List what is on its way, document by document; or what was, as of a moment."""
    wanted = TransitFilter(asked.warehouse or "", asked.item or "", asked.document or "")
    after = read_cursor(asked.cursor, TransitKey)
    time_ms = parse_time(asked.as_of) if asked.as_of is not None else None
    with reading.database.read() as connection:
        moment = None
        if time_ms is not None:
            moment = moment_at(connection, time_ms, kind=asked.as_of_time, warehouse="")
        rows = list_in_transit(connection, wanted, moment, after=after, limit=asked.limit + 1)
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    return InTransitPage(
        in_transit=[_out(row) for row in page],
        next_cursor=write_cursor(page[-1].key) if len(rows) > asked.limit else None,
    )


def _out(row: TransitRow) -> InTransitOut:
    return InTransitOut(
        document=row.document,
        source_warehouse=row.source,
        destination_warehouse=row.destination,
        warehouse=row.key.book,
        item=row.key.item,
        lot=row.key.lot,
        serial=row.key.serial,
        quantity=canonical_text(row.quantity),
        unit=row.key.unit,
    )
