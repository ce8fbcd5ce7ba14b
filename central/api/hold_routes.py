"""The addresses below /api/v1 that hold goods and give them free again. Edge of HTTP."""

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.order_values import Asking, DecimalText, Reason, positive_micro, quantity_text
from central.api.parameters import PREFIX, TEXT_CHARACTERS_MAX, Text, WarehouseCode
from central.api.problems import PROBLEM
from central.api.writing import REFUSALS, Answer, Asked, Call, WriteSide, Writing, etag_of
from central.contract.facts import StockStatus
from central.ledger.desk import Change
from central.orders.holding.hold_book import (
    HoldDone,
    change_status,
    read_standing,
    read_under_way,
    scope_version,
)
from central.orders.holding.holds import (
    BALANCES_MAX,
    TAKEN_FROM,
    Action,
    Becomes,
    HoldAsked,
    Scope,
    Standing,
    check_scope,
)
from central.orders.order_goods import require_known

ALL_STATUSES: tuple[StockStatus, ...] = get_args(StockStatus)
RECALLED: JsonValue = {"item": "BOLT", "lot": "LOT-1", "reason": "recalled"}
FREED: JsonValue = {
    "item": "BOLT",
    "lot": "LOT-1",
    "warehouse": "SH1",
    "location": "BIN-3",
    "quantity": "1",
    "becomes": "available",
    "reason": "found good",
}

router = APIRouter(prefix=f"{PREFIX}/holds", responses={422: PROBLEM, 503: PROBLEM}, tags=["holds"])


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


# "" is a value of its own: goods without a lot, or loose ones.
TextOrNone = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX), AfterValidator(_one_line)]


class ScopeParameters(ApiModel):
    """Which goods: of a lot or serial number, or at a place.

    lot, serial, sscc: left out for any, "" for goods that have none.
    """

    model_config = ConfigDict(extra="forbid")

    item: Text | None = None
    lot: TextOrNone | None = None
    warehouse: WarehouseCode | None = None
    location: Text | None = None
    serial: TextOrNone | None = None
    sscc: TextOrNone | None = None


class _ScopeIn(Asking):
    item: Text | None = None
    lot: TextOrNone | None = None
    warehouse: WarehouseCode | None = None
    location: Text | None = None
    serial: TextOrNone | None = None
    sscc: TextOrNone | None = None
    quantity: DecimalText | None = None
    reason: Reason = ""


class HoldIn(_ScopeIn):
    """Which goods are held: an item's lot or serial number, a place, down to one balance.

    lot, serial, sscc: left out for any, "" for goods that have none. warehouse: left out for all.
    quantity: of one item at one place, left out for all of it. status: only goods that are
    available, or that wait for inspection; left out for both.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [RECALLED]})

    status: Literal["available", "inspection"] | None = None


class ReleaseIn(_ScopeIn):
    """Which held goods are given free, named as for a hold. becomes: what they are then."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [FREED]})

    becomes: Becomes = "available"


class HoldableOut(ApiModel):
    """Goods of one status at one place."""

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    status: StockStatus
    quantity: str


class HoldablePage(ApiModel):
    """What stands in places of warehouses, and what is on its way, which no hold reaches.

    more: there is more of either than is listed.
    """

    goods: list[HoldableOut]
    under_way: list[HoldableOut]
    more: bool


class HeldOut(HoldableOut):
    """How much of a balance became something else. status: before; fact: of the movement."""

    fact: str


class HoldOut(ApiModel):
    """What was done, under which code. The facts tell it, and the history of the code."""

    code: str
    action: Action
    becomes: StockStatus
    reason: str
    goods: list[HeldOut]


@router.get("")
def holdable(
    reading: Reading, response: Response, asked: Annotated[ScopeParameters, Query()]
) -> HoldablePage:
    """List what a hold or a release would be about, status by status."""
    scope = Scope(**dict(asked))
    check_scope(scope, has_quantity=False)
    with reading.database.read() as connection:
        limit = BALANCES_MAX + 1
        goods = read_standing(connection, scope, ALL_STATUSES, limit=limit)
        under_way = read_under_way(connection, scope, limit=limit)
        require_known(connection, (*goods, *under_way), asked.warehouse)
        version = scope_version(connection, scope)
    response.headers["ETag"] = etag_of(version)
    return HoldablePage(
        goods=[_holdable_out(one) for one in goods[:BALANCES_MAX]],
        under_way=[_holdable_out(one) for one in under_way[:BALANCES_MAX]],
        more=max(len(goods), len(under_way)) > BALANCES_MAX,
    )


@router.post("", status_code=201, response_model=HoldOut, responses=REFUSALS)
def hold_goods(writing: Writing, call: Call, body: HoldIn) -> Response:
    """Hold goods, so that they are neither set aside nor sold; orders get others, or are told."""
    statuses = TAKEN_FROM["hold"] if body.status is None else (body.status,)
    return _answered(writing, call, _asked(body, "hold", statuses, becomes="held"))


@router.post("/release", status_code=201, response_model=HoldOut, responses=REFUSALS)
def release_goods(writing: Writing, call: Call, body: ReleaseIn) -> Response:
    """Give held goods free, or reject them, also those that a station held."""
    return _answered(
        writing, call, _asked(body, "release", TAKEN_FROM["release"], becomes=body.becomes)
    )


def _asked(
    body: _ScopeIn, action: Action, statuses: tuple[StockStatus, ...], *, becomes: StockStatus
) -> HoldAsked:
    quantity = body.quantity
    return HoldAsked(
        action=action,
        scope=Scope(
            item=body.item,
            lot=body.lot,
            warehouse=body.warehouse,
            location=body.location,
            serial=body.serial,
            sscc=body.sscc,
        ),
        becomes=becomes,
        statuses=statuses,
        reason=body.reason,
        quantity_micro=None if quantity is None else positive_micro(quantity),
    )


def _answered(writing: WriteSide, call: Asked, asked: HoldAsked) -> Response:
    def work(change: Change) -> Answer:
        done = change_status(change, asked, version=call.version)
        return Answer(_hold_out(done), status=201, version=done.version)

    return writing.answer(call, work)


def _hold_out(done: HoldDone) -> HoldOut:
    return HoldOut(
        code=done.code,
        action=done.asked.action,
        becomes=done.asked.becomes,
        reason=done.asked.reason.strip(),
        goods=[
            HeldOut(
                **_holdable_out(Standing(one.key, one.quantity_micro)).model_dump(),
                fact="/".join(map(str, one.fact[1:])),
            )
            for one in done.moved
        ],
    )


def _holdable_out(one: Standing) -> HoldableOut:
    return HoldableOut.model_validate(
        {**one.key._asdict(), "quantity": quantity_text(one.on_hand_micro)}
    )
