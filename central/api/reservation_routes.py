"""The addresses below /api/v1 of what is available and what is set aside. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.order_values import quantity_text
from central.api.parameters import (
    PREFIX,
    PageParameters,
    PastParameters,
    Text,
    WarehouseCode,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM, ProblemRaised
from central.orders.catalogue.items import weight_units
from central.orders.order_goods import require_known
from central.orders.reserving.availability import Availability, ItemKey, list_availability
from central.orders.reserving.reservations import Reservation
from central.orders.sales.reservations_as_of import (
    ReservationThen,
    known_since_ms,
    list_reservations_as_of,
)
from central.orders.sales.sales_reading import (
    ReservationCursor,
    ReservationFilter,
    list_reservations,
)
from central.stock.times import parse_time, utc_text

router = APIRouter(
    prefix=PREFIX,
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["reservations"],
)


class AvailabilityParameters(PageParameters):
    """Of which items, in which warehouses."""

    warehouse: WarehouseCode | None = None
    item: Text | None = None


class ReservationParameters(PastParameters):
    """Which reservations. ended: also those of which nothing is set aside any more.

    as_of: a day or a time, e.g. 2026-11-22 or 2026-11-22T08:00:00Z; without `ended`. Whatever
    as_of_time is: the ledger sets aside itself, so that happens when it is recorded.
    """

    warehouse: WarehouseCode | None = None
    item: Text | None = None
    location: Text | None = None
    lot: Text | None = None
    order: Text | None = None
    ended: bool = False


class AvailabilityOut(ApiModel):
    """The figures of an item in a warehouse.

    available = on_hand - allocated. on_hand: of status "available"; what waits for inspection, is
    held or rejected is apart. in_transit: on its way here. weight: catch weight of what is on hand,
    in weight_unit, which is "" where nothing is weighed.
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
    weight: str
    weight_unit: str


class AvailabilityPage(ApiModel):
    """Figures by warehouse, item and unit; where nothing is, no row."""

    availability: list[AvailabilityOut]
    next_cursor: str | None


class ReservationOut(ApiModel):
    """What is set aside of some stock for a line of an order.

    state: "reserved", "picked", "shipped" or "freed". reason: why something was given up, last.
    As of a moment quantity is of then, None where it has changed too often since to be kept; of the
    rest nothing is kept of the past: shipped, freed are None, reason is "".
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
    quantity: str | None
    shipped: str | None
    freed: str | None
    reason: str


class ReservationPage(ApiModel):
    """Reservations by warehouse, order, line and stock.

    known_since: as of earlier moments nobody can tell what was set aside; None if it always can be.
    """

    reservations: list[ReservationOut]
    next_cursor: str | None
    known_since: str | None = None


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
        require_known(connection, rows, asked.warehouse)
        page = rows[: asked.limit]
        units = weight_units(connection, (row.key.item for row in page if row.weight_micro))
    return AvailabilityPage(
        availability=[_availability_out(row, units.get(row.key.item, "")) for row in page],
        next_cursor=write_cursor(page[-1].key) if len(rows) > asked.limit else None,
    )


@router.get("/reservations")
def reservations(
    reading: Reading, asked: Annotated[ReservationParameters, Query()]
) -> ReservationPage:
    """List what is set aside for whom; or what was, as of a moment."""
    wanted = ReservationFilter(
        warehouse=asked.warehouse or "",
        item=asked.item or "",
        location=asked.location or "",
        lot=asked.lot or "",
        holder=asked.order or "",
        ended=asked.ended,
    )
    after = read_cursor(asked.cursor, ReservationCursor)
    if asked.as_of is not None:
        return _as_of(reading, asked, wanted, after, time_ms=parse_time(asked.as_of))
    with reading.database.read() as connection:
        rows = list_reservations(connection, wanted, after=after, limit=asked.limit + 1)
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return ReservationPage(
        reservations=[_reservation_out(row) for row in page],
        next_cursor=write_cursor(ReservationCursor.of(page[-1])) if more else None,
    )


def _as_of(
    reading: Reading,
    asked: ReservationParameters,
    wanted: ReservationFilter,
    after: ReservationCursor | None,
    *,
    time_ms: int,
) -> ReservationPage:
    if asked.ended:
        raise ProblemRaised(
            status=422,
            title="Unusable parameter",
            detail="ended: of the past only what was set aside then is listed",
            hint="Leave out ended, or as_of.",
        )
    with reading.database.read() as connection:
        since_ms = known_since_ms(connection)
        if time_ms < since_ms:
            raise ProblemRaised(
                status=422,
                title="Not known of then",
                detail=f"as_of: what was set aside is known since {utc_text(since_ms)} only",
                hint="Ask for a later moment.",
            )
        rows, further = list_reservations_as_of(
            connection, wanted, time_ms, after=after, limit=asked.limit
        )
        require_known(connection, rows, asked.warehouse)
    return ReservationPage(
        reservations=[_then_out(one) for one in rows],
        next_cursor=write_cursor(further) if further is not None else None,
        known_since=utc_text(since_ms) if since_ms else None,
    )


def _then_out(one: ReservationThen) -> ReservationOut:
    micro = one.quantity_micro
    then = {
        "state": "picked" if one.row.picked else "reserved",
        "quantity": None if micro is None else quantity_text(micro),
        "shipped": None,
        "freed": None,
        "reason": "",
    }
    return _reservation_out(one.row).model_copy(update=then)


def _availability_out(row: Availability, weight_unit: str) -> AvailabilityOut:
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
        weight=quantity_text(row.weight_micro),
        weight_unit=weight_unit if row.weight_micro else "",
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
