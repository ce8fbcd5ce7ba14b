"""Everything about a discrepancy for whoever has to settle it. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import Connection, and_, case, func, select

from central.contract.identifiers import FactId, parse_epoch
from central.errors import NotThere
from central.ledger.entries import DiscrepancyKind
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_case import find_case
from central.orders.settling.discrepancy_facts import (
    KINDS_OF_FACTS,
    LINES_SCANNED_MAX,
    Found,
    numbers_behind,
    standing_behind,
)
from central.orders.settling.kind_rules import KIND_RULES, KindRule
from central.orders.settling.line_matches import offered_of
from central.orders.settling.reversed_units import is_of_reversal
from central.orders.settling.settlement_advice import Advice, advise, advise_further
from central.orders.settling.settlement_choice import at_once, choose
from central.orders.settling.settlement_proposals import (
    MOVING,
    Proposal,
    propose,
)
from central.orders.settling.settlement_reserving import case_of_reservation
from central.orders.settling.settlement_steps import MovedFact, Standing
from central.orders.settling.settlements import KINDS_OF_EXCESS, KINDS_UNASKED
from central.stock.feed import list_numbered
from central.stock.rows import DiscrepancyRow, MovementRow
from central.stock.states import find_discrepancy
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies, settlement_facts, settlements

FACTS_SHOWN_MAX = 50
DAY_MS = 24 * 3600 * 1000
WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A decision of somebody. facts: of the ledger's own that it posted, in order."""

    number: int
    action: str
    reason: str
    actor: str
    at_ms: int
    facts: tuple[FactId, ...]


@dataclass(frozen=True, slots=True)
class DiscrepancyDetail:
    """A discrepancy with its evidence. facts: those that were found, at most FACTS_SHOWN_MAX.

    unread: bytes of the first fact where they are no fact, None else. proposals: best first, none
    for one that is settled. advice: what somebody has to do or to say about it.
    """

    row: DiscrepancyRow
    rule: KindRule
    facts: tuple[MovementRow, ...]
    unread: bytes | None
    settlements: tuple[SettlementRow, ...]
    proposals: tuple[Proposal, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class OpenCount:
    """How many discrepancies of a kind are open in a warehouse, by age.

    overdue_count: whose day is over. unowned_count: that nobody sees to.
    """

    warehouse: str
    kind: DiscrepancyKind
    open_count: int
    within_day_count: int
    within_week_count: int
    older_count: int
    overdue_count: int
    unowned_count: int


def read_detail(connection: Connection, identity: str, *, now_ms: int) -> DiscrepancyDetail:
    """Return a discrepancy with everything that is known of it. Raises NotThere."""
    row = find_discrepancy(connection, identity)
    if row is None:
        raise NotThere(
            f"no discrepancy has the id {identity!r}", hint="Take the id from the list of them."
        )
    kind = cast(DiscrepancyKind, row.kind)
    stored = connection.execute(select(discrepancies).where(discrepancies.c.id == identity)).one()
    numbers = numbers_behind(connection, stored, limit=FACTS_SHOWN_MAX)
    proposals: tuple[Proposal, ...] = ()
    advice: tuple[Advice, ...] = ()
    if row.state == "open":
        standing = Standing([])
        if row.kind in KINDS_OF_FACTS and not is_of_reversal(stored):
            standing = standing_behind(connection, stored)
        case_now = _case_now(connection, stored, standing.facts, now_ms=now_ms)
        proposals, advice = propose(case_now), advise(case_now)
        if len(standing.facts) > len(at_once(standing.facts)):
            proposals = _in_parts(connection, stored, standing, proposals)
        if standing.is_cut:
            advice = (*advice, advise_further(case_now, looked_at=LINES_SCANNED_MAX))
    return DiscrepancyDetail(
        row=row,
        rule=KIND_RULES[kind],
        facts=tuple(list_numbered(connection, numbers)),
        unread=_unread(connection, stored),
        settlements=_settlements(connection, identity),
        proposals=proposals,
        advice=advice,
    )


def _case_now(
    connection: Connection, row: Found, standing: Sequence[MovedFact], *, now_ms: int
) -> Case:
    """Return what is known of an open discrepancy. standing: of the facts behind it."""
    if row.kind == "reservation_short":
        return case_of_reservation(connection, row, now_ms=now_ms)
    found = find_case(connection, row)
    if row.kind not in KINDS_OF_FACTS or is_of_reversal(row):
        return found
    if not standing:
        is_left = row.kind == "transit_unnamed" and not found.gone
        return replace(found, gone=not (found.is_twice or found.dates or is_left))
    is_newest = row.kind in KINDS_OF_EXCESS | KINDS_UNASKED
    offered = offered_of(standing, item=row.item) if row.kind in KINDS_UNASKED else standing
    total = sum(fact.quantity_micro for fact in offered)
    part = at_once(offered, newest=is_newest)
    return replace(
        found,
        gone=found.gone and row.kind == "transit_unnamed",
        excess_micro=min(found.excess_micro, total),
        moved_micro=total,
        unit=found.unit or standing[0].unit,
        told_location=_places([one.movement.to_location for one in standing], row),
        at_once_micro=sum(fact.quantity_micro for fact in part),
        from_location=_places([one.movement.from_location for one in part], row),
        to_location=_places([one.movement.to_location for one in reversed(part)], row),
    )


def _in_parts(
    connection: Connection, row: Found, standing: Standing, proposals: Sequence[Proposal]
) -> tuple[Proposal, ...]:
    """Return proposals that say it where they settle a part of what they are about."""
    excess_micro = find_case(connection, row).excess_micro
    found = []
    for one in proposals:
        if one.decision.action in MOVING:
            chosen = choose(connection, row, one.decision, standing.facts)
            waiting_count = chosen.waiting_count(row, one.decision, excess_micro=excess_micro)
            if waiting_count:
                count = len(chosen.facts)
                one = _told_part(
                    one, count=count, of_count=count + waiting_count, at_least=standing.is_cut
                )
        found.append(one)
    return tuple(found)


def _told_part(proposal: Proposal, *, count: int, of_count: int, at_least: bool) -> Proposal:
    """Return a proposal that says how many of the movements that it is about it settles.

    at_least: they may be more than that.
    """
    which = "newest" if proposal.decision.quantity_micro is not None else "oldest"
    least = "at least " if at_least else ""
    part = f"It settles the {which} {count} of {least}{of_count} movements; the rest stays open."
    return Proposal(proposal.decision, f"{proposal.why} {part}")


def _places(places: Sequence[str], row: Found) -> str:
    """Return the places of facts in words; of a serial number, which goes on and on, the first."""
    return places[0] if row.kind == "serial_twice" else ", ".join(sorted(set(places)))


def count_open(connection: Connection, *, now_ms: int, warehouse: str = "") -> list[OpenCount]:
    """Return how many are open, by warehouse and kind."""
    table = discrepancies.c
    young, new = table.opened_ms >= now_ms - WEEK_MS, table.opened_ms >= now_ms - DAY_MS
    overdue = and_(table.due_ms > 0, table.due_ms < now_ms)
    query = (
        select(
            table.warehouse,
            table.kind,
            func.count().label("open_count"),
            func.sum(case((new, 1), else_=0)).label("new_count"),
            func.sum(case((young, 1), else_=0)).label("young_count"),
            func.sum(case((overdue, 1), else_=0)).label("overdue_count"),
            func.sum(case((table.owner == "", 1), else_=0)).label("unowned_count"),
        )
        .where(table.state == "open")
        .group_by(table.warehouse, table.kind)
        .order_by(table.warehouse, table.kind)
    )
    if warehouse:
        query = query.where(table.warehouse == warehouse)
    return [
        OpenCount(
            warehouse=row.warehouse,
            kind=cast(DiscrepancyKind, row.kind),
            open_count=row.open_count,
            within_day_count=row.new_count,
            within_week_count=row.young_count - row.new_count,
            older_count=row.open_count - row.young_count,
            overdue_count=row.overdue_count,
            unowned_count=row.unowned_count,
        )
        for row in connection.execute(query)
    ]


def _unread(connection: Connection, row: Found) -> bytes | None:
    if row.kind != "unreadable_fact":
        return None
    key = (row.warehouse, row.gateway, row.epoch, row.seq)
    for found in bulk.select_by_key(connection, tables.facts, [key], columns_count=4):
        return bytes(found[5])
    return None


def _settlements(connection: Connection, identity: str) -> tuple[SettlementRow, ...]:
    own = settlement_facts.c
    facts: dict[int, list[FactId]] = {}
    query = select(settlement_facts).where(own.discrepancy == identity).order_by(own.epoch, own.seq)
    for row in connection.execute(query):
        fact = FactId(gateway=row.gateway, epoch=parse_epoch(row.epoch), seq=row.seq)
        facts.setdefault(row.number, []).append(fact)
    decided = (
        select(settlements)
        .where(settlements.c.discrepancy == identity)
        .order_by(settlements.c.number)
    )
    return tuple(
        SettlementRow(
            number=row.number,
            action=row.action,
            reason=row.reason,
            actor=row.actor,
            at_ms=row.at_ms,
            facts=tuple(facts.get(row.number, ())),
        )
        for row in connection.execute(decided)
    )
