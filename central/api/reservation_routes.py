"""The addresses below /api/v1 of what is available and what is set aside. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.order_values import quantity_text
from central.api.parameters import (
    PREFIX,
    PageParameters,
    Text,
    WarehouseCode,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.orders.reserving.availability import Availability, ItemKey, list_availability
from central.orders.reserving.reservations import Reservation
from central.orders.sales.sales_reading import (
    ReservationCursor,
    ReservationFilter,
    list_reservations,
)

router = APIRouter(
    prefix=PREFIX,
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["reservations"],
)


class AvailabilityParameters(PageParameters):
    """Of which items, in which warehouses."""

    warehouse: WarehouseCode | None = None
    item: Text | None = None


class ReservationParameters(PageParameters):
    """Which reservations. ended: also those of which nothing is set aside any more."""

    warehouse: WarehouseCode | None = None
    item: Text | None = None
    location: Text | None = None
    lot: Text | None = None
    order: Text | None = None
    ended: bool = False


class AvailabilityOut(ApiModel):
    """The figures of an item in a warehouse.

    available = on_hand - allocated. on_hand: of status "available"; what waits for inspection, is
    held or rejected is apart. in_transit: on its way here.
    """

    warehouse: str
    item: str
    unit: str
    on_hand: str
    allocated: str
    available: str
    inspection: str
    held: str
    rejected: str
    in_transit: str


class AvailabilityPage(ApiModel):
    """Figures by warehouse, item and unit; where nothing is, no row."""

    availability: list[AvailabilityOut]
    next_cursor: str | None


class ReservationOut(ApiModel):
    """What is set aside of some stock for a line of an order.

    state: "reserved", "picked", "shipped" or "freed". reason: why something was given up, last.
    """

    warehouse: str
    order_kind: str
    order: str
    line: int
    item: str
    location: str
    lot: str
    serial: str
    sscc: str
    unit: str
    state: str
    quantity: str
    shipped: str
    freed: str
    reason: str


class ReservationPage(ApiModel):
    """Reservations by warehouse, order, line and stock."""

    reservations: list[ReservationOut]
    next_cursor: str | None


@router.get("/availability")
def availability(
    reading: Reading, asked: Annotated[AvailabilityParameters, Query()]
) -> AvailabilityPage:
    """List what is available of items by warehouse, and why not more."""
    after = read_cursor(asked.cursor, ItemKey)
    with reading.database.read() as connection:
        rows = list_availability(
            connection,
            warehouse=asked.warehouse or "",
            item=asked.item or "",
            after=after,
            limit=asked.limit + 1,
        )
    page = rows[: asked.limit]
    return AvailabilityPage(
        availability=[_availability_out(row) for row in page],
        next_cursor=write_cursor(page[-1].key) if len(rows) > asked.limit else None,
    )


@router.get("/reservations")
def reservations(
    reading: Reading, asked: Annotated[ReservationParameters, Query()]
) -> ReservationPage:
    """List what is set aside for whom."""
    wanted = ReservationFilter(
        warehouse=asked.warehouse or "",
        item=asked.item or "",
        location=asked.location or "",
        lot=asked.lot or "",
        holder=asked.order or "",
        ended=asked.ended,
    )
    after = read_cursor(asked.cursor, ReservationCursor)
    with reading.database.read() as connection:
        rows = list_reservations(connection, wanted, after=after, limit=asked.limit + 1)
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return ReservationPage(
        reservations=[_reservation_out(row) for row in page],
        next_cursor=write_cursor(ReservationCursor.of(page[-1])) if more else None,
    )


def _availability_out(row: Availability) -> AvailabilityOut:
    return AvailabilityOut(
        warehouse=row.key.warehouse,
        item=row.key.item,
        unit=row.key.unit,
        on_hand=quantity_text(row.on_hand_micro),
        allocated=quantity_text(row.allocated_micro),
        available=quantity_text(row.available_micro),
        inspection=quantity_text(row.inspection_micro),
        held=quantity_text(row.held_micro),
        rejected=quantity_text(row.rejected_micro),
        in_transit=quantity_text(row.in_transit_micro),
    )


def _reservation_out(row: Reservation) -> ReservationOut:
    stock = row.stock
    return ReservationOut(
        warehouse=stock.warehouse,
        order_kind=row.holder.kind,
        order=row.holder.code,
        line=row.holder.line,
        item=stock.item,
        location=stock.location,
        lot=stock.lot,
        serial=stock.serial,
        sscc=stock.sscc,
        unit=stock.unit,
        state=row.state,
        quantity=quantity_text(row.quantity_micro),
        shipped=quantity_text(row.shipped_micro),
        freed=quantity_text(row.freed_micro),
        reason=row.reason,
    )
