"""What a decision about a discrepancy moves, from what is there. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial

from sqlalchemy import Connection, select

from central.contract.facts import Movement
from central.contract.quantities import PIECE, parse_decimal, to_micro
from central.errors import Conflict, Unusable
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey, FactKey
from central.ledger.measures import quantity_in_unit
from central.orders.settling.discrepancy_case import (
    factor_that_leaves,
    find_case,
    negative_key,
    unit_factor,
)
from central.orders.settling.discrepancy_facts import (
    FACTS_MAX,
    Found,
    fact_at,
    movements_at,
    numbers_behind,
    present_goods,
)
from central.orders.settling.serial_places import steps_out_of
from central.orders.settling.settlement_moves import (
    step_to_count,
    step_to_place,
    steps_anew,
    steps_from_surplus,
)
from central.orders.settling.settlement_rests import roundings_of
from central.orders.settling.settlement_steps import MovedFact, Step, step_of
from central.orders.settling.settlement_transit import require_nothing_under_way, steps_to_end
from central.orders.settling.settlements import (
    KINDS_OF_EXCESS,
    KINDS_UNDER_WAY,
    Decision,
    document_kind,
)
from central.storage import bulk, tables


@dataclass(frozen=True, slots=True)
class Plan:
    """What is moved, in which warehouse. left_count: facts behind it that it leaves alone."""

    warehouse: str
    steps: list[Step]
    left_count: int = 0


def plan_steps(connection: Connection, row: Found, decision: Decision) -> Plan:
    """Return what a decision moves; nothing for one that accepts.

    row: of `discrepancies`. Raises Unusable for what the decision names and is not there, Conflict
    if what it would move is gone.
    """
    if decision.action == "accept":
        if row.kind in KINDS_UNDER_WAY:
            require_nothing_under_way(connection, row)
        return Plan(row.warehouse, [])
    if row.kind in KINDS_UNDER_WAY:
        return Plan(*steps_to_end(connection, row))
    if row.kind == "serial_twice" and decision.action == "adjust":
        place = {"warehouse": decision.warehouse, "location": decision.location}
        return Plan(*steps_out_of(connection, row, **place))
    if row.kind == "negative_balance" and decision.action != "reverse":
        return Plan(row.warehouse, _at_negative(connection, row, decision))
    if row.kind == "wrong_warehouse":
        return Plan(decision.warehouse, [_elsewhere(connection, row, decision)])
    if row.kind == "unknown_location":
        return Plan(row.warehouse, _to_place(connection, row, decision))
    return _anew(connection, row, decision)


def _at_negative(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    found = negative_key(connection, row)
    if found is None:
        raise Conflict("the balance is not there any more", hint="Accept it.")
    key, on_hand = found
    if decision.action == "adjust":
        counted = 0 if decision.counted_micro is None else decision.counted_micro
        step = step_to_count(key, on_hand_micro=on_hand, counted_micro=counted)
        return [step] if step is not None else []
    quantity = decision.quantity_micro or -on_hand
    if quantity <= 0:
        raise Conflict(
            "the balance is not below zero any more", hint="Accept it, or name a quantity."
        )
    if decision.location in {"", key.location} and decision.lot in {None, key.lot}:
        raise Unusable("that is the place and the lot itself", hint="Name another place or lot.")
    if decision.location:
        _require_place(connection, row.warehouse, decision.location)
    return steps_from_surplus(key, decision, quantity_micro=quantity)


def _elsewhere(connection: Connection, row: Found, decision: Decision) -> Step:
    there = bulk.select_by_key(
        connection, tables.warehouses, [(decision.warehouse,)], columns_count=1
    )
    _require(any(True for _ in there), f"no warehouse is called {decision.warehouse!r}")
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
    facts, left_count = _chosen(connection, row, decision)
    quantity = decision.quantity_micro
    if row.kind in KINDS_OF_EXCESS and quantity is None:
        total = sum(fact.quantity_micro for fact in facts)
        quantity = min(find_case(connection, row).excess_micro, total)
        if quantity <= 0:
            raise Conflict("it is no more than is expected now", hint="Accept it.")
    unit = ""  # Of each fact its own.
    parts: list[tuple[list[MovedFact], Decision]] = []
    if decision.action == "reverse":
        decision = replace(decision, factor=None)
    elif decision.document:
        _require_lines(connection, row, decision, [fact.movement for fact in facts])
        decision = replace(decision, item="")
    elif row.kind == "weight_missing":
        _require(len(facts) == 1, "a weight is that of one fact, and several are behind it")
    elif decision.item or row.kind == "unit_differs":
        item = decision.item or row.item
        unit = _unit_of(connection, item)
        parts, unposted_count = _by_unit(connection, facts, decision, item, unit)
        left_count += unposted_count
    roundings = cache(partial(roundings_of, connection, row.warehouse))
    steps: list[Step] = []
    for some, meant in parts or [(facts, decision)]:
        steps += steps_anew(
            some,
            meant,
            unit=unit,
            quantity_micro=quantity,
            roundings=roundings,
            present=present_goods(connection, some),
        )
    return Plan(row.warehouse, steps, left_count)


def _chosen(connection: Connection, row: Found, decision: Decision) -> tuple[list[MovedFact], int]:
    """Return the facts that a decision is about, and how many of those behind it are left.

    Those that it names, else all behind it; of a balance below zero, the one that took it there.
    """
    numbers = numbers_behind(connection, row)
    if row.kind == "negative_balance" and not decision.facts:
        numbers = numbers[:1]
    elif len(numbers) >= FACTS_MAX and not decision.facts:
        raise Unusable(
            f"{FACTS_MAX} facts or more are behind it: too many at once",
            hint="Name the facts, in several settlements, or accept it and count.",
        )
    every = movements_at(connection, warehouse=row.warehouse, numbers=numbers)
    if row.kind == "unit_differs":
        every = [fact for fact in every if fact.unit == row.unit]
    found = every
    if row.kind == "unknown_document" and decision.item:
        found = [fact for fact in every if fact.movement.item == decision.item]
    if decision.document and not decision.facts:
        # Goods came and went under it; the other document is about the one or the other.
        kind = _kind_of(connection, row.warehouse, decision.document)
        found = [fact for fact in found if _kind_done(fact.movement) == kind]
    if decision.facts:
        wanted = set(decision.facts)
        found = [fact for fact in found if "/".join(map(str, fact.key[1:])) in wanted]
        _require(len(found) == len(wanted), "not all of these facts are behind it and still stand")
    if not found:
        raise Conflict(
            "what is behind it is taken back already, or moved nothing",
            hint="Accept it; nothing is left to move.",
        )
    return found, len(every) - len(found)


def _by_unit(
    connection: Connection,
    facts: list[MovedFact],
    decision: Decision,
    item: str,
    unit: str,
) -> tuple[list[tuple[list[MovedFact], Decision]], int]:
    """Return the facts of each unit with its factor, and how many are left: those do not convert.

    Of facts in several units a factor is that of a scan, thus about pieces; what is posted as it
    should be stays.
    """
    if len({fact.unit for fact in facts}) == 1 or decision.quantity_micro is not None:
        factor = _factor(connection, facts, decision, item, unit)
        return [(facts, replace(decision, factor=factor))], 0
    wrong = [fact for fact in facts if (fact.movement.item, fact.unit) != (item, unit)]
    found = []
    for one in sorted({fact.unit for fact in wrong}):
        some = [fact for fact in wrong if fact.unit == one]
        if decision.factor is not None:
            factor = decision.factor if one == PIECE else None
        else:
            factor = factor_that_leaves(connection, some, item=item)
        if factor is not None:
            found.append((some, replace(decision, factor=factor)))
    _require(found, f"the facts behind it are in several units, and none converts to {unit}")
    return found, len(wrong) - sum(len(some) for some, _ in found)


def _factor(
    connection: Connection,
    facts: list[MovedFact],
    decision: Decision,
    item: str,
    unit: str,
) -> Fraction | None:
    """Return how many of the item's unit one unit of the facts is, None if they are the same."""
    units = {fact.unit for fact in facts}
    _require(len(units) == 1, "the facts behind it are in several units")
    if decision.factor is not None:
        return decision.factor
    if units == {unit}:
        return None
    factor = unit_factor(connection, item=item, unit=units.pop())
    _require(factor is not None, f"its unit does not convert to {unit}, that of {item}")
    return factor


def _unit_of(connection: Connection, item: str) -> str:
    row = next(bulk.select_by_key(connection, tables.items, [(item,)], columns_count=1), None)
    if row is None:
        raise Unusable(f"no item is called {item!r}", hint="Add the item first.")
    return str(row[3])


def _require_place(connection: Connection, warehouse: str, location: str) -> None:
    place = (warehouse, location)
    found = bulk.select_by_key(connection, tables.locations, [place], columns_count=2)
    _require(any(True for _ in found), f"{warehouse} has no place {location!r}")


def _require_lines(
    connection: Connection, row: Found, decision: Decision, movements: Sequence[Movement]
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
        .where(lines.warehouse == row.warehouse, lines.document == code)
    )
    if number:
        query = query.where(lines.line == number)
    expected = {tuple(found) for found in connection.execute(query)}
    what = f"line {number} of {code}" if number else code
    for movement in movements:
        kind = _kind_done(movement)
        way = f"{movement.item} from {movement.from_location} to {movement.to_location}"
        _require(
            (movement.item, kind) in expected, f"{what} does not expect {way} in {row.warehouse}"
        )


def _kind_of(connection: Connection, warehouse: str, document: str) -> str:
    """Return the kind of a document. Raises Unusable if there is none."""
    key = (warehouse, document)
    for found in bulk.select_by_key(connection, tables.documents, [key], columns_count=2):
        return str(found[2])
    raise Unusable(
        f"{warehouse} works on no document {document!r}",
        hint="Name one that stations are told of.",
        fields={"document": document},
    )


def _kind_done(movement: Movement) -> str:
    return document_kind(from_location=movement.from_location, to_location=movement.to_location)


def _require(met: object, otherwise: str) -> None:
    if not met:
        raise Unusable(otherwise, hint="Correct what the settlement names, and send it again.")
