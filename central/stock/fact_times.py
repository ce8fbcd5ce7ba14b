"""When facts happened, by their record numbers. Edge of the database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from central.storage.tables import facts

NUMBERS_PER_SELECT_MAX = 500


@dataclass(frozen=True, slots=True)
class FactTime:
    """Times of one fact, in milliseconds. dated_ms: when it happened, at the latest its record.

    A clock that was not set says nothing: then it is the time of the record.
    """

    record_no: int
    record_ms: int
    dated_ms: int


def facts_at(connection: Connection, numbers: Collection[int]) -> Iterator[FactTime]:
    """Yield the times of those facts that are there."""
    wanted = sorted(set(numbers))
    table = facts.c
    for start in range(0, len(wanted), NUMBERS_PER_SELECT_MAX):
        query = select(
            table.record_no, table.record_ms, table.event_time_ms, table.clock_synced
        ).where(table.record_no.in_(wanted[start : start + NUMBERS_PER_SELECT_MAX]))
        for row in connection.execute(query):
            stated = row.event_time_ms if row.clock_synced else row.record_ms
            yield FactTime(row.record_no, row.record_ms, min(stated, row.record_ms))
