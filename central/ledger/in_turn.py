"""Posts the facts of a call in turns, where one has to see what others made. Edge of the database.

    10 come to BIN-1; 6 of them are held | the 10 are taken back       two turns
    10 come to BIN-1 | they are taken back                             one

What became of goods is read from what is posted (`changed_reading`), so a reversal of goods that
may have become something else begins a turn of its own if anything of their item came before it in
the call. So it does not matter how facts were cut into batches. Calls without a reversal are one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from central.contract.fact_checks import INSPECTING_STEP
from central.contract.facts import Movement
from central.ledger.entries import FactKey
from central.ledger.ledger import Ledger
from central.ledger.locations import CUSTOMER, is_virtual
from central.ledger.reading import read_fact
from central.ledger.runs import Run
from central.ledger.state import LedgerState, read_state
from central.storage import bulk, tables

Place = tuple[str, str, str]  # warehouse, location, item
BODY = list(tables.facts.columns.keys()).index("body")
STATUS = list(tables.balances.columns.keys()).index("status")


class _Taken(NamedTuple):
    """What a reversal takes back. movement: None if it is not here, or is none."""

    target: FactKey
    movement: Movement | None


def post_in_turn(
    ledger: Ledger,
    connection: Connection,
    state: LedgerState,
    runs: Sequence[Run],
    *,
    now_ms: int,
) -> int:
    """Post facts as `Ledger.post` does, in as many turns as it takes; they were looked ahead of.

    state: as locked in this transaction. Returns how many discrepancies were opened.
    """
    for run in runs:
        if run.read.reversals:
            break
    else:
        return ledger.post(connection, state, runs, now_ms=now_ms, foreseen=True)
    first, *further = _turns(connection, runs)
    opened_count = ledger.post(connection, state, first, now_ms=now_ms, foreseen=not further)
    for turn in further:
        opened_count += ledger.post(connection, read_state(connection), turn, now_ms=now_ms)
    return opened_count


def _turns(connection: Connection, runs: Sequence[Run]) -> Iterator[Sequence[Run]]:
    """Yield the facts of each turn."""
    taken = _taken_back(connection, runs)
    mixed = _mixed_places(connection, taken)
    turn: list[Run] = []
    seen: dict[str, set[FactKey]] = {}  # Facts of the turn, by their item.
    changed: set[str] = set()  # Items whose status facts of the turn change.
    for run in runs:
        begin = 0
        for index, fact in enumerate(run.read.facts):
            key = FactKey(run.warehouse, run.gateway, run.epoch, run.first_seq + index)
            movement = fact if isinstance(fact, Movement) else None
            if key in taken:
                target, movement = taken[key]
                if movement is not None and (seen.get(movement.item, set()) - {target}):
                    place = (run.warehouse, movement.to_location, movement.item)
                    if place in mixed or movement.item in changed or _may_be_decided(movement):
                        yield [*turn, run.part(begin, index)] if index > begin else turn
                        turn, begin, seen, changed = [], index, {}, set()
            if movement is not None:
                seen.setdefault(movement.item, set()).add(key)
                if _changes_status(movement):
                    changed.add(movement.item)
        turn.append(run.part(begin, len(run.bodies)))
    yield turn


def _taken_back(connection: Connection, runs: Sequence[Run]) -> dict[FactKey, _Taken]:
    """Return what each reversal takes back, of this call or stored, by its own identity."""
    targets: dict[FactKey, FactKey] = {}
    for run in runs:
        for fact in run.read.reversals:
            key = FactKey(run.warehouse, run.gateway, run.epoch, fact.seq)
            targets[key] = key._replace(epoch=fact.reverses_epoch, seq=fact.reverses_seq)
    wanted = sorted(set(targets.values()))
    found: dict[FactKey, object] = {
        FactKey(*row[:4]): read_fact(row[BODY], seq=row[3])
        for row in bulk.select_by_key(connection, tables.facts, wanted, columns_count=4)
        if row[4] == "movement"
    }
    for run in runs:
        for target in wanted:
            index = target.seq - run.first_seq
            is_here = (run.warehouse, run.gateway, run.epoch) == target[:3]
            if is_here and 0 <= index < len(run.read.facts):
                found[target] = run.read.facts[index]
    return {
        key: _Taken(target, one if isinstance(one := found.get(target), Movement) else None)
        for key, target in targets.items()
    }


def _mixed_places(connection: Connection, taken: dict[FactKey, _Taken]) -> set[Place]:
    """Return where goods went that are taken back, and were there in more than one status."""
    wanted = {
        (key.warehouse, one.movement.to_location, one.movement.item)
        for key, one in taken.items()
        if one.movement is not None and not is_virtual(one.movement.to_location)
    }
    statuses: dict[Place, set[str]] = {}
    for row in bulk.select_by_key(connection, tables.balances, sorted(wanted), columns_count=3):
        statuses.setdefault(row[:3], set()).add(row[STATUS])
    return {place for place, there in statuses.items() if len(there) > 1}


def _changes_status(movement: Movement) -> bool:
    states = movement.business_step == INSPECTING_STEP or movement.to_status
    return bool(states) or movement.from_location == movement.to_location


def _may_be_decided(movement: Movement) -> bool:
    """Return whether a customer's return may have decided on goods, which changes no status."""
    return movement.from_location == CUSTOMER and bool(movement.document)
