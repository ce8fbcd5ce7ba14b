"""What is known of goods that moved unavailable, and which decisions fit. Edge of the database.

at the source         they left by a transfer; once they have come, to move them back would make
                      them twice
at the destination    they came as available: posted once more, they come as what they left as, as
                      long as they are still where they came to
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from central.errors import Conflict, Unusable
from central.ledger.entries import GOODS_KEY_SIZE
from central.ledger.locations import IN_TRANSIT
from central.ledger.statuses import AVAILABLE
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, standing_behind
from central.orders.settling.present_goods import PresentGoods
from central.orders.settling.settlement_steps import MovedFact, Step, step_of
from central.orders.settling.settlements import Decision
from central.orders.settling.taking_back import steps_back
from central.orders.transfers.transfer_closing import Thing
from central.orders.transfers.transfer_store import find_transfers, read_standings
from central.orders.transfers.transit_crossings import crossed_micro
from central.storage import bulk, tables


def case_of_unavailable(connection: Connection, row: Found) -> Case:
    """Return what is known of a `moved_unavailable` now."""
    facts = standing_behind(connection, row).facts
    found = Case(kind=row.kind)
    if not row.document:
        return replace(found, has_gone_on=_have_come(connection, facts))
    crossed = _crossed_now(connection, row, facts)
    return replace(found, excess_micro=crossed, has_gone_on=not _are_there(connection, facts))


def require_movable(
    connection: Connection, row: Found, decision: Decision, facts: Sequence[MovedFact]
) -> None:
    """Return if a decision that moves these facts is sound.

    Raises Conflict where the goods have gone on, Unusable for what names another thing.
    """
    if decision.action == "reassign":
        _require_as_it_left(row, decision)
        if not _are_there(connection, facts):
            raise Conflict(
                "they have gone on from where they came to",
                hint="Hold what is left of them where it is now, then accept it.",
            )
    elif not row.document and _have_come(connection, facts):
        raise Conflict(
            "they have been received since: moved back, they would be in both warehouses",
            hint="Accept it; they keep their status. Or take the receipt back first.",
        )


def steps_as_they_left(facts: Sequence[MovedFact], present: PresentGoods) -> list[Step]:
    """Return what posts receipts of a transfer once more: they take what is under way as it is.

    Back first: so nothing is more than was sent, and nowhere twice. It is all there.
    """
    return [*steps_back(facts, present), *(step_of(fact) for fact in facts)]


def _require_as_it_left(row: Found, decision: Decision) -> None:
    if not row.document:
        raise Unusable(
            "they left here: there is nothing to post once more",
            hint="Accept it, or reverse it if they have not left.",
        )
    named = (decision.item, decision.document, decision.location, decision.warehouse)
    others = (decision.lot, decision.factor, decision.weight_micro, decision.quantity_micro)
    if any(named) or any(one is not None for one in others):
        raise Unusable(
            "what was received is posted once more just as it was",
            hint="Name nothing else; the status is that with which it left.",
        )


def _have_come(connection: Connection, facts: Sequence[MovedFact]) -> bool:
    """Return whether of what facts sent under transfers less is under way than they sent."""
    sent: Counter[tuple[str, Thing, str]] = Counter()
    for fact in facts:
        movement = fact.movement
        if movement.to_location == IN_TRANSIT and movement.document:
            thing = Thing(movement.item, movement.lot, movement.serial, fact.unit)
            for part in fact.parts:
                sent[movement.document, thing, part.taken_status] += part.quantity_micro
    there: Counter[tuple[str, Thing, str]] = Counter()
    found = find_transfers(connection, {code for code, _, _ in sent})
    for code, standing in read_standings(connection, list(found.values())).items():
        for place in standing.places:
            there[code, place.thing, place.status] += place.quantity_micro
    return any(key[0] in found and there[key] < micro for key, micro in sent.items())


def _crossed_now(connection: Connection, row: Found, facts: Sequence[MovedFact]) -> int:
    """Return how much of what facts received is available and left as something else."""
    found = find_transfers(connection, [row.document])
    standings = read_standings(connection, list(found.values()))
    if not facts or row.document not in standings:
        return 0
    movement = facts[0].movement
    thing = Thing(movement.item, movement.lot, movement.serial, facts[0].unit)
    return crossed_micro(standings[row.document].places, thing)


def _are_there(connection: Connection, facts: Sequence[MovedFact]) -> bool:
    """Return whether as much as facts brought is available where they brought it."""
    brought: Counter[tuple[str, ...]] = Counter()
    for fact in facts:
        one = fact.movement
        what = (one.to_location, one.item, one.lot, one.serial, one.sscc, fact.unit)
        brought[fact.key.warehouse, *what, AVAILABLE] += fact.quantity_micro
    size = GOODS_KEY_SIZE + 1
    rows = bulk.select_by_key(connection, tables.balances, sorted(brought), columns_count=size)
    there = {tuple(row[:size]): row[size] for row in rows}
    return all(there.get(key, 0) >= micro for key, micro in brought.items())
