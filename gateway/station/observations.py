"""An observation: a reading with where and when it was taken. Pure."""

from dataclasses import dataclass

from drivers.readings import BarcodeScanned, InputChanged, Reading
from gateway.station.passages import TagPassage


@dataclass(frozen=True, slots=True)
class Observation:
    """What one device of this gateway said, stamped when its bytes were complete.

    device: the device's name in the configuration, e.g. "dock-1-scanner".
    reading: what it said; the many reads of one tag come as one TagPassage.
    event_time_ms: milliseconds since 1970-01-01 UTC; clock_synced: whether that clock was right.
    monotonic_ns: nanoseconds since boot `boot_id`.
    touch: identity of a touch on the page, "" of anything else: it may come twice and counts once.
    """

    device: str
    reading: Reading | TagPassage
    event_time_ms: int
    clock_synced: bool
    boot_id: str
    monotonic_ns: int
    touch: str = ""


def scanned_text(reading: Reading | TagPassage) -> str | None:
    """Return the text of a scan, or of the bar code that a pressed button stands for, else None."""
    if isinstance(reading, InputChanged):
        return reading.code if reading.active and reading.code else None
    return reading.data if isinstance(reading, BarcodeScanned) else None
