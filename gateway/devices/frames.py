"""The last things that a device said, for its diagnostics bundle. Edge (shared memory)."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from drivers.readings import PrinterStatus, Reading

FRAMES_MAX = 64


@dataclass(frozen=True, slots=True)
class Frame:
    """One of them, with the wall time when it was complete."""

    time_ms: int
    content: Reading | PrinterStatus


class Frames:
    """Keeps the last FRAMES_MAX of one device. Any thread may call anything."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: deque[Frame] = deque(maxlen=FRAMES_MAX)

    def keep(self, readings: Sequence[Reading], *, time_ms: int) -> None:
        """Keep the newest of `readings`."""
        with self._lock:
            self._kept.extend(Frame(time_ms, reading) for reading in readings[-FRAMES_MAX:])

    def keep_status(self, status: PrinterStatus, *, time_ms: int) -> None:
        """Keep what a printer says of itself, if it is not what it said before."""
        with self._lock:
            if not self._kept or self._kept[-1].content != status:
                self._kept.append(Frame(time_ms, status))

    def last(self) -> tuple[Frame, ...]:
        """Return what is kept, oldest first."""
        with self._lock:
            return tuple(self._kept)
