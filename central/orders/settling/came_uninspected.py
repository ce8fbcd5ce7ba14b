"""Goods that came in before their item had a card, which says by now that they are inspected. Pure.

GADGET   3 came in, nobody knew it    available
         its card is made: inspected
GADGET   3 of the first, once more    inspection: as proposed
"""

from collections.abc import Sequence

from central.ledger.pairs import is_received
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.stated_statuses import of_several_statuses


def come_uninspected(facts: Sequence[MovedFact]) -> bool:
    """Return whether goods of an inspected item came in, and none of them was ever inspected.

    facts: of the item that stand. What some inspection knows of is not posted once more.
    """
    return any(had_to(fact) for fact in facts) and not of_several_statuses(facts)


def had_to(fact: MovedFact) -> bool:
    """Return whether goods came in that had to wait for inspection, if their item asks for it."""
    movement = fact.movement
    return not movement.to_status and is_received(movement.from_location, movement.to_location)
