"""A virtual ZPL label printer on a TCP port or a device file. Edge of the system.

It prints into memory, answers ~HS and ~HQES, and fails on command. Nothing else of ZPL is
interpreted: a format is what stands between ^XA and ^XZ, and ^PQ says how often it is printed.
"""

import re
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort

READ_TIMEOUT_S = 0.05
STOP_TIMEOUT_S = 5.0
FORMATS_MAX = 50  # With so many waiting it reads no more, as a printer whose buffer is full.
FORMAT_BYTES_MAX = 1_000_000
LABELS_MAX = 1000  # Kept in memory; older ones are forgotten, `printed_count` counts on.
TAIL_BYTES_MAX = 5  # A command that has not come whole is no longer than this.


class VirtualZplPrinter:
    """A printer with paper in it, head closed, not paused. Use as a context manager.

    Any thread may call; each call takes effect at once.
    labels: the formats that were printed, oldest first, one entry a copy, ^XA to ^XZ.
    mute_when_stopped: as Zebra's do, no answer to ~HS without paper, without ribbon or with the
        head open; ~HQES is answered all the same.
    """

    def __init__(
        self,
        line: VirtualTcpPort | VirtualSerialLine,
        *,
        mute_when_stopped: bool = True,
        labels_max: int = LABELS_MAX,
    ) -> None:
        self._line = line
        self._mute_when_stopped = mute_when_stopped
        self._lock = threading.Lock()
        self._printed: deque[str] = deque(maxlen=labels_max)
        self._waiting: deque[_Job] = deque()
        self._buffer = b""
        self._labels_on_roll_count: int | None = None  # None: paper without end.
        self._head_is_open = False
        self._ribbon_is_out = False
        self._is_paused = False
        self._answers_until_mute_count: int | None = None  # None: answers for ever.
        self._bytes_until_cut: int | None = None
        self.printed_count = 0
        self.queries_count = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="virtual-printer", daemon=True)
        self._thread.start()

    @classmethod
    def on_tcp(cls, *, port: int = 0, mute_when_stopped: bool = True) -> Self:
        """Return a printer on a TCP port of 127.0.0.1, one client at a time; port 0: a free one."""
        line = VirtualTcpPort(port=port, clients_max=1)
        return cls(line, mute_when_stopped=mute_when_stopped)

    @classmethod
    def on_device_file(cls, path: Path, *, mute_when_stopped: bool = True) -> Self:
        """Return a printer on a pseudo terminal at `path`, in place of /dev/usb/lp0."""
        return cls(VirtualSerialLine(path), mute_when_stopped=mute_when_stopped)

    @property
    def port(self) -> int:
        """The TCP port; stays the same through `close_port` and `open_port`."""
        assert isinstance(self._line, VirtualTcpPort), "this printer is on a device file"
        return self._line.port

    @property
    def labels(self) -> list[str]:
        with self._lock:
            return list(self._printed)

    @property
    def formats_waiting_count(self) -> int:
        """How many formats wait, of which not one label is printed yet."""
        with self._lock:
            return sum(not job.is_begun for job in self._waiting)

    def paper_out(self) -> None:
        """Take the roll out."""
        self.load_paper(labels_count=0)

    def load_paper(self, labels_count: int | None = None) -> None:
        """Put in a roll with so many labels, None for one without end; what waits is printed."""
        with self._lock:
            self._labels_on_roll_count = labels_count
            self._print_waiting()

    def ribbon_out(self) -> None:
        """Take the ribbon out."""
        with self._lock:
            self._ribbon_is_out = True

    def load_ribbon(self) -> None:
        """Put a ribbon in; what waits is printed."""
        with self._lock:
            self._ribbon_is_out = False
            self._print_waiting()

    def open_head(self) -> None:
        """Open the print head."""
        with self._lock:
            self._head_is_open = True

    def close_head(self) -> None:
        """Close the print head; what waits is printed."""
        with self._lock:
            self._head_is_open = False
            self._print_waiting()

    def pause(self) -> None:
        """Press the pause key."""
        with self._lock:
            self._is_paused = True

    def resume(self) -> None:
        """Press the pause key again; what waits is printed."""
        with self._lock:
            self._is_paused = False
            self._print_waiting()

    def mute(self, *, after_answers_count: int = 0) -> None:
        """Answer nothing after so many more answers; it goes on printing."""
        with self._lock:
            self._answers_until_mute_count = after_answers_count

    def unmute(self) -> None:
        """Answer again."""
        with self._lock:
            self._answers_until_mute_count = None

    def say(self, data: bytes) -> None:
        """Send these bytes unasked, for example noise or half a reply."""
        self._line.write(data)

    def close_port(self) -> None:
        """Switch the port off, or unplug the device file; bytes on the way are lost."""
        with self._lock:
            self._cut(for_good=True)

    def open_port(self) -> None:
        """Switch the port on again at the same address."""
        if isinstance(self._line, VirtualTcpPort):
            self._line.listen()
        else:
            self._line.plug_in()

    def drop_after_bytes(self, bytes_count: int) -> None:
        """Cut the line once, after so many more bytes of labels; TCP clients may come again."""
        with self._lock:
            self._bytes_until_cut = bytes_count

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
            with self._lock:
                is_full = len(self._waiting) >= FORMATS_MAX
            if is_full:
                self._stopping.wait(READ_TIMEOUT_S)
                continue
            data = self._line.read(READ_TIMEOUT_S)
            with self._lock:
                self._buffer = (self._buffer + data)[-FORMAT_BYTES_MAX:]
                self._interpret()

    def _interpret(self) -> None:
        while found := _COMMAND.search(self._buffer):
            start = found.start()
            if found[0] != b"^XA":
                self._buffer = self._buffer[:start] + self._buffer[found.end() :]
                self._answer(found[0])
                continue
            end = self._buffer.find(b"^XZ", start)
            arrived = len(self._buffer) - start if end == -1 else end + 3 - start
            if self._bytes_until_cut is not None and arrived > self._bytes_until_cut:
                self._cut(for_good=False)
                return
            if end == -1:
                self._answer_inside_format(start)
                return
            self._accept(self._buffer[start : end + 3])
            self._buffer = self._buffer[end + 3 :]
            if self._bytes_until_cut is not None:
                self._bytes_until_cut -= arrived
                if self._bytes_until_cut == 0:
                    self._cut(for_good=False)
                    return
        self._buffer = self._buffer[-TAIL_BYTES_MAX:]

    def _answer_inside_format(self, start: int) -> None:
        """Answer the questions that stand within a format that has not come whole."""
        for found in _QUERY.finditer(self._buffer, start):
            self._answer(found[0])
        self._buffer = self._buffer[:start] + _QUERY.sub(b"", self._buffer[start:])

    def _accept(self, zpl: bytes) -> None:
        quantity = _QUANTITY.search(zpl)
        copies_count = min(int(quantity[1]), LABELS_MAX) if quantity else 1
        self._waiting.append(_Job(zpl.decode("utf-8", "replace"), copies_count))
        self._print_waiting()

    def _print_waiting(self) -> None:
        while self._waiting and not self._is_stopped and not self._is_paused:
            job = self._waiting[0]
            self._printed.append(job.zpl)
            self.printed_count += 1
            if self._labels_on_roll_count is not None:
                self._labels_on_roll_count -= 1
            job.is_begun = True
            job.copies_left_count -= 1
            if job.copies_left_count == 0:
                self._waiting.popleft()

    @property
    def _is_stopped(self) -> bool:
        return self._labels_on_roll_count == 0 or self._head_is_open or self._ribbon_is_out

    def _answer(self, command: bytes) -> None:
        self.queries_count += 1
        if self._answers_until_mute_count is not None:
            if self._answers_until_mute_count == 0:
                return
            self._answers_until_mute_count -= 1
        if command == b"~HQES":
            self._line.write(self._error_status())
        elif not (self._is_stopped and self._mute_when_stopped):
            self._line.write(self._host_status())

    def _host_status(self) -> bytes:
        formats_count = sum(not job.is_begun for job in self._waiting)
        labels_count = sum(job.copies_left_count for job in self._waiting if job.is_begun)
        is_full = len(self._waiting) >= FORMATS_MAX
        is_partial = self._buffer.rfind(b"^XA") > self._buffer.rfind(b"^XZ")
        return (
            f"\x02030,{self._labels_on_roll_count == 0:d},{self._is_paused:d},0406,"
            f"{formats_count:03d},{is_full:d},0,{is_partial:d},000,0,0,0\x03\r\n"
            f"\x02000,0,{self._head_is_open:d},{self._ribbon_is_out:d},0,2,4,0,"
            f"{labels_count:08d},1,000\x03\r\n"
            "\x021234,0\x03\r\n"
        ).encode("ascii")

    def _error_status(self) -> bytes:
        bits = (
            (self._labels_on_roll_count == 0) * 0x1
            | self._ribbon_is_out * 0x2
            | self._head_is_open * 0x4
            | self._is_paused * 0x10000
        )
        return (
            "\x02\r\n  PRINTER STATUS                      \r\n"
            f"   ERRORS:         {bits > 0:d} 00000000 {bits:08X} \r\n"
            "   WARNINGS:       0 00000000 00000000 \r\n\x03"
        ).encode("ascii")

    def _cut(self, *, for_good: bool) -> None:
        self._buffer = b""
        self._bytes_until_cut = None
        if isinstance(self._line, VirtualSerialLine):
            self._line.unplug()
        elif for_good:
            self._line.refuse()
        else:
            self._line.drop_clients()


_QUERY = re.compile(rb"~HS|~HQES")
_COMMAND = re.compile(rb"~HS|~HQES|\^XA")
_QUANTITY = re.compile(rb"\^PQ0*([1-9][0-9]{0,7})")


class _Job:
    """One format and how many labels of it are still to print."""

    def __init__(self, zpl: str, copies_left_count: int) -> None:
        self.zpl = zpl
        self.copies_left_count = copies_left_count
        self.is_begun = False
