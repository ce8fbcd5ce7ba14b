"""The addresses below /api/v1 of sales orders. Edge of HTTP."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from central.api.context import Reading
from central.api.counter_models import SaleIn, goods_stated, sale_asked
from central.api.order_values import LINE_NO_MAX, DocumentCode, ReasonIn, positive_micro
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import NOT_THERE, PROBLEM
from central.api.sales_models import (
    CoveredOut,
    GiveUpIn,
    SalesOrderIn,
    SalesOrderOut,
    SalesOrderPage,
    SalesParameters,
    ShortPickIn,
    SignIn,
    WarehouseIn,
    covered_out,
    sales_asked,
    sales_order_out,
)
from central.api.writing import (
    EDIT_REFUSALS,
    REFUSALS,
    Answer,
    Asked,
    Call,
    Edit,
    WriteSide,
    Writing,
    etag_of,
)
from central.contract.quantities import parse_decimal, to_micro
from central.ledger.desk import Change
from central.orders.order_goods import date_of, require_known, supplier_names
from central.orders.sales import sales_book, sales_remainders
from central.orders.sales.counter_sale import hand_over, sell_at_once
from central.orders.sales.sales_orders import OrderFigures, SalesOrder
from central.orders.sales.sales_reading import SalesFilter, list_orders
from central.orders.sales.sales_store import read_figures, read_order

router = APIRouter(
    prefix=f"{PREFIX}/sales-orders",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["sales"],
)
Number = Annotated[int, Path(ge=1, le=LINE_NO_MAX)]


@router.get("")
def sales_orders(reading: Reading, asked: Annotated[SalesParameters, Query()]) -> SalesOrderPage:
    """List sales orders by code, each with how far it is."""
    wanted = SalesFilter(
        state=asked.state or "",
        warehouse=asked.warehouse or "",
        customer=asked.customer or "",
        item=asked.item or "",
        wave=asked.wave or "",
        late_on=date_of(reading.clock.now_ms()) if asked.late else "",
    )
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        found, last = list_orders(connection, wanted, after=after or "", limit=asked.limit)
        require_known(connection, found, asked.warehouse)
        page = _orders_out(found, supplier_names(connection, _customers(found)))
    return SalesOrderPage(sales_orders=page, next_cursor=write_cursor(last) if last else None)


@router.post("", status_code=201, response_model=SalesOrderOut, responses=REFUSALS)
def draft_sales_order(writing: Writing, call: Call, body: SalesOrderIn) -> Response:
    """Draft an order; nothing is set aside before it is approved."""

    def work(change: Change) -> Answer:
        order = sales_book.draft_order(change, sales_asked(body))
        place = f"{PREFIX}/sales-orders/{order.code}"
        return _answer(change, order, status=201, location=place)

    return writing.answer(call, work)


@router.post("/sell", status_code=201, response_model=SalesOrderOut, responses=REFUSALS)
def sell_over_the_counter(writing: Writing, call: Call, body: SaleIn) -> Response:
    """Draft and approve an order and hand its goods over at once: all of it, or nothing.

    For whoever may approve sales, too. 409 with what is available if that is not enough.
    """

    def work(change: Change) -> Answer:
        order = sell_at_once(change, sale_asked(body), stated=goods_stated(body))
        place = f"{PREFIX}/sales-orders/{order.code}"
        return _answer(change, order, status=201, location=place)

    return writing.answer(call, work)


@router.post("/reserve-backorders", response_model=CoveredOut, responses=REFUSALS)
def reserve_sales_backorders(writing: Writing, call: Call, body: WarehouseIn) -> Response:
    """Set aside what orders of a warehouse wait for, the oldest promise first."""
    return writing.answer(
        call,
        lambda change: Answer(
            covered_out(sales_remainders.reserve_backorders(change, body.warehouse))
        ),
    )


@router.get("/{code}", responses=NOT_THERE)
def sales_order(reading: Reading, response: Response, code: DocumentCode) -> SalesOrderOut:
    """Return an order with how far it is."""
    with reading.database.read() as connection:
        order = read_order(connection, code)
        found = read_figures(connection, [order])
        (body,) = _orders_out(found, supplier_names(connection, _customers(found)))
    response.headers["ETag"] = etag_of(order.version)
    return body


@router.put("/{code}", response_model=SalesOrderOut, responses=EDIT_REFUSALS)
def change_sales_order(
    writing: Writing, call: Edit, code: DocumentCode, body: SalesOrderIn
) -> Response:
    """Give a draft other contents."""
    return _act(
        writing,
        call,
        lambda change: sales_book.edit_order(change, code, sales_asked(body), version=call.version),
    )


@router.post("/{code}/submit", response_model=SalesOrderOut, responses=REFUSALS)
def submit_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Hand a draft in for approval."""
    return _act(
        writing, call, lambda change: sales_book.submit_order(change, code, version=call.version)
    )


@router.post("/{code}/send-back", response_model=SalesOrderOut, responses=REFUSALS)
def send_back_sales_order(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Make what was handed in a draft again, for a reason."""
    return _act(
        writing,
        call,
        lambda change: sales_book.send_back_order(
            change, code, reason=body.reason, version=call.version
        ),
    )


@router.post("/{code}/approve", response_model=SalesOrderOut, responses=REFUSALS)
def approve_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Promise the goods: set aside what there is. 409 with what is available, if all must be."""
    return _act(
        writing, call, lambda change: sales_book.approve_order(change, code, version=call.version)
    )


@router.post("/{code}/hand-over", response_model=SalesOrderOut, responses=REFUSALS)
def hand_over_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Approve an order and hand its goods over at the counter: all of it, or nothing.

    For whoever may approve sales, too.
    """
    return _act(writing, call, lambda change: hand_over(change, code, version=call.version))


@router.post("/{code}/reserve", response_model=SalesOrderOut, responses=REFUSALS)
def reserve_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Set aside what still waits for stock, and anew what may no longer be shipped."""
    return _act(
        writing, call, lambda change: sales_book.reserve_order(change, code, version=call.version)
    )


@router.post("/{code}/release", response_model=SalesOrderOut, responses=REFUSALS)
def release_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Let stations pick and ship what is set aside."""
    return _act(
        writing, call, lambda change: sales_book.release_order(change, code, version=call.version)
    )


@router.post("/{code}/recall", response_model=SalesOrderOut, responses=REFUSALS)
def recall_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Take an order from the stations again, while nothing went out."""
    return _act(
        writing, call, lambda change: sales_book.recall_order(change, code, version=call.version)
    )


@router.post("/{code}/reopen", response_model=SalesOrderOut, responses=REFUSALS)
def reopen_sales_order(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Make an approved order a draft again, for a reason; what was set aside is free."""
    return _act(
        writing,
        call,
        lambda change: sales_book.reopen_order(
            change, code, reason=body.reason, version=call.version
        ),
    )


@router.post("/{code}/lines/{line}/give-up", response_model=SalesOrderOut, responses=REFUSALS)
def give_up_sales_line(
    writing: Writing, call: Call, code: DocumentCode, line: Number, body: GiveUpIn
) -> Response:
    """Ship no more of a line, or so much less of it, for a reason."""
    quantity_micro = None if body.quantity is None else positive_micro(body.quantity)
    return _act(
        writing,
        call,
        lambda change: sales_remainders.give_up(
            change,
            code,
            line,
            reason=body.reason,
            quantity_micro=quantity_micro,
            version=call.version,
        ),
    )


@router.post("/{code}/picks/{pick}/short", response_model=SalesOrderOut, responses=REFUSALS)
def short_sales_pick(
    writing: Writing, call: Call, code: DocumentCode, pick: Number, body: ShortPickIn
) -> Response:
    """Set other stock aside for a pick of which less was found than the books have."""
    found_micro = to_micro(parse_decimal(body.found))
    return _act(
        writing,
        call,
        lambda change: sales_remainders.pick_short(
            change, code, pick, found_micro=found_micro, version=call.version
        ),
    )


@router.post("/{code}/sign", response_model=SalesOrderOut, responses=REFUSALS)
def sign_sales_order(writing: Writing, call: Call, code: DocumentCode, body: SignIn) -> Response:
    """Note who took the goods, once all that is still wanted went out."""
    return _act(
        writing,
        call,
        lambda change: sales_book.sign_order(
            change, code, signed_by=body.signed_by, tracking=body.tracking, version=call.version
        ),
    )


@router.post("/{code}/close", response_model=SalesOrderOut, responses=REFUSALS)
def close_sales_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Put a signed order away."""
    return _act(
        writing, call, lambda change: sales_book.close_order(change, code, version=call.version)
    )


@router.post("/{code}/cancel", response_model=SalesOrderOut, responses=REFUSALS)
def cancel_sales_order(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Call an order off, for a reason, while nothing of it went out."""
    return _act(
        writing,
        call,
        lambda change: sales_book.cancel_order(
            change, code, reason=body.reason, version=call.version
        ),
    )


def _act(writing: WriteSide, call: Asked, step: Callable[[Change], SalesOrder]) -> Response:
    return writing.answer(call, lambda change: _answer(change, step(change)))


def _answer(change: Change, order: SalesOrder, *, status: int = 200, location: str = "") -> Answer:
    found = read_figures(change.connection, [order])
    (body,) = _orders_out(found, supplier_names(change.connection, _customers(found)))
    return Answer(body, status, version=order.version, location=location)


def _customers(found: list[OrderFigures]) -> set[str]:
    return {one.order.customer for one in found}


def _orders_out(found: list[OrderFigures], names: Mapping[str, str]) -> list[SalesOrderOut]:
    return [sales_order_out(one, customer_name=names[one.order.customer]) for one in found]
