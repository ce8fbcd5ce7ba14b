"""When a device that works is degraded, and when it is well again. Pure.

    what it says                     is a symptom                     until
    overload, underload, not_ready   after 10 s without a weight      it says anything else
    zero_error                       at once                          it says anything else
    unreadable, scan_again           5 within 60 s                    there are fewer within 60 s
    10 unreadables, nothing else     since it was opened: wrong       it says anything else
                                     driver, wrong speed
    reads_lost                       at once                          60 s without another
    reader_error                     at once                          600 s without another
    paper or ribbon is low           at once                          the printer says otherwise
    lost while it worked             3 times within 600 s             fewer within 600 s

A reader tells that an antenna failed, but not every one tells that it works again: hence the 600 s.
"""

from collections import deque
from collections.abc import Sequence

from central.contract.states import DeviceProblem
from drivers.readings import DeviceFault, FaultCode, PrinterStatus, PrinterWarning, Reading

SECOND_NS = 1_000_000_000
RATE_WINDOW_NS = 60 * SECOND_NS
RATE_COUNT = 5
NONSENSE_COUNT = 10
UNDERSTOOD = -1
LASTING_NS = 10 * SECOND_NS
LOSSES_WINDOW_NS = 600 * SECOND_NS
LOSSES_COUNT = 3
RATED: tuple[FaultCode, ...] = ("unreadable", "scan_again")
# So long after the last one.
HELD_NS: dict[FaultCode, int] = {
    "reader_error": 600 * SECOND_NS,
    "reads_lost": 60 * SECOND_NS,
}
# So long said and nothing else.
SAID_NS: dict[FaultCode, int] = {
    "overload": LASTING_NS,
    "underload": LASTING_NS,
    "not_ready": LASTING_NS,
    "zero_error": 0,
}


class Symptoms:
    """Watches one device; times are monotonic nanoseconds. One thread uses it."""

    def __init__(self) -> None:
        self._rated: dict[FaultCode, deque[int]] = {
            code: deque(maxlen=RATE_COUNT) for code in RATED
        }
        self._losses: deque[int] = deque(maxlen=LOSSES_COUNT)
        self._last: dict[FaultCode, int] = {}
        self._said: FaultCode | None = None
        self._said_since_ns = 0
        self._nonsense_count = 0  # Since the opening; negative once anything could be read.
        self._warnings: tuple[PrinterWarning, ...] = ()

    def opened(self) -> None:
        """State that the device was opened."""
        self._said, self._nonsense_count = None, 0

    def lost(self, monotonic_ns: int) -> None:
        """State that the device was lost while it worked, not that it is still away."""
        self._losses.append(monotonic_ns)

    def note(self, readings: Sequence[Reading], monotonic_ns: int) -> None:
        """State what the device said."""
        for reading in readings:
            if isinstance(reading, DeviceFault):
                self._note_fault(reading.code, monotonic_ns)
            else:
                self._said, self._nonsense_count = None, UNDERSTOOD

    def note_status(self, status: PrinterStatus) -> None:
        """State what a printer that is ready says of itself."""
        self._warnings = status.warnings

    def worst(self, monotonic_ns: int) -> DeviceProblem:
        """Return the gravest symptom, "" for a device that is well; "wrong_driver" is a fault."""
        if self._nonsense_count >= NONSENSE_COUNT:
            return "wrong_driver"
        said = self._said
        if said is not None and monotonic_ns - self._said_since_ns >= SAID_NS[said]:
            return said
        for code, held_ns in HELD_NS.items():
            last_ns = self._last.get(code)
            if last_ns is not None and monotonic_ns - last_ns < held_ns:
                return code
        for code, times in self._rated.items():
            if _crowded(times, monotonic_ns, RATE_WINDOW_NS):
                return code
        if self._warnings:
            return self._warnings[0]
        return "unsteady" if _crowded(self._losses, monotonic_ns, LOSSES_WINDOW_NS) else ""

    def _note_fault(self, code: FaultCode, monotonic_ns: int) -> None:
        if code in SAID_NS and code != self._said:
            self._said, self._said_since_ns = code, monotonic_ns
        if code in HELD_NS:
            self._last[code] = monotonic_ns
        if code in RATED:
            self._rated[code].append(monotonic_ns)
        if code != "unreadable":
            self._nonsense_count = UNDERSTOOD
        elif self._nonsense_count != UNDERSTOOD:
            self._nonsense_count += 1


def _crowded(times: deque[int], monotonic_ns: int, window_ns: int) -> bool:
    """Return True if the deque is full of times within the window."""
    return len(times) == times.maxlen and monotonic_ns - times[0] < window_ns
