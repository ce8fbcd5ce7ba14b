"""Explains the in-transit place of a transfer, thing by thing, by its facts. Edge of the database.

Every line at the place in any warehouse is one of three, by where its other half is:

    a place of the source            shipped, less what came back there
    a place of another warehouse     received there
    a virtual place                  closed at the desk: lost, damaged, found
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select, tuple_

from central.contract.errors import ContractError
from central.contract.facts import decode_fact
from central.ledger.locations import IN_TRANSIT, is_virtual, place_of
from central.orders.transfers.transfer_closing import Thing
from central.orders.transfers.transfers import Transfer
from central.stock.moments import Moment
from central.storage import tables, transfer_tables

FACTS_TOLD_MAX = 20  # Of one thing; the newest.
LINES_READ_MAX = 100_000

lines = tables.lines
others = tables.lines.alias("others")
behind = transfer_tables.transfer_facts


@dataclass(frozen=True, slots=True)
class FactBehind:
    """One line at the place. location: where its other half is. quantity_micro: into transit."""

    record_no: int
    fact: str
    warehouse: str
    location: str
    sscc: str
    quantity_micro: int
    event_time_ms: int
    operator: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What is known of one thing; all in 10^-6 of its unit.

    received: by warehouse. since_ms: when the oldest of what is under way moved, 0 if nothing is.
    facts: the newest FACTS_TOLD_MAX of facts_count, oldest first.
    """

    thing: Thing
    shipped_micro: int
    received: Mapping[str, int]
    closed_micro: int
    facts_count: int
    since_ms: int = 0
    facts: tuple[FactBehind, ...] = ()

    @property
    def under_way_micro(self) -> int:
        """Return what left and is nowhere yet; below zero: came, and nobody said that it left."""
        return self.shipped_micro - sum(self.received.values()) - self.closed_micro


def list_under_way(
    connection: Connection,
    transfer: Transfer,
    *,
    after: Thing | None,
    limit: int,
    moment: Moment | None = None,
) -> list[UnderWay]:
    """Return every thing that was ever at the place, in order. after: the last one before.

    moment: as of when; None for now.
    """
    columns = (lines.c.item, lines.c.lot, lines.c.serial, lines.c.unit)
    by_then = _by_then(moment)
    query = _at_place(transfer, *columns).where(*by_then)
    query = query.distinct().order_by(*columns).limit(limit)
    if after is not None:
        query = query.where(tuple_(*columns) > tuple_(*after))
    things = [Thing(*row) for row in connection.execute(query)]
    if not things:
        return []
    ends = (tuple_(*columns) >= tuple_(*things[0]), tuple_(*columns) <= tuple_(*things[-1]))
    page = and_(*ends, *by_then)
    return _with_facts(connection, transfer, _sum_up(connection, transfer, things, page), page)


def _by_then(moment: Moment | None) -> list[ColumnElement[bool]]:
    """Return what lines that count as of a moment fulfil, as `central.stock.moments` has it."""
    if moment is None:
        return []
    if moment.event_ms is None:
        return [lines.c.record_no <= moment.sure_no]
    facts = tables.facts.alias("happened").c  # Beside those that a statement tells of.
    happened = select(facts.seq).where(
        facts.record_no == lines.c.record_no, facts.event_time_ms <= moment.event_ms
    )
    return [or_(lines.c.record_no <= moment.sure_no, happened.exists())]


def _at_place(transfer: Transfer, *columns: Any) -> Select[Any]:  # noqa: ANN401 - of any type
    """Return the statement of lines at the place of a transfer, in any warehouse."""
    at = and_(lines.c.warehouse == behind.c.warehouse, lines.c.record_no == behind.c.record_no)
    return (
        select(*columns)
        .join_from(behind, lines, at)
        .where(
            behind.c.transfer == transfer.code,
            lines.c.location == place_of(IN_TRANSIT, document=transfer.code),
            lines.c.quantity_micro != 0,  # A weight that was written off is no goods.
        )
    )


def _with_others(query: Select[Any]) -> Select[Any]:
    """Return the statement with the other half of each line beside it."""
    step = case((lines.c.line_no % 2 == 1, 1), else_=-1)
    half = and_(
        others.c.warehouse == lines.c.warehouse,
        others.c.record_no == lines.c.record_no,
        others.c.line_no == lines.c.line_no + step,
    )
    return query.join(others, half)


def _sum_up(
    connection: Connection,
    transfer: Transfer,
    things: Sequence[Thing],
    page: ColumnElement[bool],
) -> list[UnderWay]:
    columns = (
        *(lines.c.item, lines.c.lot, lines.c.serial, lines.c.unit),
        *(lines.c.warehouse, others.c.location),
    )
    moved = (func.sum(lines.c.quantity_micro), func.count())
    query = _with_others(_at_place(transfer, *columns, *moved)).where(page).group_by(*columns)
    shipped: Counter[Thing] = Counter()
    closed: Counter[Thing] = Counter()
    count: Counter[Thing] = Counter()
    received: defaultdict[Thing, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(query):
        thing, warehouse, quantity = Thing(*row[:4]), row[4], int(row[6])
        count[thing] += row[7]
        if is_virtual(row[5]):
            closed[thing] -= quantity
        elif warehouse == transfer.source:
            shipped[thing] += quantity
        else:
            received[thing][warehouse] -= quantity
    return [
        UnderWay(one, shipped[one], dict(received[one]), closed[one], count[one]) for one in things
    ]


def _with_facts(
    connection: Connection,
    transfer: Transfer,
    summed: Sequence[UnderWay],
    page: ColumnElement[bool],
) -> list[UnderWay]:
    facts = tables.facts
    columns = (
        *(lines.c.item, lines.c.lot, lines.c.serial, lines.c.unit),
        *(lines.c.record_no, lines.c.warehouse, lines.c.sscc, lines.c.quantity_micro),
        others.c.location,
        *(facts.c.gateway, facts.c.epoch, facts.c.seq, facts.c.event_time_ms, facts.c.body),
    )
    fact = and_(facts.c.warehouse == lines.c.warehouse, facts.c.record_no == lines.c.record_no)
    query = (
        _with_others(_at_place(transfer, *columns))
        .join(facts, fact)
        .where(page)
        .order_by(lines.c.record_no.desc(), lines.c.line_no.desc())
        .limit(LINES_READ_MAX)
    )
    newest_first: dict[Thing, list[Row[Any]]] = {}
    for row in connection.execute(query):
        newest_first.setdefault(Thing(*row[:4]), []).append(row)
    found = []
    for one in summed:
        rows = newest_first.get(one.thing, [])
        told = tuple(_fact_behind(row) for row in reversed(rows[:FACTS_TOLD_MAX]))
        found.append(replace(one, since_ms=_since_ms(one.under_way_micro, rows), facts=told))
    return found


def _since_ms(under_way_micro: int, newest_first: Sequence[Row[Any]]) -> int:
    """Return when the oldest fact came since which the thing was never at zero, 0 if it is now."""
    since_ms, standing = 0, under_way_micro
    for row in newest_first:
        if not standing:
            break
        since_ms = row.event_time_ms
        standing -= row.quantity_micro
    return since_ms


def _fact_behind(row: Row[Any]) -> FactBehind:
    try:
        operator = decode_fact(bytes(row.body)).operator
    except ContractError:
        operator = ""
    return FactBehind(
        record_no=row.record_no,
        fact=f"{row.gateway}/{row.epoch}/{row.seq}",
        warehouse=row.warehouse,
        location=row.location,
        sscc=row.sscc,
        quantity_micro=row.quantity_micro,
        event_time_ms=row.event_time_ms,
        operator=operator,
    )
