"""The addresses below /api/v1 of purchase orders. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from central.api.context import Reading
from central.api.order_values import LINE_NO_MAX, DocumentCode, ReasonIn
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import NOT_THERE, PROBLEM
from central.api.purchase_models import (
    ConfirmIn,
    PurchaseOrderIn,
    PurchaseOrderOut,
    PurchaseOrderPage,
    PurchaseOrderPatch,
    PurchaseParameters,
    order_asked,
    order_changes,
    purchase_order_out,
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
from central.ledger.desk import Change
from central.orders.order_goods import date_of, require_known, supplier_notes
from central.orders.purchasing.purchase_book import (
    Acting,
    Action,
    act_on_order,
    change_order,
    create_order,
)
from central.orders.purchasing.purchase_reading import (
    PurchaseFilter,
    PurchaseView,
    list_orders,
    view_order,
)

router = APIRouter(
    prefix=f"{PREFIX}/purchase-orders",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["purchasing"],
)
NO_MORE = Acting()
LineNumber = Annotated[int, Path(ge=1, le=LINE_NO_MAX)]


@router.get("")
def purchase_orders(
    reading: Reading, asked: Annotated[PurchaseParameters, Query()]
) -> PurchaseOrderPage:
    """List purchase orders by code, each with what came of it."""
    now_ms = reading.clock.now_ms()
    wanted = PurchaseFilter(
        state=asked.state or "",
        warehouse=asked.warehouse or "",
        supplier=asked.supplier or "",
        item=asked.item or "",
        late_on=date_of(now_ms) if asked.late else "",
    )
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        views, last = list_orders(connection, wanted, after=after or "", limit=asked.limit)
        require_known(connection, views, asked.warehouse)
        codes = {view.order.supplier for view in views}
        suppliers = supplier_notes(connection, codes, now_ms=now_ms)
    page = [
        purchase_order_out(view, suppliers[view.order.supplier], now_ms=now_ms) for view in views
    ]
    return PurchaseOrderPage(purchase_orders=page, next_cursor=write_cursor(last) if last else None)


@router.post("", status_code=201, response_model=PurchaseOrderOut, responses=REFUSALS)
def draft_purchase_order(writing: Writing, call: Call, body: PurchaseOrderIn) -> Response:
    """Draft an order; nobody works on it before it is sent."""

    def work(change: Change) -> Answer:
        view = create_order(change, order_asked(body))
        place = f"{PREFIX}/purchase-orders/{view.order.code}"
        return _answer(change, view, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def purchase_order(reading: Reading, response: Response, code: DocumentCode) -> PurchaseOrderOut:
    """Return an order with what came of it."""
    now_ms = reading.clock.now_ms()
    with reading.database.read() as connection:
        view = view_order(connection, code)
        suppliers = supplier_notes(connection, {view.order.supplier}, now_ms=now_ms)
    response.headers["ETag"] = etag_of(view.order.version)
    return purchase_order_out(view, suppliers[view.order.supplier], now_ms=now_ms)


@router.patch("/{code}", response_model=PurchaseOrderOut, responses=EDIT_REFUSALS)
def change_purchase_order(
    writing: Writing, call: Edit, code: DocumentCode, body: PurchaseOrderPatch
) -> Response:
    """Change a draft; of an order under way its promised date and note alone."""
    return writing.answer(
        call,
        lambda change: _answer(
            change, change_order(change, code, order_changes(body), version=call.version)
        ),
    )


@router.post("/{code}/submit", response_model=PurchaseOrderOut, responses=REFUSALS)
def submit_purchase_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Hand a draft in for approval."""
    return _act(writing, call, code, "submit")


@router.post("/{code}/approve", response_model=PurchaseOrderOut, responses=REFUSALS)
def approve_purchase_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Approve what was handed in."""
    return _act(writing, call, code, "approve")


@router.post("/{code}/reject", response_model=PurchaseOrderOut, responses=REFUSALS)
def reject_purchase_order(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Refuse what was handed in, for a reason; it can be revised."""
    return _act(writing, call, code, "reject", Acting(reason=body.reason))


@router.post("/{code}/revise", response_model=PurchaseOrderOut, responses=REFUSALS)
def revise_purchase_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Make an order that is not sent yet a draft again."""
    return _act(writing, call, code, "revise")


@router.post("/{code}/send", response_model=PurchaseOrderOut, responses=REFUSALS)
def send_purchase_order(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Note that an order went to its supplier; from now on stations expect the goods."""
    return _act(writing, call, code, "send")


@router.post("/{code}/confirm", response_model=PurchaseOrderOut, responses=EDIT_REFUSALS)
def confirm_purchase_order(
    writing: Writing, call: Edit, code: DocumentCode, body: ConfirmIn
) -> Response:
    """Note that the supplier has confirmed, and for which day."""
    return _act(writing, call, code, "confirm", Acting(promised_date=body.promised_date))


@router.post("/{code}/lines/{line}/close", response_model=PurchaseOrderOut, responses=REFUSALS)
def close_purchase_line(
    writing: Writing, call: Call, code: DocumentCode, line: LineNumber, body: ReasonIn
) -> Response:
    """Expect nothing more of a line, for a reason."""
    return _act(writing, call, code, "close_line", Acting(reason=body.reason, line=line))


@router.post("/{code}/close", response_model=PurchaseOrderOut, responses=REFUSALS)
def close_purchase_order(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """End an order; while something of it is missing, for a reason."""
    return _act(writing, call, code, "close", Acting(reason=body.reason))


@router.post("/{code}/cancel", response_model=PurchaseOrderOut, responses=REFUSALS)
def cancel_purchase_order(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Call an order off, for a reason, while nothing of it has come."""
    return _act(writing, call, code, "cancel", Acting(reason=body.reason))


def _act(
    writing: WriteSide,
    call: Asked,
    code: str,
    action: Action,
    acting: Acting = NO_MORE,
) -> Response:
    return writing.answer(
        call,
        lambda change: _answer(
            change, act_on_order(change, code, action, version=call.version, acting=acting)
        ),
    )


def _answer(change: Change, view: PurchaseView, *, status: int = 200, location: str = "") -> Answer:
    suppliers = supplier_notes(change.connection, {view.order.supplier}, now_ms=change.now_ms)
    body = purchase_order_out(view, suppliers[view.order.supplier], now_ms=change.now_ms)
    return Answer(body, status, version=view.order.version, location=location)
