"""What a transfer between warehouses is, and what may be done to it in which state. Pure.

               +------- revise -------+-------------------+
               v                      |                   |
             draft --request--> requested --approve--> approved --release--> released
                                      |                                         | facts
                                    reject                                      v
                                      v                       shipping, in_transit, receiving,
                                  rejected                    received --close--> closed

    draft, requested, approved, released, shipping, in_transit --cancel--> cancelled
    closed, rejected --facts--> reopened --close--> closed
    cancelled --facts, or goods under way--> returning --close--> cancelled

People decide the states of the upper line; what facts make of them is the phase, and follows from
what the ledger has counted and from what is at the in-transit place:

    shipping    some of it has left         in_transit  all of it has left, nothing has come
    receiving   some of it has come         received    all of it has come, nothing is under way
    reopened    facts have come for a finished transfer: something is under way once more
    returning   cancelled while something was under way, which must come back or be accounted for
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict
from central.orders.document_progress import CountedKey, ExpectedQuantity, share_out
from central.orders.state_tables import StateTable, next_state, possible_actions

LINES_COUNT_MAX = 500
CODE_PREFIX = "TR"

State = Literal["draft", "requested", "approved", "released", "closed", "rejected", "cancelled"]
Phase = Literal[
    "", "shipping", "in_transit", "receiving", "received", "reopened", "returning"
]  # "": the state says all.
ENDED: frozenset[str] = frozenset({"closed", "rejected", "cancelled"})
ShownState = Literal[
    "draft",
    "requested",
    "approved",
    "released",
    "shipping",
    "in_transit",
    "receiving",
    "received",
    "closed",
    "rejected",
    "cancelled",
    "reopened",
    "returning",
]
UNTIL_RECEIPT = ("draft", "requested", "approved", "released", "shipping", "in_transit")
ACTIONS: StateTable = {
    "edit": {"draft": "draft"},
    "request": {"draft": "requested"},
    "revise": {"requested": "draft", "approved": "draft"},
    "approve": {"requested": "approved"},
    "reject": {"requested": "rejected"},
    "release": {"approved": "released"},
    "cancel": dict.fromkeys(UNTIL_RECEIPT, "cancelled"),
    "close": {
        **dict.fromkeys(("shipping", "in_transit", "receiving", "received"), "closed"),
        "reopened": "closed",
        "returning": "cancelled",
    },
}
# What an action is called once it is done.
DONE: Mapping[str, str] = {
    "edit": "edited",
    "request": "requested",
    "revise": "revised",
    "approve": "approved",
    "reject": "rejected",
    "release": "released",
    "cancel": "cancelled",
    "close": "closed",
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer, in the order of its table's columns; the comment there explains each."""

    code: str
    source: str
    destination: str
    state: State
    phase: Phase
    version: int
    note: str
    second_person: bool
    created_by: str
    created_ms: int
    requested_by: str = ""
    approved_by: str = ""
    released_ms: int = 0
    ended_ms: int = 0
    ended_reason: str = ""
    under_way_since_ms: int = 0
    strayed: bool = False

    def __str__(self) -> str:
        return f"transfer {self.code}"

    @property
    def shown_state(self) -> ShownState:
        """Return the state as people name it: what facts have made of what was decided."""
        return self.phase or self.state

    @property
    def possible(self) -> tuple[str, ...]:
        """Return the actions that are possible now."""
        return possible_actions(ACTIONS, self.shown_state)


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One line, in the order of its table's columns without the transfer."""

    line: int
    item: str
    unit: str
    quantity_micro: int
    tolerance_percent_micro: int = 0
    lot: str = ""
    from_location: str = ""
    to_location: str = ""

    @property
    def expected(self) -> ExpectedQuantity:
        """Return what the line asks for, as progress is measured."""
        return ExpectedQuantity(
            self.line,
            self.item,
            self.unit,
            self.quantity_micro,
            over_percent_micro=self.tolerance_percent_micro,
        )


@dataclass(frozen=True, slots=True)
class LineFigures:
    """How far one line is; all in 10^-6 of its unit."""

    requested_micro: int
    shipped_micro: int
    received_micro: int

    @property
    def to_ship_micro(self) -> int:
        """Return what has not left yet, 0 if more than asked for has."""
        return max(self.requested_micro - self.shipped_micro, 0)

    @property
    def remainder_micro(self) -> int:
        """Return what left and did not come; below zero: came, and nobody said that it left."""
        return self.shipped_micro - self.received_micro


@dataclass(frozen=True, slots=True)
class Figures:
    """How far a transfer is. lines: by line number. unasked_...: what belongs to none of them."""

    lines: Mapping[int, LineFigures]
    unasked_shipped: tuple[tuple[CountedKey, int], ...] = ()
    unasked_received: tuple[tuple[CountedKey, int], ...] = ()


def figures_of(
    lines: Sequence[TransferLine],
    *,
    shipped: Mapping[CountedKey, int],
    received: Mapping[CountedKey, int],
) -> Figures:
    """Return how far a transfer is, from what the ledger counted at its source and destination."""
    expected = [line.expected for line in lines]
    left, unasked_shipped = share_out(expected, shipped)
    came, unasked_received = share_out(expected, received)
    return Figures(
        {
            line.line: LineFigures(line.quantity_micro, left[line.line], came[line.line])
            for line in lines
        },
        tuple(unasked_shipped),
        tuple(unasked_received),
    )


def phase_of(state: State, figures: Figures, *, under_way: bool) -> Phase:
    """Return what facts have made of a state. under_way: anything is at the in-transit place."""
    if state in ENDED:
        if not under_way:
            return ""
        return "returning" if state == "cancelled" else "reopened"
    if state != "released":
        return ""
    lines = figures.lines.values()
    if any(line.received_micro for line in lines) or figures.unasked_received:
        whole = all(line.received_micro >= line.requested_micro for line in lines)
        return "received" if whole and not under_way else "receiving"
    if any(line.shipped_micro for line in lines) or figures.unasked_shipped or under_way:
        whole = all(not line.to_ship_micro for line in lines)
        return "in_transit" if whole else "shipping"
    return ""


def state_after(transfer: Transfer, action: str, *, actor: str) -> State:
    """Return the state after an action of somebody.

    Raises Conflict if the state does not allow it, or it has to be somebody else.
    """
    after = next_state(ACTIONS, action=action, state=transfer.shown_state, what=str(transfer))
    if action == "approve" and transfer.second_person and actor == transfer.requested_by:
        raise Conflict(
            f"{transfer} was requested by {actor}, and a second person has to approve it",
            hint="Let somebody else approve it.",
            fields={"requested_by": transfer.requested_by},
        )
    return cast("State", after)


def documents_of(
    transfer: Transfer, lines: Sequence[TransferLine], *, names: Mapping[str, str]
) -> tuple[ExpectedDocument, ExpectedDocument]:
    """Return what the source and the destination work on. names: of both warehouses."""
    return (
        _document(transfer, lines, outward=True, partner=names[transfer.destination]),
        _document(transfer, lines, outward=False, partner=names[transfer.source]),
    )


def _document(
    transfer: Transfer, lines: Sequence[TransferLine], *, outward: bool, partner: str
) -> ExpectedDocument:
    return ExpectedDocument(
        code=transfer.code,
        warehouse=transfer.source if outward else transfer.destination,
        partner=partner,
        kind="transfer_out" if outward else "transfer_in",
        counterpart=transfer.destination if outward else transfer.source,
        lines=tuple(
            DocumentLine(
                line=line.line,
                item=line.item,
                quantity=canonical_text(from_micro(line.quantity_micro)),
                tolerance_percent=canonical_text(from_micro(line.tolerance_percent_micro)),
                lot=line.lot,
                location=line.from_location if outward else line.to_location,
            )
            for line in lines
        ),
    )
