"""Follows facts of transfers: phase, what came before it left. Edge of the database.

in-transit place of a thing, all warehouses together, after a posting
  < 0   received, and nobody said that it left: `received_before_shipped`, until the facts come
  > 0   under way
  != 0  and the transfer is finished: `moved_after_end`, until it is closed once more

once nothing of any line is left to ship, it is short of nothing (`reservation_short`), which is
looked for only of lines that lost something that was set aside
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import Connection, select

from central.contract.quantities import canonical_text, from_micro
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies, settle_where
from central.ledger.entries import DiscrepancyKind, Finding, GoodsKey, Line, PostedFact
from central.ledger.ledger import Posted
from central.ledger.locations import IN_TRANSIT, place_of
from central.ledger.opening import DocumentKey
from central.ledger.own_facts import OWN_GATEWAY
from central.orders.reserving.reservation_rows import lines_that_lost
from central.orders.reserving.shortages import settle_shortages
from central.orders.transfers.transfer_closing import Thing, remainders_of
from central.orders.transfers.transfer_store import (
    Standing,
    code_looks,
    counted_looks,
    find_transfers,
    observed,
    read_standing,
    transfer_facts,
    write_transfer,
)
from central.orders.transfers.transfers import ENDED, Transfer
from central.orders.transfers.transit_crossings import follow_crossings, subject_of
from central.orders.unnamed_excess import Asked, judge_unnamed
from central.storage import bulk, tables

KEYS_PER_SELECT_MAX = 100
BEFORE: DiscrepancyKind = "received_before_shipped"
ALL_LEFT = "all that it asks for has left"
AFTER: DiscrepancyKind = "moved_after_end"


@dataclass(frozen=True, slots=True)
class Moved:
    """One line at the in-transit place of a transfer, and the fact that it belongs to."""

    thing: Thing
    line: Line
    fact: PostedFact


def transfer_looks(
    documents: Sequence[DocumentKey], goods: Sequence[GoodsKey]
) -> list[bulk.Look | bulk.Led]:
    """Return what is looked up of transfers, of which goods leave or reach the in-transit place."""
    places = {location for _, location, *_ in goods}
    found = {code for _, code in documents if place_of(IN_TRANSIT, document=code) in places}
    if not found:
        return []
    codes = sorted(found)
    return [*code_looks(codes), *counted_looks(codes)]


def follow_transfers(connection: Connection, posted: Posted) -> None:
    """Bring transfers up to what was posted; costs nothing if no fact names a document."""
    moved: dict[str, list[Moved]] = {}
    for fact in posted.apart:
        for line in fact.lines if fact.document else ():
            if line.location == place_of(IN_TRANSIT, document=fact.document):
                thing = Thing(line.item, line.lot, line.serial, line.unit)
                moved.setdefault(fact.document, []).append(Moved(thing, line, fact))
    if not moved:
        return
    for code, transfer in sorted(find_transfers(connection, moved).items()):
        _follow(connection, posted, transfer, moved[code])


def _follow(
    connection: Connection, posted: Posted, transfer: Transfer, moved: Sequence[Moved]
) -> None:
    rows = {(transfer.code, one.line.record_no, one.line.warehouse) for one in moved}
    bulk.insert_missing_rows(connection, transfer_facts, sorted(rows))
    both = {transfer.source, transfer.destination}
    strayed = transfer.strayed or any(one.line.warehouse not in both for one in moved)
    known = replace(transfer, strayed=strayed)
    standing = read_standing(connection, known)
    left_ms = min(one.fact.happened_ms for one in moved)
    after = observed(known, standing, left_ms=left_ms)
    if after != transfer:
        write_transfer(connection, after)
    _settle_short(connection, posted, after, standing, moved)
    _judge_unnamed(connection, posted, after, standing, moved)
    remainders = remainders_of(standing.places)
    last = {one.thing: one for one in moved}
    findings = [
        _finding(connection, after, one, kind, remainders[thing])
        for thing, one in sorted(last.items())
        for kind in _kinds(after, moved, thing, remainders.get(thing, 0))
    ]
    open_discrepancies(connection, findings, now_ms=posted.now_ms)
    _settle(connection, posted, after, moved, remainders)
    lines = [(one.thing, one.line) for one in moved]
    follow_crossings(connection, posted, after, standing.places, lines)


def _kinds(
    transfer: Transfer, moved: Sequence[Moved], thing: Thing, remainder_micro: int
) -> list[DiscrepancyKind]:
    """Return what is to be opened about a thing, or counted once more if it is open."""
    if not remainder_micro:
        return []
    if transfer.state in ENDED:
        return [AFTER]
    taken = any(one.thing == thing and one.line.quantity_micro < 0 for one in moved)
    return [BEFORE] if remainder_micro < 0 and taken else []


def _finding(
    connection: Connection,
    transfer: Transfer,
    one: Moved,
    kind: DiscrepancyKind,
    remainder_micro: int,
) -> Finding:
    facts, record_no = tables.facts.c, one.line.record_no
    key = connection.execute(
        select(facts.gateway, facts.epoch, facts.seq).where(facts.record_no == record_no)
    ).one()
    if kind == BEFORE:
        detail = (
            f"{_text(-remainder_micro)} more received than {transfer.source} has shipped so far:"
            " its facts are still to come, or more arrived than left"
        )
    else:
        detail = f"the transfer was {transfer.state} before; close it once more, with reasons"
    return Finding(
        kind=kind,
        subject=subject_of(transfer.code, one.thing),
        warehouse=one.line.warehouse,
        gateway=key.gateway,
        epoch=key.epoch,
        seq=key.seq,
        record_no=record_no,
        item=one.thing.item,
        location=one.line.location,
        lot=one.thing.lot,
        unit=one.thing.unit,
        document=transfer.code,
        expected_micro=0,
        actual_micro=remainder_micro,
        detail=detail,
    )


def _settle(
    connection: Connection,
    posted: Posted,
    transfer: Transfer,
    moved: Sequence[Moved],
    remainders: Mapping[Thing, int],
) -> None:
    """Settle what is explained now, and say by which fact."""
    last = {one.thing: one for one in moved}
    moved_micro: Counter[Thing] = Counter()
    for one in moved:
        moved_micro[one.thing] += one.line.quantity_micro
    if transfer.state in ENDED:
        _settle_unknown(connection, posted, transfer)
    doubtful = [
        thing
        for thing in last
        if _may_be_open(transfer, remainders.get(thing, 0) - moved_micro[thing])
    ]
    if not doubtful:
        return
    open_ones = _open(connection, transfer, doubtful)
    for thing, one in sorted(last.items()):
        remainder = remainders.get(thing, 0)
        for identity, kind in open_ones.get(subject_of(transfer.code, thing), []):
            if remainder < 0 or (kind == AFTER and remainder):
                continue
            settle_discrepancies(
                connection, [identity], settlement=_why(one, remainder), now_ms=posted.now_ms
            )


def _settle_short(
    connection: Connection,
    posted: Posted,
    transfer: Transfer,
    standing: Standing,
    moved: Sequence[Moved],
) -> None:
    """Settle that goods were missing of a transfer, once nothing can be set aside for it."""
    waits = any(one.to_ship_micro for one in standing.figures.lines.values())
    left = any(
        one.line.warehouse == transfer.source and one.line.quantity_micro > 0 for one in moved
    )
    # It has left whole, or arrived whole as something else than what it asks for.
    if (left and not waits) or (waits and "reserve" not in transfer.possible):
        lines = lines_that_lost(connection, transfer.holder)
        settle_shortages(connection, lines, why=ALL_LEFT, now_ms=posted.now_ms)


def _judge_unnamed(
    connection: Connection,
    posted: Posted,
    transfer: Transfer,
    standing: Standing,
    moved: Sequence[Moved],
) -> None:
    """Judge what left the source without a number of a pick by what its lines ask for.

    So is what names one, where in all too much has left, or something came back.
    """
    figures = standing.figures.lines
    every = any(one.shipped_micro > one.requested_micro for one in figures.values())
    facts = {one.fact.record_no: one.fact for one in moved}
    judged = [
        fact
        for _, fact in sorted(facts.items())
        if fact.progress is not None
        and fact.progress[0].warehouse == transfer.source
        and (every or not fact.progress[0].line or fact.progress[1] > 0)
    ]
    if judged and transfer.state not in ENDED:
        asked = [Asked(one.expected, figures[one.line].shipped_micro) for one in standing.lines]
        there = {(transfer.source, transfer.code): asked}
        judge_unnamed(connection, posted, there, judged)


def _settle_unknown(connection: Connection, posted: Posted, transfer: Transfer) -> None:
    """That stations are not told of a finished transfer any more is no second matter."""
    why = f"{transfer.code} is a transfer that was {transfer.state} before: see {AFTER}"
    for finding in posted.findings:
        if (finding.kind, finding.subject) == ("unknown_document", transfer.code):
            settle_where(
                connection,
                kind="unknown_document",
                subject=transfer.code,
                settlement=why,
                now_ms=posted.now_ms,
                warehouse=finding.warehouse,
            )


def _may_be_open(transfer: Transfer, before_micro: int) -> bool:
    """Return whether something may be open about a thing that so much was under way of before."""
    return before_micro != 0 if transfer.state in ENDED else before_micro < 0


def _open(
    connection: Connection, transfer: Transfer, things: Sequence[Thing]
) -> dict[str, list[tuple[str, str]]]:
    table = tables.discrepancies.c
    found: dict[str, list[tuple[str, str]]] = {}
    subjects = [subject_of(transfer.code, thing) for thing in things]
    for start in range(0, len(subjects), KEYS_PER_SELECT_MAX):
        query = select(table.id, table.kind, table.subject).where(
            table.kind.in_([BEFORE, AFTER]),
            table.subject.in_(subjects[start : start + KEYS_PER_SELECT_MAX]),
            table.state == "open",
        )
        for row in connection.execute(query):
            found.setdefault(row.subject, []).append((row.id, row.kind))
    return found


def _why(one: Moved, remainder_micro: int) -> str:
    own = one.fact.gateway == OWN_GATEWAY
    who = "a decision at the desk" if own else f"{one.fact.gateway}'s fact"
    left = f"{_text(remainder_micro)} under way now" if remainder_micro else "nothing under way now"
    return f"{who} has come (record {one.line.record_no} of {one.line.warehouse}): {left}"


def _text(micro: int) -> str:
    return canonical_text(from_micro(micro))
