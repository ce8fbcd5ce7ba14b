"""A device on a line of bytes: line + protocol = readings. Loop."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.errors import DeviceSilent
from drivers.readings import Reading

DISCARDED_READS_MAX = 64


class ByteLine(Protocol):
    """An open transport, see drivers/transports. All raise DeviceLost but `close`."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived; b"" if nothing came in time."""
        ...

    def write(self, data: bytes) -> None:
        """Send all bytes."""
        ...

    def close(self) -> None:
        """Give the line back."""
        ...


class StreamProtocol(Protocol):
    """A protocol that turns bytes into readings, see drivers/protocols. None raises."""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`."""
        ...

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet for the idle limit; return what that means."""
        ...


@dataclass(frozen=True, slots=True)
class Polling:
    """How a device that speaks only when asked is asked.

    command: the bytes that ask once.
    interval_s: from one question to the next.
    unanswered_max: so many questions without any reading, and the device is silent.
    answer_age_max_s: answers that waited longer for `read` to be called are dropped: the load may
        have changed since.
    silent_hint: what a person can do when the device is silent.
    """

    command: bytes
    interval_s: float
    unanswered_max: int
    silent_hint: str
    answer_age_max_s: float = 1.0


class StreamDevice:
    """A ReadingDevice on an open line; one thread uses it.

    idle_s: so long a pause within a frame ends it as a half one.
    """

    def __init__(
        self,
        line: ByteLine,
        protocol: StreamProtocol,
        *,
        idle_s: float,
        polling: Polling | None = None,
    ) -> None:
        self._line = line
        self._protocol = protocol
        self._idle_s = idle_s
        self._polling = polling
        self._quiet_since_s = time.monotonic()
        self._idle_told = True
        self._next_poll_s = time.monotonic()
        self._unanswered_count = 0
        self._left_s = time.monotonic()

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return what the device said as soon as it said something; empty after `timeout_s`.

        Raises DeviceLost, or DeviceSilent when it leaves too many questions unanswered.
        """
        deadline_s = time.monotonic() + timeout_s
        self._discard_old_answers()
        try:
            while True:
                readings = self._step(deadline_s)
                if readings or time.monotonic() >= deadline_s:
                    return readings
        finally:
            self._left_s = time.monotonic()

    def close(self) -> None:
        """Give the line back. Never raises; may be called twice."""
        self._line.close()

    def _step(self, deadline_s: float) -> Sequence[Reading]:
        self._poll()
        wake_s = deadline_s
        if not self._idle_told:
            wake_s = min(wake_s, self._quiet_since_s + self._idle_s)
        if self._polling is not None:
            wake_s = min(wake_s, self._next_poll_s)
        data = self._line.read(max(wake_s - time.monotonic(), 0.0))
        if data:
            self._quiet_since_s = time.monotonic()
            self._idle_told = False
            readings = self._protocol.receive_data(data)
            if readings:
                self._unanswered_count = 0
            return readings
        if not self._idle_told and time.monotonic() >= self._quiet_since_s + self._idle_s:
            self._idle_told = True
            return self._protocol.idle()
        return ()

    def _poll(self) -> None:
        polling = self._polling
        if polling is None or time.monotonic() < self._next_poll_s:
            return
        if self._unanswered_count >= polling.unanswered_max:
            raise DeviceSilent(
                f"no answer to {self._unanswered_count} questions in a row",
                hint=polling.silent_hint,
            )
        self._line.write(polling.command)
        self._unanswered_count += 1
        self._next_poll_s = time.monotonic() + polling.interval_s

    def _discard_old_answers(self) -> None:
        polling = self._polling
        if polling is None or time.monotonic() - self._left_s <= polling.answer_age_max_s:
            return
        for _ in range(DISCARDED_READS_MAX):
            if not self._line.read(0.0):
                break
        self._protocol.idle()  # The half reply that may have been begun goes with them.
        self._idle_told = True
        self._unanswered_count = 0
