"""Which backups of a place are kept: the newest of each day, week and month. Pure.

Days count that have a backup, not days of the calendar: a machine that stood still for a year, or
whose clock was set ahead, loses nothing by it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Keeping:
    """Of how many days, weeks and months the newest backup is kept; each at least 1."""

    daily: int
    weekly: int
    monthly: int


def superfluous_of(
    taken: Iterable[tuple[datetime, str]], keeping: Keeping, *, made_now: str
) -> list[str]:
    """Return the names of backups that need not be kept, the oldest first.

    taken: when each was begun, by its name. made_now: the one that was just made and read back; it
    is kept whatever its clock said, so the last good one is never among them.
    """
    dated = sorted(taken, key=lambda one: (one[0], one[1] == made_now, one[1]), reverse=True)
    kept = {made_now}
    periods: tuple[tuple[int, Callable[[datetime], tuple[int, ...]]], ...] = (
        (keeping.daily, lambda at: (at.year, at.month, at.day)),
        (keeping.weekly, lambda at: tuple(at.isocalendar()[:2])),
        (keeping.monthly, lambda at: (at.year, at.month)),
    )
    for count, period_of in periods:
        seen: set[tuple[int, ...]] = set()
        for moment, name in dated:
            period = period_of(moment)
            if period not in seen and len(seen) < max(1, count):
                seen.add(period)
                kept.add(name)
    return [name for _, name in reversed(dated) if name not in kept]
