"""The addresses below /api/v1 of transfers between warehouses. Edge of HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from central.api.access_side import Who
from central.api.context import Reading
from central.api.order_values import DocumentCode, ReasonIn
from central.api.parameters import PREFIX, PastParameters, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.api.transfer_answers import (
    TransferOut,
    TransferPage,
    UnderWayPage,
    sees_picks,
    transfer_head_out,
    transfer_out,
    under_way_out,
)
from central.api.transfer_models import (
    CloseIn,
    TransferAtOnceIn,
    TransferIn,
    TransferParameters,
    TransferPatch,
    closings_of,
    lines_wanted,
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
from central.orders.order_goods import require_known
from central.orders.transfers.transfer_book import (
    create_transfer,
    decide,
    edit_transfer,
    release_at_once,
)
from central.orders.transfers.transfer_closing import Thing
from central.orders.transfers.transfer_end_book import close_transfer
from central.orders.transfers.transfer_store import load_transfer
from central.orders.transfers.transfer_transit import list_under_way
from central.orders.transfers.transfer_views import TransferFilter, list_transfers, read_detail
from central.orders.transfers.transfers import Transfer
from central.stock.moments import moment_at
from central.stock.times import parse_time

router = APIRouter(
    prefix=f"{PREFIX}/transfers",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["transfers"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
Action = Literal["request", "revise", "approve", "reject", "release", "reserve", "cancel"]


@router.get("")
def transfers(reading: Reading, asked: Annotated[TransferParameters, Query()]) -> TransferPage:
    """List transfers, newest first, with how long goods of each are under way."""
    wanted = TransferFilter(
        state=asked.state or "",
        warehouse=asked.warehouse or "",
        partner=asked.partner or "",
        source=asked.source or "",
        destination=asked.destination or "",
        under_way_days=asked.under_way_days,
        open_only=asked.open_only,
    )
    before = read_cursor(asked.cursor, str)
    now_ms = reading.clock.now_ms()
    with reading.database.read() as connection:
        found = list_transfers(
            connection, wanted, now_ms=now_ms, before=before, limit=asked.limit + 1
        )
        for end in (asked.warehouse, asked.partner, asked.source, asked.destination):
            require_known(connection, found, end)
    page = found[: asked.limit]
    return TransferPage(
        transfers=[transfer_head_out(one, now_ms=now_ms) for one in page],
        next_cursor=write_cursor(page[-1].code) if len(found) > asked.limit else None,
    )


@router.post("", status_code=201, response_model=TransferOut, responses=REFUSALS)
def draft_transfer(writing: Writing, call: Call, body: TransferIn) -> Response:
    """Draft a transfer; stations see it once it is released."""

    def work(change: Change) -> Answer:
        transfer = create_transfer(
            change,
            lines_wanted(body.lines),
            source=body.source_warehouse,
            destination=body.destination_warehouse,
            note=body.note,
            second_person=body.second_person,
            backorders=body.backorders,
        )
        return _answer(change, call, transfer, status=201, location=_place_of(transfer))

    return writing.answer(call, work)


@router.post("/release", status_code=201, response_model=TransferOut, responses=REFUSALS)
def release_new_transfer(writing: Writing, call: Call, body: TransferAtOnceIn) -> Response:
    """Draft, request, approve and release a transfer at once: all of it, or nothing.

    Its goods are set aside at the source, as when it is released. For whoever may approve
    transfers, too.
    """

    def work(change: Change) -> Answer:
        transfer = release_at_once(
            change,
            lines_wanted(body.lines),
            source=body.source_warehouse,
            destination=body.destination_warehouse,
            note=body.note,
            backorders=body.backorders,
        )
        return _answer(change, call, transfer, status=201, location=_place_of(transfer))

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def transfer(reading: Reading, who: Who, response: Response, code: DocumentCode) -> TransferOut:
    """Return a transfer with what was shipped, received and closed of each line."""
    with reading.database.read() as connection:
        detail = read_detail(connection, load_transfer(connection, code))
    response.headers["ETag"] = etag_of(detail.transfer.version)
    shown = sees_picks(who, detail.transfer)
    return transfer_out(detail, now_ms=reading.clock.now_ms(), with_picks=shown)


@router.get("/{code}/in-transit", responses=NOT_THERE)
def in_transit(
    reading: Reading, code: DocumentCode, asked: Annotated[PastParameters, Query()]
) -> UnderWayPage:
    """Explain what is under way, or was as of a moment, thing by thing, by the facts behind it."""
    after = read_cursor(asked.cursor, Thing)
    time_ms = parse_time(asked.as_of) if asked.as_of is not None else None
    with reading.database.read() as connection:
        moment = None
        if time_ms is not None:
            moment = moment_at(connection, time_ms, kind=asked.as_of_time, warehouse="")
        found = list_under_way(
            connection,
            load_transfer(connection, code),
            after=after,
            limit=asked.limit + 1,
            moment=moment,
        )
    page = found[: asked.limit]
    now_ms = reading.clock.now_ms() if time_ms is None else time_ms
    return UnderWayPage(
        transfer=code,
        things=[under_way_out(one, now_ms=now_ms) for one in page],
        next_cursor=write_cursor(page[-1].thing) if len(found) > asked.limit else None,
    )


@router.patch("/{code}", response_model=TransferOut, responses=EDIT_REFUSALS)
def change_transfer(
    writing: Writing, call: Edit, code: DocumentCode, body: TransferPatch
) -> Response:
    """Change a draft."""

    def work(change: Change) -> Answer:
        after = edit_transfer(
            change,
            code,
            version=call.version,
            lines=None if body.lines is None else lines_wanted(body.lines),
            note=body.note,
            second_person=body.second_person,
            backorders=body.backorders,
        )
        return _answer(change, call, after)

    return writing.answer(call, work)


@router.post("/{code}/request", response_model=TransferOut, responses=REFUSALS)
def request_transfer(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Hand a draft in for approval."""
    return _act(writing, call, code, "request")


@router.post("/{code}/revise", response_model=TransferOut, responses=REFUSALS)
def revise_transfer(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Make what was handed in or approved a draft again."""
    return _act(writing, call, code, "revise")


@router.post("/{code}/approve", response_model=TransferOut, responses=REFUSALS)
def approve_transfer(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Approve what was handed in."""
    return _act(writing, call, code, "approve")


@router.post("/{code}/reject", response_model=TransferOut, responses=REFUSALS)
def reject_transfer(writing: Writing, call: Call, code: DocumentCode, body: ReasonIn) -> Response:
    """Refuse what was handed in, for a reason."""
    return _act(writing, call, code, "reject", reason=body.reason)


@router.post("/{code}/release", response_model=TransferOut, responses=REFUSALS)
def release_transfer(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Set its goods aside at the source, and let the stations of both warehouses work on it.

    Refused with what is available of each line if that is less than it asks for, unless the
    transfer says that it may be short.
    """
    return _act(writing, call, code, "release")


@router.post("/{code}/reserve", response_model=TransferOut, responses=REFUSALS)
def reserve_transfer(writing: Writing, call: Call, code: DocumentCode) -> Response:
    """Set aside what still waits for stock, and anew what may no longer be shipped."""
    return _act(writing, call, code, "reserve")


@router.post("/{code}/cancel", response_model=TransferOut, responses=REFUSALS)
def cancel_transfer(writing: Writing, call: Call, code: DocumentCode, body: ReasonIn) -> Response:
    """Call a transfer off, for a reason, while nothing of it was received.

    What is under way then has to come back or be closed with reasons.
    """
    return _act(writing, call, code, "cancel", reason=body.reason)


@router.post("/{code}/close", response_model=TransferOut, responses=REFUSALS)
def end_transfer(writing: Writing, call: Call, code: DocumentCode, body: CloseIn) -> Response:
    """End a transfer and say what became of everything that is under way."""

    def work(change: Change) -> Answer:
        after = close_transfer(
            change, code, closings_of(body), version=call.version, reason=body.reason
        )
        return _answer(change, call, after)

    return writing.answer(call, work)


def _act(
    writing: WriteSide, call: Asked, code: str, action: Action, *, reason: str = ""
) -> Response:
    return writing.answer(
        call,
        lambda change: _answer(
            change, call, decide(change, code, action, version=call.version, reason=reason)
        ),
    )


def _place_of(transfer: Transfer) -> str:
    return f"{PREFIX}/transfers/{transfer.code}"


def _answer(
    change: Change, call: Asked, transfer: Transfer, *, status: int = 200, location: str = ""
) -> Answer:
    detail = read_detail(change.connection, transfer)
    shown = sees_picks(call.principal, transfer)
    body = transfer_out(detail, now_ms=change.now_ms, with_picks=shown)
    return Answer(body, status, version=transfer.version, location=location)
