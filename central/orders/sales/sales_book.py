"""Sales orders as people work on them, from draft to signature. Edge of the database.

Every function is one step of the table in `sales_orders`: it reads, decides and writes inside the
caller's change, or raises DeskRefused and has done nothing that will last.
"""

from msgspec.structs import replace

from central.errors import Conflict, Unusable
from central.ledger.desk import Change
from central.orders.document_changes import changed_document
from central.orders.order_documents import new_code, require_free_document
from central.orders.order_goods import checked_reason, require_warehouse
from central.orders.reserving.reservation_book import Wanted
from central.orders.reserving.reservation_rows import order_stock_soon
from central.orders.reserving.shortages import refuse_shortage
from central.orders.sales.sales_lines import OrderAsked, checked_dates, lines_of, require_customer
from central.orders.sales.sales_orders import SalesOrder, check_shipped, check_untouched
from central.orders.sales.sales_steps import (
    begin_step,
    book_of,
    free_all,
    note_step,
    save_step,
    set_aside,
    tell_if_released,
)
from central.orders.sales.sales_store import read_figures, write_order
from central.orders.sales.shipment_guidance import take_from_stations, tell_stations

CODE_PREFIX = "SO"


def draft_order(change: Change, asked: OrderAsked) -> SalesOrder:
    """Make an order that nobody goes by yet. Raises Unusable, Conflict."""
    order = new_draft(change, asked)
    write_order(change.connection, order, new=True)
    note_step(change, order, "drafted", lines_count=len(order.lines))
    return order


def new_draft(change: Change, asked: OrderAsked) -> SalesOrder:
    """Return an order as it is drafted, not written yet. Raises Unusable, Conflict."""
    require_warehouse(change.connection, asked.warehouse)
    require_customer(change.connection, asked.customer)
    code = new_code(change, CODE_PREFIX, warehouse=asked.warehouse, wished=asked.code)
    wanted_on, promised_on = checked_dates(asked)
    return SalesOrder(
        code=code,
        version=1,
        warehouse=asked.warehouse,
        customer=asked.customer,
        state="draft",
        backorders=asked.backorders,
        wanted_on=wanted_on,
        promised_on=promised_on,
        reference=asked.reference,
        note=asked.note,
        carrier=asked.carrier,
        tracking="",
        stale=False,
        reason="",
        signed_by="",
        signed_ms=0,
        created_ms=change.now_ms,
        changed_ms=change.now_ms,
        lines=lines_of(change.connection, asked.lines),
    )


def edit_order(
    change: Change, code: str, asked: OrderAsked, *, version: int | None = None
) -> SalesOrder:
    """Give a draft other contents; its code and warehouse stay. Raises DeskRefused."""
    order, _ = begin_step(change, code, "edit", version)
    if asked.warehouse != order.warehouse:
        raise Unusable(
            f"{order} is shipped from {order.warehouse}",
            hint="Cancel it and make another one to ship it from elsewhere.",
            fields={"warehouse": order.warehouse},
        )
    require_customer(change.connection, asked.customer)
    wanted_on, promised_on = checked_dates(asked)
    edited = replace(
        order,
        customer=asked.customer,
        backorders=asked.backorders,
        wanted_on=wanted_on,
        promised_on=promised_on,
        reference=asked.reference,
        note=asked.note,
        carrier=asked.carrier,
        lines=lines_of(change.connection, asked.lines),
    )
    changes = changed_document(order, edited)
    return save_step(change, edited, "edited", lines_too=True, changes=changes)


def submit_order(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Ask for approval."""
    order, after = begin_step(change, code, "submit", version)
    return save_step(change, replace(order, state=after), "submitted")


def send_back_order(
    change: Change, code: str, *, reason: str, version: int | None = None
) -> SalesOrder:
    """Let whoever drafted the order change it first."""
    order, after = begin_step(change, code, "send_back", version)
    reason = checked_reason(reason, what=str(order))
    return save_step(change, replace(order, state=after, reason=reason), "sent_back", reason=reason)


def approve_order(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Promise the goods: set aside what there is, and let the rest wait if the customer agrees.

    Raises Conflict, with what is available of each line, if the rest may not wait.
    """
    stock_of = order_stock_soon(change.connection, code)
    order, after = begin_step(change, code, "approve", version)
    book = book_of(change, [order], stock_of=stock_of)
    granted = book.reserve(
        [
            Wanted(order.key_of(line.line), line.item, line.quantity_micro, line.lot)
            for line in order.lines
        ]
    )
    if not order.backorders:
        refuse_shortage(order, granted)
    book.write()
    reserved_count = sum(not one.missing_micro for one in granted)
    return save_step(change, order, "approved", after=after, lines_reserved_count=reserved_count)


def reserve_order(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Set aside what still waits for stock, and anew what may no longer be shipped."""
    order, _ = begin_step(change, code, "reserve", version)
    (figures,) = read_figures(change.connection, [order])
    book = book_of(change, [order])
    granted = set_aside(change, book, figures)
    if not any(one.granted_micro for one in granted):
        refuse_shortage(order, granted)
    order = tell_if_released(change, book, order)
    book.write()
    return save_step(change, order, "reserved", lines_count=len(granted))


def release_order(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Let stations pick and ship what is set aside, from where it is.

    Raises Conflict if nothing is.
    """
    order, after = begin_step(change, code, "release", version)
    require_free_document(change.connection, warehouse=order.warehouse, code=code)
    (figures,) = read_figures(change.connection, [order])
    book = book_of(change, [order])
    granted = set_aside(change, book, figures)
    if not any(row.quantity_micro for row in book.of(order.holder)):
        if any(one.unfit for one in granted):  # What was set aside may not be shipped any more.
            refuse_shortage(order, granted)
        raise Conflict(
            f"nothing is set aside for {order}",
            hint="Wait for stock, or reserve again once it has come.",
            fields={"stage": figures.stage},
        )
    released = tell_stations(change, book, replace(order, state=after), figures.counted)
    book.write()
    return save_step(change, released, "released")


def recall_order(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Take an order from the stations again; what is set aside stays so."""
    order, after = begin_step(change, code, "recall", version)
    (figures,) = read_figures(change.connection, [order])
    check_untouched(figures, action="recalled")
    order = take_from_stations(change, order)
    return save_step(change, replace(order, state=after), "recalled")


def reopen_order(
    change: Change, code: str, *, reason: str, version: int | None = None
) -> SalesOrder:
    """Make an approved order a draft again; what was set aside is free."""
    order, after = begin_step(change, code, "reopen", version)
    reason = checked_reason(reason, what=str(order))
    (figures,) = read_figures(change.connection, [order])
    check_untouched(figures, action="reopened")
    free_all(change, order, reason=f"order reopened: {reason}")
    return save_step(change, replace(order, state=after, reason=reason), "reopened", reason=reason)


def cancel_order(
    change: Change, code: str, *, reason: str, version: int | None = None
) -> SalesOrder:
    """End an order of which nothing went out; what was set aside is free."""
    order, after = begin_step(change, code, "cancel", version)
    reason = checked_reason(reason, what=str(order))
    (figures,) = read_figures(change.connection, [order])
    check_untouched(figures, action="cancelled")
    free_all(change, order, reason=f"order cancelled: {reason}")
    if order.state == "released":
        order = take_from_stations(change, order)
    cancelled = replace(order, state=after, reason=reason)
    return save_step(change, cancelled, "cancelled", reason=reason)


def sign_order(
    change: Change, code: str, *, signed_by: str, tracking: str = "", version: int | None = None
) -> SalesOrder:
    """Note who took the goods; all that is still wanted went out. Raises Conflict if not."""
    order, after = begin_step(change, code, "sign", version)
    signed_by = checked_reason(signed_by, what="a signature")
    (figures,) = read_figures(change.connection, [order])
    check_shipped(figures)
    free_all(change, order, reason="complete within its tolerance")
    order = take_from_stations(change, order)
    signed = replace(
        order,
        state=after,
        signed_by=signed_by,
        signed_ms=change.now_ms,
        tracking=tracking or order.tracking,
    )
    return save_step(change, signed, "signed")


def close_order(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Put a signed order away."""
    order, after = begin_step(change, code, "close", version)
    return save_step(change, replace(order, state=after), "closed")
