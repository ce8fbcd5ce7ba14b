"""Takes up what stations decide about inspected goods, as their facts are posted. Edge of SQL.

    inspecting  inspection -> available  accept        held -> available  accept
                inspection -> rejected   reject        held -> rejected   reject
                inspection -> held       hold
                inspection, held -> scrap              sample_used
    any step    held -> held, elsewhere  hold, of held goods: they are only carried there
                inspection, held -> under way of a transfer  gone: they are decided on where they go
    reversal of such a movement          the same decision once more, with the quantity less than 0
    reversal of another movement         hold, of goods that were held since they were brought

The goods have moved already: nothing is refused. A decision counts for the open inspections of that
item, lot and unit, the oldest first; what none of them has left is no decision, and the ledger has
its discrepancy where the balance went below zero. Of held goods it counts for what an inspection
held there, or what of that was carried there since: the same lot may be held elsewhere for another
reason, and of what stands at one place the inspection's part is carried first. Holds at the desk
(`../holding`) say themselves what they have made of goods (`decide_of_balance`), in the same way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace

from sqlalchemy import Connection, select

from central.contract.facts import Fact, Movement, Reversal
from central.ledger.desk import Change
from central.ledger.entries import BalanceKey, FactKey, Line, PostedFact
from central.ledger.ledger import Posted
from central.ledger.locations import IN_TRANSIT, is_virtual, place_of
from central.ledger.own_facts import OWN_GATEWAY
from central.ledger.runs import Run
from central.ledger.state import append_events
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED
from central.orders.purchasing.inspection import (
    SCRAP,
    Amounts,
    Decision,
    DecisionRow,
    Inspection,
    Source,
    amounts_of,
    held_there_micro,
)
from central.orders.purchasing.inspection_reading import read_decisions, read_open_inspections
from central.storage import bulk, purchasing_tables

KIND = "inspection"
STEP = "inspecting"
REASON_PREFIX = "reason_"  # How a station's flag says why; see its list of reasons.
SOURCES: dict[str, Source] = {INSPECTION: "inspection", HELD: "held"}
BECOMES: dict[str, Decision] = {AVAILABLE: "accept", REJECTED: "reject", HELD: "hold"}


def follow_decisions(connection: Connection, posted: Posted) -> None:
    """Note what stations decided, and what they took back; costs nothing if they did not."""
    for posted_fact in posted.apart:
        if posted_fact.gateway == OWN_GATEWAY:
            # Other decisions of the desk are noted by whoever makes them.
            if posted_fact.lines[0].status not in SOURCES or not goes_under_way(posted_fact):
                continue
        elif not _concerns_goods(posted_fact):
            continue
        run, fact = fact_of(posted.runs, posted_fact.record_no)
        if isinstance(fact, Movement):
            _decide(connection, posted, posted_fact, run, fact)
        elif isinstance(fact, Reversal):
            _take_back(connection, posted, posted_fact, run, fact)


def decide_of_balance(
    change: Change,
    key: BalanceKey,
    quantity_micro: int,
    *,
    becomes: str,
    reason: str,
    fact: FactKey,
) -> None:
    """Note what the desk has made of a part of a balance that inspections may know of.

    key: with the status that the goods had. fact: of the ledger's own movement.
    """
    source, decision = SOURCES.get(key.status), BECOMES.get(becomes)
    if source is None or decision is None:
        return
    for inspection, decisions, part_micro in _parts(change.connection, key, source, quantity_micro):
        row = DecisionRow(
            decision_no=max((one.decision_no for one in decisions), default=0) + 1,
            decision=decision,
            source=source,
            quantity_micro=part_micro,
            location=key.location,
            to_location=key.location,
            serial=key.serial,
            sscc=key.sscc,
            reason=reason,
            result="",
            actor=change.actor,
            at_ms=change.now_ms,
            epoch=fact.epoch,
            seq=fact.seq,
        )
        amounts = _write(change.connection, inspection, decisions, row)
        change.note(
            KIND,
            inspection.code,
            "decided",
            warehouse=inspection.warehouse,
            decisions=[decision],
            open=amounts.open,
        )


def is_taken_back(fact: PostedFact, runs: Sequence[Run]) -> bool:
    """Return whether goods wait for inspection again because a station took its decision back."""
    if fact.gateway == OWN_GATEWAY:
        return False
    comes_from = [line for line in fact.lines if line.quantity_micro < 0]
    inside = all(not is_virtual(one.location) or one.location == SCRAP for one in comes_from)
    return inside and isinstance(fact_of(runs, fact.record_no)[1], Reversal)


def goes_under_way(fact: PostedFact) -> bool:
    """Return whether goods go under way of a transfer; taken back, a receipt of it is no more."""
    place = place_of(IN_TRANSIT, document=fact.document)
    return any(line.location == place and line.quantity_micro > 0 for line in fact.lines)


def missed_micro(connection: Connection, posted: Posted, posted_fact: PostedFact) -> int:
    """Return of how much an inspection knows that it had left, as far as a fact takes that back.

    What a station takes back of a transfer is to be decided on where it was before it left.
    """
    fact = fact_of(posted.runs, posted_fact.record_no)[1]
    if posted_fact.gateway == OWN_GATEWAY or not isinstance(fact, Reversal):
        return 0
    for run in posted.runs:
        is_same = (run.gateway, run.epoch) == (posted_fact.gateway, fact.reverses_epoch)
        if is_same and 0 <= fact.reverses_seq - run.first_seq < len(run.read.facts):
            # What left by this posting, too, will be noted before it is taken back.
            return sum(max(0, line.quantity_micro) for line in posted_fact.lines)
    return sum(
        row.quantity_micro
        for _, row in _decided_by(connection, posted_fact, fact)
        if (row.decision, row.source) == ("gone", "inspection")
    )


def _concerns_goods(fact: PostedFact) -> bool:
    return any(line.status in SOURCES and not is_virtual(line.location) for line in fact.lines)


def fact_of(runs: Sequence[Run], record_no: int) -> tuple[Run, Fact | str]:
    """Return a fact of a posting and the run that it came in."""
    for run in runs:
        index = record_no - run.first_record_no
        if 0 <= index < len(run.read.facts):
            return run, run.read.facts[index]
    raise AssertionError(f"fact {record_no} was posted, so it is in a run")


def _decide(
    connection: Connection, posted: Posted, posted_fact: PostedFact, run: Run, fact: Movement
) -> None:
    for given, taken in _pairs(posted_fact.lines):
        decision = _decision(given, taken, fact)
        if given.status in SOURCES and decision is not None:
            pair, reason = (given, taken), _reason(fact)
            _note(connection, posted, run, fact, pair, decision=decision, reason=reason)


def _note(
    connection: Connection,
    posted: Posted,
    run: Run,
    fact: Movement | Reversal,
    pair: tuple[Line, Line],
    *,
    decision: Decision,
    reason: str,
) -> None:
    (given, taken), source = pair, SOURCES[pair[0].status]
    for inspection, decisions, part_micro in _parts(
        connection, given, source, taken.quantity_micro
    ):
        row = DecisionRow(
            decision_no=max((one.decision_no for one in decisions), default=0) + 1,
            decision=decision,
            source=source,
            quantity_micro=part_micro,
            location=given.location,
            to_location=taken.location,
            serial=given.serial,
            sscc=given.sscc,
            reason=reason,
            result="",
            actor=fact.operator or run.gateway,
            at_ms=posted.now_ms,
            epoch=run.epoch,
            seq=fact.seq,
            gateway=run.gateway,
        )
        keep(connection, inspection, decisions, row)


def _take_back(
    connection: Connection, posted: Posted, posted_fact: PostedFact, run: Run, fact: Reversal
) -> None:
    """Note of each decision that a movement was that it is taken back.

    What was held since goods were brought is only carried back with them.
    """
    decided = _decided_by(connection, posted_fact, fact)
    for pair in () if decided else _pairs(posted_fact.lines):
        if _is_carried(*pair):
            _note(connection, posted, run, fact, pair, decision="hold", reason=fact.reason)
    for code, before in decided:
        inspections = purchasing_tables.inspections
        row = connection.execute(select(inspections).where(inspections.c.code == code)).one()
        decisions = read_decisions(connection, code)
        back = replace(
            before,
            decision_no=max(one.decision_no for one in decisions) + 1,
            quantity_micro=-before.quantity_micro,
            reason=fact.reason,
            actor=fact.operator or run.gateway,
            at_ms=posted.now_ms,
            epoch=run.epoch,
            seq=fact.seq,
        )
        keep(connection, Inspection(**row._mapping), decisions, back)


def _decided_by(
    connection: Connection, posted_fact: PostedFact, fact: Reversal
) -> list[tuple[str, DecisionRow]]:
    """Return what the fact that is taken back had decided, and of which inspection."""
    table = purchasing_tables.inspection_decisions
    found = connection.execute(
        select(table)
        .where(
            table.c.epoch == fact.reverses_epoch,
            table.c.seq == fact.reverses_seq,
            table.c.gateway == posted_fact.gateway,
        )
        .order_by(table.c.code, table.c.decision_no)
    )
    return [(code, DecisionRow(*fields)) for code, *fields in found]


def _pairs(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """Yield what gives and what takes."""
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        yield (first, second) if first.quantity_micro < 0 else (second, first)


def _decision(given: Line, taken: Line, fact: Movement) -> Decision | None:
    if taken.location == place_of(IN_TRANSIT, document=fact.document):
        return "gone" if not is_virtual(given.location) else None
    if given.status == taken.status == HELD and given.location != taken.location:
        return "hold" if _is_carried(given, taken) else None
    if fact.business_step != STEP:
        return None
    if taken.location == SCRAP:
        return "sample_used"
    if is_virtual(taken.location) or taken.status == given.status:
        return None
    return BECOMES.get(taken.status)


def _is_carried(given: Line, taken: Line) -> bool:
    """Return whether goods are held and only go to another place of the warehouse."""
    inside = not is_virtual(given.location) and not is_virtual(taken.location)
    return inside and given.status == taken.status == HELD and given.location != taken.location


def _reason(fact: Movement) -> str:
    said = [flag.removeprefix(REASON_PREFIX) for flag in fact.flags if flag.startswith("reason_")]
    return ", ".join(said)


def _parts(
    connection: Connection, goods: Line | BalanceKey, source: Source, quantity_micro: int
) -> Iterator[tuple[Inspection, list[DecisionRow], int]]:
    """Yield which open inspections a decision counts for, and with how much, the oldest first."""
    left_micro = quantity_micro
    for inspection, decisions in read_open_inspections(connection, goods):
        part_micro = min(_left_micro(inspection, decisions, goods, source), left_micro)
        if part_micro > 0:
            left_micro -= part_micro
            yield inspection, decisions, part_micro


def _left_micro(
    inspection: Inspection,
    decisions: Sequence[DecisionRow],
    goods: Line | BalanceKey,
    source: Source,
) -> int:
    """Return how much of these goods the inspection still has to be decided on."""
    left_micro = amounts_of(inspection.arrived_micro, decisions).of(source)
    if source != HELD:
        return left_micro
    there_micro = held_there_micro(
        decisions, location=goods.location, serial=goods.serial, sscc=goods.sscc
    )
    return min(left_micro, there_micro)


def keep(
    connection: Connection,
    inspection: Inspection,
    decisions: Sequence[DecisionRow],
    row: DecisionRow,
) -> None:
    """Write a decision, what is left of its inspection, and that somebody should look again."""
    _write(connection, inspection, decisions, row)
    if row.gateway == OWN_GATEWAY:
        return  # A change at the desk counts its events itself, and notes what it was made for.
    event = (KIND, inspection.code, "decided", inspection.warehouse, row.actor)
    append_events(connection, [(*event, row.at_ms, "{}")])


def _write(
    connection: Connection,
    inspection: Inspection,
    decisions: Sequence[DecisionRow],
    row: DecisionRow,
) -> Amounts:
    """Write a decision and what is left of its inspection, which is returned."""
    table = purchasing_tables.inspection_decisions
    bulk.insert_rows(connection, table, [(inspection.code, *astuple(row))])
    amounts = amounts_of(inspection.arrived_micro, [*decisions, row])
    after = replace(
        inspection, open=amounts.open, version=inspection.version + 1, changed_ms=row.at_ms
    )
    bulk.upsert_rows(connection, purchasing_tables.inspections, [astuple(after)])
    return amounts
