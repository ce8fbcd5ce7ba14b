"""Lists facts that came after the period of their date was closed. Edge of the database.

                 May            June           July
    closed          |              |
    fact of May     |    x                      late for May; June's figures have it
    fact of May     |              |     x      late for May and for June: neither has it

A row names the first period that a fact is too late for, and what is recorded after later ones
were closed is late for those too: their figures are of everything before their end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, and_, func, select

from central.contract.facts import Movement, Reversal
from central.contract.identifiers import SEQ_MAX
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.ledger.runs import Run
from central.orders.settling.period_book import list_periods
from central.orders.settling.periods import Period, counting_period, dated_ms, late_for
from central.storage import bulk, tables
from central.storage.settlement_tables import late_facts, periods

TOTALS_MAX = 1000
EVENT_TIME = attrgetter("event_time_ms")


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact that came late. counts_in: the period that counts it, None for the open one."""

    record_no: int
    warehouse: str
    dated_ms: int
    counts_in: str | None


@dataclass(frozen=True, slots=True)
class LateTotal:
    """What late facts changed of one item at one place, in 10^-6 units.

    weight_micro: in the item's unit of weight.
    """

    warehouse: str
    location: str
    item: str
    lot: str
    unit: str
    facts_count: int
    quantity_micro: int
    weight_micro: int


def follow_late(connection: Connection, posted: Posted) -> None:
    """List what of this posting came late; stock has it already, as it must.

    Costs nothing until a period is closed, and then one comparison a fact.
    """
    closed_ms = posted.state.closed_through_ms
    if not closed_ms:
        return
    late = list(_late(posted, closed_ms))
    if not late:
        return
    closed = list_periods(connection)
    rows = []
    for warehouse, record_no, dated_at_ms in late:
        period = late_for(closed, dated_at_ms=dated_at_ms, record_no=record_no)
        if period is not None:
            rows.append((warehouse, record_no, period.number, dated_at_ms))
    bulk.insert_rows(connection, late_facts, rows)


def list_late(
    connection: Connection, period: Period, *, after: int = 0, limit: int
) -> list[LateFact]:
    """Return facts that came too late for a period, as they came. after: record_no of the last."""
    closed = list_periods(connection)
    table = late_facts.c
    query = (
        select(table.record_no, table.warehouse, table.dated_ms)
        .where(_is_late_for(period), table.record_no > after)
        .order_by(table.record_no)
        .limit(limit)
    )
    return [
        LateFact(*row, _counts_in(closed, row.dated_ms, row.record_no))
        for row in connection.execute(query)
    ]


def total_late(connection: Connection, period: Period) -> list[LateTotal]:
    """Return what came too late for a period, summed by place and item; places alone.

    At most TOTALS_MAX, those that moved most first.
    """
    lines, late = tables.lines.c, late_facts.c
    quantity, weight = func.sum(lines.quantity_micro), func.sum(lines.weight_micro)
    query = (
        select(
            lines.warehouse,
            lines.location,
            lines.item,
            lines.lot,
            lines.unit,
            func.count(lines.record_no.distinct()),
            quantity,
            weight,
        )
        .join_from(
            late_facts,
            tables.lines,
            (lines.warehouse == late.warehouse) & (lines.record_no == late.record_no),
        )
        .where(_is_late_for(period))
        .group_by(lines.warehouse, lines.location, lines.item, lines.lot, lines.unit)
        .order_by(
            func.abs(quantity).desc(),
            func.abs(weight).desc(),
            *(lines.warehouse, lines.location, lines.item),
        )
    )
    found = []
    for row in connection.execute(query):
        if not is_virtual(row.location):
            amounts = int(row[6]), int(row[7])
            found.append(LateTotal(row[0], row[1], row[2], row[3], row[4], row[5], *amounts))
            if len(found) >= TOTALS_MAX:
                break
    return found


def count_late(connection: Connection, *, numbers: Sequence[int] | None = None) -> dict[int, int]:
    """Return how many facts came too late, by number of the period. numbers: of these alone."""
    table, closed = late_facts.c, periods.c
    too_late = and_(table.number <= closed.number, table.record_no > closed.closed_record_no)
    query = (
        select(closed.number, func.count())
        .join_from(periods, late_facts, too_late)
        .group_by(closed.number)
    )
    if numbers is not None:
        query = query.where(closed.number.in_(numbers))
    return {row[0]: row[1] for row in connection.execute(query)}


def _is_late_for(period: Period) -> ColumnElement[bool]:
    """Return the condition that a late fact is in no figures of a period that it is dated before.

    The end of a period is after those of all before it, and so is its closing.
    """
    table = late_facts.c
    return and_(table.number <= period.number, table.record_no > period.closed_record_no)


def _late(posted: Posted, closed_ms: int) -> Iterator[tuple[str, int, int]]:
    """Yield warehouse, record_no and date of facts that are dated in closed periods."""
    for run in posted.runs:
        if _earliest_ms(run) >= closed_ms:
            continue
        for index, fact in enumerate(run.read.facts):
            # Anything may be posted late; only what is dated by its own clock can count as late.
            if isinstance(fact, str) or fact.event_time_ms >= closed_ms:
                continue
            if isinstance(fact, Movement | Reversal):
                dated_at_ms = dated_ms(
                    event_time_ms=fact.event_time_ms,
                    clock_synced=fact.clock_synced,
                    record_ms=posted.now_ms,
                )
                yield run.warehouse, run.first_record_no + index, dated_at_ms


def _earliest_ms(run: Run) -> int:
    """Return the earliest time that a fact of a run states; nothing is slower than a loop here."""
    facts = run.read.facts
    try:
        return int(min(map(EVENT_TIME, facts)))
    except AttributeError:  # Some of them are bytes that are no fact.
        stated = (fact.event_time_ms for fact in facts if not isinstance(fact, str))
        return min(stated, default=SEQ_MAX)


def _counts_in(closed: list[Period], dated_at_ms: int, record_no: int) -> str | None:
    period = counting_period(closed, dated_at_ms=dated_at_ms, record_no=record_no)
    return period.code if period is not None else None
