"""What takes facts back, of the statuses that their goods had as far as those are there. Pure.

fact      BIN-1 -> BIN-2      5 rejected: 3 that waited for inspection, 2 that were available
back      BIN-2 -> BIN-1      2 from rejected to available
back      BIN-2 -> BIN-1      3 from rejected to inspection
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from central.contract.fact_checks import INSPECTING_STEP
from central.contract.facts import Movement
from central.ledger.entries import BalanceKey, FactKey
from central.ledger.locations import is_virtual, place_of
from central.ledger.measures import shares
from central.ledger.rests_back import RestBack
from central.ledger.statuses import AVAILABLE, INSPECTION
from central.orders.settling.present_goods import PresentGoods
from central.orders.settling.settlement_steps import (
    STORING,
    MovedFact,
    MovedPart,
    Step,
    step_of,
    with_weight,
)


def steps_back(facts: Sequence[MovedFact], present: PresentGoods) -> list[Step]:
    """Return what takes facts back, the last one first: a step for each status of their goods.

    present: at the places that they went to. To take a decision back is none itself: it would be
    about what waits for inspection there.
    """
    return [step for fact in reversed(facts) for step in _steps_back(fact, present)]


def bring_again(present: PresentGoods, fact: MovedFact, steps: Sequence[Step]) -> None:
    """Note what comes once more: as a fact did, where its step states no status."""
    came = fact.parts[0].taken_status if fact.parts else AVAILABLE
    for step in steps:
        if not is_virtual(step.to_location):
            key = _key(fact.key, step, location=step.to_location, status=step.to_status or came)
            present.bring(key, step.quantity_micro)
            whole = step_of(fact)
            if key == _key(fact.key, whole, location=whole.to_location, status=INSPECTION):
                present.come_again(fact.key, step.to_location, step.quantity_micro)


def is_nothing(movement: Movement, part: MovedPart) -> bool:
    """Return whether a decision left a part of its goods where and as they were."""
    stays = movement.from_location == movement.to_location
    return stays and part.given_status == part.taken_status


def _step_back(business_step: str) -> str:
    return STORING if business_step == INSPECTING_STEP else business_step


def _steps_back(fact: MovedFact, present: PresentGoods) -> list[Step]:
    movement = fact.movement
    back = replace(
        step_of(fact),
        business_step=_step_back(movement.business_step),
        from_location=movement.to_location,
        to_location=movement.from_location,
        takes_back=fact.key,
    )
    if present.became(fact.key):
        return _decided_back(fact, back, present)
    taken = [
        (part, status, quantity, weight)
        for part in reversed(fact.parts)
        if not is_nothing(movement, part)
        for status, quantity, weight in _taken(fact, part, present)
    ]
    if [quantity for _, _, quantity, _ in taken] == [fact.quantity_micro]:
        ((part, status, _, _),) = taken
        back = replace(back, from_status=status, to_status=part.given_status, rests_back=fact.rests)
        return [_as_weighed(back, weight_micro=fact.weight_micro, unit=fact.weight_unit)]
    back = replace(back, net_weight="", weight_unit="")
    steps = [
        _as_weighed(
            replace(back, quantity_micro=quantity, from_status=status, to_status=part.given_status),
            weight_micro=weight,
            unit=fact.weight_unit,
        )
        for part, status, quantity, weight in taken
    ]
    return _with_rests(steps, fact.rests)


def _decided_back(fact: MovedFact, back: Step, present: PresentGoods) -> list[Step]:
    """Return what takes goods back as what they became since they came to be inspected.

    What was brought elsewhere, or scrapped, is brought back first.
    """
    became, place = present.became(fact.key), fact.movement.to_location
    weights = shares(fact.weight_micro, [part.quantity_micro for part in became])
    steps: list[Step] = []
    for part, weight in zip(became, weights, strict=True):
        # What is used up waits for nothing any more.
        status = AVAILABLE if is_virtual(part.location) else part.status
        step = replace(
            back,
            quantity_micro=part.quantity_micro,
            from_status=status,
            to_status=fact.parts[0].given_status,
            net_weight="",
            weight_unit="",
        )
        step = _as_weighed(step, weight_micro=weight, unit=fact.weight_unit)
        if part.location == place:
            key = _key(fact.key, step, location=place, status=part.status)
            present.bring(key, -part.quantity_micro)
        else:
            steps.append(
                replace(
                    step,
                    business_step=STORING,
                    from_location=part.location,
                    from_status=part.status,
                    to_location=place,
                    to_status=status,
                    document="",
                    document_line=0,
                    takes_back=None,
                    stands_for=None,
                )
            )
        steps.append(step)
    return _with_rests(steps, fact.rests)


def _with_rests(steps: Sequence[Step], rests: Sequence[RestBack]) -> list[Step]:
    """Return steps that give back rests, each the first one with goods of its status, if any."""
    given: list[list[RestBack]] = [[] for _ in steps]
    for rest in rests if steps else ():
        fits = (
            number
            for number, step in enumerate(steps)
            for place, status in (
                (step.from_location, step.from_status),
                (step.to_location, step.to_status),
            )
            if (place_of(place, document=step.document), status) == (rest.location, rest.status)
        )
        given[next(fits, 0)].append(rest)
    return [replace(step, rests_back=tuple(some)) for step, some in zip(steps, given, strict=True)]


def _taken(
    fact: MovedFact, part: MovedPart, present: PresentGoods
) -> Iterator[tuple[str, int, int]]:
    """Yield the status, the quantity and the weight of each step that takes a part back.

    Goods have the status that they had then outside, or where that alone was changed. At another
    place it may have been changed since: what is not there any more is taken of whatever is.
    """
    target, quantity = fact.movement.to_location, part.quantity_micro
    taken = [(part.taken_status, quantity)]
    if not is_virtual(target):
        key = _key(fact.key, step_of(fact), location=target, status=part.taken_status)
        if target == fact.movement.from_location:
            present.bring(key, -quantity)
        else:
            taken = list(present.take(key, quantity))
    source = fact.movement.from_location
    if not is_virtual(source):
        key = _key(fact.key, step_of(fact), location=source, status=part.given_status)
        present.bring(key, quantity)
    weights = shares(part.weight_micro, [one for _, one in taken])
    for (status, one), weight in zip(taken, weights, strict=True):
        yield status, one, weight


def _key(fact: FactKey, step: Step, *, location: str, status: str) -> BalanceKey:
    return BalanceKey(
        fact.warehouse,
        location,
        *(step.item, step.lot, step.serial, step.sscc, step.unit),
        status,
    )


def _as_weighed(step: Step, *, weight_micro: int, unit: str) -> Step:
    """Return a step that takes along exactly what a fact did, be it stated, a share or nothing."""
    if step.net_weight:
        return step
    if not weight_micro:
        return replace(step, weightless=True)
    return with_weight(step, weight_micro, unit=unit)
