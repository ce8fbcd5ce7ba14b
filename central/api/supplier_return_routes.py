"""The addresses below /api/v1 of goods that go back to suppliers. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from central.api.context import Reading
from central.api.order_values import DocumentCode, ReasonIn
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import NOT_THERE, PROBLEM
from central.api.supplier_return_models import (
    ClaimDecisionIn,
    ClaimIn,
    ReturnParameters,
    SupplierReturnIn,
    SupplierReturnOut,
    SupplierReturnPage,
    SupplierReturnPatch,
    claim_amount,
    return_asked,
    return_lines,
    supplier_return_out,
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
from central.orders.order_goods import require_known, supplier_names
from central.orders.purchasing.supplier_return_book import (
    Action,
    act_on_return,
    add_claim,
    change_return,
    create_return,
    decide_claim,
)
from central.orders.purchasing.supplier_return_reading import (
    ReturnFilter,
    ReturnView,
    list_returns,
    view_return,
)
from central.orders.purchasing.supplier_returns import CLAIMS_COUNT_MAX

router = APIRouter(
    prefix=f"{PREFIX}/supplier-returns",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["purchasing"],
)
ClaimNumber = Annotated[int, Path(ge=1, le=CLAIMS_COUNT_MAX)]


@router.get("")
def supplier_returns(
    reading: Reading, asked: Annotated[ReturnParameters, Query()]
) -> SupplierReturnPage:
    """List supplier returns by code, each with what has left."""
    wanted = ReturnFilter(
        state=asked.state or "",
        warehouse=asked.warehouse or "",
        supplier=asked.supplier or "",
        item=asked.item or "",
    )
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        views, last = list_returns(connection, wanted, after=after or "", limit=asked.limit)
        require_known(connection, views, asked.warehouse)
        names = supplier_names(connection, {view.returned.supplier for view in views})
    page = [
        supplier_return_out(view, supplier_name=names[view.returned.supplier]) for view in views
    ]
    return SupplierReturnPage(
        supplier_returns=page, next_cursor=write_cursor(last) if last else None
    )


@router.post("", status_code=201, response_model=SupplierReturnOut, responses=REFUSALS)
def request_supplier_return(writing: Writing, call: Call, body: SupplierReturnIn) -> Response:
    """Request that goods go back to their supplier."""

    def work(change: Change) -> Answer:
        view = create_return(change, return_asked(body))
        place = f"{PREFIX}/supplier-returns/{view.returned.code}"
        return _answer(change, view, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def supplier_return(reading: Reading, response: Response, code: DocumentCode) -> SupplierReturnOut:
    """Return a supplier return with what has left."""
    with reading.database.read() as connection:
        view = view_return(connection, code)
        names = supplier_names(connection, {view.returned.supplier})
    response.headers["ETag"] = etag_of(view.returned.version)
    return supplier_return_out(view, supplier_name=names[view.returned.supplier])


@router.patch("/{code}", response_model=SupplierReturnOut, responses=EDIT_REFUSALS)
def change_supplier_return(
    writing: Writing, call: Edit, code: DocumentCode, body: SupplierReturnPatch
) -> Response:
    """Change what was requested; after the approval only its note."""
    return writing.answer(
        call,
        lambda change: _answer(
            change,
            change_return(
                change,
                code,
                note=body.note,
                lines=None if body.lines is None else return_lines(body.lines),
                version=call.version,
            ),
        ),
    )


@router.post("/{code}/approve", response_model=SupplierReturnOut, responses=REFUSALS)
def approve_supplier_return(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Approve what was requested."""
    return _act(writing, call, code, "approve")


@router.post("/{code}/reject", response_model=SupplierReturnOut, responses=REFUSALS)
def reject_supplier_return(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Refuse what was requested, for a reason."""
    return _act(writing, call, code, "reject", body.reason)


@router.post("/{code}/release", response_model=SupplierReturnOut, responses=REFUSALS)
def release_supplier_return(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Let stations send the goods back."""
    return _act(writing, call, code, "release")


@router.post("/{code}/close", response_model=SupplierReturnOut, responses=REFUSALS)
def close_supplier_return(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """End a return whose claims are decided; if not all has left, for a reason."""
    return _act(writing, call, code, "close", body.reason)


@router.post("/{code}/cancel", response_model=SupplierReturnOut, responses=REFUSALS)
def cancel_supplier_return(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Call a return off, for a reason, while nothing has left."""
    return _act(writing, call, code, "cancel", body.reason)


@router.post("/{code}/claims", response_model=SupplierReturnOut, responses=REFUSALS)
def claim_for_supplier_return(
    writing: Writing, call: Call, code: DocumentCode, body: ClaimIn
) -> Response:
    """Note what the supplier is to give for the goods."""
    return writing.answer(
        call,
        lambda change: _answer(
            change,
            add_claim(
                change,
                code,
                kind=body.kind,
                amount_fen=claim_amount(body),
                currency=body.currency,
                note=body.note,
                version=call.version,
            ),
        ),
    )


@router.post("/{code}/claims/{claim}/decide", response_model=SupplierReturnOut, responses=REFUSALS)
def decide_supplier_claim(
    writing: Writing, call: Call, code: DocumentCode, claim: ClaimNumber, body: ClaimDecisionIn
) -> Response:
    """Note whether the supplier has granted a claim."""
    return writing.answer(
        call,
        lambda change: _answer(
            change, decide_claim(change, code, claim, state=body.state, version=call.version)
        ),
    )


def _act(writing: WriteSide, call: Asked, code: str, action: Action, reason: str = "") -> Response:
    return writing.answer(
        call,
        lambda change: _answer(
            change, act_on_return(change, code, action, version=call.version, reason=reason)
        ),
    )


def _answer(change: Change, view: ReturnView, *, status: int = 200, location: str = "") -> Answer:
    names = supplier_names(change.connection, {view.returned.supplier})
    body = supplier_return_out(view, supplier_name=names[view.returned.supplier])
    return Answer(body, status, version=view.returned.version, location=location)
