"""What goes back to a supplier, why, and what the supplier owes for it. Pure.

    requested -approve-> approved -release-> released -close-> closed
        |                   |                   |
        +-reject->rejected  |                   |
        +-----------------cancel (only while nothing left)----> cancelled

From `released` on stations work on it. How far it is then follows from what the ledger counted:
part_shipped, shipped. Claims are kept beside it and are decided before it is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict
from central.orders.document_progress import DocumentProgress, ExpectedQuantity
from central.orders.state_tables import StateTable

LINES_COUNT_MAX = 200
CLAIMS_COUNT_MAX = 50
AMOUNT_FEN_MAX = 10**15

State = Literal["requested", "approved", "released", "closed", "rejected", "cancelled"]
Stage = State | Literal["part_shipped", "shipped"]
Reason = Literal["damaged", "defective", "wrong_item", "expired", "surplus", "other"]
ClaimKind = Literal["credit", "replacement", "other"]
ClaimState = Literal["open", "granted", "refused"]

STATES: StateTable = {
    "approve": {"requested": "approved"},
    "reject": {"requested": "rejected"},
    "release": {"approved": "released"},
    "close": {"released": "closed"},
    "cancel": {"requested": "cancelled", "approved": "cancelled", "released": "cancelled"},
}
CHANGEABLE: frozenset[str] = frozenset({"requested"})  # Later only its note.
CLAIMABLE: frozenset[str] = frozenset({"requested", "approved", "released"})


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """What goes back. quantity_micro: in the unit in which the item is kept.

    location: where to take it, "" for anywhere. inspection: the one that rejected it, "" for none.
    """

    line: int
    item: str
    lot: str
    unit: str
    quantity_micro: int
    location: str
    inspection: str

    @property
    def expected(self) -> ExpectedQuantity:
        """Return what the line expects, as progress is measured."""
        return ExpectedQuantity(self.line, self.item, self.unit, self.quantity_micro)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a supplier is to give for a return. amount_fen: None if it is not about money."""

    claim_no: int
    kind: ClaimKind
    state: ClaimState
    amount_fen: int | None
    currency: str
    note: str
    actor: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SupplierReturn:
    """Goods on their way back. order_code: with which they came, "" for none.

    reason: why they go back. end_reason: why it was rejected, cancelled or closed.
    """

    code: str
    warehouse: str
    supplier: str
    order_code: str
    state: State
    reason: Reason
    note: str
    end_reason: str
    version: int
    created_by: str
    created_ms: int
    changed_ms: int
    lines: tuple[ReturnLine, ...]
    claims: tuple[Claim, ...]

    def __str__(self) -> str:
        return f"supplier return {self.code}"


def stage_of(returned: SupplierReturn, progress: DocumentProgress) -> Stage:
    """Return the state of a return as people name it, with what has left."""
    if returned.state != "released" or progress.fulfilment == "none":
        return returned.state
    return "part_shipped" if progress.fulfilment == "partial" else "shipped"


def return_document(returned: SupplierReturn, *, partner: str) -> ExpectedDocument | None:
    """Return what stations work on for a return, None for none. partner: the supplier's name."""
    if returned.state != "released":
        return None
    lines = tuple(
        DocumentLine(
            line=line.line,
            item=line.item,
            quantity=canonical_text(from_micro(line.quantity_micro)),
            lot=line.lot,
            location=line.location,
        )
        for line in returned.lines
    )
    return ExpectedDocument(
        code=returned.code,
        warehouse=returned.warehouse,
        partner=partner,
        lines=lines,
        kind="supplier_return",
    )


def check_cancel(returned: SupplierReturn, progress: DocumentProgress) -> None:
    """Return if nothing has left yet. Raises Conflict."""
    if not progress.untouched:
        raise Conflict(
            f"{returned} cannot be cancelled: something of it has left already",
            hint="Close it instead, and say why the rest stays.",
            fields={"fulfilment": progress.fulfilment},
        )


def check_close(returned: SupplierReturn, progress: DocumentProgress, *, reason: str) -> None:
    """Return if a return may be closed. Raises Conflict."""
    undecided = [claim.claim_no for claim in returned.claims if claim.state == "open"]
    if undecided:
        raise Conflict(
            f"{returned} has claims that are not decided",
            hint="Note first what the supplier has granted or refused.",
            fields={"claims": undecided},
        )
    staying = [line.line for line in progress.lines if line.remaining_micro]
    if staying and not reason:
        raise Conflict(
            f"{returned} has not left in full",
            hint="Give a reason to close it as it is.",
            fields={"lines": staying},
        )


def claim_of(returned: SupplierReturn, claim_no: int) -> Claim:
    """Return an open claim. Raises Conflict if there is none of this number."""
    claims: Sequence[Claim] = returned.claims
    for claim in claims:
        if claim.claim_no == claim_no and claim.state == "open":
            return claim
    raise Conflict(
        f"{returned} has no open claim {claim_no}",
        hint="Load the return again; a claim is decided once.",
        fields={"open": [claim.claim_no for claim in claims if claim.state == "open"]},
    )
