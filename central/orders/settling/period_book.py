"""Closes periods and keeps their figures. Edge of the database.

The figures of a period are the balances of everything that is dated in it or before it and was
recorded when it was closed. They are kept, and proved from the lines again.
"""

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, literal, select, text, tuple_

from central.contract.identifiers import parse_code
from central.errors import Conflict, NotThere
from central.ledger.desk import Change
from central.ledger.entries import BalanceKey
from central.orders.settling.period_figures import KEY, STOOD, SUM, WEIGHT, read_from
from central.orders.settling.period_points import open_points
from central.orders.settling.periods import (
    OpenPoint,
    Period,
    check_next,
    refuse_open,
)
from central.storage import bulk, tables
from central.storage.settlement_tables import period_balances, periods

KIND = "period"  # Of its events.
_KEYS = KEY.split(", ")
KEEP_BALANCES = text(f"""
    INSERT INTO period_balances
        (warehouse, number, location, item, lot, serial, sscc, unit, status, on_hand_micro,
         weight_micro)
    SELECT warehouse, :number, location, item, lot, serial, sscc, unit, status, {SUM}, {WEIGHT}
    {STOOD}
    HAVING {SUM} <> 0 OR {WEIGHT} <> 0
""")

_points = msgspec.json.Decoder(tuple[OpenPoint, ...])


def close_period(
    change: Change, *, code: str, through_ms: int, reason: str = "", anyway: bool = False
) -> Period:
    """Close the next period of the company, which ends before `through_ms`.

    anyway: although something is open; then `reason` says why. Raises Conflict with what is open,
    or for a period that is closed already, and Unusable.
    """
    parse_code(code, what="period")
    connection = change.connection
    closed = list_periods(connection)
    if any(period.code == code for period in closed):
        raise Conflict(
            f"period {code} is closed already",
            hint="Name the next period.",
            fields={"period": code},
        )
    last = closed[-1] if closed else None
    check_next(last, code=code, through_ms=through_ms, now_ms=change.now_ms)
    points = open_points(connection, through_ms=through_ms)
    refuse_open(points, anyway=anyway, reason=reason)
    period = Period(
        number=last.number + 1 if last else 1,
        code=code,
        through_ms=through_ms,
        closed_ms=change.now_ms,
        closed_record_no=change.state.record_no,
        actor=change.actor,
        reason=reason,
        open_points=tuple(points),
    )
    _write(connection, period)
    since = read_from(connection, through_ms, last_no=change.state.record_no)
    values = {"number": period.number, "since": since, "through_ms": through_ms}
    connection.execute(KEEP_BALANCES, values)
    closed_through = ("closed_through_ms", str(through_ms))
    bulk.upsert_rows(connection, tables.ledger_state, [closed_through])
    change.state = replace(change.state, closed_through_ms=through_ms)
    change.note(KIND, code, "closed", through_ms=through_ms, open_count=len(points))
    return period


def list_periods(
    connection: Connection, *, after: int = 0, limit: int | None = None
) -> list[Period]:
    """Return the closed periods, oldest first. after: number of the last one of the page before."""
    query = select(periods).where(periods.c.number > after)
    rows = connection.execute(query.order_by(periods.c.number).limit(limit))
    return [
        Period(
            number=row.number,
            code=row.period,
            through_ms=row.through_ms,
            closed_ms=row.closed_ms,
            closed_record_no=row.closed_record_no,
            actor=row.actor,
            reason=row.reason,
            open_points=_points.decode(row.open_json.encode()),
        )
        for row in rows
    ]


def find_period(connection: Connection, code: str) -> Period:
    """Return a closed period. Raises NotThere."""
    for period in list_periods(connection):
        if period.code == code:
            return period
    raise NotThere(f"no period {code!r} is closed", hint="List the periods for their codes.")


def list_balances(
    connection: Connection,
    period: Period,
    *,
    warehouse: str = "",
    item: str = "",
    after: BalanceKey | None = None,
    offset: int = 0,
    limit: int,
) -> list[tuple[BalanceKey, int, int]]:
    """Return what stood where at the end of a period by key, and its weight, in 10^-6 units.

    after: the last key of the page before; offset: how many rows pages before had.
    """
    table = period_balances.c
    columns = [table[name] for name in _KEYS]
    query = select(*columns, table.on_hand_micro, table.weight_micro).where(
        table.number == period.number
    )
    if warehouse:
        query = query.where(table.warehouse == warehouse)
    if item:
        query = query.where(table.item == item)
    if after is not None:
        query = query.where(tuple_(*columns) > tuple_(*map(literal, after)))
    rows = connection.execute(query.order_by(*columns).offset(offset).limit(limit))
    return [(BalanceKey(*row[:8]), row[8], row[9]) for row in rows]


def _write(connection: Connection, period: Period) -> None:
    row = (
        period.number,
        period.code,
        period.through_ms,
        period.closed_ms,
        period.closed_record_no,
        period.actor,
        period.reason,
        msgspec.json.encode(period.open_points).decode(),
    )
    bulk.insert_rows(connection, periods, [row])
