"""A device on a line of bytes: line + protocol = readings. Loop."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.api import CommandResult, DeviceCommand, LineListener, StreamProtocol
from drivers.errors import DeviceLost, DeviceSilent
from drivers.readings import Reading

DISCARDED_READS_MAX = 64
KEPT_READINGS_MAX = 1000  # While a command waits for its answer, some seconds at most.
LATE_ANSWER_MAX_S = 60.0  # Scales wait for a stable load up to 40 s before they refuse to zero.


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


class CommandProtocol(StreamProtocol, Protocol):
    """A protocol whose device also does what it is told. None raises."""

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; the next answer belongs to it."""
        ...

    def result(self) -> CommandResult | None:
        """Return what became of the command begun, None while nothing is known."""
        ...


@dataclass(frozen=True, slots=True)
class Polling:
    """How a device that speaks only when asked is asked, and how long it may be silent.

    command: the bytes that ask once; b"" for a device that speaks by itself, which is silent after
        `unanswered_max` intervals without a word.
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
    commands: the same protocol, if the device takes commands; then `execute` may be called.
    command_timeout_s: so long a command waits for its answer.
    late_answer_max_s: so long after that its answer may still come; until it came or this time is
        over no other command is begun, so that one answer never passes for another's.
    """

    def __init__(
        self,
        line: ByteLine,
        protocol: StreamProtocol,
        *,
        idle_s: float,
        polling: Polling | None = None,
        commands: CommandProtocol | None = None,
        command_timeout_s: float = 1.0,
        late_answer_max_s: float = LATE_ANSWER_MAX_S,
    ) -> None:
        self._line = line
        self._protocol = protocol
        self._commands = commands
        self._command_timeout_s = command_timeout_s
        self._late_answer_max_s = late_answer_max_s
        self._owed_until_s: float | None = None  # An answer may still come until then.
        self._kept: list[Reading] = []
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
        self._discard_old_answers()
        if self._kept:
            kept, self._kept = self._kept, []
            return kept
        deadline_s = time.monotonic() + timeout_s
        try:
            while True:
                readings = self._step(deadline_s)
                if readings or time.monotonic() >= deadline_s:
                    return readings
        finally:
            self._left_s = time.monotonic()

    def execute(self, command: DeviceCommand) -> CommandResult:
        """Do one command and wait for its answer, `command_timeout_s` at most.

        What the device says meanwhile is returned by the next `read`. "refused" without a byte sent
        while the answer to a former command may still come. Raises DeviceLost; after readings it is
        the `read` after theirs that does, and the command is "unknown".
        """
        assert self._commands is not None, "a driver without commands was told to do something"
        self._discard_old_answers()
        try:
            return self._execute(command)
        except DeviceLost as error:
            if not self._kept:
                raise
            return CommandResult("unknown", str(error))
        finally:
            self._left_s = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Return how long a pause is until the protocol is told that the line is idle."""
        return self._idle_s

    def tap(self, listener: LineListener) -> None:
        """Tell `listener` of all bytes and readings from now on."""
        self._line = _TappedLine(self._line, listener)
        self._protocol = _TappedProtocol(self._protocol, listener)

    def close(self) -> None:
        """Give the line back. Never raises; may be called twice."""
        self._line.close()

    def _execute(self, command: DeviceCommand) -> CommandResult:
        assert self._commands is not None
        if not self._is_poll_answered():
            return CommandResult("refused", "the device does not answer; nothing was sent")
        if self._is_answer_owed():
            detail = "the answer to the last command may still come: wait a minute, or reopen"
            return CommandResult("refused", detail)
        deadline_s = time.monotonic() + self._command_timeout_s
        self._line.write(self._commands.begin(command))
        while True:
            result = self._commands.result()
            if result is not None:
                return result
            if time.monotonic() >= deadline_s:
                self._owed_until_s = time.monotonic() + self._late_answer_max_s
                return CommandResult("unknown", f"no answer to {command.name}")
            self._keep(deadline_s)

    def _is_poll_answered(self) -> bool:
        # Most scales take one question at a time, and few say to which one they answer.
        if self._polling is None or not self._polling.command:
            return True
        deadline_s = time.monotonic() + self._command_timeout_s
        while self._unanswered_count and time.monotonic() < deadline_s:
            self._poll()  # A first answer may say too little for a reading.
            self._keep(min(self._next_poll_s, deadline_s))
        return not self._unanswered_count

    def _keep(self, deadline_s: float) -> None:
        data = self._line.read(max(deadline_s - time.monotonic(), 0.0))
        if not data:
            return
        self._quiet_since_s, self._idle_told = time.monotonic(), False
        readings = self._protocol.receive_data(data)
        if readings:
            self._unanswered_count = 0
        self._kept += list(readings)[: KEPT_READINGS_MAX - len(self._kept)]

    def _is_answer_owed(self) -> bool:
        if self._owed_until_s is None:
            return False
        assert self._commands is not None
        if self._commands.result() is not None or time.monotonic() >= self._owed_until_s:
            self._owed_until_s = None
        return self._owed_until_s is not None

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
                f"no answer to {self._unanswered_count} questions in a row"
                if polling.command
                else f"not a word for {self._unanswered_count * polling.interval_s:g} s",
                hint=polling.silent_hint,
            )
        if polling.command:
            self._line.write(polling.command)
        self._unanswered_count += 1
        self._next_poll_s = time.monotonic() + polling.interval_s

    def _discard_old_answers(self) -> None:
        polling = self._polling
        if polling is None or time.monotonic() - self._left_s <= polling.answer_age_max_s:
            return
        for _ in range(DISCARDED_READS_MAX):
            data = self._line.read(0.0)
            if not data:
                break
            self._protocol.receive_data(data)  # It stays in step, and sees late answers.
        self._kept.clear()
        self._protocol.idle()  # The half reply that may have been begun goes with them.
        self._idle_told = True
        self._unanswered_count = 0


class _TappedLine:
    """A line that tells what is written to the device."""

    def __init__(self, line: ByteLine, listener: LineListener) -> None:
        self._line = line
        self._listener = listener
        self.read = line.read  # What came is told by the protocol that gets it.
        self.close = line.close

    def write(self, data: bytes) -> None:
        self._listener.sent(data, time.monotonic())
        self._line.write(data)


class _TappedProtocol:
    """A protocol that tells what it is fed and what it makes of it."""

    def __init__(self, protocol: StreamProtocol, listener: LineListener) -> None:
        self._protocol = protocol
        self._listener = listener

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        self._listener.received(data, time.monotonic())
        readings = self._protocol.receive_data(data)
        self._listener.readings(readings)
        return readings

    def idle(self) -> Sequence[Reading]:
        self._listener.idle(time.monotonic())
        readings = self._protocol.idle()
        self._listener.readings(readings)
        return readings
