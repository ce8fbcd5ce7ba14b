"""Posts again what went, of the statuses that its goods had. Pure.

Whatever came is posted again before whatever went: what states no status would then take goods that
were not there, or not of that status, when it went.

    fact      BIN-1 -> customer   5: 2 that were available, 3 that waited for inspection
    forth     BIN-1 -> customer   2 available
    forth     BIN-1 -> customer   3 of inspection
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from central.contract.quantities import parse_decimal, to_micro
from central.ledger.locations import is_virtual
from central.ledger.measures import shares
from central.ledger.statuses import AVAILABLE
from central.orders.settling.settlement_steps import MovedFact, MovedPart, Step, with_weight
from central.orders.settling.taking_back import is_nothing


def of_several_statuses(facts: Sequence[MovedFact]) -> bool:
    """Return whether any of the goods of facts were not available somewhere in the warehouse."""
    return any(
        status != AVAILABLE and not is_virtual(place)
        for fact in facts
        for part in fact.parts
        for place, status in (
            (fact.movement.from_location, part.given_status),
            (fact.movement.to_location, part.taken_status),
        )
    )


def steps_of_statuses(
    fact: MovedFact, step: Step, *, begin_micro: int, quantity_micro: int
) -> list[Step]:
    """Return a step of goods that a fact took, parted over the statuses that they had.

    begin_micro, quantity_micro: which part of the fact's goods it is, in the order of their
    statuses, in the fact's unit. What a decision left as it was is not posted again.
    """
    if step.from_status or not fact.parts or is_virtual(step.from_location):
        return [step]
    parts = list(_parts(fact, begin_micro, begin_micro + quantity_micro))
    quantities = shares(step.quantity_micro, [part.quantity_micro for part in parts])
    steps = [
        replace(step, from_status=part.given_status, quantity_micro=quantity, rest=None)
        for part, quantity in zip(parts, quantities, strict=True)
    ]
    if step.net_weight and len(steps) > 1:
        weights = shares(to_micro(parse_decimal(step.net_weight)), quantities)
        steps = [
            with_weight(one, weight, unit=step.weight_unit)
            for one, weight in zip(steps, weights, strict=True)
        ]
    kept = [
        one
        for one, part in zip(steps, parts, strict=True)
        if one.quantity_micro and not is_nothing(fact.movement, part)
    ]
    # By how much it is more than exactly is kept once, whatever its statuses.
    return [replace(kept[0], rest=step.rest), *kept[1:]] if kept else []


def _parts(fact: MovedFact, begin_micro: int, end_micro: int) -> Iterator[MovedPart]:
    at = 0
    for part in fact.parts:
        before, at = at, at + part.quantity_micro
        inside = min(at, end_micro) - max(before, begin_micro)
        if inside > 0:
            yield part._replace(quantity_micro=inside)
