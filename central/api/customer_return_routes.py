"""The addresses below /api/v1 of goods that customers send back. Edge of HTTP."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from central.api.context import Reading
from central.api.customer_return_models import (
    CustomerReturnIn,
    CustomerReturnOut,
    CustomerReturnPage,
    CustomerReturnParameters,
    DecisionsIn,
    customer_return_out,
    decisions_asked,
    return_asked,
)
from central.api.order_values import DocumentCode, ReasonIn
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import NOT_THERE, PROBLEM
from central.api.writing import REFUSALS, Answer, Asked, Call, WriteSide, Writing, etag_of
from central.ledger.desk import Change
from central.orders.order_goods import require_known, supplier_names
from central.orders.sales.customer_return_book import (
    Action,
    act_on_return,
    decide_on_return,
    request_return,
)
from central.orders.sales.customer_return_reading import ReturnFilter, list_returns, read_return
from central.orders.sales.customer_returns import ReturnView

router = APIRouter(
    prefix=f"{PREFIX}/customer-returns",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["sales"],
)


@router.get("")
def customer_returns(
    reading: Reading, asked: Annotated[CustomerReturnParameters, Query()]
) -> CustomerReturnPage:
    """List customer returns by code, each with what came of it."""
    wanted = ReturnFilter(
        warehouse=asked.warehouse or "",
        customer=asked.customer or "",
        state=asked.state or "",
        reason=asked.reason or "",
        item=asked.item or "",
    )
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        views = list_returns(connection, wanted, after=after or "", limit=asked.limit + 1)
        require_known(connection, views, asked.warehouse)
        page = views[: asked.limit]
        found = _returns_out(page, supplier_names(connection, _customers(page)))
    more = len(views) > asked.limit
    return CustomerReturnPage(
        customer_returns=found,
        next_cursor=write_cursor(page[-1].returned.code) if more else None,
    )


@router.post("", status_code=201, response_model=CustomerReturnOut, responses=REFUSALS)
def request_customer_return(writing: Writing, call: Call, body: CustomerReturnIn) -> Response:
    """Note that a customer wants to send goods back, and why."""

    def work(change: Change) -> Answer:
        view = request_return(change, return_asked(body))
        place = f"{PREFIX}/customer-returns/{view.returned.code}"
        return _answer(change, view, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def customer_return(reading: Reading, response: Response, code: DocumentCode) -> CustomerReturnOut:
    """Return a customer return with what came of it."""
    with reading.database.read() as connection:
        view = read_return(connection, code)
        (body,) = _returns_out([view], supplier_names(connection, _customers([view])))
    response.headers["ETag"] = etag_of(view.returned.version)
    return body


@router.post("/{code}/approve", response_model=CustomerReturnOut, responses=REFUSALS)
def approve_customer_return(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Agree to a return."""
    return _act(writing, call, code, "approve")


@router.post("/{code}/reject", response_model=CustomerReturnOut, responses=REFUSALS)
def reject_customer_return(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Refuse a return, for a reason."""
    return _act(writing, call, code, "reject", body.reason)


@router.post("/{code}/release", response_model=CustomerReturnOut, responses=REFUSALS)
def release_customer_return(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Let stations take the goods in."""
    return _act(writing, call, code, "release")


@router.post("/{code}/decisions", response_model=CustomerReturnOut, responses=REFUSALS)
def decide_customer_return(
    writing: Writing, call: Call, code: DocumentCode, body: DecisionsIn
) -> Response:
    """Decide on goods that came back, in parts: restock, scrap, exchange. All of it or nothing."""
    asked = decisions_asked(body)
    return writing.answer(
        call,
        lambda change: _answer(change, decide_on_return(change, code, asked, version=call.version)),
    )


@router.post("/{code}/close", response_model=CustomerReturnOut, responses=REFUSALS)
def close_customer_return(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """End a return; while something of it has not come, for a reason."""
    return _act(writing, call, code, "close", body.reason)


@router.post("/{code}/cancel", response_model=CustomerReturnOut, responses=REFUSALS)
def cancel_customer_return(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Call a return off, for a reason, while nothing of it has come."""
    return _act(writing, call, code, "cancel", body.reason)


def _act(writing: WriteSide, call: Asked, code: str, action: Action, reason: str = "") -> Response:
    return writing.answer(
        call,
        lambda change: _answer(
            change, act_on_return(change, code, action, version=call.version, reason=reason)
        ),
    )


def _answer(change: Change, view: ReturnView, *, status: int = 200, location: str = "") -> Answer:
    names = supplier_names(change.connection, _customers([view]))
    (body,) = _returns_out([view], names)
    return Answer(body, status, version=view.returned.version, location=location)


def _customers(views: list[ReturnView]) -> set[str]:
    return {view.returned.customer for view in views}


def _returns_out(views: list[ReturnView], names: Mapping[str, str]) -> list[CustomerReturnOut]:
    return [
        customer_return_out(view, customer_name=names[view.returned.customer]) for view in views
    ]
