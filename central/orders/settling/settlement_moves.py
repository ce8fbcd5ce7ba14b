"""Which movements a settlement posts: back as they came, forth as they were meant. Pure.

A fact is taken back whole, and what stays of it is posted again: so each fact is taken back once
at the most, whoever does it, and documents count exactly what is left.

    fact      supplier -> BIN-1   12 of PO-1      settled by giving 2 to PO-2
    forth     supplier -> BIN-1   10 of PO-1
    forth     supplier -> BIN-1    2 of PO-2
    back      BIN-1 -> supplier   12 of PO-1

Where a factor leaves no whole millionths, `roundings` says what stands for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from central.contract.fact_checks import INSPECTING_STEP
from central.contract.facts import Movement
from central.contract.quantities import canonical_text, from_micro
from central.errors import Unusable
from central.ledger.entries import BalanceKey, FactKey
from central.ledger.locations import is_virtual, place_of
from central.ledger.measures import WEIGHED_IN
from central.ledger.statuses import AVAILABLE
from central.orders.settling.roundings import Rest, Roundings, Way
from central.orders.settling.settlements import Decision

ADJUSTMENT = "adjustment"
STORING, COUNTING = "storing", "counting"


@dataclass(frozen=True, slots=True)
class MovedFact:
    """A movement as it stands in the books: in the unit in which it was posted.

    weight_micro: what it took along, in the unit in which the item is weighed; weight_unit: that.
    given_status, taken_status: of its goods before and after, "" where they were of several.
    """

    key: FactKey
    movement: Movement
    unit: str
    quantity_micro: int
    weight_micro: int = 0
    weight_unit: str = WEIGHED_IN
    given_status: str = ""
    taken_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One movement that a settlement posts.

    takes_back: the fact that it takes back, if any, with the weight that it took along.
    weightless: that was none. rest: by how much it is more than exactly, None for just that; of
    goods of which nothing is posted again it is at what takes them back.
    """

    from_location: str
    to_location: str
    item: str
    quantity_micro: int
    unit: str
    business_step: str = STORING
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    expiry_date: str = ""
    net_weight: str = ""
    weight_unit: str = ""
    document: str = ""
    document_line: int = 0
    from_status: str = ""
    to_status: str = ""
    takes_back: FactKey | None = None
    weightless: bool = False
    rest: Rest | None = None


def step_of(fact: MovedFact) -> Step:
    """Return what posts a fact once more, as it was."""
    movement = fact.movement
    return Step(
        from_location=movement.from_location,
        to_location=movement.to_location,
        item=movement.item,
        quantity_micro=fact.quantity_micro,
        unit=fact.unit,
        business_step=movement.business_step,
        lot=movement.lot,
        serial=movement.serial,
        sscc=movement.sscc,
        expiry_date=movement.expiry_date,
        net_weight=movement.net_weight,
        weight_unit=movement.weight_unit,
        document=movement.document,
        document_line=movement.document_line,
        from_status=movement.from_status,
        to_status=movement.to_status,
    )


def steps_back(facts: Sequence[MovedFact]) -> list[Step]:
    """Return what takes facts back, the last one first.

    To take a decision back is none itself: it would be about what waits for inspection there.
    """
    return [
        replace(
            _as_weighed(step_of(fact), fact),
            business_step=_step_back(fact.movement.business_step),
            from_location=fact.movement.to_location,
            to_location=fact.movement.from_location,
            from_status=fact.taken_status if _keeps_status(fact.movement) else "",
            to_status=fact.given_status,
            takes_back=fact.key,
        )
        for fact in reversed(facts)
    ]


def steps_anew(
    facts: Sequence[MovedFact],
    decision: Decision,
    *,
    unit: str,
    quantity_micro: int | None,
    roundings: Callable[[str, str], Roundings],
) -> list[Step]:
    """Return what takes facts back and posts them as they were meant, or not again.

    unit: of the item that they were meant for, "" for their own. quantity_micro: how much of them
    the decision is about, the last ones first; None for all. roundings: of an item and its unit,
    each time the same. Raises Unusable if they are not so much, or nothing is left of them.
    """
    parts = list(_parts(facts, quantity_micro))
    if not leaves_any(sum(part for _, part in parts), decision.factor):
        raise Unusable(
            f"with {decision.factor} of the item's unit each, nothing is left of the quantity",
            hint="Give the number of the item's units that one of the stated unit is.",
        )
    coming: list[Step] = []
    going: list[Step] = []
    rests: dict[FactKey | None, Rest | None] = {}
    for fact, part in reversed(parts):
        whole = step_of(fact)
        forth = coming if is_virtual(whole.from_location) else going
        if part < fact.quantity_micro:
            # The weight of a part is not known: it stays with what was weighed.
            forth.append(replace(whole, quantity_micro=fact.quantity_micro - part))
            whole = replace(whole, net_weight="", weight_unit="")
        if decision.action == "reassign":
            meant = _as_meant(replace(whole, quantity_micro=part), decision, unit=unit)
            if decision.weight_micro is not None:
                meant = _with_weight(meant, decision.weight_micro, unit=fact.weight_unit)
            if decision.factor is not None:
                meant = _rounded(meant, part * decision.factor, roundings)
            if meant.quantity_micro:
                forth.append(meant)
            else:
                rests[fact.key] = meant.rest
    back = steps_back([fact for fact, _ in reversed(parts)])
    # In this order no place falls below zero on the way.
    return coming + [replace(step, rest=rests.get(step.takes_back)) for step in back] + going


def leaves_any(quantity_micro: int, factor: Fraction | None) -> bool:
    """Return whether a quantity is still one in another unit, rounded to the millionth of it."""
    return factor is None or round(quantity_micro * factor) > 0


def step_to_count(key: BalanceKey, *, on_hand_micro: int, counted_micro: int) -> Step | None:
    """Return what makes a balance what was counted, None if it is that."""
    missing = counted_micro - on_hand_micro
    if not missing:
        return None
    step = _at_balance(key, abs(missing), business_step=COUNTING)
    if missing > 0:
        return replace(step, from_location=ADJUSTMENT, to_location=key.location)
    return replace(step, from_location=key.location, to_location=ADJUSTMENT)


def steps_from_surplus(key: BalanceKey, decision: Decision, *, quantity_micro: int) -> list[Step]:
    """Return what brings a balance goods of another place, or those of another lot."""
    source = decision.location or key.location
    step = replace(_at_balance(key, quantity_micro), from_location=source, to_location=key.location)
    if decision.lot is None or decision.lot == key.lot:
        return [step]
    # Another lot is another thing: it leaves the books where it was, and this one comes.
    return [
        replace(step, lot=decision.lot, to_location=ADJUSTMENT),
        replace(step, from_location=ADJUSTMENT),
    ]


def step_to_place(key: BalanceKey, on_hand_micro: int, *, location: str) -> Step:
    """Return what moves a balance to the place where it was meant to be, below zero too."""
    step = _at_balance(key, abs(on_hand_micro))
    step = replace(step, from_status=key.status, to_status=key.status)
    if on_hand_micro > 0:
        return replace(step, from_location=key.location, to_location=location)
    return replace(step, from_location=location, to_location=key.location)


def _step_back(business_step: str) -> str:
    return STORING if business_step == INSPECTING_STEP else business_step


def _keeps_status(movement: Movement) -> bool:
    """Return whether goods are now as they were then: outside, or where that alone was changed.

    What is at another place by now may have another status.
    """
    target = movement.to_location
    return is_virtual(target) or target == movement.from_location


def _parts(
    facts: Sequence[MovedFact], quantity_micro: int | None
) -> Iterator[tuple[MovedFact, int]]:
    """Yield the last facts that make up a quantity, each with its part of it."""
    left = quantity_micro
    for fact in reversed(facts):
        if left is None:
            yield fact, fact.quantity_micro
            continue
        if not left:
            return
        part = min(left, fact.quantity_micro)
        left -= part
        yield fact, part
    if left:
        raise Unusable(
            "the facts behind it did not move so much",
            hint="Give a smaller quantity, or leave it out for all of it.",
        )


def _as_weighed(step: Step, fact: MovedFact) -> Step:
    """Return a step that takes along exactly what a fact did, be it stated, a share or nothing."""
    if step.net_weight:
        return step
    if not fact.weight_micro:
        return replace(step, weightless=True)
    return _with_weight(step, fact.weight_micro, unit=fact.weight_unit)


def _with_weight(step: Step, weight_micro: int, *, unit: str) -> Step:
    return replace(step, net_weight=canonical_text(from_micro(weight_micro)), weight_unit=unit)


def _as_meant(step: Step, decision: Decision, *, unit: str) -> Step:
    return replace(
        step,
        item=decision.item or step.item,
        unit=unit or step.unit,
        document=decision.document or step.document,
        document_line=decision.document_line if decision.document else step.document_line,
        lot=step.lot if decision.lot is None else decision.lot,
    )


def _rounded(step: Step, exact_micro: Fraction, roundings: Callable[[str, str], Roundings]) -> Step:
    """Return a step that moves what stands for an exact quantity, and says how much more."""
    document = step.document
    way = Way(
        place_of(step.from_location, document=document),
        place_of(step.to_location, document=document),
        *(step.lot, step.serial, step.sscc),
        *(document, step.document_line),
    )
    quantity = roundings(step.item, step.unit).whole(way, exact_micro)
    more = quantity - exact_micro
    rest = Rest(step.item, step.unit, way, more) if more else None
    return replace(step, quantity_micro=quantity, rest=rest)


def _at_balance(key: BalanceKey, quantity_micro: int, *, business_step: str = STORING) -> Step:
    stated = "" if key.status == AVAILABLE else key.status
    return Step(
        from_location=key.location,
        to_location=key.location,
        from_status=stated,
        to_status=stated,
        item=key.item,
        quantity_micro=quantity_micro,
        unit=key.unit,
        business_step=business_step,
        lot=key.lot,
        serial=key.serial,
        sscc=key.sscc,
    )
