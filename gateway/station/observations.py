"""An observation: a reading with where and when it was taken. Pure."""

from dataclasses import dataclass

from drivers.readings import Reading


@dataclass(frozen=True, slots=True)
class Observation:
    """What one device of this gateway said, stamped when its bytes were complete.

    device: the device's name in the configuration, e.g. "dock-1-scanner".
    event_time_ms: milliseconds since 1970-01-01 UTC; clock_synced: whether that clock was right.
    monotonic_ns: nanoseconds since boot `boot_id`.
    """

    device: str
    reading: Reading
    event_time_ms: int
    clock_synced: bool
    boot_id: str
    monotonic_ns: int
