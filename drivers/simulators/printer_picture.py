"""A virtual printer of pictures on a real line, in any language. Edge of the system.

The machine has paper, a head, a pause key and a cover; it prints into memory and fails on command.
What the bytes mean is the `Interpreter`'s: `printer_tspl` and its neighbours. They are written from
the manuals, not from our encoders, and take a real-time command wherever it stands, within a
picture too, as a careless printer does.
"""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.bitmap import Bitmap
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.printer_language import Interpreter, MachineState

READ_TIMEOUT_S = 0.05
STOP_TIMEOUT_S = 5.0
JOBS_MAX = 50  # With so many waiting it reads no more, as a printer whose buffer is full.
BUFFER_BYTES_MAX = 4_000_000
LABELS_MAX = 1000


class VirtualPicturePrinter:
    """A printer with paper in it, closed and not paused. Use as a context manager; any thread.

    labels: what was printed, oldest first, one entry a copy.
    commands: the names of all commands that were understood, real-time ones as hexadecimal.
    busy_answers_count: so many questions after a label are answered as still printing.
    """

    def __init__(
        self,
        line: VirtualTcpPort | VirtualSerialLine,
        interpreter: Interpreter,
        *,
        busy_answers_count: int = 1,
    ) -> None:
        self._line = line
        self._interpreter = interpreter
        self._busy_answers_count = busy_answers_count
        self._lock = threading.RLock()
        self._printed: deque[Bitmap] = deque(maxlen=LABELS_MAX)
        self._waiting: deque[tuple[Bitmap, int]] = deque()
        self._buffer = bytearray()
        self._held = b""
        self._labels_on_roll_count: int | None = None
        self._flags = dict.fromkeys(("near_end", "head_open", "ribbon_out", "paused"), False)
        self._is_mute = False
        self._is_stalled = False
        self._prints_nothing = False
        self._pause_after_read_s = 0.0
        self._busy_left_count = 0
        self._has_told_stop = False
        self._trigger: tuple[int, Callable[[], None]] | None = None
        self.commands: deque[str] = deque(maxlen=100_000)
        self.questions_count = 0
        self.received_bytes_count = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="virtual-printer", daemon=True)
        self._thread.start()

    @classmethod
    def on_tcp(cls, interpreter: Interpreter, *, busy_answers_count: int = 1) -> Self:
        """Return a printer on a free TCP port of 127.0.0.1, one client at a time."""
        line = VirtualTcpPort(clients_max=1)
        return cls(line, interpreter, busy_answers_count=busy_answers_count)

    @classmethod
    def on_path(cls, path: Path, interpreter: Interpreter, *, busy_answers_count: int = 1) -> Self:
        """Return a printer on a pseudo terminal at `path`: a device file or a serial port."""
        return cls(VirtualSerialLine(path), interpreter, busy_answers_count=busy_answers_count)

    @property
    def port(self) -> int:
        """The TCP port; stays the same through `close_port` and `open_port`."""
        assert isinstance(self._line, VirtualTcpPort), "this printer is on a path"
        return self._line.port

    @property
    def labels(self) -> list[Bitmap]:
        with self._lock:
            return list(self._printed)

    def load_paper(self, labels_count: int | None = None) -> None:
        """Put in a roll with so many labels, None: without end; what waits is printed."""
        with self._lock:
            self._labels_on_roll_count = labels_count
            self._work()

    def set(self, **flags: bool) -> None:
        """Set or clear near_end, head_open, ribbon_out, paused; what can be printed is."""
        with self._lock:
            assert set(flags) <= set(self._flags)
            self._flags |= flags
            self._work()

    def mute(self) -> None:
        """Answer nothing, and tell nothing; it goes on printing."""
        self._is_mute = True

    def unmute(self) -> None:
        """Answer again."""
        self._is_mute = False

    def stall(self) -> None:
        """Take no more bytes."""
        self._is_stalled = True

    def slow_down(self, pause_after_read_s: float) -> None:
        """Rest after each piece that is read."""
        self._pause_after_read_s = pause_after_read_s

    def print_nothing(self) -> None:
        """Swallow every job from now on, and say that all is well."""
        self._prints_nothing = True

    def when_received(self, bytes_count: int, action: Callable[[], None]) -> None:
        """Do this once, after so many more bytes that are no question."""
        with self._lock:
            self._trigger = (bytes_count, action)

    def say(self, data: bytes) -> None:
        """Send these bytes unasked."""
        self._line.write(data)

    def close_port(self) -> None:
        """Lose power: the line goes, and all that has not been printed is forgotten."""
        with self._lock:
            self._buffer.clear()
            self._held = b""
            self._waiting.clear()
            self._trigger = None
            if isinstance(self._line, VirtualSerialLine):
                self._line.unplug()
            else:
                self._line.refuse()

    def open_port(self) -> None:
        """Come back at the same address."""
        if isinstance(self._line, VirtualTcpPort):
            self._line.listen()
        else:
            self._line.plug_in()

    def close(self) -> None:
        """Stop. May be called twice."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if self._is_stalled or len(self._waiting) >= JOBS_MAX:
                self._stopping.wait(READ_TIMEOUT_S)
                continue
            data = self._line.read(READ_TIMEOUT_S)
            with self._lock:
                self._receive(data)
            if data and self._pause_after_read_s:
                self._stopping.wait(self._pause_after_read_s)

    def _receive(self, data: bytes) -> None:
        data, self._held = self._held + data, b""
        held = next((one for one in self._interpreter.real_time_starts if data.endswith(one)), b"")
        if held and len(data) > len(held):  # More may come; alone, after a pause, it is data.
            data, self._held = data[: -len(held)], held
        place = 0
        for found in self._interpreter.real_time.finditer(data):
            self._keep(data[place : found.start()])
            self._work()
            self._answer(found[0])
            place = found.end()
        self._keep(data[place:])
        self._work()

    def _keep(self, data: bytes) -> None:
        self.received_bytes_count += len(data)
        if self._trigger is not None:
            left_count, action = self._trigger
            left_count -= len(data)
            self._trigger = (left_count, action)
            if left_count <= 0 and data:
                self._trigger = None
                self._buffer += data[: len(data) + left_count]
                self._work()
                action()
                if not self._buffer and not self._waiting:
                    return  # The power went.
                data = data[len(data) + left_count :]
        self._buffer = (self._buffer + data)[-BUFFER_BYTES_MAX:]

    def _answer(self, command: bytes) -> None:
        self.questions_count += 1
        self.commands.append(command.hex())
        self._write(self._interpreter.answer(command, self._state()))
        self._busy_left_count = max(0, self._busy_left_count - 1)

    def _work(self) -> None:
        self._print_waiting()
        while not (self._interpreter.waits_when_stopped and self._state().stopped):
            command = self._interpreter.take(self._buffer, self._state())
            if command is None:
                return
            self.commands.append(command.name)
            if command.picture is not None and not self._prints_nothing:
                self._waiting.append((command.picture, command.copies_count))
                self._print_waiting()
            if not (self._prints_nothing and command.confirms):
                self._write(command.reply)

    def _print_waiting(self) -> None:
        while self._waiting and not self._state().stopped and not self._flags["paused"]:
            picture, copies_count = self._waiting.popleft()
            if copies_count > 1:
                self._waiting.appendleft((picture, copies_count - 1))
            self._write(self._interpreter.told("begun", self._state()))
            self._printed.append(picture)
            self._busy_left_count = self._busy_answers_count
            if self._labels_on_roll_count is not None:
                self._labels_on_roll_count -= 1
            self._write(self._interpreter.told("printed", self._state()))
            self._has_told_stop = False
        if self._waiting and self._state().stopped and not self._has_told_stop:
            self._has_told_stop = True
            self._write(self._interpreter.told("stopped", self._state()))

    def _state(self) -> MachineState:
        return MachineState(
            paper_out=self._labels_on_roll_count == 0,
            paper_near_end=self._flags["near_end"],
            head_open=self._flags["head_open"],
            ribbon_out=self._flags["ribbon_out"],
            paused=self._flags["paused"],
            printing=bool(self._busy_left_count or self._waiting),
        )

    def _write(self, data: bytes) -> None:
        if data and not self._is_mute:
            self._line.write(data)
