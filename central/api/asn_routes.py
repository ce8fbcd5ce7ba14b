"""The addresses below /api/v1 of suppliers' notices of shipment. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from central.api.asn_models import (
    NoticeParameters,
    ShippingNoticeIn,
    ShippingNoticeOut,
    ShippingNoticePage,
    ShippingNoticePatch,
    notice_asked,
    notice_changes,
    shipping_notice_out,
)
from central.api.context import Reading
from central.api.order_values import DocumentCode, ReasonIn
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import NOT_THERE, PROBLEM
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
from central.orders.order_goods import date_of, require_known, supplier_names
from central.orders.purchasing.asn_book import Action, act_on_notice, change_notice, create_notice
from central.orders.purchasing.asn_reading import (
    NoticeFilter,
    NoticeView,
    list_notices,
    view_notice,
)

router = APIRouter(
    prefix=f"{PREFIX}/shipping-notices",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["purchasing"],
)


@router.get("")
def shipping_notices(
    reading: Reading, asked: Annotated[NoticeParameters, Query()]
) -> ShippingNoticePage:
    """List notices of shipment by code, each with what came of it."""
    wanted = NoticeFilter(
        state=asked.state or "",
        warehouse=asked.warehouse or "",
        supplier=asked.supplier or "",
        order_code=asked.order or "",
        item=asked.item or "",
        sscc=asked.sscc or "",
        late_on=date_of(reading.clock.now_ms()) if asked.late else "",
    )
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        views, last = list_notices(connection, wanted, after=after or "", limit=asked.limit)
        require_known(connection, views, asked.warehouse)
        names = supplier_names(connection, {view.notice.supplier for view in views})
    page = [shipping_notice_out(view, supplier_name=names[view.notice.supplier]) for view in views]
    return ShippingNoticePage(
        shipping_notices=page, next_cursor=write_cursor(last) if last else None
    )


@router.post("", status_code=201, response_model=ShippingNoticeOut, responses=REFUSALS)
def note_shipping_notice(writing: Writing, call: Call, body: ShippingNoticeIn) -> Response:
    """Note what a supplier announces; stations do not know of it yet."""

    def work(change: Change) -> Answer:
        view = create_notice(change, notice_asked(body))
        place = f"{PREFIX}/shipping-notices/{view.notice.code}"
        return _answer(change, view, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def shipping_notice(reading: Reading, response: Response, code: DocumentCode) -> ShippingNoticeOut:
    """Return a notice of shipment with what came of it."""
    with reading.database.read() as connection:
        view = view_notice(connection, code)
        names = supplier_names(connection, {view.notice.supplier})
    response.headers["ETag"] = etag_of(view.notice.version)
    return shipping_notice_out(view, supplier_name=names[view.notice.supplier])


@router.patch("/{code}", response_model=ShippingNoticeOut, responses=EDIT_REFUSALS)
def change_shipping_notice(
    writing: Writing, call: Edit, code: DocumentCode, body: ShippingNoticePatch
) -> Response:
    """Change a notice that is not expected yet; later its date and note alone."""
    return writing.answer(
        call,
        lambda change: _answer(
            change, change_notice(change, code, notice_changes(body), version=call.version)
        ),
    )


@router.post("/{code}/expect", response_model=ShippingNoticeOut, responses=REFUSALS)
def expect_shipping_notice(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Let stations expect the goods of a notice."""
    return _act(writing, call, code, "expect")


@router.post("/{code}/close", response_model=ShippingNoticeOut, responses=REFUSALS)
def close_shipping_notice(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """End a notice; if it did not come in full, for a reason: its order expects the rest again."""
    return _act(writing, call, code, "close", body.reason)


@router.post("/{code}/cancel", response_model=ShippingNoticeOut, responses=REFUSALS)
def cancel_shipping_notice(
    writing: Writing, call: Call, code: DocumentCode, body: ReasonIn
) -> Response:
    """Call a notice off, for a reason, while nothing of it has come."""
    return _act(writing, call, code, "cancel", body.reason)


def _act(writing: WriteSide, call: Asked, code: str, action: Action, reason: str = "") -> Response:
    return writing.answer(
        call,
        lambda change: _answer(
            change, act_on_notice(change, code, action, version=call.version, reason=reason)
        ),
    )


def _answer(change: Change, view: NoticeView, *, status: int = 200, location: str = "") -> Answer:
    names = supplier_names(change.connection, {view.notice.supplier})
    body = shipping_notice_out(view, supplier_name=names[view.notice.supplier])
    return Answer(body, status, version=view.notice.version, location=location)
