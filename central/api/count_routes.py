"""The addresses below /api/v1/counts that read, and the one that plans. Edge of HTTP."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from central.api.context import Reading
from central.api.count_answers import (
    count_head_out,
    count_out,
    line_asked,
    line_out,
    observation_out,
    rules_asked,
    sheet_line_out,
    variance_out,
)
from central.api.count_bodies import count_answer
from central.api.count_models import (
    CountIn,
    CountLinePage,
    CountOut,
    CountPage,
    CountParameters,
    ObservationPage,
    SheetOut,
    VariancePage,
    VarianceParameters,
)
from central.api.order_values import DocumentCode
from central.api.parameters import (
    PREFIX,
    PageParameters,
    RecordCursor,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.api.writing import REFUSALS, Answer, Call, Writing, etag_of
from central.ledger.desk import Change
from central.orders.counts.count_book import CountDraft, plan_count
from central.orders.counts.count_judging import Thing
from central.orders.counts.count_posting import list_results
from central.orders.counts.count_reading import read_standing
from central.orders.counts.count_rows import CountFilter, list_heads, list_observations, load_head
from central.orders.counts.count_sheet import sheet_lines
from central.orders.counts.count_views import list_lines, view_count
from central.orders.order_goods import require_known
from central.stock.times import utc_text

router = APIRouter(
    prefix=f"{PREFIX}/counts",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["counts"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
LOCATION_HEADER = f"{PREFIX}/counts/"


class LineCursor(msgspec.Struct, frozen=True, array_like=True):
    """The last line of a page."""

    round: int
    line: int


@router.get("")
def counts(reading: Reading, asked: Annotated[CountParameters, Query()]) -> CountPage:
    """List counts, newest first."""
    wanted = CountFilter(
        warehouse=asked.warehouse or "",
        state=asked.state or "",
        kind=asked.kind or "",
        plan=asked.plan or "",
    )
    before = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        heads = list_heads(connection, wanted, before=before or "", limit=asked.limit + 1)
        require_known(connection, heads, asked.warehouse)
        page = [count_head_out(head) for head in heads[: asked.limit]]
    more = len(heads) > asked.limit
    return CountPage(counts=page, next_cursor=write_cursor(page[-1].code) if more else None)


@router.post("", status_code=201, response_model=CountOut, responses=REFUSALS)
def plan_new_count(writing: Writing, call: Call, body: CountIn) -> Response:
    """Plan a count of places and items; nobody is asked to count before it is released."""

    def work(change: Change) -> Answer:
        draft = CountDraft(
            warehouse=body.warehouse,
            lines=tuple(line_asked(number, line) for number, line in enumerate(body.lines, 1)),
            blind=body.blind,
            rules=rules_asked(body),
            note=body.note,
        )
        head = plan_count(change, draft)
        return count_answer(change, head, status=201, location=LOCATION_HEADER + head.code)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def count(reading: Reading, response: Response, code: DocumentCode) -> CountOut:
    """Return a count without its lines."""
    with reading.database.read() as connection:
        body = count_out(view_count(connection, load_head(connection, code)))
    response.headers["ETag"] = etag_of(body.version)
    return body


@router.get("/{code}/lines", responses=NOT_THERE)
def count_lines(
    reading: Reading, code: DocumentCode, asked: Annotated[PageParameters, Query()]
) -> CountLinePage:
    """List what each round asks for, and which of it was counted."""
    after = read_cursor(asked.cursor, LineCursor)
    with reading.database.read() as connection:
        head = load_head(connection, code)
        rows = list_lines(
            connection,
            head,
            after=(after.round, after.line) if after else (0, 0),
            limit=asked.limit + 1,
        )
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    cursor = write_cursor(LineCursor(page[-1].round, page[-1].line.line)) if more else None
    return CountLinePage(lines=[line_out(one) for one in page], next_cursor=cursor)


@router.get("/{code}/observations", responses=NOT_THERE)
def observations(
    reading: Reading, code: DocumentCode, asked: Annotated[PageParameters, Query()]
) -> ObservationPage:
    """List the count facts of a count, also those that a later one replaces."""
    after = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        load_head(connection, code)
        rows = list_observations(
            connection, code, after=after.record_no if after else 0, limit=asked.limit + 1
        )
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return ObservationPage(
        observations=[observation_out(one.said, station=one.station) for one in page],
        next_cursor=write_cursor(RecordCursor(page[-1].said.moment.record_no)) if more else None,
    )


@router.get("/{code}/variances", responses=NOT_THERE)
def variances(
    reading: Reading,
    response: Response,
    code: DocumentCode,
    asked: Annotated[VarianceParameters, Query()],
) -> VariancePage:
    """List what was found beside what the book should have had, and why it is another figure than
    the one of the scan.
    """
    after = read_cursor(asked.cursor, tuple[str, str, str, str, str, str])
    last = Thing(*after) if after else None
    with reading.database.read() as connection:
        head = load_head(connection, code)
        if (asked.judged or ("posted" if head.ended_ms else "now")) == "posted":
            rows = list_results(
                connection, code, after=last, limit=asked.limit + 1, differing=asked.differing
            )
        else:
            rows = [
                one
                for one in read_standing(connection, head).variances
                if (last is None or one.thing > last)
                and (one.judgement.variance_micro or not asked.differing)
            ][: asked.limit + 1]
    page = rows[: asked.limit]
    response.headers["ETag"] = etag_of(head.version)
    return VariancePage(
        variances=[variance_out(one) for one in page],
        next_cursor=write_cursor(tuple(page[-1].thing)) if len(rows) > asked.limit else None,
    )


@router.get("/{code}/sheet", responses=NOT_THERE)
def count_sheet(reading: Reading, code: DocumentCode) -> SheetOut:
    """Return what a sheet to be printed shows, in walking order; of a blind one no quantities."""
    with reading.database.read() as connection:
        head = load_head(connection, code)
        lines = sheet_lines(connection, head)
    return SheetOut(
        code=head.code,
        warehouse=head.warehouse,
        round=head.round,
        blind=head.blind,
        note=head.note,
        printed_time=utc_text(reading.clock.now_ms()),
        lines=[sheet_line_out(one) for one in lines],
    )
