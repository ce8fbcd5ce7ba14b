"""What a customer's return is, and what may be done to it in which state. Pure.

    requested -approve-> approved -release-> released -close-> closed
        |                   |                   |
        +-reject-> rejected |                   |
        '-----------cancel (only while nothing came)--------> cancelled

From `released` on stations take the goods in. How much came follows from what the ledger counted:
part_received, received. What came is decided on, in parts: restock, scrap. An exchange sends other
goods of the same item, as a sales order of its own, whatever becomes of those that came back. What
an inspection has accepted, rejected, scrapped or found gone is decided on, too. A return is closed
when all that came is decided on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict, Unusable
from central.ledger.statuses import INSPECTION
from central.orders.document_progress import (
    CountedKey,
    DocumentProgress,
    ExpectedQuantity,
    progress_of,
    share_out,
)
from central.orders.state_tables import StateTable

LINES_COUNT_MAX = 200
DECISIONS_COUNT_MAX = 1000

State = Literal["requested", "approved", "released", "closed", "rejected", "cancelled"]
Stage = State | Literal["part_received", "received"]
Reason = Literal[
    "damaged",
    "defective",
    "wrong_item",
    "wrong_quantity",
    "late",
    "expired",
    "not_wanted",
    "recalled",
    "other",
]
Decision = Literal["restock", "scrap", "exchange"]
GOODS_DECISIONS: frozenset[Decision] = frozenset({"restock", "scrap"})

STATES: StateTable = {
    "approve": {"requested": "approved"},
    "reject": {"requested": "rejected"},
    "release": {"approved": "released"},
    "decide": {"released": "released"},
    "close": {"released": "closed"},
    "cancel": {"requested": "cancelled", "approved": "cancelled", "released": "cancelled"},
}


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """What is to come back. lot: "" if nobody knows. reason: of this line, "" for the return's."""

    line: int
    item: str
    unit: str
    quantity_micro: int
    lot: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReturnDecision:
    """One decision, as it is kept. number: 1, 2 ...; epoch, seq: the ledger's own fact, or none."""

    number: int
    line: int
    decision: Decision
    quantity_micro: int
    location: str
    to_location: str
    lot: str
    serial: str
    from_status: str
    reason: str
    exchange_order: str
    epoch: str
    seq: int
    actor: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CustomerReturn:
    """Goods that a customer sends back to one warehouse.

    order_code: what they were shipped under, "" if nobody knows. end_reason: of rejecting,
    cancelling, or closing while something had not come.
    """

    code: str
    version: int
    warehouse: str
    customer: str
    order_code: str
    state: State
    reason: Reason
    note: str
    end_reason: str
    created_ms: int
    changed_ms: int
    lines: tuple[ReturnLine, ...]
    decisions: tuple[ReturnDecision, ...]

    def __str__(self) -> str:
        return f"customer return {self.code}"


@dataclass(frozen=True, slots=True)
class Inspected:
    """What inspections say of goods that came back: decided on, and not decided on yet."""

    decided_micro: int = 0
    waiting_micro: int = 0


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A return with what came of it. inspected: of its lines; of others nothing was inspected."""

    returned: CustomerReturn
    progress: DocumentProgress
    inspected: Mapping[int, Inspected] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """Return the state of the return as people name it, with what came."""
        if self.returned.state != "released" or self.progress.fulfilment == "none":
            return self.returned.state
        return "part_received" if self.progress.fulfilment == "partial" else "received"


def view_of(
    returned: CustomerReturn,
    counted: Mapping[CountedKey, int],
    inspected: Mapping[CountedKey, Inspected] | None = None,
) -> ReturnView:
    """Return a return with what came of it.

    counted: by the ledger under its code. inspected: of that, what has or had to be inspected.
    """
    lines = [
        ExpectedQuantity(line.line, line.item, line.unit, line.quantity_micro)
        for line in returned.lines
    ]
    view = ReturnView(returned, progress_of(lines, counted))
    return with_inspected(view, inspected) if inspected else view


def with_inspected(view: ReturnView, inspected: Mapping[CountedKey, Inspected]) -> ReturnView:
    """Return a return with what inspections say now of what came of it.

    What a station received for no line of its own fills the lines of the item in order.
    """
    decided = _shared(
        replace(view, inspected={}), {key: one.decided_micro for key, one in inspected.items()}
    )
    view = replace(view, inspected={line: Inspected(micro) for line, micro in decided.items()})
    waiting = _shared(view, {key: one.waiting_micro for key, one in inspected.items()})
    found = {line: Inspected(micro, waiting[line]) for line, micro in decided.items()}
    return replace(view, inspected=found)


def _shared(view: ReturnView, amounts: Mapping[CountedKey, int]) -> dict[int, int]:
    """Return amounts by line. Of line 0 no line has more than is not decided on in it."""
    lines = [
        ExpectedQuantity(line.line, line.item, line.unit, max(open_micro(view, line.line), 0))
        for line in view.returned.lines
    ]
    shared, _ = share_out(lines, amounts)
    return shared


def return_document(returned: CustomerReturn, *, partner: str) -> ExpectedDocument:
    """Return what stations work on. partner: the customer's name."""
    return ExpectedDocument(
        code=returned.code,
        warehouse=returned.warehouse,
        partner=partner,
        kind="customer_return",
        lines=tuple(
            DocumentLine(
                line=line.line,
                item=line.item,
                quantity=canonical_text(from_micro(line.quantity_micro)),
                lot=line.lot,
            )
            for line in returned.lines
        ),
    )


def open_micro(view: ReturnView, line: int) -> int:
    """Return how much of a line came and is not decided on, here or at its inspection."""
    (done,) = [one for one in view.progress.lines if one.line == line]
    here_micro = sum(  # What was decided here through an inspection, that counts itself.
        one.quantity_micro
        for one in view.returned.decisions
        if one.line == line and one.decision in GOODS_DECISIONS and one.from_status != INSPECTION
    )
    return done.done_micro - here_micro - view.inspected.get(line, Inspected()).decided_micro


def line_of(returned: CustomerReturn, number: int) -> ReturnLine:
    """Return a line by its number. Raises Unusable."""
    found = next((line for line in returned.lines if line.line == number), None)
    if found is None:
        raise Unusable(
            f"{returned} has no line {number}",
            hint="Name one of its lines.",
            fields={"lines": [line.line for line in returned.lines]},
        )
    return found


def check_decision(view: ReturnView, line: int, decision: Decision, quantity_micro: int) -> None:
    """Return if so much of a line can be decided on. Raises Conflict, with how much can."""
    returned = view.returned
    if decision == "exchange":
        asked = line_of(returned, line)
        left_micro = asked.quantity_micro - sum(
            one.quantity_micro
            for one in returned.decisions
            if one.line == line and one.decision == "exchange"
        )
    else:
        left_micro = open_micro(view, line)
    if 0 < quantity_micro <= left_micro and len(returned.decisions) < DECISIONS_COUNT_MAX:
        return
    left = canonical_text(from_micro(max(left_micro, 0)))
    inspected_micro = view.inspected.get(line, Inspected()).decided_micro
    if decision in GOODS_DECISIONS and inspected_micro > 0:
        inspected = canonical_text(from_micro(inspected_micro))
        raise Conflict(
            f"of line {line} of {returned} {left} can be decided on: on {inspected} of it its"
            " inspection has decided",
            hint="What it rejected is scrapped at the inspection, or goes back to the supplier.",
            fields={"line": line, "left": left, "inspected": inspected},
        )
    raise Conflict(
        f"of line {line} of {returned} {left} can be decided on",
        hint="Decide on no more than has come and is not decided on yet.",
        fields={"line": line, "left": left},
    )


def check_not_waiting(view: ReturnView, line: int, quantity_micro: int, *, lot: str) -> None:
    """Return if so much of a line needs no inspection any more. Raises Conflict, with what does.

    lot: of which no inspection is open.
    """
    waiting_micro = view.inspected.get(line, Inspected()).waiting_micro
    free_micro = max(open_micro(view, line) - waiting_micro, 0)
    if quantity_micro <= free_micro:
        return
    waiting = canonical_text(from_micro(waiting_micro))
    raise Conflict(
        f"{waiting} of line {line} of {view.returned} waits for inspection, and none of lot"
        f" {lot or '-'} does",
        hint="Name the lot that came, or decide on the goods at their inspection.",
        fields={"line": line, "lot": lot, "waiting": waiting},
    )


def check_cancel(view: ReturnView) -> None:
    """Return if nothing came yet. Raises Conflict."""
    if view.progress.untouched:
        return
    raise Conflict(
        f"{view.returned} cannot be cancelled: something of it came already",
        hint="Decide on what came, then close it.",
        fields={"fulfilment": view.progress.fulfilment},
    )


def check_close(view: ReturnView, *, reason: str) -> None:
    """Return if a return may be closed. Raises Conflict for what is undecided or missing."""
    undecided = [line.line for line in view.returned.lines if open_micro(view, line.line) > 0]
    if undecided:
        raise Conflict(
            f"{view.returned} has lines that are not decided on: {_numbers(undecided)}",
            hint="Restock or scrap what came first.",
            fields={"lines": undecided},
        )
    missing = [line.line for line in view.progress.lines if line.remaining_micro]
    if missing and not reason:
        raise Conflict(
            f"{view.returned} has lines that did not come in full: {_numbers(missing)}",
            hint="Give a reason to close it short.",
            fields={"lines": missing},
        )


def _numbers(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines))
