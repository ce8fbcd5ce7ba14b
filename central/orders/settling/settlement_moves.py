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
from dataclasses import replace
from fractions import Fraction

from central.errors import Unusable
from central.ledger.entries import BalanceKey, FactKey
from central.ledger.locations import is_virtual, place_of
from central.ledger.measures import shares
from central.ledger.statuses import AVAILABLE
from central.orders.catalogue.packs import text_of
from central.orders.settling.present_goods import PresentGoods
from central.orders.settling.roundings import Rest, Roundings, Way
from central.orders.settling.settlement_steps import (
    ADJUSTMENT,
    COUNTING,
    STORING,
    MovedFact,
    Step,
    step_of,
    with_weight,
)
from central.orders.settling.settlements import Decision
from central.orders.settling.stated_statuses import steps_of_statuses
from central.orders.settling.taking_back import bring_again, steps_back


def steps_anew(
    facts: Sequence[MovedFact],
    decision: Decision,
    *,
    unit: str,
    quantity_micro: int | None,
    roundings: Callable[[str, str], Roundings],
    present: PresentGoods,
    states: bool = False,
) -> list[Step]:
    """Return what takes facts back and posts them as they were meant, or not again.

    unit: of the item that they were meant for, "" for their own. quantity_micro: how much of them
    the decision is about, the last ones first; None for all. roundings: of an item and its unit,
    each time the same. present: at the places that they went to. states: what went is posted again
    of the statuses that it had. Raises Unusable if they are not so much, or nothing is left of
    them.
    """
    parts = list(_parts(facts, quantity_micro))
    if decision.weight_micro is not None and len(parts) > 1:
        raise Unusable(
            "a weight is that of one fact, and several are behind it",
            hint="Correct what the settlement names, and send it again.",
        )
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
        forth: list[Step] = []
        if part < fact.quantity_micro:
            rest, whole = _parted(fact, part, decision)
            forth.append(rest)
        if decision.action == "reassign":
            meant = _as_meant(replace(whole, quantity_micro=part), decision, unit=unit)
            if decision.weight_micro is not None:
                meant = with_weight(meant, decision.weight_micro, unit=fact.weight_unit)
            if decision.factor is not None:
                meant = _rounded(meant, part * decision.factor, roundings)
            if meant.quantity_micro:
                forth.append(meant)
            else:
                rests[fact.key] = meant.rest
        if is_virtual(whole.from_location):
            coming += forth
            bring_again(present, fact, forth)
        else:
            going += _as_it_went(fact, forth, part_micro=part) if states else forth
    back = steps_back([fact for fact, _ in reversed(parts)], present)
    # In this order no place falls below zero on the way.
    return coming + [replace(step, rest=rests.pop(step.takes_back, None)) for step in back] + going


def _as_it_went(fact: MovedFact, forth: Sequence[Step], *, part_micro: int) -> Iterator[Step]:
    """Yield steps of goods that a fact took: of what is left alone, then of the part of it."""
    left = fact.quantity_micro - part_micro
    for number, step in enumerate(forth):
        stays = bool(left) and not number
        begin, quantity = (0, left) if stays else (left, part_micro)
        yield from steps_of_statuses(fact, step, begin_micro=begin, quantity_micro=quantity)


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


def steps_from_surplus(
    key: BalanceKey,
    source: BalanceKey,
    *,
    quantity_micro: int,
    weight_micro: int,
    weight_unit: str,
) -> list[Step]:
    """Return what brings a balance goods of another place, lot or unit.

    weight_micro: what they weigh where they are, 0 where that is not known.
    """
    step = replace(
        _at_balance(key, quantity_micro), from_location=source.location, to_location=key.location
    )
    if (source.lot, source.sscc) == (key.lot, key.sscc):
        return [step]
    if weight_micro:
        step = with_weight(step, weight_micro, unit=weight_unit)
    # Of another lot or unit it is another thing: that leaves the books, and this one comes.
    return [
        replace(step, lot=source.lot, sscc=source.sscc, to_location=ADJUSTMENT),
        replace(step, from_location=ADJUSTMENT),
    ]


def step_to_place(key: BalanceKey, on_hand_micro: int, *, location: str) -> Step:
    """Return what moves a balance to the place where it was meant to be, below zero too."""
    step = _at_balance(key, abs(on_hand_micro))
    step = replace(step, from_status=key.status, to_status=key.status)
    if on_hand_micro > 0:
        return replace(step, from_location=key.location, to_location=location)
    return replace(step, from_location=location, to_location=key.location)


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
        moved, asked = text_of((quantity_micro or 0) - left), text_of(quantity_micro or 0)
        raise Unusable(
            f"the facts behind it moved {moved}, not {asked}",
            hint="Give no more than that, or leave the quantity out for all of it.",
            fields={"moved": moved, "asked": asked},
        )


def _parted(fact: MovedFact, part_micro: int, decision: Decision) -> tuple[Step, Step]:
    """Return what posts the rest of a fact once more, and a part of it.

    The part weighs what the decision says, else its share of what all of it weighed.
    """
    whole = step_of(fact)
    rest_micro = fact.quantity_micro - part_micro
    rest = replace(whole, quantity_micro=rest_micro)
    part = replace(whole, quantity_micro=part_micro, net_weight="", weight_unit="")
    stated_micro = decision.weight_micro
    if not fact.weight_micro or (stated_micro is None and not whole.net_weight):
        return rest, part
    weight, _ = shares(fact.weight_micro, [part_micro, rest_micro])
    if stated_micro is not None:
        weight = stated_micro
    if weight >= fact.weight_micro:
        weighed, asked = text_of(fact.weight_micro), text_of(weight)
        raise Unusable(
            f"all of them weighed {weighed} {fact.weight_unit}, and a part of them not {asked}",
            hint="Give less than that, or leave the weight out for a share of it.",
            fields={"weighed": weighed, "asked": asked},
        )
    if weight:
        part = with_weight(part, weight, unit=fact.weight_unit)
    return with_weight(rest, fact.weight_micro - weight, unit=fact.weight_unit), part


def _as_meant(step: Step, decision: Decision, *, unit: str) -> Step:
    if decision.warehouse:  # It counts for an order there.
        step = replace(step, document="", document_line=0)
    return replace(
        step,
        item=decision.item or step.item,
        is_named=bool(decision.item),
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
