"""Customer returns as people work on them, one change each. Edge of the database.

What came back and has to be inspected is decided on through its inspection; everything else by
movements of the ledger's own. So each of the goods is decided on once, in one place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from sqlalchemy import Connection

from central.errors import Conflict, Unusable
from central.ledger.desk import Change, require_version
from central.ledger.statuses import INSPECTION
from central.orders.catalogue.packs import to_base
from central.orders.order_documents import new_code, replace_document, require_free_document
from central.orders.order_goods import (
    checked_reason,
    read_goods,
    require_warehouse,
    require_whole,
    supplier_names,
)
from central.orders.return_goods import GoodsDecided, Moved, move_goods
from central.orders.sales.customer_return_reading import HEAD, read_inspected, read_return
from central.orders.sales.customer_returns import (
    LINES_COUNT_MAX,
    STATES,
    CustomerReturn,
    Decision,
    Reason,
    ReturnDecision,
    ReturnLine,
    ReturnView,
    State,
    check_cancel,
    check_close,
    check_decision,
    check_not_waiting,
    line_of,
    open_micro,
    return_document,
    view_of,
    with_inspected,
)
from central.orders.sales.return_limits import refuse_more_than_shipped
from central.orders.sales.sales_book import draft_order
from central.orders.sales.sales_lines import LineAsked, OrderAsked, require_customer
from central.orders.sales.sales_store import read_order
from central.orders.state_tables import next_state
from central.storage import bulk, sales_tables

KIND = "customer_return"
CODE_PREFIX = "CR"
Action = Literal["approve", "reject", "release", "close", "cancel"]
DONE: dict[Action, str] = {
    "approve": "approved",
    "reject": "rejected",
    "release": "released",
    "close": "closed",
    "cancel": "cancelled",
}
AGREES: frozenset[Action] = frozenset({"approve", "release"})
NEEDS_REASON: frozenset[Action] = frozenset({"reject", "cancel"})


@dataclass(frozen=True, slots=True)
class ReturnLineAsked:
    """A line as somebody asks for it. unit: "" for the item's own."""

    line: int
    item: str
    quantity_micro: int
    unit: str = ""
    lot: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReturnAsked:
    """A return as somebody asks for it. order_code: "" if nobody knows; code: "" for the next."""

    warehouse: str
    customer: str
    reason: Reason
    lines: tuple[ReturnLineAsked, ...]
    order_code: str = ""
    code: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecisionAsked:
    """What somebody decides about goods that came back. Fields as of `return_goods`."""

    line: int
    decision: Decision
    quantity_micro: int
    reason: str = ""
    location: str = ""
    to_location: str = ""
    lot: str = ""
    serial: str = ""


def request_return(change: Change, asked: ReturnAsked) -> ReturnView:
    """Note that a customer wants to send goods back. Raises Unusable, Conflict, NotThere."""
    require_warehouse(change.connection, asked.warehouse)
    require_customer(change.connection, asked.customer)
    lines = _lines(change.connection, asked.lines)
    if asked.order_code:
        _check_order(change.connection, asked, lines)
    returned = CustomerReturn(
        code=new_code(change, CODE_PREFIX, warehouse=asked.warehouse, wished=asked.code),
        version=1,
        warehouse=asked.warehouse,
        customer=asked.customer,
        order_code=asked.order_code,
        state="requested",
        reason=asked.reason,
        note=asked.note,
        end_reason="",
        created_ms=change.now_ms,
        changed_ms=change.now_ms,
        lines=lines,
        decisions=(),
    )
    _write_head(change.connection, returned)
    rows = [
        (returned.code, line.line, line.item, line.unit, line.quantity_micro, line.lot, line.reason)
        for line in returned.lines
    ]
    bulk.insert_rows(change.connection, sales_tables.customer_return_lines, rows)
    _note(change, returned, "requested", reason=returned.reason)
    return view_of(returned, {})


def act_on_return(
    change: Change, code: str, action: Action, *, version: int | None, reason: str = ""
) -> ReturnView:
    """Take a return one step on. Raises NotThere, Outdated, Conflict, Unusable."""
    view, after = _begin(change, code, action, version)
    returned = view.returned
    if action in NEEDS_REASON:
        reason = checked_reason(reason, what=f"to {action} {returned}")
    if action == "cancel":
        check_cancel(view)
    if action == "close":
        check_close(view, reason=reason)
    if action in AGREES and returned.order_code:  # A shipment may have been taken back since.
        order = read_order(change.connection, returned.order_code)
        refuse_more_than_shipped(change.connection, order, returned.lines, own_code=code)
    if action == "release":
        require_free_document(change.connection, warehouse=returned.warehouse, code=code)
        partner = supplier_names(change.connection, [returned.customer])[returned.customer]
        document = return_document(returned, partner=partner)
        replace_document(change, document, warehouse=returned.warehouse, code=code)
    elif returned.state == "released":
        replace_document(change, None, warehouse=returned.warehouse, code=code)
    returned = replace(returned, state=after, end_reason=reason or returned.end_reason)
    return _save(change, returned, DONE[action], reason=reason)


def decide_on_return(
    change: Change, code: str, asked: Sequence[DecisionAsked], *, version: int | None
) -> ReturnView:
    """Decide on goods that came back, in parts if need be; all of it or nothing.

    Raises Conflict for more than came, Unusable, Outdated, NotThere.
    """
    view, _ = _begin(change, code, "decide", version)
    for one in asked:
        line = line_of(view.returned, one.line)
        check_decision(view, one.line, one.decision, one.quantity_micro)
        if one.quantity_micro != open_micro(view, one.line):
            require_whole(change.connection, line.item, one.quantity_micro)
        reason = one.reason.strip()
        if one.decision != "restock":
            reason = checked_reason(reason, what=f"to {one.decision} goods of {view.returned}")
        made = _carry_out(change, view, line, replace(one, reason=reason))
        decisions = (*view.returned.decisions, made)
        view = replace(view, returned=replace(view.returned, decisions=decisions))
        if made.from_status == INSPECTION:
            inspected = read_inspected(change.connection, [(view.returned.warehouse, code)])
            view = with_inspected(view, inspected[code])
        row = (code, *(getattr(made, name) for name in DECISION))
        bulk.insert_rows(change.connection, sales_tables.customer_return_decisions, [row])
    made_of = [one.decision for one in asked]
    return _save(change, view.returned, "decided", decisions=made_of)


def _check_order(connection: Connection, asked: ReturnAsked, lines: Sequence[ReturnLine]) -> None:
    order = read_order(connection, asked.order_code)
    if order.customer != asked.customer:
        raise Conflict(
            f"{order} is one of {order.customer}, not of {asked.customer}",
            hint="Name the order that the goods were shipped under, or leave it out.",
            fields={"customer": order.customer},
        )
    refuse_more_than_shipped(connection, order, lines)


def _lines(connection: Connection, asked: Sequence[ReturnLineAsked]) -> tuple[ReturnLine, ...]:
    numbers = [line.line for line in asked]
    if not 0 < len(asked) <= LINES_COUNT_MAX or len(set(numbers)) != len(numbers):
        raise Unusable(
            "a return cannot have these lines",
            hint=f"Give 1 to {LINES_COUNT_MAX} lines, each with a number of its own.",
            fields={"lines": numbers[: LINES_COUNT_MAX + 1]},
        )
    goods = read_goods(connection, {line.item for line in asked})
    found = []
    for line in sorted(asked, key=lambda one: one.line):
        units = goods[line.item].units
        amount_micro = to_base(line.quantity_micro, units, unit=line.unit or units.base)
        found.append(
            ReturnLine(line.line, line.item, units.base, amount_micro, line.lot, line.reason)
        )
    return tuple(found)


def _carry_out(
    change: Change, view: ReturnView, line: ReturnLine, asked: DecisionAsked
) -> ReturnDecision:
    returned, moved, exchange_order = view.returned, Moved(""), ""
    if asked.decision == "exchange":
        exchange_order = _exchange(change, returned, line, asked)
    else:
        decided = GoodsDecided(
            warehouse=returned.warehouse,
            document=returned.code,
            line=line.line,
            item=line.item,
            unit=line.unit,
            quantity_micro=asked.quantity_micro,
            scrap=asked.decision == "scrap",
            location=asked.location,
            to_location=asked.to_location,
            lot=asked.lot or line.lot,
            serial=asked.serial,
            reason=asked.reason,
        )
        moved = move_goods(
            change,
            decided,
            refuse_waiting=lambda: check_not_waiting(
                view, line.line, asked.quantity_micro, lot=decided.lot
            ),
        )
    return ReturnDecision(
        number=len(returned.decisions) + 1,
        line=line.line,
        decision=asked.decision,
        quantity_micro=asked.quantity_micro,
        location=asked.location,
        to_location=asked.to_location,
        lot=asked.lot or line.lot,
        serial=asked.serial,
        from_status=moved.from_status,
        reason=asked.reason,
        exchange_order=exchange_order,
        epoch=moved.epoch,
        seq=moved.seq,
        actor=change.actor,
        at_ms=change.now_ms,
    )


def _exchange(
    change: Change, returned: CustomerReturn, line: ReturnLine, asked: DecisionAsked
) -> str:
    """Draft an order of the same goods for the customer; return its code."""
    order = draft_order(
        change,
        OrderAsked(
            warehouse=returned.warehouse,
            customer=returned.customer,
            lines=(LineAsked(line=1, item=line.item, quantity_micro=asked.quantity_micro),),
            reference=returned.code,
            note=asked.reason,
        ),
    )
    return order.code


def _begin(change: Change, code: str, action: str, version: int | None) -> tuple[ReturnView, State]:
    view = read_return(change.connection, code)
    returned = view.returned
    require_version(returned.version, version, what=str(returned))
    after = next_state(STATES, action=action, state=returned.state, what=str(returned))
    return view, cast("State", after)


def _save(change: Change, returned: CustomerReturn, done: str, **fields: object) -> ReturnView:
    returned = replace(returned, version=returned.version + 1, changed_ms=change.now_ms)
    _write_head(change.connection, returned)
    _note(change, returned, done, **fields)
    return read_return(change.connection, returned.code)


def _write_head(connection: Connection, returned: CustomerReturn) -> None:
    row = tuple(getattr(returned, name) for name in HEAD)
    bulk.upsert_rows(connection, sales_tables.customer_returns, [row])


def _note(change: Change, returned: CustomerReturn, done: str, **fields: object) -> None:
    change.note(KIND, returned.code, done, warehouse=returned.warehouse, **fields)


DECISION = tuple(column.name for column in sales_tables.customer_return_decisions.columns)[1:]
