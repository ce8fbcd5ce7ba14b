"""What waits to be sent, and for how long, so that a clock that jumps tells nothing wrong. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from central.contract.facts import Fact
from gateway.screen.page_knowledge import MINUTE_MS, age_message
from gateway.station.effects import Message
from gateway.station.messages import N_, say

NS_PER_MS = 1_000_000

ALL_SENT = N_("all sent")
UNSENT = N_("{count} unsent")
UNSENT_SINCE = N_("{count} unsent, the oldest for {age}")
UNSENT_LONG = N_("{count} unsent, the oldest from before the restart")


@dataclass(frozen=True, slots=True)
class Unsent:
    """What the ledger has not acknowledged.

    age_minutes: of the oldest; None if nobody can tell: it is of an earlier start, and a clock,
    this one or the one it was stamped by, is not set.
    """

    count: int = 0
    age_minutes: int | None = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by every clock there is."""

    time_ms: int
    clock_synced: bool
    boot_id: str
    monotonic_ns: int


def unsent_at(moment: Moment, *, count: int, oldest: Fact | None) -> Unsent:
    """Return what waits. Within one start of the machine the age is by its even clock."""
    if oldest is None:
        return Unsent(count)
    if oldest.boot_id == moment.boot_id:
        age_ms = (moment.monotonic_ns - oldest.monotonic_ns) // NS_PER_MS
    elif oldest.clock_synced and moment.clock_synced:
        age_ms = moment.time_ms - oldest.event_time_ms
    else:
        return Unsent(count, None)
    return Unsent(count, max(0, age_ms) // MINUTE_MS)


def unsent_text(unsent: Unsent, text: Callable[[Message], str]) -> str:
    """Return it in a language; without an age while the oldest is less than a minute old."""
    count = str(unsent.count)
    if not unsent.count:
        return text(say(ALL_SENT))
    if unsent.age_minutes is None:
        return text(say(UNSENT_LONG, count=count))
    if not unsent.age_minutes:
        return text(say(UNSENT, count=count))
    return text(say(UNSENT_SINCE, count=count, age=text(age_message(unsent.age_minutes))))
