"""Estimates what the clock of a boot should have said. Pure.

    wall time = monotonic time of the boot + offset

    source         offset                                 worth
    synced_fact    what a fact of a set clock says        exact, signed by the gateway
    synced_state   what a state of a set clock says       exact, but anyone could have sent it
    arrival        when something came here, less its     an upper bound: on its way it can only
                   monotonic time                         have grown; the smallest is the best

The better source wins; of two arrivals the smaller. How much an arrival is wrong is not known: the
way has no bound, since facts wait for days where there is no network.
"""

from dataclasses import dataclass
from typing import Literal

ClockSource = Literal["synced_fact", "synced_state", "arrival"]
WORTH: dict[str, int] = {"synced_fact": 2, "synced_state": 1, "arrival": 0}
ROUNDING_MS = 1
# Of two estimates from arrivals, what is nearer than this is not corrected a second time.
ARRIVAL_STEP_MS = 500


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Wall time less monotonic time of one boot. error_ms: None where nobody knows it."""

    offset_ms: int
    error_ms: int | None
    source: ClockSource


def stated_offset(
    *, time_ms: int, monotonic_ms: int, source: Literal["synced_fact", "synced_state"]
) -> ClockOffset:
    """Return the offset that somebody with a set clock states."""
    return ClockOffset(time_ms - monotonic_ms, ROUNDING_MS, source)


def arrival_offset(*, received_ms: int, monotonic_ms: int) -> ClockOffset:
    """Return the offset if what left at `monotonic_ms` had come at once."""
    return ClockOffset(received_ms - monotonic_ms, None, "arrival")


def better_offset(known: ClockOffset | None, found: ClockOffset) -> ClockOffset:
    """Return the better of two; `known` if they are worth the same and it is no arrival."""
    if known is None or WORTH[found.source] > WORTH[known.source]:
        return found
    if found.source == known.source == "arrival" and found.offset_ms < known.offset_ms:
        return found
    return known


def applied_range(offset: ClockOffset) -> tuple[int, int]:
    """Return the lowest and highest offset that need not be replaced by this one."""
    step_ms = ARRIVAL_STEP_MS if offset.source == "arrival" else 0
    return offset.offset_ms - step_ms, offset.offset_ms + step_ms


def corrected_ms(*, monotonic_ms: int, offset_ms: int) -> int:
    """Return when something happened, in wall time."""
    return max(0, monotonic_ms + offset_ms)
