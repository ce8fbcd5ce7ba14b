"""Counts, their lines and observations as rows. Edge of the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, func, select

from central.errors import NotThere
from central.ledger.entries import FactKey
from central.orders.counts.count_judging import Moment, Observed, Thing
from central.orders.counts.counts import OBSERVATIONS_COUNT_MAX, CountHead, CountLine, Limits, Rules
from central.storage import bulk, count_tables, liveness_tables, tables

FACTS_PER_SELECT_MAX = 500
# Where a corrected time comes from that may be days off: nothing but when it arrived is known.
BY_ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class Observation:
    """A count fact with its identity, and what it says."""

    key: FactKey
    said: Observed
    station: str


@dataclass(frozen=True, slots=True)
class CountFilter:
    """Which counts; "" is any."""

    warehouse: str = ""
    state: str = ""
    kind: str = ""
    plan: str = ""


def load_head(connection: Connection, code: str) -> CountHead:
    """Return a count without its lines. Raises NotThere."""
    found = find_head(connection, code)
    if found is None:
        raise NotThere(
            f"no count is called {code}",
            hint="Correct the code; the list shows all counts.",
            fields={"code": code},
        )
    return found


def find_head(connection: Connection, code: str) -> CountHead | None:
    """Return a count without its lines, None if there is none."""
    table = count_tables.counts
    row = connection.execute(select(table).where(table.c.code == code)).first()
    return None if row is None else _head(row)


def open_ad_hoc(
    connection: Connection, *, warehouse: str, gateway: str, since_ms: int
) -> CountHead | None:
    """Return the ad hoc count that a gateway is at, None if none was opened since then."""
    table = count_tables.counts
    row = connection.execute(
        select(table).where(
            table.c.warehouse == warehouse,
            table.c.state == "counting",
            table.c.kind == "ad_hoc",
            table.c.gateway == gateway,
            table.c.created_ms >= since_ms,
        )
    ).first()
    return None if row is None else _head(row)


def list_heads(
    connection: Connection, wanted: CountFilter, *, before: str, limit: int
) -> list[CountHead]:
    """Return counts by code, newest first. before: the last code of the page before, "" at first"""
    table = count_tables.counts
    query = select(table)
    for column, value in (
        (table.c.warehouse, wanted.warehouse),
        (table.c.state, wanted.state),
        (table.c.kind, wanted.kind),
        (table.c.plan, wanted.plan),
    ):
        if value:
            query = query.where(column == value)
    if before:
        query = query.where(table.c.code < before)
    rows = connection.execute(query.order_by(table.c.code.desc()).limit(limit))
    return [_head(row) for row in rows]


def store_head(connection: Connection, head: CountHead) -> CountHead:
    """Write a count, one version further; return it so."""
    raised = replace(head, version=head.version + 1)
    rules = raised.rules
    row = (
        raised.code,
        raised.warehouse,
        raised.kind,
        raised.state,
        raised.blind,
        raised.round,
        rules.rounds_max,
        *limits_row(rules),
        raised.plan,
        raised.gateway,
        raised.note,
        raised.reason,
        raised.created_by,
        raised.created_ms,
        raised.released_ms,
        raised.finished_ms,
        raised.ended_by,
        raised.ended_ms,
        raised.version,
    )
    bulk.upsert_rows(connection, count_tables.counts, [row])
    return raised


def limits_row(rules: Rules) -> tuple[int | None, ...]:
    """Return the limits in the order of the columns."""
    return tuple(
        value
        for limits in (rules.recount, rules.review)
        for value in (limits.percent_micro, limits.quantity_micro, limits.value_micro)
    )


def rules_of(row: RowMapping) -> Rules:
    """Return the rules in a row of `counts` or `count_plans`."""
    values = [row[name] for name in count_tables.LIMITS]
    return Rules(Limits(*values[:3]), Limits(*values[3:]), row["rounds_max"])


def load_lines(connection: Connection, code: str) -> dict[int, tuple[CountLine, ...]]:
    """Return what each round asks for, in order of the lines."""
    table = count_tables.count_lines
    rounds: dict[int, list[CountLine]] = {}
    rows = connection.execute(
        select(table).where(table.c.count == code).order_by(table.c.round, table.c.line)
    )
    for row in rows:
        line = CountLine(row.line, row.location, row.item, row.lot, row.part, row.empty)
        rounds.setdefault(row.round, []).append(line)
    return {number: tuple(lines) for number, lines in rounds.items()}


def store_lines(
    connection: Connection, code: str, lines: Iterable[CountLine], *, round_no: int
) -> None:
    """Write lines of a round."""
    rows = [
        (code, round_no, line.line, line.location, line.item, line.lot, line.part, line.empty)
        for line in lines
    ]
    bulk.upsert_rows(connection, count_tables.count_lines, rows)


def load_observations(connection: Connection, code: str) -> list[Observation]:
    """Return what was observed for a count, in the ledger's order; at most 20,000 facts."""
    table = count_tables.count_observations
    query = select(table).where(table.c.count == code).order_by(table.c.record_no)
    rows = connection.execute(query.limit(OBSERVATIONS_COUNT_MAX)).all()
    return _observations(connection, rows)


def list_observations(
    connection: Connection, code: str, *, after: int, limit: int
) -> list[Observation]:
    """Return observations with a record number above one, in the ledger's order."""
    table = count_tables.count_observations
    query = (
        select(table)
        .where(table.c.count == code, table.c.record_no > after)
        .order_by(table.c.record_no)
        .limit(limit)
    )
    return _observations(connection, connection.execute(query).all())


def count_observations(connection: Connection, code: str) -> int:
    """Return how many observations a count has."""
    table = count_tables.count_observations
    query = select(func.count()).select_from(table).where(table.c.count == code)
    return int(connection.execute(query).scalar_one())


def moments_at(connection: Connection, record_nos: Sequence[int]) -> dict[int, Moment]:
    """Return the moments of facts, with the times that the ledger has by now."""
    facts, late, boots = tables.facts.c, tables.unsynced_facts.c, liveness_tables.boots.c
    moments: dict[int, Moment] = {}
    for start in range(0, len(record_nos), FACTS_PER_SELECT_MAX):
        query = (
            select(
                facts.record_no,
                facts.event_time_ms,
                facts.clock_synced,
                facts.gateway,
                facts.epoch,
                facts.seq,
                late.offset_ms,
                boots.source,
            )
            .outerjoin(tables.unsynced_facts, late.record_no == facts.record_no)
            .outerjoin(
                liveness_tables.boots,
                (boots.gateway == late.gateway) & (boots.boot_id == late.boot_id),
            )
            .where(facts.record_no.in_(record_nos[start : start + FACTS_PER_SELECT_MAX]))
        )
        for row in connection.execute(query):
            corrected = row.offset_ms is not None and row.source not in {None, BY_ARRIVAL}
            moments[row.record_no] = Moment(
                row.record_no,
                row.event_time_ms,
                bool(row.clock_synced) or corrected,
                row.gateway,
                row.epoch,
                row.seq,
            )
    return moments


def _head(row: Row[Any]) -> CountHead:
    return CountHead(
        code=row.code,
        warehouse=row.warehouse,
        kind=row.kind,
        state=row.state,
        blind=bool(row.blind),
        round=row.round,
        rules=rules_of(row._mapping),
        plan=row.plan,
        gateway=row.gateway,
        note=row.note,
        reason=row.reason,
        created_by=row.created_by,
        created_ms=row.created_ms,
        released_ms=row.released_ms,
        finished_ms=row.finished_ms,
        ended_by=row.ended_by,
        ended_ms=row.ended_ms,
        version=row.version,
    )


def _observations(connection: Connection, rows: Sequence[Row[Any]]) -> list[Observation]:
    moments = moments_at(connection, [row.record_no for row in rows])
    return [
        Observation(
            FactKey(row.warehouse, row.gateway, row.epoch, row.seq),
            Observed(
                Thing(*(getattr(row, name) for name in count_tables.THING)),
                row.quantity_micro,
                row.book_micro,
                moments[row.record_no],
                row.operator,
                row.round,
                row.line,
                row.part,
                row.expiry_date,
            ),
            row.station,
        )
        for row in rows
    ]
