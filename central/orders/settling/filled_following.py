"""Tells that goods came after all for a balance that was filled. Edge of the database.

What counts is when it was so: goods that are told of a time before the filling, and what takes back
a fact of a time before it. Whoever filled the balance did not know of them, or had counted them.
What comes later is none of it; nor is what a posted count has counted before the filling.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from central.contract.facts import Movement
from central.ledger.desk import Change
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import BalanceKey, FactKey, Finding, Line, balance_name
from central.ledger.goods_rules import SETTLING_FLAG
from central.ledger.ledger import Posted
from central.ledger.reading import read_fact
from central.ledger.runs import Run
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.fillings import (
    KIND,
    KINDS,
    Filling,
    filled_micro,
    fillings_of,
)
from central.orders.settling.found_twice import follow_found_steps
from central.orders.settling.last_settlement import anew_by
from central.orders.settling.late_facts import LATE_MS, has_late, told_by
from central.orders.settling.settlement_steps import Step, meant_by
from central.storage import bulk, tables

discrepancies = tables.discrepancies


class Effect(NamedTuple):
    """What a fact changed at a balance, in millionths. dated_ms: when that was so.

    is_back: by being taken back. takes_back: what a settlement took back so.
    """

    key: BalanceKey
    quantity_micro: int
    dated_ms: int
    record_no: int
    is_back: bool = False
    takes_back: FactKey | None = None


def follow_fillings(connection: Connection, posted: Posted) -> None:
    """Look at what came late and at what was taken back; costs nothing for anything else."""
    if has_late(posted):
        for warehouse in sorted({one.warehouse for one in posted.runs}):
            _look(connection, warehouse, posted, late_ms=posted.now_ms - LATE_MS)


def follow_settlement(
    change: Change, row: Found, keys: Sequence[FactKey], steps: Sequence[Step], *, action: str
) -> None:
    """Look at what a settlement posted, a fact for each step. row: of `discrepancies`.

    What takes a fact back, or stands for it, is of the time of that. What fills a balance is none
    of it, and what is decided of one is settled by that.
    """
    behind = [step.takes_back or step.stands_for for step in steps]
    is_decided = row.kind == KIND or (row.kind in KINDS and action != "reverse")
    _follow(change, row, keys, behind, but=row.subject if is_decided else "")
    follow_found_steps(change, steps, but=row.subject if row.kind == KIND else "")


def follow_reopening(
    change: Change,
    row: Found,
    keys: Sequence[FactKey],
    steps: Sequence[Step],
    moved: Sequence[Found],
) -> None:
    """Look at what was posted, a fact for each step, as a settlement was opened again.

    moved: the facts of that.
    """
    but = row.subject if row.kind == KIND else ""
    _follow(change, row, keys, anew_by(moved, steps), but=but)
    follow_found_steps(change, steps, but=but)


def _follow(
    change: Change,
    row: Found,
    keys: Sequence[FactKey],
    behind: Sequence[FactKey | None],
    *,
    but: str,
) -> None:
    stated = [key for key in behind if key is not None]
    if not stated:
        return
    connection, fills = change.connection, row.kind in KINDS
    times = _times(connection, stated)
    first_ms = min(times.values(), default=change.now_ms)
    for warehouse in sorted({key.warehouse for key in keys}):
        if not fills and not _filled_since(connection, warehouse, first_ms):
            continue
        about = {
            key: back
            for key, back in zip(keys, behind, strict=True)
            if key.warehouse == warehouse and (back is not None or not fills)
        }
        rows = bulk.select_by_key(connection, tables.facts, sorted(about), columns_count=4)
        posted = {one[10]: about[FactKey(*one[:4])] for one in rows}
        effects = []
        for line in _lines(connection, warehouse, list(posted)):
            back = posted[line.record_no]
            dated_ms = first_ms if back is None else times.get(back, first_ms)
            effects.append(_effect(line, dated_ms)._replace(takes_back=back))
        _judge(connection, warehouse, effects, now_ms=change.now_ms, but=but)


def _times(connection: Connection, keys: Sequence[FactKey]) -> dict[FactKey, int]:
    """Return when facts happened; what a settlement posted for another one, when that did."""
    names = tables.facts.c.keys()
    at, body = names.index("event_time_ms"), names.index("body")
    rows = bulk.select_by_key(connection, tables.facts, sorted(set(keys)), columns_count=4)
    times: dict[FactKey, int] = {}
    meant: dict[FactKey, FactKey] = {}
    for row in rows:
        key, fact = FactKey(*row[:4]), read_fact(bytes(row[body]), seq=row[3])
        times[key] = int(row[at])
        first = meant_by(fact) if isinstance(fact, Movement) else None
        if first is not None:
            meant[key] = first
    before = _times(connection, list(meant.values())) if meant else {}
    return times | {key: before[one] for key, one in meant.items() if one in before}


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
        table.kind.in_(KINDS),
        # Of one that is open a part may be filled.
        or_(table.state == "open", and_(table.state == "settled", table.settled_ms > since_ms)),
    )
    return {(row.item, row.location) for row in connection.execute(query.distinct())}


def _judge(
    connection: Connection,
    warehouse: str,
    effects: Sequence[Effect],
    *,
    now_ms: int,
    but: str = "",
) -> None:
    """Open, count at or settle what effects say of balances that settlements had filled.

    but: the balance that somebody decides about.
    """
    by_subject: dict[str, list[Effect]] = {}
    for effect in effects:
        by_subject.setdefault(balance_name(effect.key), []).append(effect)
    by_subject.pop(but, None)
    if not by_subject:
        return
    items = {effect.key.item for effect in effects}
    filled = fillings_of(connection, warehouse=warehouse, items=items, subjects=by_subject)
    already = _open_ones(connection, warehouse, by_subject)
    findings: list[Finding] = []
    for subject, fillings in sorted(filled.items()):
        row, counted = already.get(subject), _counted(fillings, by_subject[subject])
        came = sum(one.quantity_micro for one in counted)
        total = came + (row.actual_micro or 0 if row is not None else 0)
        if not came or (row is None and came < 0):
            continue
        last = counted[-1]
        if row is not None and (total <= 0 or not filled_micro(fillings)):
            why = f"record {last.record_no} brought it to 0 {row.unit}"
            if last.is_back:
                why = f"record {last.record_no} was taken back, and nothing else is behind it"
            settle_discrepancies(connection, [row.id], settlement=why, now_ms=now_ms)
            continue
        expected = max(filled_micro(fillings, dated_ms=one.dated_ms) for one in counted)
        findings.append(_finding(connection, subject, last, expected, total))
    open_discrepancies(connection, findings, now_ms=now_ms)


def _counted(fillings: Sequence[Filling], effects: Sequence[Effect]) -> list[Effect]:
    """Return what tells of a time before a filling that stands; or all that takes fillings back.

    A count in between has said what is there of it, and is told itself.
    """
    own = {one.fact for one in fillings}
    if any(one.takes_back in own for one in effects):
        return list(effects)
    return [one for one in effects if filled_micro(fillings, dated_ms=one.dated_ms)]


def _finding(connection: Connection, subject: str, last: Effect, filled: int, came: int) -> Finding:
    fact = told_by(connection, last.record_no)
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
