"""What settles that a gateway undid what was settled before, from what the books have. Pure."""

from collections.abc import Iterator, Sequence

from central.orders.catalogue.packs import text_of
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.settlements import Decision

LEFT = "Leave the stock as it is, if the goods moved: what was undone stays in the books."


def decisions(left: Sequence[MovedFact], *, warehouse: str) -> Iterator[tuple[Decision, str]]:
    """Yield what takes back what is left of it, and why, then what leaves it; nothing for nothing.

    left: facts that stand. warehouse: of the discrepancy; what is in others is taken back one after
    another, and it stays open until then.
    """
    if not left:
        return
    others = sorted({fact.key.warehouse for fact in left} - {warehouse})
    there = others[0] if others else ""
    some = [fact for fact in left if fact.key.warehouse in {warehouse, there}]
    yield Decision(action="reverse", warehouse=there), _said(some)
    yield Decision(action="accept"), LEFT


def _said(facts: Sequence[MovedFact]) -> str:
    first = facts[0].movement
    if len(facts) > 1:
        items = ", ".join(sorted({fact.movement.item for fact in facts}))
        return f"Take back what the books have of it: {len(facts)} movements of {items}."
    amount = f"{text_of(facts[0].quantity_micro)} {facts[0].unit}"
    goods = "/".join(filter(None, (first.item, first.lot, first.serial)))
    way = f"from {first.to_location} to {first.from_location}"
    return f"Take back what the books have of it: {amount} of {goods}, {way}."
