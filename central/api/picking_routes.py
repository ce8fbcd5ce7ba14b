"""The addresses below /api/v1 of pick lists, putaway and replenishment. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from central.api.context import Reading
from central.api.order_values import DocumentCode, positive_micro, quantity_text
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.picking_models import (
    PickListOut,
    PickListParameters,
    PutawayOut,
    PutawayParameters,
    ReplenishmentPage,
    ReplenishmentParameters,
    SuggestionOut,
    ToldOut,
    WaveIn,
    WaveOut,
    WavePage,
    WaveParameters,
    pick_line_out,
    replenishment_out,
    wave_out,
    wave_row_out,
)
from central.api.problems import NOT_THERE, PROBLEM
from central.api.sales_models import WarehouseIn
from central.api.writing import REFUSALS, Answer, Call, Writing, etag_of
from central.ledger.desk import Change
from central.orders.order_goods import require_known
from central.orders.sales.pick_waves import (
    break_up_wave,
    list_picks,
    list_waves,
    make_wave,
    refresh_stations,
    view_wave,
)
from central.orders.sales.putaway_reading import PutawayAsked, suggest_putaway
from central.orders.sales.replenishment_reading import list_replenishments
from central.orders.sales.sales_reading import SalesFilter, list_orders
from central.orders.sales.sales_store import read_figures, read_orders

router = APIRouter(
    prefix=PREFIX,
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["picking"],
)


@router.get("/pick-lists")
def pick_list(reading: Reading, asked: Annotated[PickListParameters, Query()]) -> PickListOut:
    """List what is to be taken for released orders of a warehouse, on one round."""
    after, last = read_cursor(asked.cursor, str) or "", ""
    with reading.database.read() as connection:
        if asked.order:
            named = sorted({code for code in asked.order if code > after})
            codes = named[: asked.limit]
            found = read_figures(connection, read_orders(connection, codes))
            last = codes[-1] if len(named) > asked.limit else ""
            found = [one for one in found if one.order.warehouse == asked.warehouse]
        else:
            wanted = SalesFilter(warehouse=asked.warehouse, kept_state="released")
            found, last = list_orders(connection, wanted, after=after, limit=asked.limit)
        lines = list_picks(connection, found)
        require_known(connection, found, asked.warehouse)
    return PickListOut(
        lines=[pick_line_out(line) for line in lines],
        next_cursor=write_cursor(last) if last else None,
    )


@router.post("/pick-lists/tell-stations", response_model=ToldOut, responses=REFUSALS)
def tell_stations_anew(writing: Writing, call: Call, body: WarehouseIn) -> Response:
    """Tell stations of orders whose goods are no longer where they were told."""
    return writing.answer(
        call, lambda change: Answer(ToldOut(orders=refresh_stations(change, body.warehouse)))
    )


@router.get("/pick-waves")
def pick_waves(reading: Reading, asked: Annotated[WaveParameters, Query()]) -> WavePage:
    """List waves by code."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        rows = list_waves(
            connection,
            warehouse=asked.warehouse or "",
            after=after or "",
            limit=asked.limit + 1,
        )
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    return WavePage(
        pick_waves=[wave_row_out(row) for row in page],
        next_cursor=write_cursor(page[-1].code) if len(rows) > asked.limit else None,
    )


@router.post("/pick-waves", status_code=201, response_model=WaveOut, responses=REFUSALS)
def make_pick_wave(writing: Writing, call: Call, body: WaveIn) -> Response:
    """Put approved or released orders on one round; those that are not yet are released."""

    def work(change: Change) -> Answer:
        view = make_wave(change, body.warehouse, body.orders, note=body.note)
        place = f"{PREFIX}/pick-waves/{view.wave.code}"
        return Answer(wave_out(view), 201, version=view.wave.version, location=place)

    return writing.answer(call, work)


@router.get("/pick-waves/{code}", responses=NOT_THERE)
def pick_wave(reading: Reading, response: Response, code: DocumentCode) -> WaveOut:
    """Return a wave with what is still to be taken, in walking order."""
    with reading.database.read() as connection:
        view = view_wave(connection, code)
    response.headers["ETag"] = etag_of(view.wave.version)
    return wave_out(view)


@router.post("/pick-waves/{code}/break-up", response_model=WaveOut, responses=REFUSALS)
def break_up_pick_wave(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Take the orders of a wave off their round; they stay released."""

    def work(change: Change) -> Answer:
        wave = break_up_wave(change, code, version=call.version)
        return Answer(wave_out(view_wave(change.connection, code)), version=wave.version)

    return writing.answer(call, work)


@router.get("/putaway-suggestions", responses=NOT_THERE)
def putaway_suggestions(
    reading: Reading, asked: Annotated[PutawayParameters, Query()]
) -> PutawayOut:
    """Say where to put goods, best first. Only a proposal: nothing is set aside by it."""
    quantity_micro = positive_micro(asked.quantity)
    wanted = PutawayAsked(
        asked.warehouse, asked.item, quantity_micro, asked.lot, asked.from_location, asked.zone
    )
    with reading.database.read() as connection:
        found = suggest_putaway(connection, wanted)
        require_known(connection, found, asked.warehouse)
    left_micro = quantity_micro - sum(one.quantity_micro for one in found)
    return PutawayOut(
        suggestions=[
            SuggestionOut(
                location=one.location, quantity=quantity_text(one.quantity_micro), rule=one.rule
            )
            for one in found
        ],
        without_room=quantity_text(left_micro),
    )


@router.get("/replenishments")
def replenishments(
    reading: Reading, asked: Annotated[ReplenishmentParameters, Query()]
) -> ReplenishmentPage:
    """Say what to bring to pick faces that have less than their minimum. Only proposals."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        found, last = list_replenishments(
            connection,
            asked.warehouse,
            after=after or "",
            limit=asked.limit,
            now_ms=reading.clock.now_ms(),
        )
        require_known(connection, found, asked.warehouse)
    return ReplenishmentPage(
        replenishments=[replenishment_out(one) for one in found],
        next_cursor=write_cursor(last) if last else None,
    )
