"""What the books have of a fact that its gateway undid after it was settled. Edge of the database.

7    supplier -> BIN-1   5 MILK           a station: which lot it is of is missing
8    supplier -> BIN-1   5 MILK of L1     a settlement: it stands for 7
9    BIN-1 -> supplier   5 MILK           it takes 7 back
10   undoes 7                             unmatched, as 7 is taken back: 8 is what the books have

What stands for a fact may be settled itself, and so on. A settlement that is opened again lets the
fact stand once more: then that is what the books have of it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from central.contract.facts import Fact, Movement, Reversal, decode_fact
from central.errors import Conflict, Unusable
from central.ledger.discrepancies import discrepancy_id
from central.ledger.entries import OWN_GATEWAY, Entry, FactKey, finding_of
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, fact_at, movements_at
from central.orders.settling.evidence_search import settled_by
from central.orders.settling.present_reading import present_goods
from central.orders.settling.settlement_steps import STANDS_FOR, MovedFact, Step, name_of
from central.orders.settling.settlements import Decision
from central.orders.settling.taking_back import steps_back
from central.storage import bulk, tables
from central.storage.settlement_tables import settlement_facts


class StepsUndone(NamedTuple):
    """What takes back what the books have, here and in the warehouse that a decision names.

    left_count: facts of others, which wait for another decision.
    """

    here: list[Step]
    there: list[Step]
    left_count: int


def case_of_undone(connection: Connection, row: Found) -> Case:
    """Return what the books have of what a discrepancy's fact undoes; nothing if it undoes none."""
    return Case(kind=row.kind, undone=tuple(left_of_undone(connection, row)))


def left_of_undone(connection: Connection, row: Found) -> list[MovedFact]:
    """Return that as facts, by warehouse, oldest first. row: of `discrepancies`."""
    fact = fact_at(connection, FactKey(row.warehouse, row.gateway, row.epoch, row.seq))
    if not isinstance(fact, Reversal):
        return []
    undone = FactKey(row.warehouse, row.gateway, fact.reverses_epoch, fact.reverses_seq)
    keys = sorted(standing_for(connection, undone))
    numbers: dict[str, list[int]] = {}
    for stored in bulk.select_by_key(connection, tables.facts, keys, columns_count=4):
        numbers.setdefault(stored[0], []).append(stored[10])
    return [
        found
        for warehouse, some in sorted(numbers.items())
        for found in movements_at(connection, warehouse=warehouse, numbers=sorted(some))
    ]


def steps_of_undone(connection: Connection, row: Found, decision: Decision) -> StepsUndone:
    """Return what takes that back, all that is here and where the decision says.

    Raises Conflict if nothing is left, Unusable for a part of it, or where nothing of it is.
    """
    left = left_of_undone(connection, row)
    if not left:
        raise Conflict(
            "what is behind it is taken back already, or moved nothing",
            hint="Accept it; nothing is left to move.",
        )
    if decision.quantity_micro is not None or decision.facts:
        raise Unusable(
            "what was undone is taken back whole, not a part of it",
            hint="Name no quantity and no facts.",
        )
    steps: dict[str, list[Step]] = {}
    for warehouse in {row.warehouse, decision.warehouse or row.warehouse}:
        facts = [fact for fact in left if fact.key.warehouse == warehouse]
        steps[warehouse] = steps_back(facts, present_goods(connection, facts))
        left = [fact for fact in left if fact.key.warehouse != warehouse]
    here = steps.pop(row.warehouse)
    there = steps.get(decision.warehouse, [])
    if not here and not there:
        where = left[0].key.warehouse
        raise Unusable(
            f"what was posted instead of it is in {where}",
            hint="Name that warehouse, and send it again.",
            fields={"warehouse": where},
        )
    return StepsUndone(here, there, len(left))


def standing_for(connection: Connection, undone: FactKey) -> set[FactKey]:
    """Return a fact and all that settlements posted for it, be it taken back or not."""
    found: set[FactKey] = set()
    posted: dict[FactKey, str] = {}
    new = {undone}
    while new:
        found |= new
        posted |= _posted_for(connection, new)
        names = {name_of(key) for key in found}
        new = {key for key, meant in posted.items() if meant in names} - found
    return found


def _posted_for(connection: Connection, keys: Collection[FactKey]) -> Mapping[FactKey, str]:
    """Return what was posted in the settlements that took facts back, by what each stands for.

    Of a fact about another warehouse, which moved nothing: what posted it there.
    """
    marks = bulk.select_by_key(connection, tables.reversals, sorted(keys), columns_count=4)
    by = {_taking(mark): FactKey(*mark[:4]) for mark in marks}
    elsewhere = {_told_elsewhere(key) for key in keys}
    own = settlement_facts.c
    wanted = sorted(settled_by(connection, sorted(by)) | elsewhere)
    rows = connection.execute(select(settlement_facts).where(own.discrepancy.in_(wanted))).all()
    numbers = {(row.discrepancy, row.number) for row in rows if _key(row) in by}
    rows = [
        row
        for row in rows
        if row.discrepancy in elsewhere or (row.discrepancy, row.number) in numbers
    ]
    taken: dict[tuple[str, int], set[str]] = {}
    for row in rows:
        if row.back_epoch:
            back = f"{row.back_gateway}/{row.back_epoch}/{row.back_seq}"
            taken.setdefault((row.discrepancy, row.number), set()).add(back)
    anew = {_key(row): (row.discrepancy, row.number) for row in rows if not row.back_epoch}
    ways = {name_of(key): _way(fact_at(connection, key)) for key in keys}
    found = _given_back(connection, by)
    for stored in bulk.select_by_key(connection, tables.facts, sorted(anew), columns_count=4):
        key, fact = FactKey(*stored[:4]), decode_fact(bytes(stored[5]))
        said = [one.raw.decode() for one in fact.evidence]
        meant = [text.removeprefix(STANDS_FOR) for text in said if text.startswith(STANDS_FOR)]
        # Versions before said nothing: of one fact alone it is all that went the same way.
        alone = taken.get(anew[key], set())
        if not meant and len(alone) == 1:
            meant = [name for name in alone if ways.get(name) == _way(fact)]
        found[key] = next(iter(meant), "")
    return found


def _way(fact: Fact | None) -> tuple[str, str] | None:
    if not isinstance(fact, Movement):
        return None
    return fact.from_location, fact.to_location


def _given_back(connection: Connection, by: Mapping[FactKey, FactKey]) -> dict[FactKey, str]:
    """Return what stands for facts as settlements took back what had taken them back.

    by: the facts, by what took them back. And what stays of that, which takes a part of it again.
    """
    marks = bulk.select_by_key(connection, tables.reversals, sorted(by), columns_count=4)
    again = {_taking(mark): FactKey(*mark[:4]) for mark in marks}
    if not again:
        return {}
    own = settlement_facts.c
    wanted = sorted(settled_by(connection, sorted(again)))
    rows = connection.execute(select(settlement_facts).where(own.discrepancy.in_(wanted))).all()
    numbers = {(row.discrepancy, row.number) for row in rows if _key(row) in again}
    found: dict[FactKey, str] = {}
    for row in rows:
        back = FactKey(row.warehouse, row.back_gateway, row.back_epoch, row.back_seq)
        if (row.discrepancy, row.number) in numbers and back in by:
            found[_key(row)] = name_of(by[back])
    anew = [_key(row) for row in rows if not row.back_epoch]
    names = {f"{STANDS_FOR}{name_of(taking)}": name_of(fact) for taking, fact in by.items()}
    for stored in bulk.select_by_key(connection, tables.facts, sorted(anew), columns_count=4):
        for one in decode_fact(bytes(stored[5])).evidence:
            if (text := one.raw.decode()) in names:
                found[FactKey(*stored[:4])] = names[text]
    return found


def _taking(mark: Sequence[Any]) -> FactKey:
    """Return what takes a fact back. mark: of `reversals`."""
    return FactKey(mark[0], OWN_GATEWAY, mark[4], mark[5])


def _key(row: Found) -> FactKey:
    return FactKey(row.warehouse, row.gateway, row.epoch, row.seq)


def _told_elsewhere(key: FactKey) -> str:
    """Return the discrepancy of a fact that was about another warehouse, if it was."""
    entry = Entry(*key, body=b"", digest=b"", record_no=0)
    return discrepancy_id(finding_of(entry, "wrong_warehouse", str(entry)))
