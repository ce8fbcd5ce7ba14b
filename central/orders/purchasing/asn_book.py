"""Notices of shipment as people work on them, one change each. Edge of the database."""

from dataclasses import dataclass, replace
from typing import Literal, cast

from sqlalchemy import delete

from central.errors import Conflict, Unusable
from central.ledger.desk import Change, require_version
from central.orders.catalogue.packs import to_base
from central.orders.document_changes import changed_document
from central.orders.order_documents import new_code, require_free_document
from central.orders.order_goods import (
    Goods,
    checked_date,
    checked_reason,
    read_goods,
    require_supplier,
    require_warehouse,
)
from central.orders.purchasing.asn import (
    AMENDABLE,
    CHANGEABLE,
    LINES_COUNT_MAX,
    STATES,
    UNITS_COUNT_MAX,
    HandlingUnit,
    NoticeLine,
    ShippingNotice,
    State,
    check_cancel,
    check_close,
    check_units,
)
from central.orders.purchasing.asn_reading import NoticeView, load_notice, view_notice, view_notices
from central.orders.purchasing.notice_limits import (
    check_announced,
    check_units_elsewhere,
    tell_notice,
)
from central.orders.purchasing.purchase_orders import RELEASED, PurchaseOrder
from central.orders.purchasing.purchase_reading import load_order
from central.orders.state_tables import next_state
from central.storage import bulk, purchasing_tables

KIND = "shipping_notice"
PREFIX = "ASN"
Action = Literal["expect", "close", "cancel"]
DONE: dict[Action, str] = {"expect": "expected", "close": "closed", "cancel": "cancelled"}


@dataclass(frozen=True, slots=True)
class NoticeLineAsked:
    """A line as somebody states it. unit: "" for the item's own. sscc: "" for loose goods.

    order_line: 0 for the first line of the order with that item.
    """

    line: int
    item: str
    quantity_micro: int
    unit: str = ""
    sscc: str = ""
    lot: str = ""
    expiry_date: str = ""
    order_line: int = 0


@dataclass(frozen=True, slots=True)
class NoticeAsked:
    """A notice as somebody states it. warehouse, supplier: "" for those of the order."""

    lines: tuple[NoticeLineAsked, ...]
    units: tuple[HandlingUnit, ...] = ()
    warehouse: str = ""
    supplier: str = ""
    order_code: str = ""
    code: str = ""
    own_document: bool = True
    expected_date: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class NoticeChanges:
    """What is to be different in a notice; None stays as it is."""

    expected_date: str | None = None
    note: str | None = None
    units: tuple[HandlingUnit, ...] | None = None
    lines: tuple[NoticeLineAsked, ...] | None = None


def create_notice(change: Change, asked: NoticeAsked) -> NoticeView:
    """Note what a supplier announces. Raises Unusable, Conflict, NotThere for its order."""
    order = load_order(change.connection, asked.order_code) if asked.order_code else None
    warehouse, supplier = _ends(asked, order)
    require_warehouse(change.connection, warehouse)
    require_supplier(change.connection, supplier)
    notice = ShippingNotice(
        code=new_code(change, PREFIX, warehouse=warehouse, wished=asked.code),
        warehouse=warehouse,
        supplier=supplier,
        order_code=asked.order_code,
        state="announced",
        own_document=asked.own_document,
        expected_date=checked_date(asked.expected_date, what="expected_date"),
        note=asked.note,
        reason="",
        version=1,
        created_by=change.actor,
        created_ms=change.now_ms,
        changed_ms=change.now_ms,
        units=_units(asked.units, asked.lines),
        lines=_lines(change, asked.lines, order),
    )
    _write_head(change, notice)
    _write_contents(change, notice)
    change.note(
        KIND,
        notice.code,
        "announced",
        warehouse=warehouse,
        order=asked.order_code,
        units_count=len(notice.units),
    )
    return view_notices(change.connection, [notice])[0]


def change_notice(
    change: Change, code: str, asked: NoticeChanges, *, version: int | None
) -> NoticeView:
    """Change a notice that is not expected yet; later only its date and note. Raises Conflict."""
    notice = load_notice(change.connection, code)
    require_version(notice.version, version, what=str(notice))
    contents = asked.units is not None or asked.lines is not None
    if notice.state not in (CHANGEABLE if contents else CHANGEABLE | AMENDABLE):
        raise Conflict(
            f"{notice} is {notice.state} and is not changed any more",
            hint="Cancel it and note another one, if nothing of it came.",
            fields={"state": notice.state},
        )
    changed = replace(
        notice,
        expected_date=notice.expected_date
        if asked.expected_date is None
        else checked_date(asked.expected_date, what="expected_date"),
        note=notice.note if asked.note is None else asked.note,
    )
    if contents:
        order = load_order(change.connection, notice.order_code) if notice.order_code else None
        units = notice.units if asked.units is None else asked.units
        lines = notice.lines if asked.lines is None else _lines(change, asked.lines, order)
        check_units(units, in_lines=[line.sscc for line in lines])
        changed = replace(changed, units=units, lines=lines)
        _write_contents(change, changed)
    _store(change, changed, "changed", changes=changed_document(notice, changed))
    return view_notice(change.connection, code)


def act_on_notice(
    change: Change, code: str, action: Action, *, version: int | None, reason: str = ""
) -> NoticeView:
    """Do one step of a notice's life; return what it then is. Raises Conflict, Outdated."""
    view = view_notice(change.connection, code)
    notice = view.notice
    require_version(notice.version, version, what=str(notice))
    state = cast(State, next_state(STATES, action=action, state=notice.state, what=str(notice)))
    reason = reason.strip()
    changed = replace(notice, state=state, reason=reason)
    order = load_order(change.connection, notice.order_code) if notice.order_code else None
    if action == "expect":
        _check_expect(change, notice, order)
    elif action == "close":
        check_close(notice, view.progress, view.units, reason=reason)
        done = {line.line: line.done_micro for line in view.progress.lines}
        ended = [replace(line, ended_micro=done[line.line]) for line in notice.lines]
        changed = replace(changed, lines=tuple(ended))
        _write_contents(change, changed)
    else:
        checked_reason(reason, what=f"to cancel {notice}")
        check_cancel(notice, view.progress)
    _store(change, changed, DONE[action], reason=reason)
    if notice.own_document and "expected" in {notice.state, state}:
        # What comes with the notice does not come under its order's code, and the other way round.
        tell_notice(change, changed, order)
    return view_notice(change.connection, code)


def _ends(asked: NoticeAsked, order: PurchaseOrder | None) -> tuple[str, str]:
    """Return warehouse and supplier of a notice."""
    if order is None:
        if not asked.own_document:
            raise Unusable(
                "a notice without an order has to be worked on by its own code",
                hint="Name the order, or let stations work on the notice.",
            )
        return asked.warehouse, asked.supplier
    for what, stated, ordered in (
        ("warehouse", asked.warehouse, order.warehouse),
        ("supplier", asked.supplier, order.supplier),
    ):
        if stated not in {"", ordered}:
            raise Unusable(
                f"{order} is about {what} {ordered}, not {stated}",
                hint=f"Leave the {what} out: it is that of the order.",
                fields={what: ordered},
            )
    return order.warehouse, order.supplier


def _check_expect(change: Change, notice: ShippingNotice, order: PurchaseOrder | None) -> None:
    if not notice.lines:
        raise Conflict(f"{notice} announces nothing", hint="Add what is to come.")
    if order is not None and order.state not in RELEASED:
        raise Conflict(
            f"{order} is {order.state}: nothing is to come of it",
            hint="Send the order first.",
            fields={"order": order.code, "state": order.state},
        )
    check_units_elsewhere(change.connection, notice)
    if notice.own_document:
        if order is not None:
            check_announced(change.connection, notice, order)
        require_free_document(change.connection, warehouse=notice.warehouse, code=notice.code)


def _units(
    units: tuple[HandlingUnit, ...], lines: tuple[NoticeLineAsked, ...]
) -> tuple[HandlingUnit, ...]:
    if len(units) > UNITS_COUNT_MAX:
        raise Unusable(
            f"a notice of {len(units)} units is too long",
            hint=f"Make several notices of at most {UNITS_COUNT_MAX} units.",
        )
    check_units(units, in_lines=[line.sscc for line in lines])
    return tuple(sorted(units, key=lambda unit: unit.sscc))


def _lines(
    change: Change, asked: tuple[NoticeLineAsked, ...], order: PurchaseOrder | None
) -> tuple[NoticeLine, ...]:
    if len(asked) > LINES_COUNT_MAX or len({line.line for line in asked}) != len(asked):
        raise Unusable(
            "the lines of the notice are too many, or one number is there twice",
            hint=f"Give each of at most {LINES_COUNT_MAX} lines a number of its own.",
        )
    goods = read_goods(change.connection, {line.item for line in asked})
    return tuple(
        _line(line, goods[line.item], order) for line in sorted(asked, key=lambda one: one.line)
    )


def _line(asked: NoticeLineAsked, goods: Goods, order: PurchaseOrder | None) -> NoticeLine:
    return NoticeLine(
        line=asked.line,
        sscc=asked.sscc,
        item=asked.item,
        lot=asked.lot,
        expiry_date=checked_date(asked.expiry_date, what="expiry_date"),
        unit=goods.units.base,
        quantity_micro=to_base(
            asked.quantity_micro, goods.units, unit=asked.unit or goods.units.base
        ),
        order_line=_order_line(asked, order),
    )


def _order_line(asked: NoticeLineAsked, order: PurchaseOrder | None) -> int:
    if order is None:
        return 0
    for line in order.lines:
        if line.item == asked.item and asked.order_line in {0, line.line}:
            return line.line
    raise Unusable(
        f"{order} orders no {asked.item} on line {asked.order_line or 'any'}",
        hint="Name a line of the order with that item.",
        fields={"item": asked.item, "order_line": asked.order_line},
    )


def _store(change: Change, notice: ShippingNotice, action: str, **fields: object) -> None:
    """Write the head of a notice as its next version, and note what was done."""
    stored = replace(notice, version=notice.version + 1, changed_ms=change.now_ms)
    _write_head(change, stored)
    said = {name: value for name, value in fields.items() if value}
    change.note(KIND, notice.code, action, warehouse=notice.warehouse, **said)


def _write_head(change: Change, notice: ShippingNotice) -> None:
    table = purchasing_tables.shipping_notices
    row = tuple(getattr(notice, column.name) for column in table.columns)
    bulk.upsert_rows(change.connection, table, [row])


def _write_contents(change: Change, notice: ShippingNotice) -> None:
    for table, parts in (
        (purchasing_tables.notice_units, notice.units),
        (purchasing_tables.notice_lines, notice.lines),
    ):
        change.connection.execute(delete(table).where(table.c.code == notice.code))
        names = [column.name for column in table.columns if column.name != "code"]
        rows = [(notice.code, *(getattr(part, name) for name in names)) for part in parts]
        bulk.insert_rows(change.connection, table, rows)
