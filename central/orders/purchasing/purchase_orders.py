"""What a purchase order is, and what may be done to it in which state. Pure.

    draft -submit-> submitted -approve-> approved -send-> sent -confirm-> confirmed
      ^                |  |                 |               |                 |
      |<----revise-----+  +-reject->rejected|               +------close------+--> closed
      |<----revise---------------------+    |               |                 |
      |<----revise--------------------------+               |                 |
      +-------------------------cancel (only while nothing came)--------------+--> cancelled

From `sent` on stations work on it. How far it then is follows from what the ledger counted and is
not a state: part_received, received. Closing while something is missing needs a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict
from central.orders.document_progress import DocumentProgress, ExpectedQuantity
from central.orders.state_tables import StateTable

LINES_COUNT_MAX = 500
PRICE_E4_MAX = 10**12
VALUE_FEN_MAX = 10**17
FEN_PER_PRICE_E4 = Fraction(1, 100)

State = Literal[
    "draft", "submitted", "approved", "sent", "confirmed", "closed", "rejected", "cancelled"
]
Stage = State | Literal["part_received", "received"]

STATES: StateTable = {
    "submit": {"draft": "submitted"},
    "approve": {"submitted": "approved"},
    "reject": {"submitted": "rejected"},
    "revise": {"submitted": "draft", "approved": "draft", "rejected": "draft"},
    "send": {"approved": "sent"},
    "confirm": {"sent": "confirmed", "confirmed": "confirmed"},
    "close_line": {"sent": "sent", "confirmed": "confirmed"},
    "close": {"sent": "closed", "confirmed": "closed"},
    "cancel": {
        "draft": "cancelled",
        "submitted": "cancelled",
        "approved": "cancelled",
        "sent": "cancelled",
        "confirmed": "cancelled",
    },
}
RELEASED: frozenset[str] = frozenset({"sent", "confirmed"})
# What may be changed: everything, or only what stations and the supplier do not go by.
CHANGEABLE: frozenset[str] = frozenset({"draft"})
AMENDABLE: frozenset[str] = frozenset({"submitted", "approved", "sent", "confirmed"})


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """One line of an order.

    quantity_micro of `unit`, as ordered, is exactly expected_micro of base_unit, in which the item
    is kept. price_e4: 1/10000 of the currency for one of `unit`, None if not agreed. promised_date:
    "" for that of the order. closed_reason: why nothing more is expected of it, "" while it is.
    """

    line: int
    item: str
    unit: str
    quantity_micro: int
    base_unit: str
    expected_micro: int
    over_percent_micro: int
    under_percent_micro: int
    price_e4: int | None = None
    promised_date: str = ""
    closed_reason: str = ""

    @property
    def expected(self) -> ExpectedQuantity:
        """Return what the line expects, as progress is measured."""
        return ExpectedQuantity(
            self.line,
            self.item,
            self.base_unit,
            self.expected_micro,
            self.over_percent_micro,
            self.under_percent_micro,
            closed=bool(self.closed_reason),
        )

    @property
    def value_fen(self) -> int | None:
        """Return quantity times price in 1/100 of the currency, half to even; None if no price."""
        if self.price_e4 is None:
            return None
        exact = Fraction(self.quantity_micro * self.price_e4, 10**6) * FEN_PER_PRICE_E4
        return round(exact)


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """An order to a supplier, for one warehouse.

    promised_date: YYYY-MM-DD, when the goods are to be there; "" if nobody has said. currency: ISO
    4217, "" if it has no prices. reason: why it was rejected, cancelled or closed.
    """

    code: str
    warehouse: str
    supplier: str
    state: State
    promised_date: str
    currency: str
    note: str
    reason: str
    version: int
    created_by: str
    created_ms: int
    changed_ms: int
    lines: tuple[PurchaseLine, ...]

    def __str__(self) -> str:
        return f"purchase order {self.code}"

    @property
    def value_fen(self) -> int | None:
        """Return the sum of its lines, None if one of them has no price."""
        values = [line.value_fen for line in self.lines]
        if not values or None in values:
            return None
        return sum(value for value in values if value is not None)


@dataclass(frozen=True, slots=True)
class NotifiedQuantity:
    """What notices of shipment say of one line of an order, in the unit in which the item is kept.

    awaited_micro: on the way, under documents of their own. arrived_micro: came under those.
    """

    awaited_micro: int = 0
    arrived_micro: int = 0


def stage_of(order: PurchaseOrder, progress: DocumentProgress) -> Stage:
    """Return the state of an order as people name it, with what came."""
    if order.state not in RELEASED or progress.fulfilment == "none":
        return order.state
    return "part_received" if progress.fulfilment == "partial" else "received"


def receipt_document(
    order: PurchaseOrder,
    *,
    partner: str,
    notified: Mapping[int, NotifiedQuantity],
    tolerances: Mapping[int, int],
) -> ExpectedDocument | None:
    """Return what stations work on for an order, None if it expects nothing under its own code.

    partner: the supplier's name. What notices of shipment announce under codes of their own comes
    under those, and what came under them does not come again. tolerances: by line, in 10^-6
    percent of what is left.
    """
    if order.state not in RELEASED:
        return None
    lines = []
    for line in order.lines:
        own_micro = own_expected_micro(line, notified)
        if not own_micro or line.closed_reason:
            continue
        lines.append(
            DocumentLine(
                line=line.line,
                item=line.item,
                quantity=canonical_text(from_micro(own_micro)),
                tolerance_percent=canonical_text(from_micro(tolerances[line.line])),
            )
        )
    if not lines:
        return None
    return ExpectedDocument(
        code=order.code, warehouse=order.warehouse, partner=partner, lines=tuple(lines)
    )


def own_expected_micro(line: PurchaseLine, notified: Mapping[int, NotifiedQuantity]) -> int:
    """Return what a line expects under the order's own code: what no notice brings or brought."""
    said = notified.get(line.line, NotifiedQuantity())
    return max(line.expected_micro - said.awaited_micro - said.arrived_micro, 0)


def check_cancel(order: PurchaseOrder, progress: DocumentProgress) -> None:
    """Return if nothing came yet. Raises Conflict."""
    if progress.untouched:
        return
    raise Conflict(
        f"{order} cannot be cancelled: something of it came already",
        hint="Close it instead, and say why the rest will not come.",
        fields={"fulfilment": progress.fulfilment},
    )


def check_close(
    order: PurchaseOrder, progress: DocumentProgress, *, awaited: Sequence[str], reason: str
) -> None:
    """Return if an order may be closed.

    awaited: notices of shipment that are still on their way. Raises Conflict.
    """
    if awaited:
        raise Conflict(
            f"{order} is still to come with notice {awaited[0]}",
            hint="Close or cancel the notices of shipment first.",
            fields={"notices": list(awaited)},
        )
    open_lines = [line.line for line in progress.lines if line.remaining_micro]
    if open_lines and not reason:
        raise Conflict(
            f"{order} has lines that did not come in full: {_numbers(open_lines)}",
            hint="Give a reason to close it short.",
            fields={"lines": open_lines},
        )


def _numbers(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines))
