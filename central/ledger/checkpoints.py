"""Copies balances now and then, so that views of the past need few lines. Edge of the database.

    checkpoint 1,800,000      checkpoint 3,600,000      present 4,100,000
          |--- lines --->|<--- lines ---|                      |
                     asked for

The stock after any record number is the nearest copy and the lines between. A copy is made from one
state of the ledger while postings go on, and counts once it is whole.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, delete, func, select, text, update

from central.clock import Clock
from central.ledger.fact_check import Fault
from central.ledger.item_sums import (
    ItemSums,
    alone,
    booked_warehouses,
    forget_item_sums,
    item_sum_faults,
)
from central.ledger.state import read_state
from central.storage import bulk
from central.storage.checkpoint_tables import (
    DAY_MS,
    LATE_DAYS,
    checkpoint_balances,
    checkpoints,
    late_days,
    upkeep_progress,
)
from central.storage.database import Database
from central.storage.tables import LATE, balances

# A copy is made when so many facts came since the last one, and twice as many as it has rows: so
# copies never take more than a quarter of the space of lines.
FACTS_PER_CHECKPOINT_MIN = 250_000
FACTS_PER_ROW_MIN = 2
ROWS_AT_ONCE_MAX = 5_000  # Of a copy, in one transaction: about 20 ms.
FACTS_AT_ONCE_MAX = 20_000  # Looked at for late days, in one tick.
FAULTS_MAX = 1_000
COPYING = "checkpoint"

_KEY = "location, item, lot, serial, sscc, unit, status"
_LATE_SQL = {
    dialect: text(
        f"SELECT warehouse, event_time_ms / {DAY_MS} AS event_day,"  # noqa: S608 - ours
        f" MAX(record_ms) / {DAY_MS} AS record_day FROM facts"
        f" WHERE record_no > :after AND record_no <= :until AND {LATE} AND clock_synced = {true}"
        f" AND record_ms / {DAY_MS} > event_time_ms / {DAY_MS} GROUP BY 1, 2"
    )
    for dialect, true in (("sqlite", "1"), ("postgresql", "true"))
}
_DIFFERENCES_SQL = """
SELECT {key}, SUM(micro) AS micro, SUM(weight) AS weight FROM (
    SELECT {key}, on_hand_micro AS micro, weight_micro AS weight FROM checkpoint_balances
    WHERE warehouse = :warehouse AND record_no = :begin
    UNION ALL
    SELECT {key}, quantity_micro, weight_micro FROM lines
    WHERE warehouse = :warehouse AND record_no > :begin AND record_no <= :end
    UNION ALL
    SELECT {key}, -on_hand_micro, -weight_micro FROM {table}
    WHERE warehouse = :warehouse {at_end}
) AS parts GROUP BY {key} HAVING SUM(micro) <> 0 OR SUM(weight) <> 0 LIMIT :faults
"""


class Checkpoints:
    """Follows the ledger from behind. One thread of one process calls `tick`."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        facts_min: int = FACTS_PER_CHECKPOINT_MIN,
        facts_per_row: int = FACTS_PER_ROW_MIN,
        rows_at_once: int = ROWS_AT_ONCE_MAX,
    ) -> None:
        self._database = database
        self._sums = ItemSums(
            database,
            facts_min=facts_min,
            facts_per_row=facts_per_row,
            rows_at_once=rows_at_once,
        )
        self._clock = clock
        self._facts_min = facts_min
        self._facts_per_row = facts_per_row
        self._rows_at_once = rows_at_once

    def tick(self) -> bool:
        """Follow some of the facts, make a copy if it is due; return False if there is more.

        Raises LedgerUnavailable; what was done until then stays.
        """
        if not self._follow_late_days():
            return False
        self._copy_if_due()
        return self._sums.tick()

    def _follow_late_days(self) -> bool:
        with self._database.read() as connection:
            after = progress_of(connection, LATE_DAYS)
            head = read_state(connection).record_no
            until = min(head, after + FACTS_AT_ONCE_MAX)
            if until == after:
                return True
            bounds = {"after": after, "until": until}
            found = connection.execute(_LATE_SQL[connection.dialect.name], bounds).all()
        with self._database.write() as connection:
            keys = [(row.warehouse, row.event_day) for row in found]
            known = {
                (row[0], row[1]): row[2]
                for row in bulk.select_by_key(connection, late_days, keys, columns_count=2)
            }
            rows = [
                (
                    row.warehouse,
                    row.event_day,
                    max(row.record_day, known.get((row.warehouse, row.event_day), 0)),
                )
                for row in found
            ]
            bulk.upsert_rows(connection, late_days, sorted(rows))
            _set_progress(connection, LATE_DAYS, until)
        return until == head

    def _copy_if_due(self) -> None:
        with self._database.read() as connection:
            if not alone(connection):
                return
            head = read_state(connection).record_no
            last, last_count = _last(connection)
            facts_count = head - last
            if facts_count < self._facts_min or facts_count < last_count * self._facts_per_row:
                return
            present = (
                select(func.count()).select_from(balances).where(balances.c.on_hand_micro != 0)
            )
            if facts_count < connection.execute(present).scalar_one() * self._facts_per_row:
                return
            self._begin(head, warehouses=booked_warehouses(connection))
            count = 0
            for rows in self._present_rows(connection, head):
                with self._database.write() as writing:
                    bulk.insert_rows(writing, checkpoint_balances, rows)
                count += len(rows)
            with self._database.write() as writing:
                if _move_copying(writing, head, to=0):  # Nobody has forgotten it meanwhile.
                    bulk.upsert_rows(writing, checkpoints, [(head, self._clock.now_ms(), count)])

    def _begin(self, record_no: int, *, warehouses: Sequence[str]) -> None:
        """Note which copy is being made; take away what an interrupted one has left."""
        table = checkpoint_balances.c
        with self._database.write() as connection:
            for left in {abs(progress_of(connection, COPYING)), record_no} - {0}:
                for warehouse in warehouses:
                    connection.execute(
                        delete(checkpoint_balances).where(
                            table.warehouse == warehouse, table.record_no == left
                        )
                    )
            _set_progress(connection, COPYING, record_no)

    def _present_rows(self, connection: Connection, record_no: int) -> Iterator[list[bulk.Row]]:
        column = balances.c
        query = (
            select(
                column.warehouse,
                column.location,
                column.item,
                column.lot,
                column.serial,
                column.sscc,
                column.unit,
                column.status,
                column.on_hand_micro,
                column.weight_micro,
            )
            .where((column.on_hand_micro != 0) | (column.weight_micro != 0))
            .order_by(*balances.primary_key.columns)
        )
        found = connection.execute(query, execution_options={"yield_per": self._rows_at_once})
        for partition in found.partitions():
            yield [(row[0], record_no, *row[1:]) for row in partition]


def progress_of(connection: Connection, task: str) -> int:
    """Return the record number up to which a task has come, 0 if it never began."""
    table = upkeep_progress.c
    found = connection.execute(select(table.record_no).where(table.task == task))
    return found.scalar_one_or_none() or 0


def forget_checkpoints(connection: Connection) -> None:
    """Delete copies and sums, e.g. when balances turn out to have been wrong; they come anew.

    A copy that is being made will not count: what it copies was wrong.
    """
    if copied := progress_of(connection, COPYING):
        _move_copying(connection, copied, to=-abs(copied))
    connection.execute(delete(checkpoints))
    connection.execute(delete(checkpoint_balances))
    forget_item_sums(connection)


def checkpoint_faults(connection: Connection) -> Iterator[Fault]:
    """Yield where a copy is not what lines make of the copy before it, or of the present.

    And where the sums of an item are not.
    """
    yield from item_sum_faults(connection)
    moments = connection.execute(select(checkpoints.c.record_no).order_by("record_no")).scalars()
    ends: list[int | None] = [*moments, None]
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        if end is None and not begin:
            return  # There is no copy; balances are proved against lines elsewhere.
        yield from _differences(connection, begin or 0, end)


def _differences(connection: Connection, begin: int, end: int | None) -> Iterator[Fault]:
    table = "balances" if end is None else "checkpoint_balances"
    at_end = "" if end is None else "AND record_no = :end"
    query = text(_DIFFERENCES_SQL.format(key=_KEY, table=table, at_end=at_end))
    last = read_state(connection).record_no if end is None else end
    for warehouse in booked_warehouses(connection):
        bounds = {"warehouse": warehouse, "begin": begin, "end": last, "faults": FAULTS_MAX}
        for row in connection.execute(query, bounds):
            subject = "/".join((warehouse, *row[:7]))
            what = f"copy at {end}" if end is not None else f"copy at {begin}"
            detail = f"{what} is off by {abs(row.micro)}, in weight by {abs(row.weight)} (micro)"
            yield Fault("checkpoint", subject, detail)


def _last(connection: Connection) -> tuple[int, int]:
    table = checkpoints.c
    row = connection.execute(
        select(table.record_no, table.balances_count).order_by(table.record_no.desc()).limit(1)
    ).first()
    return (row.record_no, row.balances_count) if row is not None else (0, 0)


def _set_progress(connection: Connection, task: str, record_no: int) -> None:
    bulk.upsert_rows(connection, upkeep_progress, [(task, record_no)])


def _move_copying(connection: Connection, copied: int, *, to: int) -> bool:
    """Say of the copy in hand that it is done (0) or forgotten (less than 0).

    Returns False if somebody else has, for whom the database waits here.
    """
    table = upkeep_progress
    moved = update(table).where(table.c.task == COPYING, table.c.record_no == copied)
    return bool(connection.execute(moved.values(record_no=to)).rowcount)
