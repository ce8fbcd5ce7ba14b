"""How much went over the docks in the last hours. Edge of the database."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.stock.feed import last_record_no
from central.stock.moments import record_no_at
from central.storage.tables import facts

HOUR_MS = 3_600_000
HOURS = 24
FACTS_SCANNED_MAX = 200_000  # The newest; a day with more is told from where they begin.
GROUPS_MAX = 24 * 1000


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one gateway recorded in one hour. hour_ms: when it begins, in UTC.

    facts_count: labels, weighings and counts too; moved_count: goods that moved.
    """

    warehouse: str
    gateway: str
    hour_ms: int
    facts_count: int
    moved_count: int


def read_throughput(
    connection: Connection, *, now_ms: int, warehouse: str = ""
) -> list[Throughput]:
    """Return what was recorded in this hour and the 23 before, by gateway and hour."""
    begin_ms = now_ms - now_ms % HOUR_MS - (HOURS - 1) * HOUR_MS
    first_no = max(
        record_no_at(connection, begin_ms - 1), last_record_no(connection) - FACTS_SCANNED_MAX
    )
    table = facts.c
    hour = table.record_ms // HOUR_MS
    query = (
        select(
            table.warehouse,
            table.gateway,
            hour.label("hour"),
            func.count().label("facts_count"),
            func.count().filter(table.kind == "movement").label("moved_count"),
        )
        .where(table.record_no > first_no)
        .group_by(table.warehouse, table.gateway, hour)
        .order_by(table.warehouse, table.gateway, hour)
        .limit(GROUPS_MAX)
    )
    if warehouse:
        query = query.where(table.warehouse == warehouse)
    return [
        Throughput(row.warehouse, row.gateway, row.hour * HOUR_MS, row.facts_count, row.moved_count)
        for row in connection.execute(query)
    ]
