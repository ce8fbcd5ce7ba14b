"""Which deliveries were on time, and why the others were not. Pure.

A delivery is due on the day that was promised, in UTC. It is on time if everything that was asked
for, less what tolerances allow, went out by the end of that day; what is not due yet is not judged.

    approval      nobody had approved the order by the end of the day
    stock         there was nothing to set aside by then
    release       stations were not told by then
    given_up      a part of it was given up
    dock          stations knew of it in time, and it left late, or has not left
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Literal, get_args

from central.stock.kpis import DAY_MS, ON_TIME_ALARM_BELOW, share

Cause = Literal["", "approval", "stock", "release", "given_up", "dock"]
CAUSES: tuple[Cause, ...] = get_args(Cause)[1:]
WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS  # The first one after 1970-01-01, which was a Thursday.


@dataclass(frozen=True, slots=True)
class Delivery:
    """One order that was promised for a day. code, partner, warehouse: of the order.

    due: the day, YYYY-MM-DD. complete: everything went out. done_ms: when the last of it did, 0 if
    nothing has. approved_ms, released_ms: when people did that, 0 for not. reserved_ms: when the
    last of its goods were set aside, 0 for never. given_up: a part will not be delivered.
    """

    code: str
    partner: str
    warehouse: str
    due: str
    complete: bool
    done_ms: int = 0
    approved_ms: int = 0
    released_ms: int = 0
    reserved_ms: int = 0
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A delivery that is due. cause: why it was late, "" if it was on time.

    late_days: begun days after the promised one, until it was complete or until now.
    """

    delivery: Delivery
    on_time: bool
    cause: Cause
    late_days: int


@dataclass(frozen=True, slots=True)
class Week:
    """What was due in a week that begins on a Monday, YYYY-MM-DD."""

    begins: str
    due_count: int
    on_time_count: int

    @property
    def on_time(self) -> Fraction | None:
        """Return the share that was on time, None if nothing was due."""
        return share(self.on_time_count, self.due_count)

    @property
    def alarm(self) -> bool:
        """Return whether fewer than 95 percent were on time."""
        return self.on_time is not None and self.on_time < ON_TIME_ALARM_BELOW


def judge(delivery: Delivery, *, now_ms: int) -> Judged | None:
    """Return whether a delivery was on time, None while it is not due, or for no real day."""
    end_ms = end_of_day(delivery.due)
    if end_ms is None:
        return None
    in_full = delivery.complete and not delivery.given_up
    if in_full and delivery.done_ms < end_ms:
        return Judged(delivery, on_time=True, cause="", late_days=0)
    if now_ms < end_ms:
        return None
    until_ms = delivery.done_ms if delivery.complete and delivery.done_ms else now_ms
    late_days = max(0, until_ms - end_ms) // DAY_MS + 1
    if delivery.complete and delivery.done_ms < end_ms:
        late_days = 0
    return Judged(delivery, False, _cause(delivery, end_ms), late_days)


def weeks_of(judged: Sequence[Judged], *, count: int, now_ms: int) -> tuple[Week, ...]:
    """Return the last so many weeks, the oldest first, the present one last."""
    due: dict[int, int] = {}
    on_time: dict[int, int] = {}
    for one in judged:
        end_ms = end_of_day(one.delivery.due)
        assert end_ms is not None
        monday = monday_of(end_ms - 1)
        due[monday] = due.get(monday, 0) + 1
        on_time[monday] = on_time.get(monday, 0) + one.on_time
    present = monday_of(now_ms)
    mondays = [present - number * WEEK_MS for number in range(count - 1, -1, -1)]
    return tuple(
        Week(day_text(monday), due.get(monday, 0), on_time.get(monday, 0)) for monday in mondays
    )


def causes_of(judged: Sequence[Judged]) -> tuple[tuple[Cause, int], ...]:
    """Return how many were late for which cause, the most frequent first."""
    counts = {cause: sum(one.cause == cause for one in judged) for cause in CAUSES}
    return tuple(
        sorted(
            ((cause, count) for cause, count in counts.items() if count), key=lambda one: -one[1]
        )
    )


def monday_of(time_ms: int) -> int:
    """Return when the week of a moment begins, in UTC."""
    return time_ms - (time_ms - MONDAY_MS) % WEEK_MS


def day_text(time_ms: int) -> str:
    """Return the day of a moment in UTC, YYYY-MM-DD."""
    return datetime.fromtimestamp(time_ms // 1000, tz=UTC).date().isoformat()


def end_of_day(day: str) -> int | None:
    """Return the first millisecond after a day, None for what is no day."""
    try:
        number = date.fromisoformat(day).toordinal()
    except ValueError:
        return None
    return (number - date(1970, 1, 1).toordinal() + 1) * DAY_MS


def _cause(delivery: Delivery, end_ms: int) -> Cause:
    if not delivery.approved_ms or delivery.approved_ms >= end_ms:
        return "approval"
    if delivery.given_up:
        return "given_up"
    if not delivery.reserved_ms or delivery.reserved_ms >= end_ms:
        return "stock"
    if not delivery.released_ms or delivery.released_ms >= end_ms:
        return "release"
    return "dock"
