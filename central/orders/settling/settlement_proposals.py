"""What the evidence of a discrepancy proposes. Pure.

Every kind has its row in PROPOSED. A proposal can be posted as it is, but for its reason; where
only people know there is none, and `settlement_advice` says what they have to do first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import DiscrepancyKind
from central.orders.settling.arrived_decisions import decisions
from central.orders.settling.cases import Case, ItemMatch
from central.orders.settling.line_matches import LineMatch, Offered, given_to
from central.orders.settling.returned_decisions import decisions as decisions_of_return
from central.orders.settling.settlements import GOODS_ACCEPTED, KINDS_OF_EXCESS, Decision
from central.orders.settling.surplus import fillings, why_adjusted, why_unfilled
from central.orders.settling.twice_decisions import TWO_UNITS, taken_out
from central.orders.settling.undone_decisions import decisions as decisions_of_undone

MOVING = frozenset({"reverse", "reassign"})  # What is behind it, where facts are.


@dataclass(frozen=True, slots=True)
class Proposal:
    """A settlement that can be posted as it is, but for its reason. why: in a sentence or two."""

    decision: Decision
    why: str


def propose(case: Case) -> tuple[Proposal, ...]:
    """Return settlements that the evidence suggests, best first; none where only people know."""
    if case.known_now:
        return (_accept("It is known by now, and was posted as it was said."),)
    if case.gone:
        return (_accept("What is behind it is taken back already."),)
    return PROPOSED[case.kind](case)


def _for_negative(case: Case) -> tuple[Proposal, ...]:
    if case.on_hand_micro >= 0:
        return (_accept("The balance is no longer below zero."),)
    missing = -case.on_hand_micro
    found = [
        Proposal(decision, why)
        for decision, why in fillings(
            case.surplus, missing_micro=missing, lot=case.lot, sscc=case.sscc, unit=case.unit
        )
    ]
    decision = Decision(action="adjust", counted_micro=0)
    why = why_adjusted(case.location, f"{_units(missing)} {case.unit}", count=case.count)
    return (*found, Proposal(decision, why))


def _for_filled(case: Case) -> tuple[Proposal, ...]:
    amount = f"{_units(case.excess_micro)} {case.unit}"
    why, kept = why_unfilled(case.location, amount, document=case.document)
    return (Proposal(Decision(action="reverse"), why), _accept(kept))


def _for_reversed(case: Case) -> tuple[Proposal, ...]:
    amount = f"{_units(case.excess_micro)} {case.unit}"
    why = f"Take the reversing of {amount} back: what was wrong is undone by now."
    back = Proposal(Decision(action="reverse"), why)
    if case.is_enough:
        return (_accept(f"Leave it so: {case.document} has as much as it expects."), back)
    return (back, _accept(f"Leave it so, if {amount} were wrong as well: count {case.location}."))


def _for_excess(case: Case) -> tuple[Proposal, ...]:
    if case.excess_micro <= 0:
        return (_accept("The order no longer has more than it expects."),)
    if case.excess:
        return ()  # It may be another order's: that is settled first, and may settle this.
    excess = f"{_units(case.excess_micro)} {case.unit}"
    at_once = min(case.excess_micro, case.at_once_micro)
    back = Decision(action="reverse", quantity_micro=at_once)
    return (
        *(_to_line(line, case) for line in case.lines),
        Proposal(back, f"Move {_units(at_once)} {case.unit} back to where they came from."),
        _accept(f"Leave it at {excess} more than expected."),
    )


def _for_returned(case: Case) -> tuple[Proposal, ...]:
    found = decisions_of_return(
        case.returned,
        excess_micro=case.excess_micro,
        at_once_micro=case.at_once_micro,
        unit=case.unit,
    )
    return tuple(Proposal(*one) for one in found)


def _for_document(case: Case) -> tuple[Proposal, ...]:
    there = tuple(_to_line_there(line, case) for line in case.lines_there)
    lines = (*there, *(_to_line(line, case) for line in case.lines))
    if not case.goes_back:
        left = f"{_units(case.on_hand_micro)} {case.unit} of it are left. "
        leave = "Leave the stock as it is: the goods count for no order."
        return (*lines, _accept(f"{left}{leave}" if case.on_hand_micro else leave))
    back = Proposal(Decision(action="reverse"), "Move it back, if it was scanned by mistake.")
    return (*lines, _accept("Leave it as it is: the order counts it as gone back."), back)


def _for_unnamed(case: Case) -> tuple[Proposal, ...]:
    went = f"{_units(case.on_hand_micro)} {case.unit}"
    came = f"{_units(case.missing_micro)} {case.unit}"
    if not case.missing_micro:
        why = f"Book {went} as gone: they left, and nobody names their transfer."
    elif not case.on_hand_micro:
        why = f"Book {came} as come: they arrived, and nobody names their transfer."
    else:
        why = f"Book {went} as gone and {came} as come: nobody names their transfer."
    back = Proposal(Decision(action="reverse"), "Move it back, if it was scanned by mistake.")
    return (
        *(_to_line(line, case) for line in case.lines),
        Proposal(Decision(action="adjust"), why),
        *((back,) if case.moved_micro else ()),
    )


def _for_item(case: Case) -> tuple[Proposal, ...]:
    if case.unit_missing:
        if not case.converts:
            return ()
        decision = Decision(action="reassign", item=case.subject, factor=case.factor)
        return (Proposal(decision, "It is known by now: post it in the item's own unit."),)
    if case.lacks:
        decision = Decision(action="reassign", item=case.subject)
        why = "Its card asks for more by now: post it once more, and what it lacks is told."
        if case.was_uninspected:
            why = "It is inspected by now: post it once more, and it waits for inspection."
        return (Proposal(decision, why),)
    return tuple(_to_item(match) for match in case.items)


def _for_place(case: Case) -> tuple[Proposal, ...]:
    if case.on_hand_micro and case.told_location:
        why = f"Move what is there to {case.told_location}, as it was settled before."
        return (Proposal(Decision(action="reassign", location=case.told_location), why),)
    if case.on_hand_micro:
        return ()
    return (_accept("Nothing is there any more."),)


def _for_unit(case: Case) -> tuple[Proposal, ...]:
    if not case.on_hand_micro:
        return (_accept("Only its weight is stated in that unit: it was left out."),)
    if case.factor is None:
        return ()
    decision = Decision(action="reassign", factor=case.factor)
    return (Proposal(decision, f"One {case.unit} is {case.factor} of its own unit."),)


def _for_weight(case: Case) -> tuple[Proposal, ...]:
    if case.shared:
        return (_accept("They took their share of the weight that was there."),)
    if case.weight_micro:
        decision = Decision(action="reassign", weight_micro=case.weight_micro)
        return (Proposal(decision, f"They weighed {_units(case.weight_micro)} when they left."),)
    if not case.on_hand_micro:
        return (_accept("They have left again: nobody can weigh them any more."),)
    return ()


def _for_undone(case: Case) -> tuple[Proposal, ...]:
    found = tuple(
        Proposal(*one) for one in decisions_of_undone(case.undone, warehouse=case.warehouse)
    )
    return found or (_accept("Nothing was taken back, as there was nothing to take back."),)


def _for_warehouse(case: Case) -> tuple[Proposal, ...]:
    if case.undone:
        return _for_undone(case)
    if not case.moved_micro:
        return (_accept("It moved nothing, and there is nothing to move."),)
    own = Decision(action="reassign", warehouse=case.warehouse)
    here = Proposal(own, f"Post it in {case.warehouse}, if only its warehouse was wrong.")
    if not case.stated_warehouse:
        return (here,)
    decision = Decision(action="reassign", warehouse=case.stated_warehouse)
    return (Proposal(decision, f"The gateway said that it was in {case.stated_warehouse}."), here)


def _for_unavailable(case: Case) -> tuple[Proposal, ...]:
    if case.document:
        best = decisions(differs=case.excess_micro > 0, has_gone_on=case.has_gone_on)
        return tuple(Proposal(*one) for one in best)
    moved = f"{_units(case.moved_micro)} {case.unit}"
    told = _accept(f"They have left: tell {case.told_location} about {moved}.")
    back = Proposal(Decision(action="reverse"), _back(case, "they have not left"))
    return (told,) if case.has_gone_on else (told, back)


def _for_twice(case: Case) -> tuple[Proposal, ...]:
    if not case.is_twice:
        return (_accept("It is at one place by now."),)
    back = Proposal(Decision(action="reverse"), _back(case, "it was scanned by mistake"))
    backs = (back,) if case.moved_micro else ()
    two = (_accept(TWO_UNITS),) if case.kind == "unit_twice" else ()
    elsewhere = (Proposal(*one) for one in taken_out(case.seen, warehouse=case.warehouse))
    return (*backs, *two, *elsewhere)


def _for_reservation(case: Case) -> tuple[Proposal, ...]:
    if not case.missing_micro:
        return (_accept("The order waits for it no longer."),)
    missing = f"{_units(case.missing_micro)} {case.unit}"
    left = _accept(f"Leave the order {missing} short until more has come.")
    if not case.available_micro:
        return (left,)
    available = f"{_units(case.available_micro)} {case.unit}"
    why = f"Set aside {available} of {missing} that are missing: they are available."
    return (Proposal(Decision(action="reserve"), why), left)


def _for_tolerance(case: Case) -> tuple[Proposal, ...]:
    return (
        _accept("Keep it as it was weighed."),
        Proposal(Decision(action="reverse"), _back(case, "they are not to be kept")),
    )


def _for_expiry(case: Case) -> tuple[Proposal, ...]:
    if not case.dates:
        return (_accept(f"Nobody says by now that lot {case.lot} has another date."),)
    kept = f"Lot {case.lot} keeps the date {case.lot_date}; the stock is as it was said."
    corrected = (
        Proposal(
            Decision(action="correct", expiry_date=one.expiry_date),
            f"Lot {case.lot} expires on {one.expiry_date}, as {one.said_by} says.",
        )
        for one in case.dates
    )
    back = Proposal(Decision(action="reverse"), _back(case, "they are of another lot"))
    return (_accept(kept), *corrected, *((back,) if case.moved_micro else ()))


def _for_policy(case: Case) -> tuple[Proposal, ...]:
    return (_accept(GOODS_ACCEPTED[case.kind]),)


def _for_under_way(case: Case) -> tuple[Proposal, ...]:
    amount = f"{_units(abs(case.under_way_micro))} {case.unit}"
    if not case.under_way_micro:
        return (_accept("Nothing of it is under way any more."),)
    if case.under_way_micro < 0 and case.excess:
        return ()  # It may be another transfer's: that is settled first, and may settle this.
    if case.under_way_micro < 0:
        why = f"Book {amount} as found: they arrived, and nobody says that they ever left."
    else:
        why = f"Book {amount} as lost: they left, and never arrived."
    return (Proposal(Decision(action="adjust"), why),)


def _for_count(case: Case) -> tuple[Proposal, ...]:
    if case.amended_micro == 0:
        return (_accept("The count agrees with all that is known by now."),)
    leave = _accept("Leave the stock as it is, and count the place again.")
    if case.amended_micro is None:
        return (leave,)
    change = f"{_units(case.amended_micro)} {case.unit}"
    why = f"Amend {case.document}: what is at {case.location} changes by {change}."
    return (Proposal(Decision(action="adjust"), why), leave)


def _accepted(said: str) -> Callable[[Case], tuple[Proposal, ...]]:
    return lambda _case: (_accept(said),)


PROPOSED: Mapping[DiscrepancyKind, Callable[[Case], tuple[Proposal, ...]]] = {
    "negative_balance": _for_negative,
    "filled_twice": _for_filled,
    "reversed_twice": _for_reversed,
    "over_received": _for_excess,
    "over_shipped": _for_excess,
    "over_returned": _for_returned,
    "moved_unavailable": _for_unavailable,
    "serial_twice": _for_twice,
    "unit_twice": _for_twice,
    "reservation_short": _for_reservation,
    "outside_tolerance": _for_tolerance,
    "weight_missing": _for_weight,
    "weight_differs": _accepted("No pieces are left that could weigh it."),
    "received_before_shipped": _for_under_way,
    "moved_after_end": _for_under_way,
    "count_outdated": _for_count,
    "expiry_differs": _for_expiry,
    "lot_missing": _for_policy,
    "serial_missing": _for_policy,
    "expiry_missing": _for_policy,
    "expired_shipped": _for_policy,
    "piece_parted": _for_policy,
    "packing_impossible": _accepted("The units stay as they were packed before."),
    "quantity_overflow": _accepted("Nothing was posted: the quantity cannot be right."),
    "unknown_document": _for_document,
    "unexpected": _for_document,
    "transit_unnamed": _for_unnamed,
    "unknown_item": _for_item,
    "unknown_location": _for_place,
    "unit_differs": _for_unit,
    "unreadable_fact": _accepted("The bytes are kept, and stand for nothing in the books."),
    "wrong_warehouse": _for_warehouse,
    "reversal_unmatched": _for_undone,
    "fork": _accepted("The copy is switched off: what it offered is not in the books."),
    "broken_chain": _accepted("The card was changed or restored, and that is known."),
    "stock_differs": _accepted("The ledger's figures stand; the gateway takes them over."),
}


def _to_line(line: LineMatch, case: Case) -> Proposal:
    total = case.excess_micro if case.kind in KINDS_OF_EXCESS else case.moved_micro
    offered = Offered(
        case.kind, case.item, case.unit, total, case.at_once_micro, case.tolerated_micro
    )
    return Proposal(*given_to(line, offered))


def _to_line_there(line: LineMatch, case: Case) -> Proposal:
    assert case.elsewhere is not None
    offered = Offered(case.kind, case.item, case.unit, case.moved_micro, case.at_once_micro)
    decision, why = given_to(line, offered)
    (warehouse,) = case.elsewhere.warehouses
    _, _, left = why.partition(".")
    amount = f"{_units(line.remaining_micro)} {line.unit}"
    why = f"{line.document} of {warehouse} still expects {amount}: let these count there.{left}"
    return Proposal(replace(decision, warehouse=warehouse), why)


def _to_item(match: ItemMatch) -> Proposal:
    decision = Decision(action="reassign", item=match.item, factor=match.factor)
    times = "" if match.factor in {None, 1} else f", {match.factor} {match.unit} a scan"
    return Proposal(decision, f"It is a code of item {match.item}{times}.")


def _accept(said: str) -> Proposal:
    return Proposal(Decision(action="accept"), said)


def _back(case: Case, condition: str) -> str:
    amount = f"{_units(case.at_once_micro)} {case.unit}"
    return f"Move {amount} back from {case.to_location} to {case.from_location}, if {condition}."


def _units(micro: int) -> str:
    return canonical_text(from_micro(micro))
