"""Tells that goods came after all for a balance that was filled. Edge of the database.

What counts is when it was so: goods that are told of a time before the
filling, and what takes back a fact of a time before it. Whoever filled the balance did not know of
them, or had counted them. What comes later is none of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from central.contract.facts import Movement
from central.ledger.desk import Change
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import BalanceKey, FactKey, Finding, Line, balance_name
from central.ledger.goods_rules import SETTLING_FLAG
from central.ledger.ledger import Posted
from central.ledger.runs import Run
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.fillings import KIND, KINDS, filled_micro, fillings_of
from central.storage import bulk, tables

LATE_MS = 60_000  # What is told sooner is not looked at: that is how long facts are on their way.
discrepancies = tables.discrepancies


class Effect(NamedTuple):
    """What a fact changed at a balance, in millionths. dated_ms: when that was so.

    is_back: by being taken back.
    """

    key: BalanceKey
    quantity_micro: int
    dated_ms: int
    record_no: int
    is_back: bool = False


def follow_fillings(connection: Connection, posted: Posted) -> None:
    """Look at what came late and at what was taken back; costs nothing for anything else."""
    late_ms = posted.now_ms - LATE_MS
    for run in posted.runs:
        if posted.taken_back or _begins_late(run, late_ms):
            for warehouse in sorted({one.warehouse for one in posted.runs}):
                _look(connection, warehouse, posted, late_ms=late_ms)
            return


def follow_settlement(
    change: Change, row: Found, keys: Sequence[FactKey], behind: Iterable[FactKey | None]
) -> None:
    """Look at what a settlement of something else posted. row: of `discrepancies`.

    behind: the facts that it took back, or let stand again; it is of the time of the first one.
    """
    taken = [key for key in behind if key is not None]
    if not keys or not taken or row.kind in KINDS:
        return
    connection = change.connection
    times = tables.facts.c.keys().index("event_time_ms")
    rows = bulk.select_by_key(connection, tables.facts, sorted(set(taken)), columns_count=4)
    dated_ms = min((int(one[times]) for one in rows), default=change.now_ms)
    for warehouse in sorted({key.warehouse for key in keys}):
        if not _filled_since(connection, warehouse, dated_ms):
            continue
        of_it = [key for key in keys if key.warehouse == warehouse]
        posted = bulk.select_by_key(connection, tables.facts, of_it, columns_count=4)
        lines = _lines(connection, warehouse, [one[10] for one in posted])
        effects = [_effect(line, dated_ms) for line in lines]
        _judge(connection, warehouse, effects, now_ms=change.now_ms)


def _begins_late(run: Run, late_ms: int) -> bool:
    """Return whether a run may have late facts: they come in the order in which they happened."""
    fact = run.read.facts[0]
    return isinstance(fact, str) or fact.event_time_ms < late_ms


def _look(connection: Connection, warehouse: str, posted: Posted, *, late_ms: int) -> None:
    """Look at what a call posted in a warehouse."""
    late = dict(_late(posted.runs, warehouse, late_ms))
    backs = [one[1:] for one in posted.taken_back if one[1].warehouse == warehouse]
    dated = [fact.event_time_ms for fact in (*late.values(), *(one for one, _ in backs))]
    places = _filled_since(connection, warehouse, min(dated)) if dated else set()
    if not places:
        return
    numbers = [
        number
        for number, fact in late.items()
        if places & {(fact.item, fact.from_location), (fact.item, fact.to_location)}
    ]
    effects = [
        _effect(line, late[line.record_no].event_time_ms)
        for line in _lines(connection, warehouse, numbers)
    ]
    for movement, lines in backs:
        turned = (line._replace(quantity_micro=-line.quantity_micro) for line in lines)
        effects += [_effect(line, movement.event_time_ms, is_back=True) for line in turned]
    inside = [one for one in effects if (one.key.item, one.key.location) in places]
    _judge(connection, warehouse, inside, now_ms=posted.now_ms)


def _late(runs: Sequence[Run], warehouse: str, late_ms: int) -> Iterator[tuple[int, Movement]]:
    """Yield late movements of gateways and people, with their record numbers."""
    for run in runs:
        if run.warehouse != warehouse:
            continue
        for number, fact in enumerate(run.read.facts, run.first_record_no):
            if (
                isinstance(fact, Movement)
                and fact.event_time_ms < late_ms
                and fact.clock_synced
                and SETTLING_FLAG not in fact.flags
            ):
                yield number, fact


def _filled_since(connection: Connection, warehouse: str, since_ms: int) -> set[tuple[str, str]]:
    """Return item and place of balances that settlements may have filled after a moment."""
    table = discrepancies.c
    query = select(table.item, table.location).where(
        table.warehouse == warehouse,
        table.state == "settled",
        table.kind.in_(KINDS),
        table.settled_ms > since_ms,
    )
    return {(row.item, row.location) for row in connection.execute(query.distinct())}


def _judge(
    connection: Connection, warehouse: str, effects: Sequence[Effect], *, now_ms: int
) -> None:
    """Open, count at or settle what effects say of balances that settlements had filled."""
    by_subject: dict[str, list[Effect]] = {}
    for effect in effects:
        by_subject.setdefault(balance_name(effect.key), []).append(effect)
    if not by_subject:
        return
    filled = fillings_of(connection, warehouse=warehouse, subjects=by_subject)
    already = _open_ones(connection, warehouse, by_subject)
    findings: list[Finding] = []
    for subject, fillings in sorted(filled.items()):
        counted = [
            one for one in by_subject[subject] if filled_micro(fillings, since_ms=one.dated_ms)
        ]
        came = sum(one.quantity_micro for one in counted)
        row = already.get(subject)
        total = came + (row.actual_micro or 0 if row is not None else 0)
        if not came or (row is None and came < 0):
            continue
        last = counted[-1]
        if row is not None and total <= 0:
            why = f"record {last.record_no} brought it to 0 {row.unit}"
            if last.is_back:
                why = f"record {last.record_no} was taken back, and nothing else is behind it"
            settle_discrepancies(connection, [row.id], settlement=why, now_ms=now_ms)
            continue
        expected = max(filled_micro(fillings, since_ms=one.dated_ms) for one in counted)
        findings.append(_finding(connection, subject, last, expected, total))
    open_discrepancies(connection, findings, now_ms=now_ms)


def _finding(connection: Connection, subject: str, last: Effect, filled: int, came: int) -> Finding:
    fact = _told_by(connection, last.record_no)
    key = last.key
    return Finding(
        KIND,
        subject,
        key.warehouse,
        fact.gateway,
        fact.epoch,
        fact.seq,
        fact.record_no,
        item=key.item,
        location=key.location,
        lot=key.lot,
        unit=key.unit,
        expected_micro=filled,
        actual_micro=came,
    )


def _told_by(connection: Connection, record_no: int) -> Found:
    """Return the fact of a record, or what has taken it back since."""
    facts, marks = tables.facts, tables.reversals.c
    fact = connection.execute(select(facts).where(facts.c.record_no == record_no)).one()
    marked = (marks.warehouse, marks.gateway, marks.epoch, marks.seq)
    stated = (fact.warehouse, fact.gateway, fact.epoch, fact.seq)
    back = connection.execute(
        select(facts)
        .join(
            tables.reversals,
            and_(
                facts.c.warehouse == marks.warehouse,
                facts.c.gateway == marks.gateway,
                facts.c.epoch == marks.by_epoch,
                facts.c.seq == marks.by_seq,
            ),
        )
        .where(*(column == part for column, part in zip(marked, stated, strict=True)))
    ).first()
    return back or fact


def _open_ones(
    connection: Connection, warehouse: str, subjects: Mapping[str, object]
) -> dict[str, Found]:
    table = discrepancies.c
    query = select(discrepancies).where(
        table.warehouse == warehouse,
        table.state == "open",
        table.kind == KIND,
        table.subject.in_(sorted(subjects)),
    )
    return {row.subject: row for row in connection.execute(query)}


def _effect(line: Line, dated_ms: int, *, is_back: bool = False) -> Effect:
    return Effect(line.balance_key, line.quantity_micro, dated_ms, line.record_no, is_back)


def _lines(connection: Connection, warehouse: str, numbers: Sequence[int]) -> list[Line]:
    keys = [(warehouse, number) for number in sorted(numbers)]
    found = bulk.select_by_key(connection, tables.lines, keys, columns_count=2)
    return sorted(Line(*row) for row in found)
