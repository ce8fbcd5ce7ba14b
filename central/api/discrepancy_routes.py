"""The addresses below /api/v1 of what does not add up, and how it is settled. Edge of HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from central.api.context import Reader, Reading, Words, said_in
from central.api.discrepancy_models import (
    AssignIn,
    CommentIn,
    CountParameters,
    DiscrepancyDetailOut,
    DiscrepancyPage,
    DiscrepancyParameters,
    OpenCountsOut,
    ReopenIn,
    SettleIn,
    decision_of,
    detail_out,
    discrepancy_out,
    open_count_out,
)
from central.api.parameters import PREFIX, RecordCursor, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.api.writing import EDIT_REFUSALS, REFUSALS, Answer, Call, Edit, Writing, etag_of
from central.contract.identifiers import parse_code
from central.ledger.desk import Change
from central.orders.order_goods import require_known
from central.orders.settling.discrepancy_views import DAY_MS, count_open, read_detail
from central.orders.settling.kind_rules import kinds_of
from central.orders.settling.settlement_book import assign, comment, reopen, settle
from central.stock.discrepancy_times import DiscrepancyFilter
from central.stock.states import list_discrepancies
from central.stock.times import parse_time

router = APIRouter(
    prefix=f"{PREFIX}/discrepancies",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["discrepancies"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
Identity = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["00000000" * 4])]


@router.get("")
def discrepancies(
    reading: Reading,
    reader: Reader,
    response: Response,
    asked: Annotated[DiscrepancyParameters, Query()],
) -> DiscrepancyPage:
    """List what does not add up, newest first; or what did not, as of a moment.

    `detail` and `settlement` are in Chinese for Accept-Language: zh.
    """
    as_of_ms = parse_time(asked.as_of) if asked.as_of is not None else None
    now_ms = reading.clock.now_ms() if as_of_ms is None else as_of_ms
    wanted = DiscrepancyFilter(
        state=asked.state or "",
        kind=asked.kind or "",
        warehouse=asked.warehouse or "",
        kinds=kinds_of(asked.cause) if asked.cause else (),
        owner="" if asked.unowned else asked.owner,
        opened_before=None if asked.age_days is None else now_ms - asked.age_days * DAY_MS,
        as_of=None if as_of_ms is None else (as_of_ms, asked.as_of_time),
    )
    before = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        rows = list_discrepancies(
            connection,
            wanted,
            before=(before.record_no, before.id) if before else None,
            limit=asked.limit + 1,
        )
        require_known(connection, rows, asked.warehouse)
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    response.headers.update(said_in(reader))
    return DiscrepancyPage(
        discrepancies=[discrepancy_out(row, now_ms=now_ms, words=reader) for row in page],
        next_cursor=write_cursor(RecordCursor(page[-1].record_no, page[-1].id)) if more else None,
    )


@router.get("/counts")
def open_counts(reading: Reading, asked: Annotated[CountParameters, Query()]) -> OpenCountsOut:
    """Count what is open, by warehouse, cause and age."""
    now_ms = reading.clock.now_ms()
    with reading.database.read() as connection:
        counts = count_open(connection, now_ms=now_ms, warehouse=asked.warehouse or "")
        require_known(connection, counts, asked.warehouse)
    return OpenCountsOut(counts=[open_count_out(one) for one in counts])


@router.get("/{identity}", responses=NOT_THERE)
def discrepancy(
    reading: Reading, reader: Reader, response: Response, identity: Identity
) -> DiscrepancyDetailOut:
    """Return a discrepancy with the facts behind it, what settled it, and what would.

    What people read of it (`means`, `detail`, `settlement`, `why` of proposals, `text` of advice)
    is in Chinese for Accept-Language: zh.
    """
    with reading.database.read() as connection:
        detail = read_detail(connection, identity, now_ms=reading.clock.now_ms())
    response.headers["ETag"] = etag_of(detail.row.version)
    response.headers.update(said_in(reader))
    return detail_out(detail, now_ms=reading.clock.now_ms(), words=reader)


@router.post("/{identity}/settle", response_model=DiscrepancyDetailOut, responses=REFUSALS)
def settle_one(
    writing: Writing, call: Call, reader: Reader, identity: Identity, body: SettleIn
) -> Response:
    """Settle a discrepancy: what moves is posted as facts of the ledger's own."""

    def work(change: Change) -> Answer:
        settle(change, identity, decision_of(body), version=call.version)
        return _answer(change, identity, reader)

    return writing.answer(call, work)


@router.post("/{identity}/reopen", response_model=DiscrepancyDetailOut, responses=REFUSALS)
def reopen_one(
    writing: Writing, call: Call, reader: Reader, identity: Identity, body: ReopenIn
) -> Response:
    """Open a settled discrepancy again, because its settlement proved wrong."""

    def work(change: Change) -> Answer:
        reopen(
            change,
            identity,
            reason=body.reason,
            take_back=body.take_back,
            version=call.version,
        )
        return _answer(change, identity, reader)

    return writing.answer(call, work)


@router.post("/{identity}/assign", response_model=DiscrepancyDetailOut, responses=EDIT_REFUSALS)
def assign_one(
    writing: Writing, call: Edit, reader: Reader, identity: Identity, body: AssignIn
) -> Response:
    """Say who sees to a discrepancy, and until when."""

    def work(change: Change) -> Answer:
        assign(
            change,
            identity,
            owner=parse_code(body.owner, what="owner") if body.owner else "",
            due_ms=parse_time(body.due_time) if body.due_time else 0,
            version=call.version,
        )
        return _answer(change, identity, reader)

    return writing.answer(call, work)


@router.post("/{identity}/comments", response_model=DiscrepancyDetailOut, responses=REFUSALS)
def comment_on(
    writing: Writing, call: Call, reader: Reader, identity: Identity, body: CommentIn
) -> Response:
    """Add what somebody found out; /history/discrepancy/{id} has it."""

    def work(change: Change) -> Answer:
        comment(change, identity, text=body.text)
        return _answer(change, identity, reader)

    return writing.answer(call, work)


def _answer(change: Change, identity: str, reader: Words | None) -> Answer:
    detail = read_detail(change.connection, identity, now_ms=change.now_ms)
    return Answer(
        detail_out(detail, now_ms=change.now_ms, words=reader), version=detail.row.version
    )
