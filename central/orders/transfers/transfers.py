"""What a transfer between warehouses is, and what may be done to it in which state. Pure.

               +------- revise -------+-------------------+
               v                      |                   |
             draft --request--> requested --approve--> approved --release--> released
                                      |                                         | facts
                                    reject                                      v
                                      v                       shipping, in_transit, receiving,
                                  rejected                    received --close--> closed

    draft, requested, approved, released, shipping, in_transit --cancel--> cancelled
    released, shipping, receiving --reserve--> as it was     what was not set aside before is now
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
from typing import Literal, cast

import msgspec

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict
from central.orders.document_progress import CountedKey, ExpectedQuantity, share_out
from central.orders.reserving.reservations import TRANSFER, Holder, LineKey
from central.orders.state_tables import StateTable, next_state, possible_actions

LINES_COUNT_MAX = 500
NO_PICKS: Mapping[int, int] = {}
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
    "reserve": dict.fromkeys(("released", "shipping", "receiving"), "released"),
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
    "reserve": "reserved",
    "tell": "stations_told",
    "cancel": "cancelled",
    "close": "closed",
}


class Transfer(msgspec.Struct, frozen=True):
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
    backorders: bool = False
    stale: bool = False

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

    @property
    def holder(self) -> Holder:
        """Return whose reservations those of the transfer are, at its source."""
        return Holder(self.source, TRANSFER, self.code)

    def key_of(self, line: int) -> LineKey:
        """Return whose reservations those of a line are."""
        return LineKey(self.source, TRANSFER, self.code, line)


class TransferLine(msgspec.Struct, frozen=True):
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


class LineFigures(msgspec.Struct, frozen=True):
    """How far one line is; all in 10^-6 of its unit. elsewhere: came to a third warehouse."""

    requested_micro: int
    shipped_micro: int
    received_micro: int
    elsewhere_micro: int = 0

    @property
    def to_ship_micro(self) -> int:
        """Return what has not left yet, 0 if more than asked for has."""
        # What came the other way under the transfer is not asked for once more.
        return max(self.requested_micro - max(self.shipped_micro, 0), 0)

    @property
    def remainder_micro(self) -> int:
        """Return what left and came nowhere; below zero: came, and nobody said that it left."""
        return self.shipped_micro - self.received_micro - self.elsewhere_micro


class Figures(msgspec.Struct, frozen=True):
    """How far a transfer is. lines: by line number. unasked_...: what belongs to none of them."""

    lines: Mapping[int, LineFigures]
    unasked_shipped: tuple[tuple[CountedKey, int], ...] = ()
    unasked_received: tuple[tuple[CountedKey, int], ...] = ()

    @property
    def is_elsewhere(self) -> bool:
        """Return whether goods of a line came to a third warehouse."""
        return any(line.elsewhere_micro for line in self.lines.values())


def figures_of(
    lines: Sequence[TransferLine],
    *,
    shipped: Mapping[CountedKey, int],
    received: Mapping[CountedKey, int],
    picks: Mapping[int, int] = NO_PICKS,
    elsewhere: Mapping[CountedKey, int] | None = None,
) -> Figures:
    """Return how far a transfer is, from what the ledger counted at its source and destination.

    picks: the lines of further numbers that its source was told. elsewhere: what was counted as
    coming to other warehouses; what no line asks for is in no figure.
    """
    if picks:
        shipped = by_lines(shipped, picks)
    expected = [line.expected for line in lines]
    left, unasked_shipped = share_out(expected, shipped)
    came, unasked_received = share_out(expected, received)
    strayed = share_out(expected, elsewhere)[0] if elsewhere else NO_PICKS
    return Figures(
        {
            line.line: LineFigures(
                line.quantity_micro, left[line.line], came[line.line], strayed.get(line.line, 0)
            )
            for line in lines
        },
        tuple(unasked_shipped),
        tuple(unasked_received),
    )


def by_lines(counted: Mapping[CountedKey, int], picks: Mapping[int, int]) -> dict[CountedKey, int]:
    """Return what was counted by lines of the transfer, from what was by numbers of picks."""
    found: dict[CountedKey, int] = {}
    for key, quantity_micro in counted.items():
        there = key._replace(line=picks.get(key.line, key.line))
        found[there] = found.get(there, 0) + quantity_micro
    return found


def phase_of(state: State, figures: Figures, *, under_way: bool) -> Phase:
    """Return what facts have made of a state. under_way: anything is at the in-transit place."""
    if state in ENDED:
        if not under_way:
            return ""
        return "returning" if state == "cancelled" else "reopened"
    if state != "released":
        return ""
    lines, strays = figures.lines.values(), figures.is_elsewhere
    if any(line.received_micro for line in lines) or figures.unasked_received or strays:
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
    transfer: Transfer,
    lines: Sequence[TransferLine],
    *,
    picks: tuple[DocumentLine, ...],
    names: Mapping[str, str],
) -> tuple[ExpectedDocument, ExpectedDocument]:
    """Return what the source and the destination work on. names: of both warehouses.

    picks: what the source is to take, and where (`transfer_picks`).
    """
    return (
        outward_document(transfer, picks, partner=names[transfer.destination]),
        ExpectedDocument(
            code=transfer.code,
            warehouse=transfer.destination,
            partner=names[transfer.source],
            kind="transfer_in",
            counterpart=transfer.source,
            lines=tuple(
                document_line(line, line.quantity_micro, lot=line.lot, location=line.to_location)
                for line in lines
            ),
        ),
    )


def outward_document(
    transfer: Transfer, picks: tuple[DocumentLine, ...], *, partner: str
) -> ExpectedDocument:
    """Return what the source works on. partner: the name of the destination."""
    return ExpectedDocument(
        code=transfer.code,
        warehouse=transfer.source,
        partner=partner,
        kind="transfer_out",
        counterpart=transfer.destination,
        lines=picks,
    )


def document_line(
    line: TransferLine,
    quantity_micro: int,
    *,
    lot: str,
    location: str,
    sscc: str = "",
    number: int = 0,
) -> DocumentLine:
    """Return a line that stations work on. number: 0 for that of the transfer's line."""
    return DocumentLine(
        line=number or line.line,
        item=line.item,
        quantity=canonical_text(from_micro(quantity_micro)),
        tolerance_percent=canonical_text(from_micro(line.tolerance_percent_micro)),
        lot=lot,
        location=location,
        sscc=sscc,
    )
