"""Stock of an item at the end of each day, by warehouse. Edge of the database.

Counted back from what stands there now, so it agrees with the stock table to the last unit:

    balances now  -  what happened after the end of that day

A day ends at midnight of the reader's offset from UTC. What happened counts on its day, also if the
ledger heard of it later.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from central.contract.quantities import from_micro
from central.stock.moments import record_no_at
from central.stock.views import list_warehouses
from central.storage.line_blocks import first_lines, reach_of
from central.storage.places import PHYSICAL_LINE, physical
from central.storage.tables import facts, lines

DAY_MS = 86_400_000
DAYS_MAX = 400
MOVEMENTS_READ_MAX = 20_000  # Of one warehouse; 20,000 take 60 ms.

# Of itself SQLite, which has no statistics here, reads the balances of whole warehouses.
_INDEXED = {"sqlite": "INDEXED BY balances_item", "postgresql": ""}
_PRESENT = """
SELECT l.warehouse, l.unit, SUM(l.on_hand_micro) AS micro FROM balances AS l {indexed}
WHERE l.warehouse IN :codes AND l.item = :item AND {physical}
GROUP BY l.warehouse, l.unit
"""


@dataclass(frozen=True, slots=True)
class Closings:
    """One warehouse and unit. on_hand: one figure for each of `ItemDays.ends_ms`."""

    warehouse: str
    unit: str
    on_hand: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class ItemDays:
    """Stock of an item day by day.

    ends_ms: when each day ends, the last one is now. complete: False if the item moves so often
    that only part of the days asked for was counted back.
    """

    ends_ms: tuple[int, ...]
    rows: tuple[Closings, ...]
    complete: bool


def item_days(
    connection: Connection,
    item: str,
    *,
    now_ms: int,
    days: int,
    offset_ms: int = 0,
    read_max: int = MOVEMENTS_READ_MAX,
) -> ItemDays:
    """Return the stock of an item at the end of each of the last days, and now.

    At most DAYS_MAX days. Cost: one index range for each warehouse, at most `read_max` movements of
    it; the size of the ledger does not matter.
    """
    today = (now_ms + offset_ms) // DAY_MS
    first_day = today - min(max(days, 1), DAYS_MAX) + 1
    since = record_no_at(connection, first_day * DAY_MS - offset_ms)
    codes = [one.code for one in list_warehouses(connection)]
    present = _present(connection, item, codes)
    complete = True
    changes: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for warehouse in codes:
        reach = reach_of(
            connection,
            warehouse=warehouse,
            item=item,
            after=since,
            limit=read_max,
            newest_first=True,
        )
        if not reach.facts_count:
            continue
        # The newest movements of the item, then all of their lines.
        first = first_lines(
            connection, warehouses=[warehouse], items=[item], after=reach.record_no - 1
        )
        if reach.facts_count == read_max:
            complete = False
            first_ms = connection.execute(_first_ms(first)).scalar_one()
            first_day = max(first_day, (first_ms + offset_ms) // DAY_MS + 1)
        for row in connection.execute(_changes(first, offset_ms)):
            changes[warehouse, row.unit][row.day] = int(row.micro)
            present.setdefault((warehouse, row.unit), 0)
    shown = range(min(first_day, today), today + 1)
    rows = tuple(
        Closings(warehouse, unit, _back(micro, changes[warehouse, unit], shown))
        for (warehouse, unit), micro in sorted(present.items())
    )
    ends = [(day + 1) * DAY_MS - offset_ms for day in shown[:-1]]
    return ItemDays((*ends, now_ms), rows, complete)


def _first_ms(first: Subquery) -> Select[Any]:
    return select(func.min(facts.c.event_time_ms)).join_from(
        first, facts, facts.c.record_no == first.c.record_no
    )


def _changes(first: Subquery, offset_ms: int) -> Select[Any]:
    day = literal_column(f"(facts.event_time_ms + {offset_ms}) / {DAY_MS}", BigInteger).label("day")
    return (
        select(lines.c.unit, day, func.sum(lines.c.quantity_micro).label("micro"))
        .join_from(first, facts, facts.c.record_no == first.c.record_no)
        .join(
            lines,
            and_(lines.c.warehouse == first.c.warehouse, lines.c.record_no == first.c.record_no),
        )
        .where(physical(lines.c.location))
        .group_by(lines.c.unit, "day")
    )


def _present(connection: Connection, item: str, codes: list[str]) -> dict[tuple[str, str], int]:
    indexed = _INDEXED[connection.dialect.name]
    query = text(_PRESENT.format(indexed=indexed, physical=PHYSICAL_LINE))
    query = query.bindparams(bindparam("codes", expanding=True, type_=Text))
    found = connection.execute(query, {"codes": codes, "item": item})
    return {(row.warehouse, row.unit): int(row.micro) for row in found}


def _back(micro: int, changes: dict[int, int], shown: range) -> tuple[Decimal, ...]:
    # What a clock that was ahead puts after today is stock of today.
    later = sum(value for day, value in changes.items() if day > shown[-1])
    found, remaining = [], micro
    for day in reversed(shown):
        found.append(from_micro(remaining))
        remaining -= changes.get(day, 0) + (later if day == shown[-1] else 0)
    return tuple(reversed(found))
