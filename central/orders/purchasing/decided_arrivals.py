"""What became of goods that came to be inspected, when their coming is taken back. Edge of SQL.

    PO-3 brought 6 to BIN-3    5 were accepted there, 1 is held     5 available, 1 held
    PO-3 brought 6 to BIN-3    2 were accepted, 4 wait              2 available, 4 inspection
    PO-3 brought 6 to BIN-3    2 were scrapped                      2 in the scrap, 4 inspection

By the decisions of that inspection alone: what others have in the same bin is not touched. What
waits goes first, as far as it cannot lie elsewhere. The decisions are taken back with the goods.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, select

from central.contract.facts import Reversal
from central.ledger.decided_goods import Became, came_undecided
from central.ledger.entries import FactKey, Line, PostedFact
from central.ledger.ledger import Posted
from central.ledger.posting import PostedMovement
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED
from central.orders.purchasing.inspection import (
    OUTCOMES,
    SCRAP,
    Decision,
    DecisionRow,
    Inspection,
    Source,
    amounts_of,
)
from central.orders.purchasing.inspection_following import fact_of, keep
from central.orders.purchasing.inspection_reading import read_decisions, read_standing
from central.storage import bulk, purchasing_tables, tables

ORDER = (AVAILABLE, REJECTED, HELD, INSPECTION)
# The decision on what waited that makes goods so.
MADE_BY: dict[str, Decision] = {AVAILABLE: "accept", REJECTED: "reject", HELD: "hold"}
SOURCES: dict[str, Source] = {HELD: "held", REJECTED: "rejected"}
DECIDED = "decided"
WAITED = ("", INSPECTION, "", "")  # What of an inspection is taken back as it came.
RECORD_NO = list(tables.facts.columns.keys()).index("record_no")
Key = tuple[str, str, int, str, str, str]  # What inspections are made for, one each.
Place = tuple[str, str, str, str]  # location, status, serial, sscc


def became_of(
    connection: Connection,
    movements: Mapping[FactKey, PostedMovement],
    taken_back: AbstractSet[FactKey],
) -> dict[FactKey, tuple[Became, ...]]:
    """Return what became of goods that movements brought to be inspected, if it was decided.

    taken_back: facts that are taken back with them; what those decided is none.
    """
    found: dict[FactKey, tuple[Became, ...]] = {}
    used: dict[str, Counter[Place]] = {}  # Several movements may be of one inspection.
    for key, movement in movements.items():
        if not came_undecided(movement.lines):
            continue
        inspection = inspection_of(connection, key_of(movement))
        decisions = read_decisions(connection, inspection.code) if inspection else []
        decisions = [
            row
            for row in decisions
            if FactKey(key.warehouse, row.gateway, row.epoch, row.seq) not in taken_back
        ]
        if inspection is None or not decisions:
            continue
        already = used.setdefault(inspection.code, Counter())
        came = movement.lines[1]
        parts = _parts(connection, inspection, decisions, came, already)
        if any(part.status == AVAILABLE and part.location == came.location for part in parts):
            parts = _accepted_since(connection, key.warehouse, decisions, parts)
        if any(part.status != INSPECTION or part.location == SCRAP for part in parts):
            found[key] = tuple(parts)
    return found


def take_back_decisions(
    connection: Connection, posted: Posted, posted_fact: PostedFact, key: Key
) -> None:
    """Note that nothing is decided of goods that a reversal takes back as what they became."""
    run, fact = fact_of(posted.runs, posted_fact.record_no)
    assert isinstance(fact, Reversal)
    for decision, source, line in _unmade(connection, posted_fact.lines, key):
        inspection = inspection_of(connection, key)
        assert inspection is not None
        decisions = read_decisions(connection, inspection.code)
        came_to, is_last = posted_fact.came_to, decision not in MADE_BY.values()
        row = DecisionRow(
            decision_no=max((one.decision_no for one in decisions), default=0) + 1,
            decision=decision,
            source=source,
            quantity_micro=line.quantity_micro,
            location=came_to,
            to_location=came_to if line.location == SCRAP and not is_last else line.location,
            serial=line.serial,
            sscc=line.sscc,
            reason=fact.reason,
            result="",
            actor=fact.operator or run.gateway,
            at_ms=posted.now_ms,
            epoch=run.epoch,
            seq=fact.seq,
            gateway=run.gateway,
        )
        keep(connection, inspection, decisions, row)


def _unmade(
    connection: Connection, lines: Sequence[Line], key: Key
) -> Iterator[tuple[Decision, Source, Line]]:
    """Yield the decisions that made goods what a reversal takes them back as, with their lines.

    What is held beyond what the inspection holds, the desk held after it was accepted; so of what
    is rejected.
    """
    inspection = inspection_of(connection, key)
    assert inspection is not None
    decisions = read_decisions(connection, inspection.code)
    amounts = amounts_of(inspection.arrived_micro, decisions)
    left = {HELD: max(0, amounts.held_micro), REJECTED: max(0, amounts.rejected_micro)}
    for line in lines[1::2]:
        if line.location == SCRAP and line.status == INSPECTION:
            yield "sample_used", "inspection", line
            continue
        if line.location == SCRAP:
            yield "scrap", SOURCES[line.status], line
        elif line.status in left:
            made_micro = min(-line.quantity_micro, left[line.status])
            left[line.status] -= made_micro
            if later_micro := -line.quantity_micro - made_micro:
                yield "accept", "inspection", line._replace(quantity_micro=-later_micro)
            if made_micro:
                made = line._replace(quantity_micro=-made_micro)
                yield MADE_BY[line.status], "inspection", made
            continue
        if line.status in MADE_BY:
            yield MADE_BY[line.status], "inspection", line


def _parts(
    connection: Connection,
    inspection: Inspection,
    decisions: Sequence[DecisionRow],
    came: Line,
    already: Counter[Place],
) -> list[Became]:
    """Return what the goods of a line are now, and where. already: taken by others; it grows."""
    thing = (came.serial, came.sscc)
    elsewhere_micro = sum(
        one.on_hand_micro
        for one in read_standing(connection, inspection, status="inspection")
        if (one.location, one.serial, one.sscc) != (came.location, *thing)
    )
    waiting_micro = amounts_of(inspection.arrived_micro, decisions).inspection_micro
    waiting_micro = max(0, waiting_micro - already[WAITED])
    waits_micro = min(came.quantity_micro, max(0, waiting_micro - elsewhere_micro))
    made, decided_micro = _made(decisions, came)
    decided_micro -= already[(came.location, DECIDED, *thing)]
    # A decision that names no place took what it found: what cannot wait, it made of these.
    least_micro = came.quantity_micro - min(came.quantity_micro, waiting_micro)
    rest_micro = min(came.quantity_micro - waits_micro, max(least_micro, decided_micro))
    parts: list[Became] = []
    for place, made_micro in made:
        part_micro = min(rest_micro, made_micro - already[(*place, *thing)])
        if part_micro > 0:
            rest_micro -= part_micro
            parts.append(Became(*place, part_micro))
            already[(*place, *thing)] += part_micro
    left_micro = came.quantity_micro - sum(part.quantity_micro for part in parts)
    if left_micro:
        parts.append(Became(came.location, INSPECTION, left_micro))
        already[WAITED] += left_micro
    already[(came.location, DECIDED, *thing)] += came.quantity_micro - left_micro
    return parts


def _accepted_since(
    connection: Connection,
    warehouse: str,
    decisions: Sequence[DecisionRow],
    parts: Sequence[Became],
) -> list[Became]:
    """Return parts, those that were accepted with the fact since which nothing else was decided.

    What the desk holds of them since then, no inspection knows.
    """
    facts = sorted({(warehouse, row.gateway, row.epoch, row.seq) for row in decisions if row.epoch})
    rows = bulk.select_by_key(connection, tables.facts, facts, columns_count=len(FactKey._fields))
    last = max((row[RECORD_NO] for row in rows), default=0)
    return [part._replace(record_no=last) if part.status == AVAILABLE else part for part in parts]


def _made(
    decisions: Sequence[DecisionRow], came: Line
) -> tuple[list[tuple[tuple[str, str], int]], int]:
    """Return what was made of goods by place and status, and how much where a line brought them.

    What is at that place comes first, and what is available there.
    """
    made: Counter[tuple[str, str]] = Counter()
    decided_micro = 0
    for row in decisions:
        if (row.serial, row.sscc) != (came.serial, came.sscc) or row.decision in {"sample", "gone"}:
            continue
        status = HELD if row.carries else OUTCOMES[row.decision][row.source]
        made[(row.to_location, status) if status else (SCRAP, row.source)] += row.quantity_micro
        if row.source != INSPECTION:
            made[row.location, row.source] -= row.quantity_micro
        elif row.location == came.location:
            decided_micro += row.quantity_micro

    def order(place: tuple[str, str]) -> tuple[bool, int, tuple[str, str]]:
        return place[0] != came.location, ORDER.index(place[1]), place

    return [(place, made[place]) for place in sorted(made, key=order)], decided_micro


def key_of(movement: PostedMovement) -> Key:
    """Return what the inspection is made for of goods that a movement brought."""
    came = movement.lines[1]
    number = movement.progress[0].line if movement.progress is not None else 0
    document = movement.progress[0].document if movement.progress is not None else ""
    return came.warehouse, document, number, came.item, came.lot, came.unit


def inspection_of(connection: Connection, key: Key) -> Inspection | None:
    """Return the inspection of a key, open or not; None if there is none."""
    table = purchasing_tables.inspections.c
    columns = (table.document, table.document_line, table.item, table.lot, table.unit)
    wanted = [column == part for column, part in zip(columns, key[1:], strict=True)]
    found = connection.execute(
        select(purchasing_tables.inspections).where(table.warehouse == key[0], *wanted)
    ).first()
    return Inspection(**found._mapping) if found is not None else None
