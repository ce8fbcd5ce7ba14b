"""Which facts count towards the stock as of a moment. Edge of the database.

A moment by the ledger's time is a record number. A moment by the time at which things happened is
a record number, less or more what did not come in that order:

       facts before `sure_no`      facts up to `near_no`          facts beyond
    -------------------------|----------------------------|--------------------------->
       all count                 those that happened by then   of these only the late ones that
                                                               happened by then

Ten minutes on either side of the moment are looked at fact by fact. A fact that came later than ten
minutes after it happened is found by an index of late ones, within the days that `late_days` names.
A clock that was set, and was more than ten minutes ahead, counts from when the ledger heard of it.

A moment may be as it was known at a later time, e.g. when a period was closed: nothing that was
recorded after that counts, and facts are dated as closed periods date them (`DATED_SQL`). Then it
is exactly what the figures of that period are.
"""

from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection, func, select

from central.stock.feed import last_record_no
from central.storage.checkpoint_tables import (
    DAY_MS,
    ITEM_SUMS,
    LATE_DAYS,
    checkpoints,
    item_sums,
    late_days,
    upkeep_progress,
)
from central.storage.settlement_tables import periods
from central.storage.tables import facts

NEAR_MS = 600_000  # As the index of late facts has it.
TimeKind = Literal["event", "record"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What counts as of a moment.

    sure_no: all facts up to it count. event_ms: None if nothing else does; else also those after it
    that happened by event_ms: of record numbers up to near_no any, beyond it late ones, which
    happened at late_from_ms or after. followed_no: late days are known up to this record number.
    known_no: nothing after it counts, and facts are dated as closed periods do; None for all.
    """

    sure_no: int
    event_ms: int | None = None
    near_no: int = 0
    late_from_ms: int = 0
    followed_no: int = 0
    known_no: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A state of the ledger of which balances are kept. checkpoint: False for the present."""

    record_no: int
    checkpoint: bool


def moment_at(
    connection: Connection,
    time_ms: int,
    *,
    kind: TimeKind,
    warehouse: str,
    recorded_ms: int | None = None,
) -> Moment:
    """Return what counts in a warehouse as of a time, "" for all warehouses.

    kind: "record" for what the ledger knew then, "event" for what had happened by then.
    recorded_ms: of that only what the ledger knew by this time, None for all that it knows.
    """
    if kind == "record":
        return Moment(record_no_at(connection, min(time_ms, recorded_ms or time_ms)))
    if recorded_ms is not None:
        known_no = _known_at(connection, recorded_ms, time_ms=time_ms)
        moment = moment_at(connection, time_ms, kind=kind, warehouse=warehouse)
        sure_no, near_no = min(moment.sure_no, known_no), min(moment.near_no, known_no)
        return replace(moment, sure_no=sure_no, near_no=near_no, known_no=known_no)
    sure_no = record_no_at(connection, time_ms - NEAR_MS)
    near_no = record_no_at(connection, time_ms + NEAR_MS)
    late = late_days.c
    query = select(func.min(late.event_day)).where(
        late.event_day <= time_ms // DAY_MS, late.record_day >= time_ms // DAY_MS
    )
    if warehouse:
        query = query.where(late.warehouse == warehouse)
    first_day = connection.execute(query).scalar_one()
    # What came late on one day is in no row of late days: it happened on the day of the moment.
    day = min(time_ms // DAY_MS, first_day if first_day is not None else time_ms // DAY_MS)
    return Moment(sure_no, time_ms, near_no, day * DAY_MS, followed_no=_come(connection, LATE_DAYS))


def record_no_at(connection: Connection, time_ms: int) -> int:
    """Return the last record number that the ledger had given by a time of its own clock.

    Found by halving: the ledger's clock hardly ever goes back, and then by little.
    """
    low, high = 0, last_record_no(connection)
    while low < high:
        middle = (low + high + 1) // 2
        at = select(facts.c.record_ms).where(facts.c.record_no == middle)
        if connection.execute(at).scalar_one() <= time_ms:
            low = middle
        else:
            high = middle - 1
    return low


def _known_at(connection: Connection, recorded_ms: int, *, time_ms: int) -> int:
    """Return the last record number by a time; of a closing, the last that it knew.

    In the millisecond of a closing more may have been recorded after it. Of several closings in it
    that of the period which ends with `time_ms` is meant, else the last.
    """
    table = periods.c
    closed = connection.execute(
        select(table.closed_record_no)
        .where(table.closed_ms == recorded_ms)
        .order_by((table.through_ms == time_ms + 1).desc(), table.number.desc())
        .limit(1)
    ).scalar_one_or_none()
    return record_no_at(connection, recorded_ms) if closed is None else closed


def nearest_anchor(connection: Connection, record_no: int) -> Anchor:
    """Return the kept state from which the fewest lines lead to a record number."""
    present = last_record_no(connection)
    anchors = [Anchor(present, checkpoint=False), Anchor(0, checkpoint=True)]
    column = checkpoints.c.record_no
    for query in (
        select(func.max(column)).where(column <= record_no),
        select(func.min(column)).where(column >= record_no),
    ):
        found = connection.execute(query).scalar_one()
        if found is not None:
            anchors.append(Anchor(found, checkpoint=True))
    return min(anchors, key=lambda anchor: abs(anchor.record_no - record_no))


def nearest_sums(connection: Connection, record_no: int) -> Anchor:
    """Return the nearest moment of which sums of items are kept, the beginning if none are."""
    column, until = item_sums.c.record_no, _come(connection, ITEM_SUMS)
    found = [0]
    for query in (
        select(func.max(column)).where(column <= min(record_no, until)),
        select(func.min(column)).where(column >= record_no, column <= until),
    ):
        found.append(connection.execute(query).scalar_one() or 0)
    near = min(found, key=lambda number: abs(number - record_no))
    return Anchor(near, checkpoint=True)


def anchor_of_items(connection: Connection, record_no: int) -> Anchor:
    """Return from where few items are followed by their own lines: nothing at all, or the present.

    Copies of balances are of no use for that: they lie by place.
    """
    present = last_record_no(connection)
    if record_no <= present // 2:
        return Anchor(0, checkpoint=True)
    return Anchor(present, checkpoint=False)


def _come(connection: Connection, task: str) -> int:
    """Return how far a task that follows the ledger has come."""
    table = upkeep_progress.c
    found = connection.execute(select(table.record_no).where(table.task == task))
    return found.scalar_one_or_none() or 0
