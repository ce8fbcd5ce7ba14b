"""What a decision about a discrepancy moves, from what is there. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from sqlalchemy import Connection, select

from central.contract.facts import Movement
from central.contract.quantities import parse_decimal, to_micro
from central.errors import Conflict, Unusable
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey, FactKey
from central.ledger.measures import quantity_in_unit
from central.orders.order_goods import require_whole
from central.orders.settling.asked_later import is_inspected, refuse_lacking
from central.orders.settling.counted_there import require_counted_there
from central.orders.settling.discrepancy_case import find_case
from central.orders.settling.discrepancy_facts import (
    Found,
    fact_at,
    movements_at,
    standing_behind,
)
from central.orders.settling.excess_counts import still_counted_micro
from central.orders.settling.excess_reversed import steps_to_give_back
from central.orders.settling.fillings import steps_to_unfill
from central.orders.settling.found_twice import steps_to_unfind
from central.orders.settling.negative_balances import steps_to_fill, still_missing_micro
from central.orders.settling.present_reading import present_goods
from central.orders.settling.returned_cases import still_returned_micro
from central.orders.settling.reversed_units import is_of_reversal, steps_restated
from central.orders.settling.serial_places import KINDS_TWICE, steps_out_of
from central.orders.settling.settlement_choice import (
    choose,
    is_counted_there,
    kind_done,
    require,
)
from central.orders.settling.settlement_moves import step_to_place, steps_anew
from central.orders.settling.settlement_rests import roundings_of
from central.orders.settling.settlement_steps import MovedFact, Step, step_of
from central.orders.settling.settlement_transit import require_nothing_under_way, steps_to_end
from central.orders.settling.settlements import (
    KINDS_OF_EXCESS,
    KINDS_OF_UNDOING,
    KINDS_UNDER_WAY,
    Decision,
)
from central.orders.settling.stated_statuses import of_several_statuses
from central.orders.settling.unavailable_goods import require_movable, steps_as_they_left
from central.orders.settling.undone_facts import steps_of_undone
from central.orders.settling.unit_factors import unit_factor
from central.orders.settling.unnamed_transit import KIND as UNNAMED
from central.orders.settling.unnamed_transit import require_none_left, steps_to_account
from central.storage import bulk, tables


@dataclass(frozen=True, slots=True)
class Plan:
    """What is moved, in which warehouse. left_count: facts behind it that it leaves alone.

    rest_micro: of an excess, how much it leaves; that and not the facts then says what is left.
    there: what is moved besides, in the warehouse that the decision names.
    """

    warehouse: str
    steps: list[Step]
    left_count: int = 0
    rest_micro: int = 0
    there: Sequence[Step] = ()


def plan_steps(connection: Connection, row: Found, decision: Decision) -> Plan:
    """Return what a decision moves; nothing for one that accepts.

    row: of `discrepancies`. Raises Unusable for what the decision names and is not there, Conflict
    if what it would move is gone.
    """
    if decision.action == "accept":
        if row.kind == "unknown_item":
            refuse_lacking(connection, row.subject, standing_behind(connection, row).facts)
        if row.kind in KINDS_UNDER_WAY:
            require_nothing_under_way(connection, row)
        if row.kind == UNNAMED:
            require_none_left(connection, row)
        return Plan(row.warehouse, [])
    if row.kind == UNNAMED and decision.action == "adjust":
        return Plan(row.warehouse, list(steps_to_account(connection, row)))
    if row.kind in KINDS_UNDER_WAY:
        return Plan(*steps_to_end(connection, row))
    if row.kind in KINDS_TWICE and decision.action == "adjust":
        place = {"warehouse": decision.warehouse, "location": decision.location}
        return Plan(*steps_out_of(connection, row, **place))
    if row.kind == "negative_balance" and decision.action != "reverse":
        if decision.action == "reassign" and decision.location:
            _require_place(connection, row.warehouse, decision.location)
        return Plan(row.warehouse, steps_to_fill(connection, row, decision))
    if row.kind == "filled_twice":
        unfill = steps_to_unfind if row.document else steps_to_unfill
        return Plan(row.warehouse, unfill(connection, row, decision))
    if row.kind == "reversed_twice":
        return Plan(row.warehouse, steps_to_give_back(connection, row, decision))
    if row.kind in KINDS_OF_UNDOING and decision.action == "reverse":
        undone = steps_of_undone(connection, row, decision)
        return Plan(row.warehouse, undone.here, undone.left_count, there=undone.there)
    if row.kind == "wrong_warehouse":
        return Plan(decision.warehouse, [_elsewhere(connection, row, decision)])
    if row.kind == "unknown_location":
        return Plan(row.warehouse, _to_place(connection, row, decision))
    if is_of_reversal(row):
        return Plan(row.warehouse, steps_restated(connection, row, factor=decision.factor))
    return _anew(connection, row, decision)


def still_wrong_micro(connection: Connection, row: Found, plan: Plan) -> int | None:
    """Return what a discrepancy's figure is after a plan was posted that did not settle all of it.

    None if it did, or if the facts behind it say what is left.
    """
    if row.kind == "over_returned":
        return still_returned_micro(connection, row)
    if row.kind in KINDS_OF_EXCESS:
        return still_counted_micro(connection, row, rest_micro=plan.rest_micro)
    missing_micro = still_missing_micro(connection, row)
    return -missing_micro if missing_micro else None


def _elsewhere(connection: Connection, row: Found, decision: Decision) -> Step:
    there = bulk.select_by_key(
        connection, tables.warehouses, [(decision.warehouse,)], columns_count=1
    )
    require(any(True for _ in there), f"no warehouse is called {decision.warehouse!r}")
    fact = fact_at(connection, FactKey(row.warehouse, row.gateway, row.epoch, row.seq))
    if not isinstance(fact, Movement):
        raise Unusable("the fact is no movement: there is nothing to move", hint="Accept it.")
    unit, quantity = _as_kept(connection, fact)
    nobody = FactKey(row.warehouse, row.gateway, row.epoch, row.seq)
    return replace(step_of(MovedFact(nobody, fact, unit, quantity)), is_first=True)


def _as_kept(connection: Connection, fact: Movement) -> tuple[str, int]:
    """Return the unit that a fact is posted in, and how much in it: as if its gateway were there.

    What settles is posted in the unit that it names: the item's own, where that is exact.
    """
    rows = bulk.select_by_key(connection, tables.items, [(fact.item,)], columns_count=1)
    for found in rows:
        pack = unit_factor(connection, item=fact.item, unit=fact.unit)
        kept = quantity_in_unit(fact, found[3], pack=pack)
        if kept is not None:
            return str(found[3]), kept
    return fact.unit, to_micro(parse_decimal(fact.quantity))


def _to_place(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    """Move whatever the books have at a place that is not there."""
    _require_place(connection, row.warehouse, decision.location)
    if decision.location == row.subject:
        raise Unusable("that is the unknown place itself", hint="Name the place that was meant.")
    prefix = (row.warehouse, row.subject)
    found = bulk.select_by_key(connection, tables.balances, [prefix], columns_count=2)
    size = GOODS_KEY_SIZE + 1
    return [
        step_to_place(BalanceKey(*one[:size]), one[size], location=decision.location)
        for one in sorted(found)
        if one[size]
    ]


def _anew(connection: Connection, row: Found, decision: Decision) -> Plan:
    standing = _standing(connection, row, decision)
    chosen = choose(connection, row, decision, standing)
    facts, quantity, excess = chosen.facts, decision.quantity_micro, 0
    is_there = is_counted_there(row, decision)
    decision = decision if is_there else replace(decision, warehouse="")
    if row.kind == "moved_unavailable":
        require_movable(connection, row, decision, facts)
    elif row.kind in KINDS_OF_EXCESS:
        excess = find_case(connection, row).excess_micro
        if quantity is None:
            quantity = min(excess, sum(fact.quantity_micro for fact in facts))
            if quantity <= 0:
                raise Conflict("it is no more than is expected now", hint="Accept it.")
    if decision.quantity_micro is not None:
        newest = facts[-1]
        item = decision.item or newest.movement.item
        of = [excess, *(fact.quantity_micro for fact in facts)]
        require_whole(connection, item, decision.quantity_micro, unit=newest.unit, of=of)
    if decision.action == "reverse":
        decision = replace(decision, factor=None)
    elif decision.document:
        works_in = decision.warehouse if is_there else row.warehouse
        _require_lines(connection, works_in, decision, [fact.movement for fact in facts])
        if is_there:
            require_counted_there(connection, decision)
        decision = replace(decision, item="", document="" if is_there else decision.document)
    elif row.kind == "weight_missing":
        require(
            len(facts) + chosen.beyond_count == 1,
            "a weight is that of one fact, and several are behind it",
        )
    roundings = cache(partial(roundings_of, connection, row.warehouse))
    states = of_several_statuses(facts) and not is_inspected(connection, decision.item)
    steps: list[Step] = []
    if row.kind == "moved_unavailable" and decision.action == "reassign":
        steps = steps_as_they_left(facts, present_goods(connection, facts))
        return Plan(row.warehouse, steps, chosen.left_count + chosen.beyond_count)
    for some, factor in chosen.by_factor(decision):
        steps += steps_anew(
            some,
            replace(decision, factor=factor),
            unit=chosen.unit,
            quantity_micro=quantity,
            roundings=roundings,
            present=present_goods(connection, some),
            states=states,
        )
    if row.kind in KINDS_OF_EXCESS:
        return Plan(row.warehouse, steps, rest_micro=excess - (quantity or 0))
    return Plan(row.warehouse, steps, chosen.left_count + chosen.rest_count(row, quantity))


def _standing(connection: Connection, row: Found, decision: Decision) -> list[MovedFact]:
    """Return what a decision may be about; of a balance below zero, what took it there first."""
    if row.kind == "negative_balance" and not decision.facts:
        first = movements_at(connection, warehouse=row.warehouse, numbers=[row.record_no])
        return first or standing_behind(connection, row).facts[:1]
    return standing_behind(connection, row).facts


def _require_place(connection: Connection, warehouse: str, location: str) -> None:
    place = (warehouse, location)
    found = bulk.select_by_key(connection, tables.locations, [place], columns_count=2)
    require(any(True for _ in found), f"{warehouse} has no place {location!r}")


def _require_lines(
    connection: Connection, warehouse: str, decision: Decision, movements: Sequence[Movement]
) -> None:
    """Return if a document expects the goods of each movement, coming or going as they did."""
    code, number = decision.document, decision.document_line
    lines, heads = tables.document_lines.c, tables.documents.c
    query = (
        select(lines.item, heads.kind)
        .join(
            tables.documents,
            (heads.warehouse == lines.warehouse) & (heads.document == lines.document),
        )
        .where(lines.warehouse == warehouse, lines.document == code)
    )
    if number:
        query = query.where(lines.line == number)
    expected = {tuple(found) for found in connection.execute(query)}
    what = f"line {number} of {code}" if number else code
    for movement in movements:
        kind = kind_done(movement)
        way = f"{movement.item} from {movement.from_location} to {movement.to_location}"
        require((movement.item, kind) in expected, f"{what} does not expect {way} in {warehouse}")
