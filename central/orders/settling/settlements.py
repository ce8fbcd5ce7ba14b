"""Decisions that settle discrepancies, and what the evidence proposes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.ledger.entries import DiscrepancyKind
from central.orders.settling.kind_rules import KIND_RULES, Action, Target

# Where goods come from, or go to -> the kind of document that is about that.
KINDS_BY_ENDS: Mapping[tuple[str, str], str] = {
    ("supplier", ""): "receipt",
    ("", "supplier"): "supplier_return",
    ("customer", ""): "customer_return",
    ("", "customer"): "shipment",
    ("in_transit", ""): "transfer_in",
    ("", "in_transit"): "transfer_out",
}
# More than an order expects; what is above it may be meant for another one.
KINDS_OF_EXCESS: frozenset[DiscrepancyKind] = frozenset({"over_received", "over_shipped"})
# What it means to accept goods that moved otherwise than their item asks for.
GOODS_ACCEPTED: Mapping[DiscrepancyKind, str] = {
    "lot_missing": "Leave it so: these goods cannot be traced by a lot.",
    "serial_missing": "Leave it so: these goods cannot be traced by a serial number.",
    "expiry_missing": "Leave it so: no order takes the lot until a movement states its date.",
    "expired_shipped": "The customer has them: call them back if they must not be used.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How somebody settles a discrepancy. Empty or None: as the evidence says.

    counted_micro: what is at the place really. quantity_micro: how much is moved (10^-6 units).
    location, lot, item, document, document_line, warehouse: what it was meant for; with another
    document `item` says which goods under the unknown one. factor: how many
    of the item's units one of the stated unit is. weight_micro: what one fact's goods weighed, in
    the unit in which the item is weighed. facts: only these of the facts behind it, as
    "gateway/epoch/seq". event_time_ms: when it was so, None for now.
    """

    action: Action
    reason: str = ""
    counted_micro: int | None = None
    quantity_micro: int | None = None
    location: str = ""
    lot: str | None = None
    item: str = ""
    document: str = ""
    document_line: int = 0
    warehouse: str = ""
    factor: Fraction | None = None
    weight_micro: int | None = None
    facts: tuple[str, ...] = ()
    event_time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Surplus:
    """A place that has of the same goods; lot: its own."""

    location: str
    lot: str
    on_hand_micro: int


@dataclass(frozen=True, slots=True)
class ItemMatch:
    """An item that has what was scanned as its code or bar code; factor: units a scan."""

    item: str
    unit: str
    factor: Fraction


@dataclass(frozen=True, slots=True)
class LineMatch:
    """A line of an order of the same warehouse that still expects the item."""

    document: str
    line: int
    remaining_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of a discrepancy, for a proposal.

    known_now: what was missing (item, place, order) is there by now. gone: what is behind it is
    taken back already. on_hand_micro: at its place. excess_micro: what came above the expected.
    factor: of the unit, where units are known to convert, else None. stated_warehouse: of a fact
    about another one. shared: all that went unweighed took its share of a weight.
    """

    kind: DiscrepancyKind
    known_now: bool = False
    gone: bool = False
    on_hand_micro: int = 0
    excess_micro: int = 0
    unit: str = ""
    item: str = ""
    location: str = ""
    lot: str = ""
    surplus: tuple[Surplus, ...] = ()
    items: tuple[ItemMatch, ...] = ()
    lines: tuple[LineMatch, ...] = ()
    factor: Fraction | None = None
    stated_warehouse: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A settlement that can be posted as it is, but for its reason. why: one sentence."""

    decision: Decision
    why: str


def document_kind(*, from_location: str, to_location: str) -> str:
    """Return the kind of document that such a movement does, "" if it crosses no border."""
    coming = KINDS_BY_ENDS.get((from_location, ""), "")
    return coming or KINDS_BY_ENDS.get(("", to_location), "")


def check_decision(kind: DiscrepancyKind, decision: Decision) -> None:
    """Return if this is a way to settle the kind.

    Raises Conflict for an action that does not settle it, Unusable for what it lacks.
    """
    rule = KIND_RULES[kind]
    if decision.action not in rule.actions:
        raise Conflict(
            f"{decision.action} does not settle {kind}",
            hint=f"Settle it by {' or '.join(rule.actions)}.",
            fields={"possible": list(rule.actions)},
        )
    if not decision.reason.strip():
        raise Unusable("a settlement needs a reason", hint="Say what was found out, and how.")
    if decision.action != "reassign":
        return
    given = {
        "place": bool(decision.location) or decision.lot is not None,
        "item": bool(decision.item),
        "document": bool(decision.document),
        "factor": decision.factor is not None,
        "warehouse": bool(decision.warehouse),
        "weight": decision.weight_micro is not None,
        "": True,
    }
    if not given[rule.target]:
        raise Unusable(
            f"to reassign {kind} needs the {_name_of(rule.target)} that it was meant for",
            hint=f"Name it as {_name_of(rule.target)}.",
        )


def propose(case: Case) -> tuple[Proposal, ...]:
    """Return settlements that the evidence suggests, best first; none where only people know."""
    if case.known_now:
        return (_accept("It is known by now, and was posted as it was said."),)
    if case.gone:
        return (_accept("What is behind it is taken back already."),)
    if case.kind == "negative_balance":
        return _for_negative(case)
    if case.kind in KINDS_OF_EXCESS:
        return _for_excess(case)
    if case.kind in {"unknown_document", "unexpected"}:
        return tuple(_to_line(line, case) for line in case.lines)
    if case.kind == "unknown_item":
        return tuple(_to_item(match) for match in case.items)
    if case.kind == "unit_differs" and case.factor is not None:
        decision = Decision(action="reassign", factor=case.factor)
        return (Proposal(decision, f"One {case.unit} is {case.factor} of its own unit."),)
    if case.kind in GOODS_ACCEPTED:
        return (_accept(GOODS_ACCEPTED[case.kind]),)
    if case.shared:
        return (_accept("They took their share of the weight that was there."),)
    if case.kind == "weight_differs":
        return (_accept("No pieces are left that could weigh it."),)
    if case.kind == "wrong_warehouse" and case.stated_warehouse:
        decision = Decision(action="reassign", warehouse=case.stated_warehouse)
        return (Proposal(decision, f"The gateway said that it was in {case.stated_warehouse}."),)
    return ()


def _for_negative(case: Case) -> tuple[Proposal, ...]:
    if case.on_hand_micro >= 0:
        return (_accept("The balance is no longer below zero."),)
    missing = -case.on_hand_micro
    found = []
    for one in case.surplus:
        lot = None if one.lot == case.lot else one.lot
        taken = min(missing, one.on_hand_micro)
        decision = Decision(action="reassign", location=one.location, lot=lot, quantity_micro=taken)
        has = f"{one.location} has {_units(one.on_hand_micro)} {case.unit}"
        of_lot = f" of lot {one.lot or 'none'}" if lot is not None else ""
        found.append(Proposal(decision, f"{has}{of_lot}: they may have been taken from there."))
    decision = Decision(action="adjust", counted_micro=0)
    why = f"Count {case.location}: {_units(missing)} {case.unit} are missing in the book."
    return (*found, Proposal(decision, why))


def _for_excess(case: Case) -> tuple[Proposal, ...]:
    if case.excess_micro <= 0:
        return (_accept("The order no longer has more than it expects."),)
    excess = f"{_units(case.excess_micro)} {case.unit}"
    back = Decision(action="reverse", quantity_micro=case.excess_micro)
    return (
        *(_to_line(line, case) for line in case.lines),
        Proposal(back, f"Move {excess} back to where they came from."),
        _accept(f"Leave it at {excess} more than expected."),
    )


def _to_line(line: LineMatch, case: Case) -> Proposal:
    excess = case.kind in KINDS_OF_EXCESS
    decision = Decision(
        action="reassign",
        document=line.document,
        document_line=line.line,
        # Under an order that nobody knew there may be anything.
        item=case.item if case.kind == "unknown_document" else "",
        quantity_micro=min(case.excess_micro, line.remaining_micro) if excess else None,
    )
    expects = f"still expects {_units(line.remaining_micro)} {case.unit}".rstrip()
    return Proposal(decision, f"{line.document} line {line.line} {expects}.")


def _to_item(match: ItemMatch) -> Proposal:
    decision = Decision(action="reassign", item=match.item, factor=match.factor)
    times = "" if match.factor == 1 else f", {match.factor} {match.unit} a scan"
    return Proposal(decision, f"It is a code of item {match.item}{times}.")


def _accept(why: str) -> Proposal:
    return Proposal(Decision(action="accept"), why)


def _name_of(target: Target) -> str:
    return "location" if target == "place" else target


def _units(micro: int) -> str:
    return canonical_text(from_micro(micro))
