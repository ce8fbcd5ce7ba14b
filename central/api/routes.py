"""The addresses below /api/v1 that read the ledger. Edge of HTTP."""

from dataclasses import replace
from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from central.api.answers import (
    fact_out,
    gateway_out,
    movement_out,
    stock_out,
    total_out,
    workers_out,
)
from central.api.context import Reading, ReadSide
from central.api.models import (
    CountsOut,
    FactOut,
    GatewayPage,
    HealthOut,
    MovementPage,
    StockPage,
    StockTotalPage,
    WorkersOut,
)
from central.api.parameters import (
    PREFIX,
    GatewayParameters,
    MovementParameters,
    RecordCursor,
    StockParameters,
    TotalParameters,
    WholeParameters,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM, ProblemRaised
from central.contract.identifiers import parse_fact_id
from central.errors import CentralError
from central.orders.order_goods import require_known
from central.stock.as_of import list_stock_as_of
from central.stock.feed import find_fact, last_record_no, list_movements
from central.stock.item_reading import BalanceQuery
from central.stock.moments import moment_at
from central.stock.rows import FeedFilter, StockFilter, StockKey
from central.stock.states import count_all, list_gateways
from central.stock.stock_totals import list_totals
from central.stock.times import parse_time, utc_text
from central.stock.total_rows import TotalKey
from central.stock.views import list_stock
from central.stock.workers import list_workers

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, tags=["ledger"])


@router.get("/health", response_model=HealthOut)
def health(reading: Reading) -> JSONResponse:
    """Say whether the ledger works; 503 if its database does not answer or its intake has ended."""
    body = measure_health(reading)
    return JSONResponse(body.model_dump(), status_code=503 if body.status == "down" else 200)


@router.get("/stock")
def stock(reading: Reading, asked: Annotated[StockParameters, Query()]) -> StockPage:
    """List balances that are not zero, by place, item, lot, serial, SSCC, unit and status."""
    wanted = StockFilter(
        warehouse=asked.warehouse or "",
        location=asked.location or "",
        item=asked.item or "",
        lot=asked.lot or "",
        status=asked.status or "",
        within=asked.within or "",
        include_virtual=asked.include_virtual,
    )
    after = read_cursor(asked.cursor, StockKey)
    limit = asked.limit + 1
    time_ms = parse_time(asked.as_of) if asked.as_of is not None else None
    if time_ms is not None and not (wanted.warehouse or wanted.item):
        raise ProblemRaised(
            status=422,
            title="Unusable parameter",
            detail="as_of: the stock of the past is read for a warehouse or an item",
            hint="Name a warehouse or an item beside as_of.",
        )
    if asked.recorded_by is not None and time_ms is None:
        raise ProblemRaised(
            status=422,
            title="Unusable parameter",
            detail="recorded_by: it says what was known of a moment of the past",
            hint="Name that moment with as_of beside recorded_by.",
        )
    _require_place(asked)
    with reading.database.read() as connection:
        if time_ms is None:
            rows = list_stock(connection, wanted, after=after, limit=limit)
        else:
            moment = moment_at(
                connection,
                time_ms,
                kind=asked.as_of_time,
                warehouse=wanted.warehouse,
                recorded_ms=parse_time(asked.recorded_by) if asked.recorded_by else None,
            )
            rows = list_stock_as_of(connection, wanted, moment, after=after, limit=limit)
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    return StockPage(
        stock=[stock_out(row) for row in page],
        next_cursor=write_cursor(page[-1].key) if len(rows) > asked.limit else None,
    )


@router.get("/stock/totals")
def stock_totals(reading: Reading, asked: Annotated[TotalParameters, Query()]) -> StockTotalPage:
    """Sum what stands at places now by item, unit and status; of an area, with all below it."""
    _require_place(asked)
    wanted = BalanceQuery(
        item=asked.item or "",
        warehouse=asked.warehouse or "",
        location=asked.location or "",
        within=asked.within or "",
        lot=asked.lot or "",
        status=asked.status or "",
    )
    after = read_cursor(asked.cursor, TotalKey)
    with reading.database.read() as connection:
        rows = list_totals(connection, wanted, after=after, limit=asked.limit + 1)
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    return StockTotalPage(
        totals=[total_out(row) for row in page],
        next_cursor=write_cursor(page[-1].key) if len(rows) > asked.limit else None,
    )


@router.get("/movements")
def movements(reading: Reading, asked: Annotated[MovementParameters, Query()]) -> MovementPage:
    """List recorded facts in the ledger's order, newest first."""
    wanted = FeedFilter(
        warehouse=asked.warehouse or "",
        gateway=asked.gateway or "",
        epoch=asked.epoch or "",
        item=asked.item or "",
        location=asked.location or "",
        lot=asked.lot or "",
        kinds=tuple(asked.kind),
    )
    before = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        rows = list_movements(
            connection,
            wanted,
            before_record_no=before.record_no if before else None,
            limit=asked.limit + 1,
        )
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    return MovementPage(
        movements=[movement_out(row) for row in page],
        next_cursor=write_cursor(RecordCursor(page[-1].record_no))
        if len(rows) > asked.limit
        else None,
    )


@router.get("/movements/{gateway}/{epoch}/{seq}", responses={404: PROBLEM})
def movement(
    reading: Reading,
    gateway: Annotated[str, Path(max_length=64)],
    epoch: Annotated[str, Path(max_length=64)],
    seq: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> FactOut:
    """Return one fact by its identity, with its evidence and its canonical bytes."""
    fact_id = parse_fact_id(f"{gateway}/{epoch}/{seq}")
    with reading.database.read() as connection:
        row = find_fact(connection, fact_id)
    if row is None:
        raise ProblemRaised(
            status=404,
            title="No such fact",
            detail=f"The ledger has no readable fact {fact_id}.",
            hint="Compare with acked_seq of the gateway: it may not have been sent yet.",
        )
    return fact_out(row)


@router.get("/gateways")
def gateways(reading: Reading, asked: Annotated[GatewayParameters, Query()]) -> GatewayPage:
    """List enrolled gateways with their state and how far behind the ledger is."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        rows = list_gateways(
            connection,
            warehouse=asked.warehouse or "",
            after=after or "",
            limit=asked.limit + 1,
        )
        require_known(connection, rows, asked.warehouse)
        record_no = last_record_no(connection)
    page = rows[: asked.limit]
    now_ms = reading.clock.now_ms()
    return GatewayPage(
        gateways=[gateway_out(row, now_ms=now_ms) for row in page],
        record_no=record_no,
        next_cursor=write_cursor(page[-1].code) if len(rows) > asked.limit else None,
    )


@router.get("/workers")
def workers(reading: Reading, asked: Annotated[WholeParameters, Query()]) -> WorkersOut:
    """List the processes that take facts, and the shards that none of them takes."""
    after = read_cursor(asked.cursor, str) or ""
    with reading.database.read() as connection:
        # Which shards nobody takes follows from all of the workers, whatever the page shows.
        known = list_workers(connection, now_ms=reading.clock.now_ms())
    # By code points, as `after` is compared; a database may sort names as its language does.
    rows = sorted((row for row in known.rows if row.name > after), key=attrgetter("name"))
    page = tuple(rows[: asked.limit])
    return workers_out(
        replace(known, rows=page),
        next_cursor=write_cursor(page[-1].name) if len(rows) > asked.limit else None,
    )


def _require_place(asked: StockParameters | TotalParameters) -> None:
    if asked.within and not asked.warehouse:
        raise ProblemRaised(
            status=422,
            title="Unusable parameter",
            detail="within: a place is one of a warehouse",
            hint="Name its warehouse beside within.",
        )


def measure_health(reading: ReadSide) -> HealthOut:
    """Return how the ledger is; a database that fails is an answer here, not an error."""
    connected = reading.intake_connected() if reading.intake_connected else None
    counts: CountsOut | None = None
    status, detail, hint = "ok", "", ""
    if reading.intake_alive is not None and not reading.intake_alive():
        connected = False
        status, detail = "down", "The intake has ended: no facts are taken."
        hint = "Start the ledger again; its log names the fault. Gateways keep their facts."
    elif connected is False:
        status, detail = "degraded", "The intake does not hear the broker."
        hint = "Check that the broker runs; gateways keep their facts until it does."
    try:
        with reading.database.read() as connection:
            counted = count_all(connection)
        counts = CountsOut(
            facts=counted.facts,
            gateways=counted.gateways,
            gateways_online=counted.gateways_online,
            discrepancies_open=counted.discrepancies_open,
            quarantined=counted.quarantined,
        )
    except CentralError as error:
        status, detail, hint = "down", str(error), error.hint
    return HealthOut(
        status=status,
        database_reachable=counts is not None,
        intake_connected=connected,
        counts=counts,
        detail=detail,
        hint=hint,
        site=reading.site,
        software=reading.software,
        time=utc_text(reading.clock.now_ms()),
    )
