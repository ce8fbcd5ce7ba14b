"""What stood where at the end of a period, by what is dated before it. Edge of the database."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select, text

from central.ledger.entries import BalanceKey
from central.ledger.locations import is_virtual
from central.storage import tables
from central.storage.settlement_tables import periods
from central.storage.tables import DATED_SQL

# The ledger's own clock may have been put back by so much; what was recorded in this time before
# the end of a period is looked at one by one.
CLOCK_STEP_MS_MAX = 24 * 3600 * 1000
KEY = "warehouse, location, item, lot, serial, sscc, unit, status"
_LINE_KEY = ", ".join("l." + name for name in KEY.split(", "))


def sum_of(column: str) -> str:
    """Return the SQL of a sum, of whole units and millionths apart: see `central.ledger.sums`."""
    return f"CAST(SUM({column} / 1000000) * 1000000 + SUM({column} % 1000000) AS BIGINT)"


SUM, WEIGHT = sum_of("quantity_micro"), sum_of("weight_micro")
# What stands now, less what is dated after the end. Summed up, not joined: SQLite joins sums row by
# row. CROSS JOIN keeps its planner from beginning with the lines (sqlite.org/optoverview.html, 8),
# and the plus from reading, for each fact, all lines after :since instead of its own.
STOOD = f"""
    FROM (
        SELECT {KEY}, on_hand_micro AS quantity_micro, weight_micro FROM balances
        UNION ALL
        SELECT {_LINE_KEY}, -l.quantity_micro AS quantity_micro, -l.weight_micro AS weight_micro
        FROM facts f CROSS JOIN lines l
        WHERE f.record_no > :since AND {DATED_SQL} >= :through_ms
          AND l.warehouse = f.warehouse AND l.record_no = +f.record_no
    ) amounts
    GROUP BY {KEY}
"""  # noqa: S608 - made of our own constants
BELOW_ZERO = text(f"""
    SELECT {KEY}, {SUM} AS on_hand_micro
    {STOOD}
    HAVING {SUM} < 0
    ORDER BY {KEY}
""")


def read_from(connection: Connection, through_ms: int, *, last_no: int) -> int:
    """Return a record number up to which everything is dated before an end.

    last_no: of the last fact. Record numbers and times rise together, but for steps of the ledger's
    clock.
    """
    table, wanted_ms = tables.facts.c, through_ms - CLOCK_STEP_MS_MAX
    low, high = 0, last_no
    while low < high:
        middle = (low + high + 1) // 2
        recorded_ms = connection.execute(
            select(table.record_ms).where(table.record_no == middle)
        ).scalar_one()
        if recorded_ms < wanted_ms:
            low = middle
        else:
            high = middle - 1
    return low


def below_zero(connection: Connection, through_ms: int) -> Iterator[tuple[BalanceKey, int]]:
    """Yield places of warehouses that are below zero in the figures of an end, by key.

    Nothing for an end up to which a period is closed: its figures are kept, and stay.
    """
    closed = select(periods.c.number).where(periods.c.through_ms >= through_ms).limit(1)
    if connection.execute(closed).first() is not None:
        return
    last_no = connection.execute(select(func.max(tables.facts.c.record_no))).scalar_one() or 0
    since = read_from(connection, through_ms, last_no=last_no)
    rows = connection.execute(BELOW_ZERO, {"since": since, "through_ms": through_ms})
    for *key, on_hand_micro in rows:
        found = BalanceKey(*key)
        if not is_virtual(found.location):
            yield found, on_hand_micro
