"""What a sales order is, what may be done to it in which state, and how far it is. Pure.

    draft -submit-> submitted -approve-> approved -release-> released -sign-> signed -close-> closed
      ^                |                    |  ^                |
      |<---send_back---'                    |  '----recall------|
      |<---reopen---------------------------'                   |
      '----------------cancel (only while nothing went out)-----'--> cancelled

What is set aside and what went out make of `approved` and `released` what people call it:

    approved   reserved, part_reserved, backorder
    released   released, picking, part_shipped, shipped

Approving sets stock aside; what cannot be, waits, if the customer agrees. Recalling takes the order
from the stations and keeps what is set aside; reopening and cancelling give it up. What is sold
over the counter (hand_over) is approved and shipped at once, and signed for from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict, Unusable
from central.orders.document_progress import (
    CountedKey,
    DocumentProgress,
    ExpectedQuantity,
    LineProgress,
    by_number,
    progress_of,
)
from central.orders.reserving.reservations import SALES_ORDER, Holder, LineKey, Reservation
from central.orders.state_tables import StateTable, possible_actions

LINES_COUNT_MAX = 500

State = Literal["draft", "submitted", "approved", "released", "signed", "closed", "cancelled"]
Stage = (
    State | Literal["reserved", "part_reserved", "backorder", "picking", "part_shipped", "shipped"]
)
Coverage = Literal["none", "reserved", "part_reserved", "backorder"]

STATES: StateTable = {
    "edit": {"draft": "draft"},
    "submit": {"draft": "submitted"},
    "send_back": {"submitted": "draft"},
    "approve": {"submitted": "approved"},
    "hand_over": {"draft": "approved", "submitted": "approved"},
    "reopen": {"approved": "draft"},
    "reserve": {"approved": "approved", "released": "released"},
    "release": {"approved": "released"},
    "recall": {"released": "approved"},
    "give_up": {"approved": "approved", "released": "released"},
    "short_pick": {"released": "released"},
    "sign": {"approved": "signed", "released": "signed"},
    "close": {"signed": "closed"},
    "cancel": {
        "draft": "cancelled",
        "submitted": "cancelled",
        "approved": "cancelled",
        "released": "cancelled",
    },
}
NOTHING: Mapping[int, int] = {}
RESERVING: frozenset[str] = frozenset({"approved", "released"})


class SalesLine(msgspec.Struct, frozen=True):
    """One line of an order. quantity_micro: in `unit`, in which the item is kept.

    lot: the only one that will do, "" for any. given_up_micro: of it, will not be shipped any more.
    entered_quantity, entered_unit: as the customer said it.
    """

    line: int
    item: str
    unit: str
    quantity_micro: int
    lot: str = ""
    given_up_micro: int = 0
    over_percent_micro: int = 0
    under_percent_micro: int = 0
    entered_quantity: str = ""
    entered_unit: str = ""

    @property
    def expected(self) -> ExpectedQuantity:
        """Return what is to go out, as progress is measured."""
        expected_micro = self.quantity_micro - self.given_up_micro
        return ExpectedQuantity(
            self.line,
            self.item,
            self.unit,
            expected_micro,
            self.over_percent_micro,
            self.under_percent_micro,
            closed=not expected_micro,
        )


class SalesOrder(msgspec.Struct, frozen=True):
    """An order of a customer, shipped from one warehouse.

    backorders: what cannot be set aside may wait. wanted_on, promised_on: YYYY-MM-DD or "".
    reference: the customer's own number. stale: stations were told to take what is no longer set
    aside like that. reason: of the last cancelling, sending back or giving up.
    """

    code: str
    version: int
    warehouse: str
    customer: str
    state: State
    backorders: bool
    wanted_on: str
    promised_on: str
    reference: str
    note: str
    carrier: str
    tracking: str
    stale: bool
    reason: str
    signed_by: str
    signed_ms: int
    created_ms: int
    changed_ms: int
    lines: tuple[SalesLine, ...]

    def __str__(self) -> str:
        return f"sales order {self.code}"

    @property
    def holder(self) -> Holder:
        """Return whose reservations those of the order are."""
        return Holder(self.warehouse, SALES_ORDER, self.code)

    def key_of(self, line: int) -> LineKey:
        """Return whose reservations those of a line are."""
        return LineKey(self.warehouse, SALES_ORDER, self.code, line)


@dataclass(frozen=True, slots=True)
class LineFigures:
    """How far one line is. reserved_micro: set aside, picked_micro of it ready to go.

    backorder_micro: neither gone nor set aside.
    """

    line: SalesLine
    progress: LineProgress
    reserved_micro: int
    picked_micro: int

    @property
    def backorder_micro(self) -> int:
        """Return what still waits for stock."""
        return max(self.progress.remaining_micro - self.reserved_micro, 0)

    @property
    def spare_micro(self) -> int:
        """Return what is set aside and no longer waited for."""
        return max(self.reserved_micro - self.progress.remaining_micro, 0)


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """How far an order is.

    reservations: all rows of it, also those of what is gone. counted: by the ledger under its code.
    """

    order: SalesOrder
    lines: tuple[LineFigures, ...]
    progress: DocumentProgress
    reservations: tuple[Reservation, ...]
    counted: Mapping[CountedKey, int]

    @property
    def coverage(self) -> Coverage:
        """Return how much of what is still to go out is set aside."""
        waits = [line for line in self.lines if line.progress.remaining_micro]
        if not waits or self.order.state not in RESERVING:
            return "none"
        if not any(line.backorder_micro for line in waits):
            return "reserved"
        return "part_reserved" if any(line.reserved_micro for line in waits) else "backorder"

    @property
    def stage(self) -> Stage:
        """Return the state of the order as people name it."""
        order, lines = self.order, self.lines
        if order.state not in RESERVING:
            return order.state
        if all(line.progress.fulfilment in ("complete", "over") for line in lines):
            return "shipped"
        if not self.progress.untouched:
            return "part_shipped"
        if order.state == "released":
            return "picking" if any(line.picked_micro for line in lines) else "released"
        return self.coverage if self.coverage != "none" else "approved"


def figures_of(
    order: SalesOrder, reservations: Sequence[Reservation], counted: Mapping[CountedKey, int]
) -> OrderFigures:
    """Return how far an order is.

    counted: by the ledger under its code, by the pick line that stations know.
    """
    lines_of_picks = {row.pick_line: row.holder.line for row in reservations if row.pick_line}
    by_line: dict[CountedKey, int] = {}
    for key, quantity_micro in counted.items():
        # Nothing else names a line that no reservation has: it counts for the item's lines.
        line = lines_of_picks.get(key.line, 0)
        there = CountedKey(line, key.item, key.unit)
        by_line[there] = by_line.get(there, 0) + quantity_micro
    progress = progress_of([line.expected for line in order.lines], by_line)
    reserved: dict[int, int] = {}
    picked: dict[int, int] = {}
    for row in reservations:
        line = row.holder.line
        reserved[line] = reserved.get(line, 0) + row.quantity_micro
        if row.picked:
            picked[line] = picked.get(line, 0) + row.quantity_micro
    found = tuple(
        LineFigures(line, one, reserved.get(line.line, 0), picked.get(line.line, 0))
        for line, one in zip(order.lines, progress.lines, strict=True)
    )
    return OrderFigures(order, found, progress, tuple(reservations), counted)


def shipment_document(
    order: SalesOrder,
    reservations: Sequence[Reservation],
    counted: Mapping[CountedKey, int],
    *,
    partner: str,
    corrections: Mapping[int, int] = NOTHING,
) -> ExpectedDocument | None:
    """Return what stations work on for an order: where to take what; None if nothing at all.

    partner: the customer's name. corrections: how much more of a pick is asked for than what left
    under it and what is set aside; below zero: that much of what left nobody asked for.
    """
    went: dict[int, int] = {}
    lost: set[int] = set()
    if counted:
        went = by_number(counted, {row.pick_line: row.stock.item for row in reservations})
        lost = {number for number in corrections if not went.get(number)}
        for number, more_micro in corrections.items():
            went[number] = went.get(number, 0) + more_micro
    tolerances = {line.line: line.over_percent_micro for line in order.lines}
    picks: dict[int, list[Reservation]] = {}
    for row in reservations:
        if row.pick_line and (row.quantity_micro or went.get(row.pick_line)):
            picks.setdefault(row.pick_line, []).append(row)
    lines = []
    for number, rows in sorted(picks.items()):
        # Where most of it still is; of what is gone, where it was; of what is lost, nowhere.
        at = max(rows, key=lambda row: (row.quantity_micro, row.shipped_micro))
        quantity = max(went.get(number, 0), 0) + sum(row.quantity_micro for row in rows)
        if quantity <= 0:
            continue
        is_there = at.quantity_micro or number not in lost
        lines.append(
            DocumentLine(
                line=number,
                item=at.stock.item,
                quantity=canonical_text(from_micro(quantity)),
                tolerance_percent=canonical_text(from_micro(tolerances.get(at.holder.line, 0))),
                lot=at.stock.lot if is_there else "",
                location=at.stock.location if is_there else "",
                sscc=at.stock.sscc if is_there else "",
            )
        )
    if not lines:
        return None
    return ExpectedDocument(
        code=order.code,
        warehouse=order.warehouse,
        partner=partner,
        kind="shipment",
        lines=tuple(lines),
    )


def actions_of(figures: OrderFigures) -> list[str]:
    """Return what may be done to an order as it stands, in the order of the table.

    What is approved is signed for if it was sold over the counter, and then nothing else is left.
    Of what is released nothing is called off once goods went out, and signed for when all did.
    """
    possible = possible_actions(STATES, figures.order.state)
    if figures.order.state == "approved":
        sold = figures.stage == "shipped"
        return [action for action in possible if (action == "sign") == sold]
    gone = not any(one.progress.remaining_micro for one in figures.lines)
    refused = set() if figures.progress.untouched else {"cancel", "recall", "reopen"}
    if not gone:
        refused.add("sign")
    return [action for action in possible if action not in refused]


def check_untouched(figures: OrderFigures, *, action: str) -> None:
    """Return if nothing of an order went out yet. Raises Conflict."""
    if figures.progress.untouched:
        return
    shipped = {str(one.line.line): _text(one.progress.done_micro) for one in figures.lines}
    raise Conflict(
        f"{figures.order} cannot be {action}: something of it went out already",
        hint="Give up what is still to go out instead, and have it signed for.",
        fields={"shipped": shipped},
    )


def check_shipped(figures: OrderFigures) -> None:
    """Return if all that is still wanted of an order went out. Raises Conflict."""
    open_lines = [one for one in figures.lines if one.progress.remaining_micro]
    if not open_lines:
        return
    raise Conflict(
        f"{figures.order} cannot be signed for: lines have not gone out in full",
        hint="Ship the rest, or give it up first.",
        fields={
            "remaining": {
                str(one.line.line): _text(one.progress.remaining_micro) for one in open_lines
            }
        },
    )


def line_of(order: SalesOrder, number: int) -> SalesLine:
    """Return a line by its number. Raises Unusable."""
    found = next((line for line in order.lines if line.line == number), None)
    if found is None:
        raise Unusable(
            f"{order} has no line {number}",
            hint="Name one of its lines.",
            fields={"lines": [line.line for line in order.lines]},
        )
    return found


def _text(quantity_micro: int) -> str:
    return canonical_text(from_micro(quantity_micro))
