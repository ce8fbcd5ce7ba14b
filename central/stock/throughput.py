"""How much the docks do, by gateway and hour of the day. Edge of the database."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, text

from central.stock.feed import last_record_no
from central.stock.moments import record_no_at
from central.storage.tables import facts

HOURS = 24
FACTS_READ_MAX = 200_000  # The newest ones; that many take 0.3 s.

_HOURLY = text("""
SELECT gateway, ((event_time_ms + :offset) / 3600000) % 24 AS hour, kind, COUNT(*) AS facts
FROM facts WHERE record_no > :first AND event_time_ms >= :since_ms
GROUP BY gateway, hour, kind
""")


@dataclass(frozen=True, slots=True)
class GatewayHours:
    """One gateway. movements, others: how many of each hour of the day, 0 to 23.

    movements: what changed stock, with what takes back; others: weighings, labels, passages ...
    """

    gateway: str
    movements: tuple[int, ...]
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Throughput:
    """All gateways that said something since a time, by code. since_ms: later than asked for if
    there were too many facts to read."""

    rows: tuple[GatewayHours, ...]
    since_ms: int
    complete: bool


def hourly_throughput(
    connection: Connection, *, since_ms: int, offset_ms: int = 0, read_max: int = FACTS_READ_MAX
) -> Throughput:
    """Return what happened since a time, by gateway and hour of the reader's day.

    Cost: the facts since then, at most `read_max`, by the index of record numbers.
    """
    first, oldest = record_no_at(connection, since_ms), last_record_no(connection) - read_max
    complete = first >= oldest
    if not complete:
        first = oldest
        told = facts.select().with_only_columns(facts.c.record_ms)
        since_ms = connection.execute(told.where(facts.c.record_no == first)).scalar_one()
    bounds = {"first": first, "since_ms": since_ms, "offset": offset_ms}
    sums: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([0] * HOURS, [0] * HOURS))
    for row in connection.execute(_HOURLY, bounds):
        moved, others = sums[row.gateway]
        (moved if row.kind in {"movement", "reversal"} else others)[row.hour] += row.facts
    rows = [GatewayHours(code, tuple(a), tuple(b)) for code, (a, b) in sorted(sums.items())]
    return Throughput(tuple(rows), since_ms, complete)
