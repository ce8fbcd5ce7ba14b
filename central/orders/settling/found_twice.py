"""Tells that goods under way were found of which the facts tell by now. Edge of the database.

TR-1    5 are received of which nobody has told that they left: 5 are found, as proposed
then    SH1 tells that they left, or the receipt is undone: 5 are under way that are nowhere

Too much is what was found of a thing, less what had come and not left at any of these times, by
all that is known now.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from central.contract.facts import Movement, decode_fact
from central.ledger.desk import Change
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import FactKey, Finding, Line
from central.ledger.ledger import Posted
from central.ledger.locations import IN_TRANSIT, place_of
from central.ledger.own_facts import OWN_GATEWAY
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.fillings import (
    KIND,
    Filling,
    Settlement,
    filled_micro,
    settled_facts,
    steps_of,
)
from central.orders.settling.late_facts import has_late, told_by
from central.orders.settling.settlement_steps import Step, meant_by
from central.orders.settling.settlements import Decision
from central.orders.transfers.transfer_closing import Thing
from central.orders.transfers.transfer_following import BEFORE
from central.orders.transfers.transfer_store import find_transfers
from central.orders.transfers.transfers import ENDED
from central.orders.transfers.transit_crossings import subject_of
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies
from central.storage.transfer_tables import transfer_facts

LINES_READ_MAX = 20_000  # Of one thing; what has more is looked at by whoever closes the transfer.
ASKED_FOR = "by the facts, what was found under way was missing there"


class _Under(NamedTuple):
    """One fact of a thing of a transfer: what it added to what is under way, and when.

    meant: the fact that it was posted for by a settlement, None for what is of its own.
    """

    record_no: int
    fact: FactKey
    quantity_micro: int
    happened_ms: int
    meant: FactKey | None


def follow_found(connection: Connection, posted: Posted) -> None:
    """Look at what came late and at what was taken back; costs nothing for anything else."""
    if not has_late(posted):
        return
    things = {
        (fact.document, Thing(line.item, line.lot, line.serial, line.unit))
        for fact in posted.apart
        for line in (fact.lines if fact.document else ())
        if line.location == place_of(IN_TRANSIT, document=fact.document)
    }
    judge_found(connection, things, now_ms=posted.now_ms)


def follow_found_steps(change: Change, steps: Iterable[Step], *, but: str) -> None:
    """Look at what a settlement took back, or posted for it. but: what somebody decides about."""
    things = {
        (step.document, Thing(step.item, step.lot, step.serial, step.unit))
        for step in steps
        if step.takes_back or step.stands_for
        if step.document and IN_TRANSIT in {step.from_location, step.to_location}
    }
    judge_found(change.connection, things, now_ms=change.now_ms, but=but)


def judge_found(
    connection: Connection, things: Iterable[tuple[str, Thing]], *, now_ms: int, but: str = ""
) -> None:
    """Open or settle what is found twice of things of transfers, by their codes."""
    named = {subject_of(code, thing): (code, thing) for code, thing in things}
    named.pop(but, None)
    if not named:
        return
    table = discrepancies.c
    query = select(discrepancies).where(
        table.subject.in_(sorted(named)),
        or_(
            and_(table.kind == BEFORE, table.state == "settled"),
            and_(table.kind == KIND, table.state == "open"),
        ),
    )
    rows = connection.execute(query).all()
    were_found = {row.subject for row in rows}
    transfers = find_transfers(connection, {named[subject][0] for subject in were_found})
    for subject in sorted(were_found):
        code, thing = named[subject]
        if code not in transfers or transfers[code].state in ENDED:
            continue
        already = [row for row in rows if row.kind == KIND and row.subject == subject]
        _judge(connection, code, thing, already, now_ms=now_ms)


def case_of_found(connection: Connection, row: Found) -> Case:
    """Return how much of what was found of a transfer's thing is there twice."""
    left = _left_micro(connection, row, _findings(connection, row.subject))
    return Case(kind=row.kind, excess_micro=left, gone=left <= 0)


def steps_to_unfind(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    """Return what takes back what was found, the newest first; what stays is posted again.

    Raises Conflict if nothing of it is too much, Unusable for more than that.
    """
    findings = _findings(connection, row.subject)
    left = _left_micro(connection, row, findings)
    return steps_of(connection, row, decision, _in_warehouse(findings, row.warehouse), left)


def _judge(
    connection: Connection, code: str, thing: Thing, already: Sequence[Found], *, now_ms: int
) -> None:
    findings = _findings(connection, subject_of(code, thing))
    under = _under_way(connection, code, thing)
    excess = _excess_micro(connection, findings, under)
    if excess <= 0:
        identities = [row.id for row in already]
        settle_discrepancies(connection, identities, settlement=ASKED_FOR, now_ms=now_ms)
        return
    if any(row.actual_micro == excess for row in already):
        return
    last = max(one.record_no for one in findings if one.stands)
    warehouse = next(one.fact.warehouse for one in findings if one.record_no == last)
    own = {one.fact for one in findings}
    fact = told_by(connection, max(one.record_no for one in under if one.fact not in own))
    finding = Finding(
        KIND,
        subject_of(code, thing),
        warehouse,
        fact.gateway,
        fact.epoch,
        fact.seq,
        fact.record_no,
        item=thing.item,
        location=place_of(IN_TRANSIT, document=code),
        lot=thing.lot,
        unit=thing.unit,
        document=code,
        expected_micro=filled_micro(findings),
        actual_micro=excess,
    )
    open_discrepancies(connection, [finding], now_ms=now_ms)


def _excess_micro(
    connection: Connection, findings: Sequence[Filling], under: Sequence[_Under]
) -> int:
    """Return how much more was found than was missing at any time when some was."""
    standing = [one for one in findings if one.stands]
    facts = _dated(connection, under, but={one.fact for one in findings})
    missing = [
        -sum(one.quantity_micro for one in facts if one.happened_ms <= found.dated_ms)
        for found in standing
    ]
    return filled_micro(standing) - max([0, *missing])


def _dated(
    connection: Connection, under: Sequence[_Under], *, but: set[FactKey]
) -> Iterator[_Under]:
    """Yield facts, each of the time of what it takes back or was posted for, if it was.

    but: facts that are left out, with what takes them back.
    """
    targets = _targets(connection, under)
    outside = sorted(set(targets.values()) - {one.fact for one in under})
    names = list(tables.facts.columns.keys())
    at, recorded = names.index("event_time_ms"), names.index("record_ms")
    rows = bulk.select_by_key(connection, tables.facts, outside, columns_count=4)
    times = {FactKey(*row[:4]): min(row[at], row[recorded]) for row in rows}
    gone = set(but)
    for one in under:
        target = targets.get(one.fact)
        if one.fact in gone or target in gone:
            gone.add(one.fact)
            continue
        happened_ms = one.happened_ms if target is None else times.get(target, one.happened_ms)
        times[one.fact] = happened_ms
        yield one._replace(happened_ms=happened_ms)


def _targets(connection: Connection, under: Sequence[_Under]) -> dict[FactKey, FactKey]:
    """Return what facts take back, or were posted for."""
    facts = {one.fact for one in under}
    marks = bulk.select_by_key(connection, tables.reversals, sorted(facts), columns_count=4)
    # A gateway takes back its own alone; the ledger those of any.
    taken_back = {FactKey(*row[:2], *row[4:]): FactKey(*row[:4]) for row in marks}
    taken_back |= {one._replace(gateway=OWN_GATEWAY): target for one, target in taken_back.items()}
    targets = {one.fact: one.meant for one in under if one.meant is not None}
    targets |= {fact: taken_back[fact] for fact in facts if fact in taken_back}
    return targets


def _left_micro(connection: Connection, row: Found, findings: Sequence[Filling]) -> int:
    """Return how much of what was found in the warehouse of a discrepancy is too much now."""
    under = _under_way(connection, row.document, _thing_of(row))
    there = filled_micro(_in_warehouse(findings, row.warehouse))
    return min(_excess_micro(connection, findings, under), there)


def _thing_of(row: Found) -> Thing:
    """Return the thing of a transfer that a discrepancy is about."""
    ends = "/".join(("", row.item, row.lot, ""))
    serial = row.subject.removeprefix(row.document + ends).removesuffix(f"/{row.unit}")
    return Thing(row.item, row.lot, serial, row.unit)


def _in_warehouse(findings: Sequence[Filling], warehouse: str) -> list[Filling]:
    return [one for one in findings if one.fact.warehouse == warehouse]


def _findings(connection: Connection, subject: str) -> list[Filling]:
    """Return what settlements found of a thing of a transfer, oldest first.

    What stays of one that is taken back is posted again, and is of the time of the first.
    """
    about = discrepancies.c
    query = settled_facts(about.kind.in_((BEFORE, KIND)), about.subject == subject)
    backs: dict[Settlement, list[FactKey]] = {}
    found: dict[FactKey, Filling] = {}
    for row in connection.execute(query):
        settlement, fact, line = (row[0], row[1]), FactKey(*row[2:6]), Line(*row[11:])
        if row[7]:
            backs.setdefault(settlement, []).append(FactKey(fact.warehouse, *row[6:9]))
        elif line.quantity_micro > 0 and line.location.startswith(f"{IN_TRANSIT}/"):
            quantity = line.quantity_micro
            found[fact] = Filling(line.record_no, fact, settlement, row[9], quantity, not row[10])
    dated: dict[FactKey, int] = {}
    for fact, one in sorted(found.items(), key=lambda item: item[1].record_no):
        before = [dated[back] for back in backs.get(one.settlement, ()) if back in dated]
        dated[fact] = min(before, default=one.dated_ms)
        found[fact] = one._replace(dated_ms=dated[fact])
    return sorted(found.values())


def _under_way(connection: Connection, code: str, thing: Thing) -> list[_Under]:
    """Return what facts of a transfer say of a thing."""
    lines, facts, behind = tables.lines.c, tables.facts.c, transfer_facts.c
    query = (
        select(lines.record_no, facts.warehouse, facts.gateway, facts.epoch, facts.seq)
        .add_columns(lines.quantity_micro, facts.event_time_ms, facts.record_ms)
        .add_columns(facts.clock_synced, facts.body)
        .join_from(
            transfer_facts,
            tables.lines,
            and_(lines.warehouse == behind.warehouse, lines.record_no == behind.record_no),
        )
        .join(
            tables.facts,
            and_(facts.warehouse == lines.warehouse, facts.record_no == lines.record_no),
        )
        .where(
            behind.transfer == code,
            lines.location == place_of(IN_TRANSIT, document=code),
            lines.item == thing.item,
            lines.lot == thing.lot,
            lines.serial == thing.serial,
            lines.unit == thing.unit,
        )
        .order_by(lines.record_no, lines.line_no)
        .limit(LINES_READ_MAX)
    )
    return [_under(row) for row in connection.execute(query)]


def _under(row: Found) -> _Under:
    is_known = row.clock_synced and row.event_time_ms <= row.record_ms
    fact = FactKey(row.warehouse, row.gateway, row.epoch, row.seq)
    happened_ms = row.event_time_ms if is_known else row.record_ms
    meant = _meant(row) if row.gateway == OWN_GATEWAY else None
    return _Under(row.record_no, fact, row.quantity_micro, happened_ms, meant)


def _meant(row: Found) -> FactKey | None:
    """Return what a fact of the ledger's own stands for."""
    fact = decode_fact(bytes(row.body))
    return meant_by(fact) if isinstance(fact, Movement) else None
