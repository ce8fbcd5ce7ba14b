"""Finds goods of a transfer that came as available and left as something else. Edge of SQL.

    BJ1 receives 5, SH1 has not told of them yet:    in_transit/TR-1    BJ1  -5 available
    SH1 tells that 5 left that it held:                                 SH1  +5 held

Who receives takes what is under way as it is there (the ledger's `transit_statuses`); what came
before its facts is available until they say otherwise. Then, and wherever else a thing of a
transfer is taken as available of which only other goods left, `moved_unavailable` tells the
warehouse that has them, until both books agree again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from central.contract.quantities import canonical_text, from_micro
from central.ledger.discrepancies import open_discrepancies, settle_where
from central.ledger.entries import DiscrepancyKind, Finding, Line
from central.ledger.ledger import Posted
from central.ledger.locations import IN_TRANSIT, place_of
from central.ledger.statuses import AVAILABLE
from central.orders.transfers.transfer_closing import AtPlace, Thing
from central.orders.transfers.transfer_store import transfer_facts
from central.orders.transfers.transfers import Transfer
from central.storage import tables

KIND: DiscrepancyKind = "moved_unavailable"
AGREED = "what was received has the status with which it left"

Sums = Mapping[Thing, Mapping[str, int]]


def subject_of(code: str, thing: Thing) -> str:
    """Return what discrepancies about a thing of a transfer are about."""
    return "/".join((code, *thing))


def crossed_micro(places: Sequence[AtPlace], thing: Thing) -> int:
    """Return how much of a thing was taken as available and left as something else."""
    return _crossed(_sums(places).get(thing, {}))


def follow_crossings(
    connection: Connection,
    posted: Posted,
    transfer: Transfer,
    places: Sequence[AtPlace],
    moved: Sequence[tuple[Thing, Line]],
) -> None:
    """Open or settle what is so since these lines; costs nothing where all is available.

    places: what is under way after them. moved: at the in-transit place.
    """
    if all(line.status == AVAILABLE for _, line in moved) and all(
        place.status == AVAILABLE for place in places
    ):
        return
    after = _sums(places)
    changes: dict[Thing, Counter[str]] = {}
    for thing, line in moved:
        changes.setdefault(thing, Counter())[line.status] += line.quantity_micro
    findings = []
    for thing, change in sorted(changes.items()):
        now = after.get(thing, {})
        statuses = {*now, *change}
        before = {status: now.get(status, 0) - change[status] for status in statuses}
        crossed, crossed_before = _crossed(now), _crossed(before)
        if crossed > crossed_before:
            last = max(line.record_no for _, line in moved)
            findings.append(_finding(connection, transfer, places, thing, last=last))
        elif crossed_before and not crossed:
            settle_where(
                connection,
                kind=KIND,
                subject=subject_of(transfer.code, thing),
                settlement=AGREED,
                now_ms=posted.now_ms,
            )
    open_discrepancies(connection, findings, now_ms=posted.now_ms)


def _sums(places: Sequence[AtPlace]) -> Sums:
    sums: dict[Thing, Counter[str]] = {}
    for place in places:
        sums.setdefault(place.thing, Counter())[place.status] += place.quantity_micro
    return sums


def _crossed(sums: Mapping[str, int]) -> int:
    others = sum(max(0, micro) for status, micro in sums.items() if status != AVAILABLE)
    return min(max(0, -sums.get(AVAILABLE, 0)), others)


def _finding(
    connection: Connection,
    transfer: Transfer,
    places: Sequence[AtPlace],
    thing: Thing,
    *,
    last: int,
) -> Finding:
    """Return a finding about the warehouse that took most of them as available.

    last: record number of what was posted last.
    """
    taken: Counter[str] = Counter()
    for place in places:
        if place.thing == thing and place.status == AVAILABLE:
            taken[place.warehouse] += place.quantity_micro
    warehouse = min(sorted(taken), key=lambda house: taken[house])
    statuses = sorted(
        status
        for status, micro in _sums(places)[thing].items()
        if status != AVAILABLE and micro > 0
    )
    location = place_of(IN_TRANSIT, document=transfer.code)
    crossed = crossed_micro(places, thing)
    fact = _first_taking(connection, transfer, thing, warehouse=warehouse, location=location)
    if fact is None:
        # It came before the transfer was there, whose facts are not listed for it: the last one.
        fact = _fact_at(connection, last)
    return Finding(
        kind=KIND,
        subject=subject_of(transfer.code, thing),
        warehouse=warehouse,
        gateway=fact.gateway,
        epoch=fact.epoch,
        seq=fact.seq,
        record_no=fact.record_no,
        item=thing.item,
        location=location,
        lot=thing.lot,
        unit=thing.unit,
        document=transfer.code,
        actual_micro=crossed,
        detail=f"{canonical_text(from_micro(crossed))} came as available that left as"
        f" {', '.join(statuses)}",
    )


def _first_taking(
    connection: Connection, transfer: Transfer, thing: Thing, *, warehouse: str, location: str
) -> Row[Any, Any, Any, Any] | None:
    """Return the first fact that took some of a thing as available."""
    lines, facts, listed = tables.lines.c, tables.facts.c, transfer_facts.c
    query = (
        select(facts.gateway, facts.epoch, facts.seq, facts.record_no)
        .join_from(
            transfer_facts,
            tables.lines,
            (lines.warehouse == listed.warehouse) & (lines.record_no == listed.record_no),
        )
        .join(tables.facts, facts.record_no == lines.record_no)
        .where(
            listed.transfer == transfer.code,
            listed.warehouse == warehouse,
            lines.location == location,
            *(lines[name] == value for name, value in thing._asdict().items()),
            lines.status == AVAILABLE,
            lines.quantity_micro < 0,
        )
        .order_by(lines.record_no)
        .limit(1)
    )
    return connection.execute(query).first()


def _fact_at(connection: Connection, record_no: int) -> Row[Any, Any, Any, Any]:
    facts = tables.facts.c
    query = select(facts.gateway, facts.epoch, facts.seq, facts.record_no)
    return connection.execute(query.where(facts.record_no == record_no)).one()
