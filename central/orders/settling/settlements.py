"""Decisions that settle discrepancies. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

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
# More than an order expects, or moved; what is above it may be meant for another one.
KINDS_OF_EXCESS: frozenset[DiscrepancyKind] = frozenset(
    {"over_received", "over_shipped", "over_returned"}
)
# Of goods under a document that did not expect them, or under none; others may.
KINDS_UNASKED: frozenset[DiscrepancyKind] = frozenset(
    {"unexpected", "unknown_document", "transit_unnamed"}
)
# Kinds that stay open with what a settlement leaves of a fact.
KINDS_SETTLED_IN_PART: frozenset[DiscrepancyKind] = frozenset(
    {
        *(*KINDS_OF_EXCESS, *KINDS_UNASKED),
        *("lot_missing", "serial_missing", "expiry_missing", "expiry_differs", "expired_shipped"),
        *("outside_tolerance", "weight_missing", "unit_differs", "unknown_item"),
    }
)
# What it means to accept goods that moved otherwise than their item asks for.
GOODS_ACCEPTED: Mapping[DiscrepancyKind, str] = {
    "lot_missing": "Leave it so: these goods cannot be traced by a lot.",
    "serial_missing": "Leave it so: these goods cannot be traced by a serial number.",
    "expiry_missing": "Leave it so: no order takes the lot until a movement states its date.",
    "piece_parted": "Leave it so: the books have a part of a piece until the rest of it moves.",
    "expired_shipped": "The customer has them: call them back if they must not be used.",
}
# Of what undoes a fact, which may be settled by then.
KINDS_OF_UNDOING: frozenset[DiscrepancyKind] = frozenset({"reversal_unmatched", "wrong_warehouse"})
# About what is under way of a transfer; settled when nothing of it is.
KINDS_UNDER_WAY: frozenset[DiscrepancyKind] = frozenset(
    {"received_before_shipped", "moved_after_end"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How somebody settles a discrepancy. Empty or None: as the evidence says.

    counted_micro: what is at the place really. quantity_micro: how much is moved (10^-6 units).
    location, lot, sscc, item, document, document_line, warehouse: what it was meant for; sscc "" is
    outside of units; with another document `item` says which goods under the unknown one; of an
    adjustment, location and warehouse say where a serial number is not. factor: how many of the
    item's units one of the stated unit is. weight_micro: what one fact's goods or the part of them
    weighed, in the unit in which the item is weighed. expiry_date: to which a lot is corrected.
    facts: only these of the facts behind it, as "gateway/epoch/seq". event_time_ms: when it was so,
    None for now.
    """

    action: Action
    reason: str = ""
    counted_micro: int | None = None
    quantity_micro: int | None = None
    location: str = ""
    lot: str | None = None
    sscc: str | None = None
    item: str = ""
    document: str = ""
    document_line: int = 0
    warehouse: str = ""
    factor: Fraction | None = None
    weight_micro: int | None = None
    expiry_date: str = ""
    facts: tuple[str, ...] = ()
    event_time_ms: int | None = None


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
        "place": bool(decision.location) or decision.lot is not None or decision.sscc is not None,
        "lot": bool(decision.lot),
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


def _name_of(target: Target) -> str:
    return "location" if target == "place" else target
