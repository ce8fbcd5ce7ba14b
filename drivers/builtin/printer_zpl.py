"""The drivers zpl-tcp and zpl-device: ZPL label printers. Loop.

A line is opened for each job and each question: port 9100 of many printers takes one client at a
time, so it must stay free for others, and a fresh line has no stale answers on it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from drivers.api import Driver
from drivers.builtin.label_printer import (
    FINISH_TIMEOUT_S,
    PIECE_BYTES,
    RAW_PORT,
    TcpPort,
    TimeoutS,
)
from drivers.candidates import Matcher
from drivers.errors import DeviceLost
from drivers.labels import Element, Label
from drivers.protocols.printer_zpl import prints_itself, render_label
from drivers.protocols.printer_zpl_status import (
    ERROR_STATUS_COMMAND,
    HOST_STATUS_COMMAND,
    SILENT,
    StatusReplies,
)
from drivers.readings import PrinterCondition, PrinterStatus, PrintResult
from drivers.transports.device_file import open_device_file
from drivers.transports.tcp_client import open_tcp

NEEDS_A_PERSON: frozenset[PrinterCondition] = frozenset(
    {"head_open", "paper_out", "ribbon_out", "error", "paused"}
)
SEND_TIMEOUT_S = 60.0  # So long a printer may take to accept a whole job.
CONFIRMATIONS_COUNT = 2  # So often in a row the printer must say that nothing waits.
STALE_READS_MAX = 16
PROBE_WAIT_S = 0.5


class ZplSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every ZPL printer.

    dots_per_mm: 8 (203 dpi), 12 (300 dpi) or 24 (600 dpi).
    status_timeout_s: how long to wait for an answer to one question.
    follow_timeout_s: how long to follow a job to its end; 0 does not follow.
    follow_interval_s: pause between two questions while following.
    font_file: the font for what the printer's own one does not have (Chinese); "" searches.
    """

    dots_per_mm: Literal[8, 12, 24] = 8
    status_timeout_s: float = 1.0
    follow_timeout_s: float = 10.0
    follow_interval_s: float = 0.2
    font_file: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for times that cannot work."""
        if not 0 < self.status_timeout_s <= 60 or not 0 < self.follow_interval_s <= 60:
            raise ValueError("expected 0 < status_timeout_s, follow_interval_s <= 60")
        if not 0 <= self.follow_timeout_s <= 600:
            raise ValueError("expected 0 <= follow_timeout_s <= 600")


class ZplTcpSettings(ZplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `zpl-tcp`, besides those of every ZPL printer.

    host: name or address of the printer.
    port: its raw printing port.
    connect_timeout_s: how long to wait for the connection.
    """

    host: str
    port: TcpPort = 9100
    connect_timeout_s: TimeoutS = 3.0


class ZplDeviceSettings(ZplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `zpl-device`, besides those of every ZPL printer.

    path: device file, best a name that stays when the printer is plugged in elsewhere.
    """

    path: str


class PrinterLine(Protocol):
    """What TcpClient and DeviceFile have in common."""

    def read(self, timeout_s: float) -> bytes:
        """Return bytes, or b"" if none came in time. Raises DeviceLost."""
        ...

    def write(self, data: bytes) -> None:
        """Give all bytes to the line. Raises DeviceLost."""
        ...

    def finish(self, timeout_s: float) -> None:
        """Wait until the printer has what was written. Raises DeviceLost if it did not take it."""
        ...

    def close(self) -> None:
        """Close the line. Never raises."""
        ...


class ZplPrinter:
    """A LabelPrinter that opens its line for each job."""

    def __init__(self, settings: ZplSettings, open_line: Callable[[], PrinterLine]) -> None:
        self._settings = settings
        self._open_line = open_line

    def status(self) -> PrinterStatus:
        """Ask ~HS and, if that is silent, ~HQES. Raises DeviceLost."""
        line = self._open_line()
        try:
            return _Questions(line, self._settings).ask()
        finally:
            line.close()

    def print_label(self, label: Label, copies_count: int) -> PrintResult:
        """Ask, send, follow. Raises LabelInvalid before any byte is sent."""
        job = self._rendered(label, copies_count)
        try:
            line = self._open_line()
        except DeviceLost as error:
            return PrintResult("failed", f"not sent: {error}", "silent")
        try:
            return self._print(line, job)
        finally:
            line.close()

    def close(self) -> None:
        """Nothing is held open between jobs."""

    def _rendered(self, label: Label, copies_count: int) -> bytes:
        dots_per_mm = self._settings.dots_per_mm

        def native(element: Element) -> bool:
            return prints_itself(element, dots_per_mm=dots_per_mm)

        if not all(native(element) for element in label.elements):
            # Loaded with the first label that wants it: Pillow and a font take 10 MB.
            from drivers.drawing.pictures import with_pictures  # noqa: PLC0415

            label = with_pictures(
                label,
                prints_itself=native,
                dots_per_mm=dots_per_mm,
                font_file=self._settings.font_file,
            )
        return render_label(label, dots_per_mm=dots_per_mm, copies_count=copies_count)

    def _print(self, line: PrinterLine, job: bytes) -> PrintResult:
        questions = _Questions(line, self._settings)
        try:
            status = questions.ask()
            if not status.ready:
                condition = status.conditions[0]
                return PrintResult("failed", f"not sent: the printer is {condition}", condition)
            questions.forget_stale_answers()  # Also notices a line that was cut since.
            line.write(job[:1])
        except DeviceLost as error:
            # Not one byte was taken: a lone first byte is taken or it is not.
            return PrintResult("failed", f"not sent: {error}", "silent")
        try:
            if not _send(line, job[1:]):
                return PrintResult("unknown", "the printer takes bytes too slowly", "silent")
            result = self._follow(questions)
            if result.outcome == "sent":
                line.finish(FINISH_TIMEOUT_S)
            return result
        except DeviceLost as error:
            return PrintResult("unknown", f"lost while printing: {error}", "silent")

    def _follow(self, questions: "_Questions") -> PrintResult:
        deadline = time.monotonic() + self._settings.follow_timeout_s
        confirmations_count = 0
        status = SILENT
        while time.monotonic() < deadline:
            status = questions.ask()
            nothing_waits = status.formats_waiting_count == 0 and status.labels_left_count == 0
            # Busy without a label that waits: it has begun to read one.
            if nothing_waits and "busy" not in status.conditions:
                confirmations_count += questions.all_answered
                if confirmations_count >= CONFIRMATIONS_COUNT:
                    return PrintResult("printed", "the printer says that nothing waits")
            else:
                confirmations_count = 0
                stopped = [one for one in status.conditions if one in NEEDS_A_PERSON]
                if stopped:
                    return PrintResult("unknown", f"stopped: {_described(status)}", stopped[0])
            time.sleep(min(self._settings.follow_interval_s, max(0, deadline - time.monotonic())))
        condition = None if status.ready else status.conditions[0]
        return PrintResult("sent", f"not confirmed: {_described(status)}", condition)


class _Questions:
    """Asks one printer on one open line, and knows whether an answer may belong to the past."""

    def __init__(self, line: PrinterLine, settings: ZplSettings) -> None:
        self._line = line
        self._timeout_s = settings.status_timeout_s
        self._replies = StatusReplies()
        self._unanswered_count = 0
        self.forget_stale_answers()

    @property
    def all_answered(self) -> bool:
        """True if every ~HS asked on this line was answered, so the last answer is no late one."""
        return self._unanswered_count == 0

    def ask(self) -> PrinterStatus:
        """Return the answer to ~HS, else to ~HQES, else "silent". Raises DeviceLost."""
        self._unanswered_count += 1
        self._line.write(HOST_STATUS_COMMAND)
        status = self._wait(self._newest_host_status)
        if status is None:
            self._line.write(ERROR_STATUS_COMMAND)
            status = self._wait(self._replies.next_error_status)
        return status or SILENT

    def forget_stale_answers(self) -> None:
        """Drop what the printer said unasked or too late. Raises DeviceLost if the line is cut."""
        for _ in range(STALE_READS_MAX):
            if not self._line.read(0.0):
                break
        self._replies.clear()

    def _newest_host_status(self) -> PrinterStatus | None:
        newest = None
        while (status := self._replies.next_host_status()) is not None:
            newest = status
            self._unanswered_count = max(0, self._unanswered_count - 1)
        return newest

    def _wait(self, next_status: Callable[[], PrinterStatus | None]) -> PrinterStatus | None:
        deadline = time.monotonic() + self._timeout_s
        while (status := next_status()) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            self._replies.receive_data(self._line.read(left_s))
        return status


def _send(line: PrinterLine, data: bytes) -> bool:
    """Give the rest of a job to the line; False if it takes too long. Raises DeviceLost."""
    deadline = time.monotonic() + SEND_TIMEOUT_S
    # In pieces: a line has a limit for each write, and a large picture may take longer in all.
    for start in range(0, len(data), PIECE_BYTES):
        if time.monotonic() > deadline:
            return False
        line.write(data[start : start + PIECE_BYTES])
    return True


def _described(status: PrinterStatus) -> str:
    return (
        f"{', '.join(status.conditions)}; formats waiting {status.formats_waiting_count}, "
        f"labels left {status.labels_left_count}"
    )


def _open_tcp_printer(settings: ZplTcpSettings) -> ZplPrinter:
    def open_line() -> PrinterLine:
        return open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)

    open_line().close()  # A printer that is not there is reported now, not with the first label.
    return ZplPrinter(settings, open_line)


def _open_device_printer(settings: ZplDeviceSettings) -> ZplPrinter:
    def open_line() -> PrinterLine:
        return open_device_file(Path(settings.path))

    open_line().close()
    return ZplPrinter(settings, open_line)


def _probe_tcp(settings: ZplTcpSettings) -> str:
    return _probe(
        settings,
        lambda: open_tcp(settings.host, settings.port, connect_timeout_s=PROBE_WAIT_S),
    )


def _probe_device(settings: ZplDeviceSettings) -> str:
    return _probe(settings, lambda: open_device_file(Path(settings.path)))


def _probe(settings: ZplSettings, open_line: Callable[[], PrinterLine]) -> str:
    """Return what it says of itself, "" if it knows no ZPL: three waits, so within two seconds."""
    short = msgspec.structs.replace(settings, status_timeout_s=PROBE_WAIT_S)
    status = ZplPrinter(short, open_line).status()
    return "" if status == SILENT else f"ZPL printer, {', '.join(status.conditions) or 'ready'}"


TCP = Driver(
    name="zpl-tcp",
    device_class="label_printer",
    summary="Label printers that speak ZPL II on a raw TCP port.",
    settings_type=ZplTcpSettings,
    open_device=_open_tcp_printer,
    matchers=(RAW_PORT,),
    node_setting="host",
    tcp_port_setting="port",
    probe=_probe_tcp,
    tier="silver",
)

DEVICE_FILE = Driver(
    name="zpl-device",
    device_class="label_printer",
    summary="Label printers that speak ZPL II on a device file such as /dev/usb/lp0.",
    settings_type=ZplDeviceSettings,
    open_device=_open_device_printer,
    matchers=(
        Matcher(kind="usb_printer", score=60, vendor_id=0x0A5F),  # Zebra, in usb.ids.
        Matcher(kind="usb_printer", score=3),
    ),
    node_setting="path",
    probe=_probe_device,
    tier="silver",
)
