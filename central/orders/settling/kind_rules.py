"""What each kind of discrepancy means, and which actions settle it. Pure.

Six actions settle. None changes what was recorded; each is a decision of somebody, with a reason:

    adjust     the place is counted, or what is under way accounted for, and the book follows
    reverse    what was moved is moved back
    reassign   it was meant for another item, place, lot, order, unit or warehouse
    reserve    other stock is set aside for the order
    correct    the lot expires on another date than was stated
    accept     it is so; nothing moves
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from central.ledger.entries import DiscrepancyKind

Action = Literal["adjust", "reverse", "reassign", "reserve", "correct", "accept"]
Cause = Literal["goods", "documents", "devices", "data"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
# Answers for what is open in a warehouse until somebody is assigned: the role that may settle it.
RESPONSIBLE_ROLE = "supervisor"
# What a reassignment of a kind must name.
Target = Literal["place", "lot", "item", "document", "factor", "warehouse", "weight", ""]


@dataclass(frozen=True, slots=True)
class KindRule:
    """What is known of a kind. means: one sentence for people. target: of a reassignment."""

    cause: Cause
    means: str
    actions: tuple[Action, ...]
    target: Target = ""


def _rule(cause: Cause, means: str, actions: str = "accept", target: Target = "") -> KindRule:
    chosen = tuple(action for action in get_args(Action) if action in actions.split())
    return KindRule(cause, means, chosen, target)


KIND_RULES: Mapping[DiscrepancyKind, KindRule] = {
    "negative_balance": _rule(
        "goods",
        "More left the place than the book had there.",
        "adjust reverse reassign accept",
        "place",
    ),
    "filled_twice": _rule(
        "goods",
        "Goods came after all for which stock below zero was filled already.",
        "reverse accept",
    ),
    "reversed_twice": _rule(
        "goods",
        "Something else was undone after what was too much had been reversed.",
        "reverse accept",
    ),
    "over_received": _rule(
        "goods",
        "More came than the order expects and tolerates.",
        "accept reverse reassign",
        "document",
    ),
    "over_shipped": _rule(
        "goods",
        "More left than the order asks for and tolerates.",
        "accept reverse reassign",
        "document",
    ),
    "over_returned": _rule(
        "goods",
        "More was returned than the order of the return had moved.",
        "reassign reverse accept",
        "lot",
    ),
    "moved_unavailable": _rule(
        "goods",
        "Goods left that were in inspection, held or rejected.",
        "accept reverse reassign",
    ),
    "serial_twice": _rule(
        "goods", "A serial number is at more than one place.", "reverse adjust accept"
    ),
    "unit_twice": _rule(
        "goods", "A handling unit is at more than one place.", "reverse adjust accept"
    ),
    "reservation_short": _rule(
        "goods", "Goods that were set aside for an order are gone.", "reserve accept"
    ),
    "outside_tolerance": _rule(
        "goods", "The scale showed a weight outside the tolerance of the line.", "accept reverse"
    ),
    "weight_missing": _rule(
        "goods", "Goods of catch weight were not weighed.", "reassign accept reverse", "weight"
    ),
    "weight_differs": _rule("goods", "The last pieces left a weight behind; it is written off."),
    "received_before_shipped": _rule(
        "goods",
        "Goods of a transfer arrived whose departure nobody has told yet.",
        "adjust accept",
    ),
    "moved_after_end": _rule(
        "goods",
        "Goods moved under a transfer that was closed; close it once more.",
        "adjust accept",
    ),
    "count_outdated": _rule(
        "goods",
        "Something from before a count came after it was posted: its adjustment is off.",
        "adjust accept",
    ),
    "expiry_differs": _rule(
        "data",
        "A lot came with another expiry date than before.",
        "accept correct reassign reverse",
        "lot",
    ),
    "lot_missing": _rule(
        "data",
        "Goods moved without the lot that their item asks for.",
        "accept reassign reverse",
        "lot",
    ),
    "serial_missing": _rule(
        "data", "Goods moved without the serial number that their item asks for.", "accept reverse"
    ),
    "expiry_missing": _rule(
        "data", "A lot came in, and nobody has said when it expires.", "accept correct reverse"
    ),
    "piece_parted": _rule(
        "data", "A part of a piece moved of goods that are counted.", "accept reverse"
    ),
    "expired_shipped": _rule(
        "goods",
        "Goods went to a customer that had expired, or had too few days left.",
        "accept reverse",
    ),
    "packing_impossible": _rule("data", "A unit cannot be packed as was said."),
    "quantity_overflow": _rule(
        "data", "The quantity would take a balance out of range; nothing moved."
    ),
    "unknown_document": _rule(
        "documents", "The order is not there.", "reassign accept reverse", "document"
    ),
    "unexpected": _rule(
        "documents",
        "The order does not expect the item on that line.",
        "reassign accept reverse",
        "document",
    ),
    "transit_unnamed": _rule(
        "documents",
        "Goods left for another warehouse, or came from one, under no document.",
        "reassign adjust reverse accept",
        "document",
    ),
    "unknown_item": _rule("data", "No item has this code.", "reassign accept reverse", "item"),
    "unknown_location": _rule("data", "The place is not there.", "reassign accept", "place"),
    "unit_differs": _rule(
        "data", "The unit has no exact value in the item's own unit.", "reassign accept", "factor"
    ),
    "unreadable_fact": _rule("devices", "These bytes are no fact; they moved nothing."),
    "wrong_warehouse": _rule(
        "devices",
        "The gateway spoke about another warehouse than its own; nothing moved.",
        "reassign accept reverse",
        "warehouse",
    ),
    "reversal_unmatched": _rule(
        "devices", "What was to be taken back is not there.", "reverse accept"
    ),
    "fork": _rule("devices", "Another card or machine speaks in the name of the gateway."),
    "broken_chain": _rule("devices", "The journal of the gateway began anew."),
    "stock_differs": _rule("devices", "The gateway shows other stock than the ledger has."),
}


def cause_of(kind: DiscrepancyKind) -> Cause:
    """Return the group of causes that a kind belongs to."""
    return KIND_RULES[kind].cause


def kinds_of(cause: Cause) -> tuple[DiscrepancyKind, ...]:
    """Return the kinds of a group of causes."""
    return tuple(kind for kind, rule in KIND_RULES.items() if rule.cause == cause)
