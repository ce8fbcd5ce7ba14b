"""Sales over the counter: an order and its goods leave in one change. Edge of the database.

    draft -> submitted -> approved -> handed over

Each step is noted as if it were taken by itself. What is set aside is what is handed over: the same
bins and lots, oldest first, as for any order; so nothing is sold that is promised to somebody else.
The desk itself posts the movements, and stations are told of nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from central.contract.facts import Movement
from central.contract.quantities import MICRO_PER_UNIT, canonical_text, from_micro
from central.errors import Unusable
from central.ledger.desk import Change, ObjectNote
from central.ledger.locations import CUSTOMER
from central.orders.catalogue.item_cards import Policy, pieces_kept
from central.orders.catalogue.items import policies_of
from central.orders.order_documents import code_looks
from central.orders.order_goods import goods_looks
from central.orders.reserving.reservation_book import ReservationBook, Wanted
from central.orders.reserving.reservation_rows import items_stock_soon, order_stock_soon
from central.orders.reserving.reservations import Reservation
from central.orders.reserving.shortages import refuse_shortage
from central.orders.sales.sales_book import CODE_PREFIX, new_draft
from central.orders.sales.sales_lines import OrderAsked, customer_look
from central.orders.sales.sales_orders import LINES_COUNT_MAX, SalesLine, SalesOrder
from central.orders.sales.sales_steps import KIND, begin_step, book_of
from central.orders.sales.sales_store import write_order
from central.storage import bulk, tables

STEP = "shipping"


@dataclass(frozen=True, slots=True)
class Stated:
    """What is said of the goods of one line as they are handed over.

    serials: which ones, each one piece; of goods that are measured the one that all of the line is
    of. net_micro: what all of the line weighs, in the unit in
    which the item is weighed; 0 for goods that are not.
    """

    serials: tuple[str, ...] = ()
    net_micro: int = 0


_NOTHING = Stated()
_STEPS = ("drafted", "submitted", "approved", "handed_over")  # Each is a version of the order.


def sell_at_once(
    change: Change, asked: OrderAsked, *, stated: Mapping[int, Stated] | None = None
) -> SalesOrder:
    """Draft, approve and ship an order as one decision, and return it as it stands then.

    stated: by the number of its line. Raises Conflict with what is available if that is less than
    asked, Unusable for goods of which too little is stated, or that are not there.
    """
    stated = stated or {}
    book = _read_ahead(change, asked)
    order = replace(new_draft(change, asked), backorders=False)
    drafts = _set_aside(change, book, order, stated)
    order = replace(order, version=len(_STEPS), state="approved")
    write_order(change.connection, order, new=True)
    _finish(change, order, drafts, _STEPS)
    return order


def hand_over(change: Change, code: str, *, version: int | None = None) -> SalesOrder:
    """Approve and ship an order that nobody has approved yet, and return it as it stands then.

    Raises NotThere, Outdated, Conflict with what is available if that is not enough, Unusable for
    goods of which more has to be stated: those are sold by `sell_at_once`.
    """
    stock_of = order_stock_soon(change.connection, code)
    order, after = begin_step(change, code, "hand_over", version)
    drafts = _set_aside(change, book_of(change, [order], stock_of=stock_of), order, {})
    steps = _STEPS[1 if order.state == "draft" else 2 :]
    order = replace(
        order, version=order.version + len(steps), state=after, changed_ms=change.now_ms
    )
    write_order(change.connection, order, lines_too=False)
    _finish(change, order, drafts, steps)
    return order


def _read_ahead(change: Change, asked: OrderAsked) -> ReservationBook:
    """Read what the sale needs, as far as it is known; return the book to set goods aside in."""
    items = {line.item for line in asked.lines[:LINES_COUNT_MAX]}
    stock_of = items_stock_soon(change.connection, asked.warehouse, items)
    looks: list[bulk.Look | bulk.Led] = [
        bulk.Look(tables.warehouses, [(asked.warehouse,)], 1),
        customer_look(asked.customer),
        *goods_looks(items),
    ]
    code = asked.code or change.likely_code(CODE_PREFIX)
    if not asked.code:
        looks.append(bulk.Look(tables.object_numbers, [(CODE_PREFIX,)], 1))
    if code:
        looks += code_looks(code)
        looks += change.likely_looks(
            document=code, warehouse=asked.warehouse, to_location=CUSTOMER, items=items
        )
    bulk.look_ahead(change.connection, looks)
    return ReservationBook(change.connection, now_ms=change.now_ms, stock_of=stock_of)


def _set_aside(
    change: Change, book: ReservationBook, order: SalesOrder, stated: Mapping[int, Stated]
) -> list[Movement]:
    """Set aside what an order wants, and return how that leaves. Raises Conflict, Unusable."""
    policies = policies_of(change.connection, {line.item for line in order.lines})
    wanted: list[Wanted] = []
    for line in order.lines:
        wanted += _wanted(order, line, policies[line.item], stated.get(line.line, _NOTHING))
    refuse_shortage(order, book.reserve(wanted))
    # What was set aside once, of an order that was reopened, keeps its number.
    number = max(row.pick_line for row in book.of(order.holder))
    for row in book.of(order.holder):
        if row.quantity_micro and not row.pick_line:
            number += 1
            book.give_pick_line(row, number)
    held = [row for row in book.of(order.holder) if row.quantity_micro]
    drafts = _movements(change, order, held, policies, stated)
    change.foresee(drafts)
    book.write()
    return drafts


def _wanted(order: SalesOrder, line: SalesLine, policy: Policy, stated: Stated) -> list[Wanted]:
    """Return what is to be set aside for a line. Raises Unusable if too little is stated."""
    key = order.key_of(line.line)
    if policy.weight_unit and not stated.net_micro:
        raise Unusable(
            f"line {line.line}: {line.item} is sold by weight, and nobody says what it weighs",
            hint="Weigh the goods and state their net weight.",
            fields={"line": line.line, "item": line.item, "weight_unit": policy.weight_unit},
        )
    if stated.net_micro and not policy.weight_unit:
        raise Unusable(
            f"line {line.line}: {line.item} is not weighed when it is sold",
            hint="Leave the net weight out.",
            fields={"line": line.line, "item": line.item},
        )
    if not stated.serials:
        if policy.serial_tracked:
            raise Unusable(
                f"line {line.line}: nobody says which pieces of {line.item} are handed over",
                hint="State the serial number of each piece.",
                fields={"line": line.line, "item": line.item},
            )
        return [Wanted(key, line.item, line.quantity_micro, line.lot)]
    serials = list(dict.fromkeys(stated.serials))
    if not pieces_kept(line.unit, kind="bulk", serial_tracked=True):
        if len(serials) > 1:
            raise Unusable(
                f"line {line.line}: {len(serials)} serial numbers are stated for"
                f" {_text(line.quantity_micro)} of {line.item}",
                hint="Sell the goods of each serial number in a line of their own.",
                fields={"line": line.line, "item": line.item},
            )
        return [Wanted(key, line.item, line.quantity_micro, line.lot, serials[0])]
    if len(serials) * MICRO_PER_UNIT != line.quantity_micro:
        raise Unusable(
            f"line {line.line}: {len(serials)} serial numbers are stated for"
            f" {_text(line.quantity_micro)} of {line.item}",
            hint="State each piece once, and as many as are sold.",
            fields={"line": line.line, "item": line.item},
        )
    return [Wanted(key, line.item, MICRO_PER_UNIT, line.lot, serial) for serial in serials]


def _movements(
    change: Change,
    order: SalesOrder,
    rows: Sequence[Reservation],
    policies: Mapping[str, Policy],
    stated: Mapping[int, Stated],
) -> list[Movement]:
    """Return how what is set aside leaves, one movement for each place and lot."""
    weights = _weights(rows, stated)
    return [
        change.movement(
            warehouse=order.warehouse,
            business_step=STEP,
            from_location=row.stock.location,
            to_location=CUSTOMER,
            item=row.stock.item,
            quantity_micro=row.quantity_micro,
            unit=row.stock.unit,
            lot=row.stock.lot,
            serial=row.stock.serial,
            sscc=row.stock.sscc,
            document=order.code,
            document_line=row.pick_line,
            net_weight=weights.get(row.pick_line, ""),
            weight_unit=policies[row.stock.item].weight_unit if row.pick_line in weights else "",
        )
        for row in rows
    ]


def _weights(rows: Sequence[Reservation], stated: Mapping[int, Stated]) -> dict[int, str]:
    """Return the net weights of picks. Raises Unusable for one weight of several picks."""
    weights: dict[int, str] = {}
    for row in rows:
        line = row.holder.line
        net_micro = stated.get(line, _NOTHING).net_micro
        if not net_micro:
            continue
        places = [one.stock.location for one in rows if one.holder.line == line]
        if len(places) > 1:
            raise Unusable(
                f"line {line}: one weight is stated for goods of {len(places)} places or lots",
                hint="Sell each lot in a line of its own, with its weight.",
                fields={"line": line, "places": places},
            )
        weights[row.pick_line] = _text(net_micro)
    return weights


def _finish(
    change: Change, order: SalesOrder, drafts: Sequence[Movement], steps: Sequence[str]
) -> None:
    """Note the steps of a sale, and post how its goods leave."""
    counted = {"drafted": "lines_count", "approved": "lines_reserved_count"}
    notes = [
        ObjectNote(
            order.code,
            order.warehouse,
            {counted[step]: len(order.lines)} if step in counted else {},
            step,
        )
        for step in steps
    ]
    change.note_all(KIND, "", notes)
    change.post(drafts, foreseen=True)
    change.remember_goods(drafts)


def _text(quantity_micro: int) -> str:
    return canonical_text(from_micro(quantity_micro))
