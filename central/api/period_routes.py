"""The addresses below /api/v1 of closed periods and of what came late. Edge of HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from central.api.context import Reader, Reading, said_in
from central.api.order_values import DocumentCode
from central.api.parameters import (
    PREFIX,
    PageParameters,
    RecordCursor,
    WholeParameters,
    read_cursor,
    write_cursor,
)
from central.api.period_models import (
    ChecklistOut,
    ChecklistParameters,
    CloseIn,
    LateFactPage,
    LateTotalsOut,
    PeriodBalancePage,
    PeriodBalanceParameters,
    PeriodOut,
    PeriodsOut,
    balance_out,
    end_of,
    late_out,
    period_out,
    point_out,
    total_out,
)
from central.api.problems import PROBLEM
from central.api.writing import REFUSALS, Answer, Call, Writing
from central.ledger.desk import Change
from central.ledger.entries import BalanceKey
from central.orders.order_goods import require_known
from central.orders.settling.period_book import (
    close_period,
    find_period,
    list_balances,
    list_periods,
)
from central.orders.settling.period_late import count_late, list_late, total_late
from central.orders.settling.period_points import open_points
from central.stock.feed import list_numbered
from central.stock.times import utc_text

router = APIRouter(
    prefix=f"{PREFIX}/periods",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["periods"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}


@router.get("")
def periods(
    reading: Reading,
    reader: Reader,
    response: Response,
    asked: Annotated[WholeParameters, Query()],
) -> PeriodsOut:
    """List closed periods, oldest first; `detail` in Chinese for Accept-Language: zh."""
    after = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        found = list_periods(
            connection, after=after.record_no if after else 0, limit=asked.limit + 1
        )
        page = found[: asked.limit]
        late = count_late(connection, numbers=[one.number for one in page])
    more = len(found) > asked.limit
    response.headers.update(said_in(reader))
    return PeriodsOut(
        periods=[period_out(one, late_count=late.get(one.number, 0), words=reader) for one in page],
        next_cursor=write_cursor(RecordCursor(page[-1].number)) if more else None,
    )


@router.post("", status_code=201, response_model=PeriodOut, responses=REFUSALS)
def close(writing: Writing, call: Call, reader: Reader, body: CloseIn) -> Response:
    """Close the next period: its figures never change again, and nothing is backdated into it."""

    def work(change: Change) -> Answer:
        period = close_period(
            change,
            code=body.period,
            through_ms=end_of(body.through),
            reason=body.reason,
            anyway=body.anyway,
        )
        place = f"{PREFIX}/periods/{period.code}"
        made = period_out(period, late_count=0, words=reader)
        return Answer(made, status=201, location=place)

    return writing.answer(call, work)


@router.get("/checklist")
def checklist(
    reading: Reading,
    reader: Reader,
    response: Response,
    asked: Annotated[ChecklistParameters, Query()],
) -> ChecklistOut:
    """List what is still open before a period that ends there.

    `detail` is in Chinese for Accept-Language: zh.
    """
    through_ms = end_of(asked.through)
    with reading.database.read() as connection:
        points = open_points(connection, through_ms=through_ms)
    response.headers.update(said_in(reader))
    return ChecklistOut(
        end_time=utc_text(through_ms), open=[point_out(one, reader) for one in points]
    )


@router.get("/{code}", responses=NOT_THERE)
def period(reading: Reading, reader: Reader, response: Response, code: DocumentCode) -> PeriodOut:
    """Return a closed period; `detail` of what was open in Chinese for Accept-Language: zh."""
    with reading.database.read() as connection:
        found = find_period(connection, code)
        late_count = count_late(connection, numbers=[found.number]).get(found.number, 0)
    response.headers.update(said_in(reader))
    return period_out(found, late_count=late_count, words=reader)


@router.get("/{code}/balances", responses=NOT_THERE)
def balances(
    reading: Reading, code: DocumentCode, asked: Annotated[PeriodBalanceParameters, Query()]
) -> PeriodBalancePage:
    """List what stood where at the end of a period, virtual places too, as it was closed."""
    after = read_cursor(asked.cursor, BalanceKey)
    with reading.database.read() as connection:
        found = list_balances(
            connection,
            find_period(connection, code),
            warehouse=asked.warehouse or "",
            item=asked.item or "",
            after=after,
            limit=asked.limit + 1,
        )
        require_known(connection, found, asked.warehouse)
    page = found[: asked.limit]
    return PeriodBalancePage(
        balances=[balance_out(*one) for one in page],
        next_cursor=write_cursor(page[-1][0]) if len(found) > asked.limit else None,
    )


@router.get("/{code}/late", responses=NOT_THERE)
def late(
    reading: Reading, code: DocumentCode, asked: Annotated[PageParameters, Query()]
) -> LateFactPage:
    """List facts of a period that came after it was closed, as they came."""
    after = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        found = list_late(
            connection,
            find_period(connection, code),
            after=after.record_no if after else 0,
            limit=asked.limit + 1,
        )
        page = found[: asked.limit]
        rows = {
            row.record_no: row for row in list_numbered(connection, [one.record_no for one in page])
        }
    more = len(found) > asked.limit
    return LateFactPage(
        facts=[late_out(one, rows[one.record_no]) for one in page],
        next_cursor=write_cursor(RecordCursor(page[-1].record_no)) if more else None,
    )


@router.get("/{code}/late/totals", responses=NOT_THERE)
def late_totals(reading: Reading, code: DocumentCode) -> LateTotalsOut:
    """Sum what came after a period was closed, by place and item."""
    with reading.database.read() as connection:
        totals = total_late(connection, find_period(connection, code))
    return LateTotalsOut(totals=[total_out(one) for one in totals])
