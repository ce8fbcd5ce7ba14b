"""Purchase orders as people work on them, one change each. Edge of the database."""

from dataclasses import dataclass, replace
from typing import Literal, cast

from sqlalchemy import delete

from central.errors import Conflict, Unusable
from central.ledger.desk import Change, require_version
from central.orders.document_changes import changed_document
from central.orders.order_documents import new_code, require_free_document
from central.orders.order_goods import (
    checked_date,
    checked_reason,
    require_supplier,
    require_warehouse,
)
from central.orders.purchasing.notice_limits import tell_stations
from central.orders.purchasing.purchase_lines import LineAsked, lines_of, with_line_closed
from central.orders.purchasing.purchase_orders import (
    AMENDABLE,
    CHANGEABLE,
    RELEASED,
    STATES,
    PurchaseOrder,
    State,
    check_cancel,
    check_close,
)
from central.orders.purchasing.purchase_reading import (
    PurchaseView,
    load_order,
    view_order,
    view_orders,
)
from central.orders.state_tables import next_state
from central.storage import bulk, purchasing_tables

KIND = "purchase_order"
PREFIX = "PO"
Action = Literal[
    "submit", "approve", "reject", "revise", "send", "confirm", "close_line", "close", "cancel"
]
DONE: dict[Action, str] = {
    "submit": "submitted",
    "approve": "approved",
    "reject": "rejected",
    "revise": "revised",
    "send": "sent",
    "confirm": "confirmed",
    "close_line": "line_closed",
    "close": "closed",
    "cancel": "cancelled",
}
WITH_REASON: frozenset[Action] = frozenset({"reject", "close_line", "cancel"})


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """An order as somebody asks for it. code: "" for the next free one."""

    warehouse: str
    supplier: str
    lines: tuple[LineAsked, ...]
    code: str = ""
    promised_date: str = ""
    currency: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What is to be different in an order; None stays as it is."""

    supplier: str | None = None
    promised_date: str | None = None
    currency: str | None = None
    note: str | None = None
    lines: tuple[LineAsked, ...] | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """What goes with an action. reason: for those that need one. line: that is closed.

    promised_date: with which a supplier confirms, None for what was said before.
    """

    reason: str = ""
    line: int = 0
    promised_date: str | None = None


NO_MORE = Acting()


def create_order(change: Change, asked: OrderAsked) -> PurchaseView:
    """Draft an order. Raises Unusable, Conflict."""
    connection = change.connection
    require_warehouse(connection, asked.warehouse)
    require_supplier(connection, asked.supplier)
    code = new_code(change, PREFIX, warehouse=asked.warehouse, wished=asked.code)
    order = PurchaseOrder(
        code=code,
        warehouse=asked.warehouse,
        supplier=asked.supplier,
        state="draft",
        promised_date=checked_date(asked.promised_date, what="promised_date"),
        currency=asked.currency,
        note=asked.note,
        reason="",
        version=1,
        created_by=change.actor,
        created_ms=change.now_ms,
        changed_ms=change.now_ms,
        lines=lines_of(change.connection, asked.lines),
    )
    _check_currency(order)
    _write_head(change, order)
    _write_lines(change, order)
    change.note(
        KIND,
        code,
        "drafted",
        warehouse=order.warehouse,
        supplier=order.supplier,
        lines_count=len(order.lines),
    )
    return view_orders(connection, [order])[0]


def change_order(
    change: Change, code: str, asked: OrderChanges, *, version: int | None
) -> PurchaseView:
    """Change a draft; of an order under way only its date and note. Raises Conflict, Outdated."""
    order = load_order(change.connection, code)
    require_version(order.version, version, what=str(order))
    if order.state not in CHANGEABLE | AMENDABLE:
        raise Conflict(
            f"{order} is {order.state} and is not changed any more",
            hint="Make a new order.",
            fields={"state": order.state},
        )
    fixed = {"supplier": asked.supplier, "currency": asked.currency, "lines": asked.lines}
    touched = [name for name, value in fixed.items() if value is not None]
    if touched and order.state not in CHANGEABLE:
        raise Conflict(
            f"{order} is {order.state}: its {touched[0]} cannot be changed now",
            hint="Revise the order first, which makes it a draft again.",
            fields={"state": order.state, "fields": touched},
        )
    if asked.supplier is not None:
        require_supplier(change.connection, asked.supplier)
    promised = asked.promised_date
    changed = replace(
        order,
        supplier=order.supplier if asked.supplier is None else asked.supplier,
        promised_date=order.promised_date
        if promised is None
        else checked_date(promised, what="promised_date"),
        currency=order.currency if asked.currency is None else asked.currency,
        note=order.note if asked.note is None else asked.note,
        lines=order.lines if asked.lines is None else lines_of(change.connection, asked.lines),
    )
    _check_currency(changed)
    _store(change, changed, "changed", changes=changed_document(order, changed))
    if asked.lines is not None:
        _write_lines(change, changed)
    return view_order(change.connection, code)


def act_on_order(
    change: Change,
    code: str,
    action: Action,
    *,
    version: int | None,
    acting: Acting = NO_MORE,
) -> PurchaseView:
    """Do one step of an order's life; return what it then is. Raises Conflict, Outdated."""
    view = view_order(change.connection, code)
    order = view.order
    require_version(order.version, version, what=str(order))
    state = cast(State, next_state(STATES, action=action, state=order.state, what=str(order)))
    reason = acting.reason.strip()
    if action in WITH_REASON:
        reason = checked_reason(reason, what=f"to {action.replace('_', ' ')} {order}")
    changed = replace(order, state=state)
    if action in {"reject", "close", "cancel"}:
        changed = replace(changed, reason=reason)
    if action == "submit" and not order.lines:
        raise Conflict(f"{order} has no lines", hint="Add what is to be ordered.")
    if action in {"submit", "approve", "send"}:
        require_supplier(change.connection, order.supplier)
        require_warehouse(change.connection, order.warehouse)
    if action == "send":
        require_free_document(change.connection, warehouse=order.warehouse, code=code)
    elif action == "confirm" and acting.promised_date is not None:
        date = checked_date(acting.promised_date, what="promised_date")
        changed = replace(changed, promised_date=date)
    elif action == "close_line":
        changed = with_line_closed(changed, acting.line, reason)
        _write_lines(change, changed)
    elif action == "close":
        check_close(order, view.progress, awaited=view.notices, reason=reason)
    elif action == "cancel":
        check_cancel(order, view.progress)
        _require_no_notices(view)
    changes = changed_document(order, changed) if action == "confirm" else {}
    _store(change, changed, DONE[action], reason=reason, line=acting.line, changes=changes)
    if RELEASED & {order.state, state}:
        tell_stations(change, changed)
    return view_order(change.connection, code)


def _require_no_notices(view: PurchaseView) -> None:
    if view.notices:
        raise Conflict(
            f"{view.order} is still to come with notice {view.notices[0]}",
            hint="Cancel the notices of shipment first.",
            fields={"notices": list(view.notices)},
        )


def _check_currency(order: PurchaseOrder) -> None:
    if not order.currency and any(line.price_e4 is not None for line in order.lines):
        raise Unusable(f"{order} has prices but no currency", hint="Name the currency.")


def _store(change: Change, order: PurchaseOrder, action: str, **fields: object) -> None:
    """Write the head of an order as its next version, and note what was done."""
    stored = replace(order, version=order.version + 1, changed_ms=change.now_ms)
    _write_head(change, stored)
    said = {name: value for name, value in fields.items() if value}
    change.note(KIND, order.code, action, warehouse=order.warehouse, **said)


def _write_head(change: Change, order: PurchaseOrder) -> None:
    table = purchasing_tables.purchase_orders
    row = tuple(getattr(order, column.name) for column in table.columns)
    bulk.upsert_rows(change.connection, table, [row])


def _write_lines(change: Change, order: PurchaseOrder) -> None:
    table = purchasing_tables.purchase_lines
    change.connection.execute(delete(table).where(table.c.code == order.code))
    names = [column.name for column in table.columns if column.name != "code"]
    rows = [(order.code, *(getattr(line, name) for name in names)) for line in order.lines]
    bulk.insert_rows(change.connection, table, rows)
