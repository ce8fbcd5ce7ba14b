"""The addresses below /api/v1/counts at which a count goes on. Edge of HTTP."""

from fastapi import APIRouter, Response

from central.api.count_answers import line_body, not_negative_micro, thing_asked, variance_out
from central.api.count_bodies import count_answer, count_body
from central.api.count_models import (
    CountOut,
    EntriesIn,
    EntryIn,
    FinishedOut,
    PostedOut,
    RecountIn,
    RejectIn,
)
from central.api.order_values import DocumentCode, ReasonIn
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM
from central.api.writing import REFUSALS, Answer, Call, Writing
from central.ledger.desk import Change
from central.orders.counts.count_book import (
    cancel_count,
    finish_count,
    recount,
    refer_count,
    reject_lines,
    release_count,
)
from central.orders.counts.count_entry import enter_counts
from central.orders.counts.count_posting import PostedCount, accept_count, amend_count, post_count
from central.orders.counts.counts import Entered
from central.stock.times import parse_time

router = APIRouter(
    prefix=f"{PREFIX}/counts",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["counts"],
)


@router.post("/{code}/release", response_model=CountOut, responses=REFUSALS)
def release(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Let stations of the warehouse count."""
    return writing.answer(
        call, lambda change: count_answer(change, release_count(change, code, version=call.version))
    )


@router.post("/{code}/entries", response_model=CountOut, responses=REFUSALS)
def enter(writing: Writing, call: Call, code: DocumentCode, body: EntriesIn) -> Response:
    """Take up a filled-in count sheet; each entry becomes a count fact of the ledger's own."""

    def work(change: Change) -> Answer:
        head = enter_counts(
            change,
            code,
            [_entered(entry) for entry in body.entries],
            empty=body.empty,
            counted_by=body.counted_by,
            counted_ms=None if body.counted_time is None else parse_time(body.counted_time),
            version=call.version,
        )
        return count_answer(change, head)

    return writing.answer(call, work)


@router.post("/{code}/finish", response_model=FinishedOut, responses=REFUSALS)
def finish(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """End the round and judge it: it is counted, or counted again, or goes to review."""

    def work(change: Change) -> Answer:
        done = finish_count(change, code, version=call.version)
        body = FinishedOut(
            **count_body(change, done.head).model_dump(),
            follows=done.follows,
            uncounted=[line_body(line) for line in done.standing.uncounted],
            variances_count=sum(
                1 for one in done.standing.variances if one.judgement.variance_micro
            ),
        )
        return Answer(body, version=done.head.version)

    return writing.answer(call, work)


@router.post("/{code}/recount", response_model=CountOut, responses=REFUSALS)
def count_again(writing: Writing, call: Call, code: DocumentCode, body: RecountIn) -> Response:
    """Have goods counted once more, by people who have not counted them yet."""
    things = [thing_asked(thing) for thing in body.lines]
    return writing.answer(
        call,
        lambda change: count_answer(change, recount(change, code, things, version=call.version)),
    )


@router.post("/{code}/refer", response_model=CountOut, responses=REFUSALS)
def refer(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Send a count to review as it is."""
    return writing.answer(
        call, lambda change: count_answer(change, refer_count(change, code, version=call.version))
    )


@router.post("/{code}/reject", response_model=CountOut, responses=REFUSALS)
def reject(writing: Writing, call: Call, code: DocumentCode, body: RejectIn) -> Response:
    """Leave the book as it is at some lines, for a reason."""
    things = [thing_asked(thing) for thing in body.lines]
    return writing.answer(
        call,
        lambda change: count_answer(
            change, reject_lines(change, code, things, reason=body.reason, version=call.version)
        ),
    )


@router.post("/{code}/post", response_model=PostedOut, responses=REFUSALS)
def post(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Post a count that needs no review: stock changes by its variances."""
    return writing.answer(
        call, lambda change: _posted(change, post_count(change, code, version=call.version))
    )


@router.post("/{code}/accept", response_model=PostedOut, responses=REFUSALS)
def accept(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Accept a count under review and post it; not by somebody who has counted."""
    return writing.answer(
        call, lambda change: _posted(change, accept_count(change, code, version=call.version))
    )


@router.post("/{code}/amend", response_model=PostedOut, responses=REFUSALS)
def amend(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Post what the adjustments of a posted count lack by what has come late since."""
    return writing.answer(
        call, lambda change: _posted(change, amend_count(change, code, version=call.version))
    )


@router.post("/{code}/cancel", response_model=CountOut, responses=REFUSALS)
def cancel(writing: Writing, call: Call, code: DocumentCode, body: ReasonIn) -> Response:
    """End a count without any effect on stock, for a reason."""
    return writing.answer(
        call,
        lambda change: count_answer(
            change, cancel_count(change, code, reason=body.reason, version=call.version)
        ),
    )


def _posted(change: Change, posted: PostedCount) -> Answer:
    body = PostedOut(
        **count_body(change, posted.head).model_dump(),
        adjusted=[variance_out(one) for one in posted.adjusted],
    )
    return Answer(body, version=posted.head.version)


def _entered(entry: EntryIn) -> Entered:
    micro = not_negative_micro(entry.quantity, what="quantity")
    assert micro is not None
    return Entered(
        entry.location,
        entry.item,
        micro,
        entry.unit,
        entry.lot,
        entry.serial,
        entry.sscc,
        entry.expiry_date,
        entry.part,
    )
