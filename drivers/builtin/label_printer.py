"""A label printer that gets labels as pictures: one job on a line of its own. Loop.

    draw -> open the line -> drop stale answers -> ask -> first byte alone -> the rest -> follow

    nothing sent     LabelInvalid is raised; "failed" with a condition: not ready, silent, no line
    something sent   "printed" only where the printer's own words prove it, "sent" where it said
                     nothing against it, "unknown" where the line or the printer stopped

A line is opened for each job and each question: port 9100 of many printers takes one client at a
time, so it must stay free for others, and a fresh line has no stale answers on it.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from drivers.bitmap import Bitmap
from drivers.builtin.stream import ByteLine
from drivers.candidates import Matcher
from drivers.errors import DeviceLost
from drivers.labels import Label
from drivers.protocols.printer_conditions import STOPPED
from drivers.readings import PrinterCondition, PrinterStatus, PrintResult
from drivers.transports.device_file import DeviceFile, open_device_file
from drivers.transports.serial_line import Parity, open_serial
from drivers.transports.tcp_client import TcpClient, open_tcp

PIECE_BYTES = 2048  # Of a job in one write; at 4800 baud it takes less than a write may.
STALE_READS_MAX = 16
FINISH_TIMEOUT_S = 1.0  # So long a printer has to take the end of a job before we hang up.
DOTS_PER_MM = {8: Decimal(8), 12: Decimal("11.811"), 24: Decimal("23.622")}  # 203, 300, 600 dpi.

TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]
BaudRate = Annotated[int, msgspec.Meta(ge=300, le=4_000_000)]
TimeoutS = Annotated[float, msgspec.Meta(gt=0, le=600)]
# Each language asks in another way, and what is a question in one prints or sets something in
# another (`ESC ! ?` is a print mode of ESC/POS, `~HS` comes out of an office printer as a page):
# no printer is asked which one it speaks, a person chooses.
RAW_PORT = Matcher(kind="network", score=10, tcp_port=9100)
SERIAL_PORT = Matcher(kind="serial", score=1)


class LabelPrinterSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every printer that gets labels as pictures.

    answers: False for a printer that never answers; it is sent labels unasked, and none of them
        is ever "printed".
    status_timeout_s: how long to wait for an answer to one question.
    send_timeout_s: how long the printer may take to accept a whole job.
    follow_timeout_s: how long to follow a job to its end; 0 does not follow.
    follow_interval_s: pause between two questions while following.
    font_file: font for the texts, "" one that the machine has.
    """

    answers: bool = True
    status_timeout_s: float = 1.0
    send_timeout_s: TimeoutS = 30.0
    follow_timeout_s: float = 10.0
    follow_interval_s: float = 0.2
    font_file: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for times that cannot work."""
        if not 0 < self.status_timeout_s <= 60 or not 0 < self.follow_interval_s <= 60:
            raise ValueError("expected 0 < status_timeout_s, follow_interval_s <= 60")
        if not 0 <= self.follow_timeout_s <= 600:
            raise ValueError("expected 0 <= follow_timeout_s <= 600")


class Conversation(Protocol):
    """Question and answer with one printer on one line, without the line. Nothing here raises.

    asks_while_printing: False for a printer that must not be asked then, but tells by itself.
    """

    @property
    def asks_while_printing(self) -> bool: ...

    def ask(self) -> bytes:
        """Begin a question; return its bytes."""
        ...

    def receive_data(self, data: bytes, /) -> bytes:
        """Take bytes as they come; return what is to be asked next, b"" if nothing."""
        ...

    def next_status(self) -> PrinterStatus | None:
        """Return what was answered or told and forget it; None if nothing whole has come."""
        ...

    def forget(self) -> None:
        """Drop what was said so far."""
        ...

    def begin_job(self, copies_count: int, /) -> None:
        """Note that the printer has the whole job from now on."""
        ...

    def is_printed(self) -> bool:
        """Return True once the printer's words prove that the job was printed."""
        ...


@dataclass(frozen=True, slots=True)
class Language:
    """What differs between printers.

    render: label and copies to the bytes of the job; raises LabelInvalid.
    new_conversation: for one line.
    """

    render: Callable[[Label, int], bytes]
    new_conversation: Callable[[], Conversation]


class PicturePrinter:
    """A LabelPrinter that opens its line for each job."""

    def __init__(
        self,
        settings: LabelPrinterSettings,
        language: Language,
        open_line: Callable[[], ByteLine],
    ) -> None:
        self._settings = settings
        self._language = language
        self._open_line = open_line

    def status(self) -> PrinterStatus:
        """Ask the printer; one that never answers is ready when its line can be opened.

        Raises DeviceLost.
        """
        line = self._open_line()
        try:
            if not self._settings.answers:
                return PrinterStatus(("ready",))
            return _Talk(line, self._language.new_conversation(), self._settings).ask()
        finally:
            line.close()

    def print_label(self, label: Label, copies_count: int) -> PrintResult:
        """Ask, send, follow. Raises LabelInvalid before any byte is sent."""
        return self.send_job(self._language.render(label, copies_count), copies_count)

    def send_job(self, job: bytes, copies_count: int) -> PrintResult:
        """Do the same with a job that is rendered already. Never raises."""
        try:
            line = self._open_line()
        except DeviceLost as error:
            return PrintResult("failed", f"not sent: {error}", "silent")
        try:
            talk = _Talk(line, self._language.new_conversation(), self._settings)
            return self._print(talk, line, job, copies_count)
        except DeviceLost as error:
            return PrintResult("failed", f"not sent: {error}", "silent")
        finally:
            line.close()

    def close(self) -> None:
        """Nothing is held open between jobs."""

    def _print(self, talk: "_Talk", line: ByteLine, job: bytes, copies_count: int) -> PrintResult:
        try:
            if self._settings.answers:
                status = talk.ask()
                if not status.ready:
                    condition = status.conditions[0]
                    return PrintResult("failed", f"not sent: the printer is {condition}", condition)
            talk.forget_stale_answers()  # Also notices a line that was cut since.
            line.write(job[:1])
        except DeviceLost as error:
            # Not one byte was taken: a lone first byte is taken or it is not.
            return PrintResult("failed", f"not sent: {error}", "silent")
        try:
            if not self._send(line, job[1:]):
                return PrintResult("unknown", "the printer takes bytes too slowly", "silent")
            talk.begin_job(copies_count)
            result = self._follow(talk)
            if result.outcome == "sent" and isinstance(line, TcpClient | DeviceFile):
                line.finish(FINISH_TIMEOUT_S)
            return result
        except DeviceLost as error:
            return PrintResult("unknown", f"lost while printing: {error}", talk.last_words())

    def _send(self, line: ByteLine, data: bytes) -> bool:
        """Give the rest to the line; False if `send_timeout_s` is over. Raises DeviceLost."""
        deadline = time.monotonic() + self._settings.send_timeout_s
        for start in range(0, len(data), PIECE_BYTES):
            if time.monotonic() > deadline:
                return False
            line.write(data[start : start + PIECE_BYTES])
        return True

    def _follow(self, talk: "_Talk") -> PrintResult:
        if not self._settings.answers:
            return PrintResult("sent", "not confirmed: this printer never answers")
        deadline = time.monotonic() + self._settings.follow_timeout_s
        status: PrinterStatus | None = None
        while time.monotonic() < deadline:
            status = talk.next_while_printing(deadline) or status
            stopped = [one for one in status.conditions if one in STOPPED] if status else []
            if status is not None and stopped:
                return PrintResult("unknown", f"stopped: {_described(status)}", stopped[0])
            if talk.is_printed():
                return PrintResult("printed", "confirmed by the printer")
        if status is None:
            return PrintResult("sent", "not confirmed: the printer said nothing")
        condition = None if status.ready else status.conditions[0]
        return PrintResult("sent", f"not confirmed: {_described(status)}", condition)


class _Talk:
    """One conversation on one open line. All raise DeviceLost."""

    def __init__(
        self, line: ByteLine, conversation: Conversation, settings: LabelPrinterSettings
    ) -> None:
        self._line = line
        self._conversation = conversation
        self._settings = settings
        self.begin_job = conversation.begin_job
        self.is_printed = conversation.is_printed
        self.forget_stale_answers()

    def ask(self) -> PrinterStatus:
        """Return the answer to a question, "silent" if none came in time."""
        deadline = time.monotonic() + self._settings.status_timeout_s
        self._line.write(self._conversation.ask())
        return self._wait(deadline) or PrinterStatus(("silent",))

    def next_while_printing(self, deadline: float) -> PrinterStatus | None:
        """Return the next thing that the printer says, after a pause if it must be asked."""
        if not self._conversation.asks_while_printing:
            return self._wait(deadline)
        status = self.ask()
        if not self._conversation.is_printed():
            pause_s = min(self._settings.follow_interval_s, deadline - time.monotonic())
            time.sleep(max(0.0, pause_s))
        return status

    def last_words(self) -> PrinterCondition:
        """Return why the printer stopped, if it told before it took no more; else "silent"."""
        with contextlib.suppress(DeviceLost):
            self._conversation.receive_data(self._line.read(0.0))
        status = self._conversation.next_status()
        return "silent" if status is None or status.ready else status.conditions[0]

    def forget_stale_answers(self) -> None:
        """Drop what the printer said unasked or too late."""
        for _ in range(STALE_READS_MAX):
            if not self._line.read(0.0):
                break
        self._conversation.forget()

    def _wait(self, deadline: float) -> PrinterStatus | None:
        while (status := self._conversation.next_status()) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            question = self._conversation.receive_data(self._line.read(left_s))
            if question:
                self._line.write(question)
        return status


class OnTcp(Protocol):
    """Settings of a printer on TCP."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def connect_timeout_s(self) -> float: ...


class OnSerial(Protocol):
    """Settings of a printer on a serial port."""

    @property
    def port(self) -> str: ...
    @property
    def baud_rate(self) -> int: ...
    @property
    def parity(self) -> Parity: ...


def tcp_line(settings: OnTcp) -> Callable[[], ByteLine]:
    """Return what opens the line."""
    return lambda: open_tcp(
        settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s
    )


def serial_line(settings: OnSerial) -> Callable[[], ByteLine]:
    """Return what opens the line; always 8 data bits, for pictures are binary."""
    return lambda: open_serial(
        settings.port,
        baud_rate=settings.baud_rate,
        data_bits=8,
        parity=settings.parity,
        stop_bits=1,
    )


def device_line(path: str) -> Callable[[], ByteLine]:
    """Return what opens the line."""
    return lambda: open_device_file(Path(path))


def draw(label: Label, settings: LabelPrinterSettings, *, dots_per_mm: Decimal) -> Bitmap:
    """Return the label's picture. Raises LabelInvalid."""
    # Pillow is loaded by those alone who print pictures.
    from drivers.drawing.label import draw_label  # noqa: PLC0415

    return draw_label(label, dots_per_mm=dots_per_mm, font_file=settings.font_file)


def open_printer(
    settings: LabelPrinterSettings, language: Language, open_line: Callable[[], ByteLine]
) -> PicturePrinter:
    """Return the printer. Raises DeviceLost if it is not there now, not with the first label."""
    open_line().close()
    return PicturePrinter(settings, language, open_line)


def _described(status: PrinterStatus) -> str:
    return ", ".join(status.conditions)
