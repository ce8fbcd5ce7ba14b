"""Which lines may take what another had too much of, or none expected, and in what words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from central.ledger.entries import DiscrepancyKind
from central.orders.catalogue.packs import text_of
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.settlements import KINDS_OF_EXCESS, Decision, document_kind


@dataclass(frozen=True, slots=True)
class LineMatch:
    """A line of an order of the same warehouse that still expects the item. unit: of that."""

    document: str
    line: int
    remaining_micro: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a line may be given of an item. total_micro: of all that is behind a discrepancy.

    at_once_micro: of what one settlement moves. tolerated_micro: how much may stay where it is.
    """

    kind: DiscrepancyKind
    item: str
    unit: str
    total_micro: int
    at_once_micro: int
    tolerated_micro: int = 0


def offered_of(facts: Sequence[MovedFact], *, item: str) -> list[MovedFact]:
    """Return those facts that a line may be given which expects what the first of them moved.

    facts: that stand behind a discrepancy. item: that it names, or "". None of facts in several
    units: how much they are together nobody can say.
    """
    if not facts:
        return []
    first = min(facts, key=lambda one: one.movement.item != item)
    same = [one for one in facts if _what(one) == _what(first)]
    return same if all(one.unit == first.unit for one in same) else []


def given_to(line: LineMatch, offered: Offered) -> tuple[Decision, str]:
    """Return what gives a line as much as it still expects, and why. What that leaves is said."""
    is_excess = offered.kind in KINDS_OF_EXCESS
    total_micro, at_once_micro = offered.total_micro, offered.at_once_micro
    quantity_micro = None
    if is_excess or (line.unit == offered.unit and line.remaining_micro < total_micro):
        quantity_micro = min(total_micro, at_once_micro, line.remaining_micro)
    amount = f"{text_of(line.remaining_micro)} {offered.unit}".rstrip()
    why = f"{line.document} line {line.line} still expects {amount}."
    left_micro = 0 if quantity_micro is None else total_micro - quantity_micro
    # Of an excess it is said elsewhere that not all of it is moved at once.
    is_said = is_excess and quantity_micro == at_once_micro
    if left_micro > offered.tolerated_micro and not is_said:
        why += f" {text_of(left_micro)} {offered.unit} are left, and it stays open."
    decision = Decision(
        action="reassign",
        document=line.document,
        document_line=line.line,
        # Under an order that nobody knew there may be anything.
        item=offered.item if offered.kind == "unknown_document" else "",
        quantity_micro=quantity_micro,
    )
    return decision, why


def _what(fact: MovedFact) -> tuple[str, str]:
    movement = fact.movement
    ends = {"from_location": movement.from_location, "to_location": movement.to_location}
    return movement.item, document_kind(**ends)
