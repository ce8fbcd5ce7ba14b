"""What virtual scales say, by the manuals that the protocols cite, in code of their own. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

Condition = Literal["weighing", "overload", "underload"]


@dataclass(frozen=True, slots=True)
class Load:
    """What lies on the scale. unit: as the scale shows it."""

    gross: Decimal
    unit: str
    decimals_count: int
    stable: bool = True
    condition: Condition = "weighing"
    tare: Decimal = Decimal(0)

    @property
    def shown(self) -> Decimal:
        """The net weight, rounded as the display shows it."""
        return (self.gross - self.tare).quantize(Decimal(1).scaleb(-self.decimals_count))

    @property
    def can_settle(self) -> bool:
        """True if the scale would zero or tare now."""
        return self.stable and self.condition == "weighing"

    def zeroed(self) -> "Load":
        """Return the load after the zero key."""
        return replace(self, gross=Decimal(0), tare=Decimal(0)) if self.can_settle else self

    def tared(self) -> "Load":
        """Return the load after the tare key."""
        return replace(self, tare=self.gross) if self.can_settle else self


@dataclass(frozen=True, slots=True)
class Toledo8217Language:
    """W and Z, one byte each; a status where the weight cannot be reported."""

    def take(self, received: bytearray) -> list[bytes]:
        """Return each byte but line ends as a command."""
        commands = [bytes([byte]) for byte in received if byte not in b"\r\n"]
        received.clear()
        return commands

    def answer(self, command: bytes, load: Load) -> tuple[bytes, Load]:
        """Answer with a weight or a status."""
        if command == b"Z":
            load = load.zeroed()
        bits = 0 if load.stable else 1
        bits |= {"weighing": 0, "overload": 2, "underload": 4}[load.condition]
        bits |= 4 if load.shown < 0 else 0
        bits |= 0x10 if load.gross == 0 else 0
        bits |= 0x20 if load.tare else 0
        if command != b"W":
            return bytes([2, 0x3F, bits | (0 if command == b"Z" else 0x40), 13]), load
        if bits & 7:
            return bytes([2, 0x3F, bits, 13]), load
        return b"\x02%06.3f%b\r" % (load.shown, b"N" if load.tare else b""), load

    def speak(self, load: Load) -> bytes:  # noqa: ARG002 - only when asked.
        """Say nothing."""
        return b""


@dataclass(frozen=True, slots=True)
class ToledoContinuousLanguage:
    """Frames of 17 bytes, or 18 with the checksum, all the time; Z, T, C with CR LF."""

    has_checksum: bool = False

    def take(self, received: bytearray) -> list[bytes]:
        """Return whole lines."""
        return _take_lines(received, b"\r\n")

    def answer(self, command: bytes, load: Load) -> tuple[bytes, Load]:
        """Obey in silence."""
        return b"", _obeyed(command, load, zero=b"Z", tare=b"T", clear=b"C")

    def speak(self, load: Load) -> bytes:
        """Return one frame."""
        digits = f"{abs(load.shown.scaleb(load.decimals_count)):06.0f}".encode()
        tare = f"{load.tare.scaleb(load.decimals_count):06.0f}".encode()
        a = 0x20 | 0x08 | (2 + load.decimals_count)
        b = 0x20 | (0x10 if load.unit == "kg" else 0) | (1 if load.tare else 0)
        b |= (2 if load.shown < 0 else 0) | (0 if load.stable else 8)
        b |= {"weighing": 0, "overload": 4, "underload": 6}[load.condition]
        frame = bytes([2, a, b, 0x20]) + digits + tare + b"\r"
        return frame + (bytes([-sum(frame) & 0x7F]) if self.has_checksum else b"")


@dataclass(frozen=True, slots=True)
class LineLanguage:
    """Lines that a function makes of the load; commands are whole lines, echoed when done.

    line: makes what is said of a load, without its end. poll: the command that asks for it; b"" for
        a scale that speaks all the time. refusal: what a command that cannot be done is answered.
    """

    line: Callable[[Load], bytes]
    end: bytes = b"\r\n"
    poll: bytes = b""
    zero: bytes = b"Z"
    tare: bytes = b"T"
    clear: bytes = b"CT"
    refusal: bytes = b"I"

    def take(self, received: bytearray) -> list[bytes]:
        """Return whole lines."""
        return _take_lines(received, self.end)

    def answer(self, command: bytes, load: Load) -> tuple[bytes, Load]:
        """Answer the question, or obey and echo."""
        if command == self.poll:
            return self.line(load) + self.end, load
        after = _obeyed(command, load, zero=self.zero, tare=self.tare, clear=self.clear)
        if command not in {self.zero, self.tare, self.clear}:
            return b"?" + self.end, load
        return (command if load.can_settle else self.refusal) + self.end, after

    def speak(self, load: Load) -> bytes:
        """Return one line, if nobody has to ask."""
        return b"" if self.poll else self.line(load) + self.end


@dataclass(frozen=True, slots=True)
class NciLanguage:
    """W, S, Z, T with CR; three status bytes, so that net is stated."""

    def take(self, received: bytearray) -> list[bytes]:
        """Return what stands before each CR."""
        return _take_lines(received, b"\r")

    def answer(self, command: bytes, load: Load) -> tuple[bytes, Load]:
        """Answer with weight and status, or status alone."""
        load = _obeyed(command, load, zero=b"Z", tare=b"T", clear=b"")
        first = 0x30 | (0 if load.stable else 1) | (2 if load.gross == 0 else 0)
        second = 0x70 | {"weighing": 0, "overload": 2, "underload": 1}[load.condition]
        status = bytes([first, second, 0x34 if load.tare else 0x30])
        weight = {"overload": b"^^^^^^", "underload": b"______"}.get(
            load.condition, b"%7.3f" % load.shown
        )
        if command not in {b"W", b"S", b"Z", b"T"}:
            return b"\n?\r\x03", load
        head = b"\n%b%b\r" % (weight, load.unit.encode()) if command == b"W" else b""
        return head + b"\n%b\r\x03" % status, load

    def speak(self, load: Load) -> bytes:  # noqa: ARG002 - only when asked.
        """Say nothing."""
        return b""


@dataclass(frozen=True, slots=True)
class SmaLanguage:
    """LF command CR; standard responses."""

    def take(self, received: bytearray) -> list[bytes]:
        """Return what stands between LF and CR."""
        return [line.lstrip(b"\n") for line in _take_lines(received, b"\r")]

    def answer(self, command: bytes, load: Load) -> tuple[bytes, Load]:
        """Answer with a standard response."""
        if command not in {b"W", b"Z", b"T", b"C"}:
            return b"\n?\r", load
        after = _obeyed(command, load, zero=b"Z", tare=b"T", clear=b"C")
        failed = command in {b"Z", b"T"} and not load.can_settle
        status = {"overload": b"O", "underload": b"U"}.get(after.condition, b" ")
        status = b"Z" if status == b" " and after.gross == 0 else status
        if failed:
            status = b"E" if command == b"Z" else b"T"
        digits = b"-" * 10 if failed else b"%10.3f" % after.shown
        mode = b"N" if after.tare else b"G"
        motion = b" " if after.stable else b"M"
        unit = f"{after.unit:3}".encode()
        return b"\n%b1%b%b %b%b\r" % (status, mode, motion, digits, unit), after

    def speak(self, load: Load) -> bytes:  # noqa: ARG002 - only when asked.
        """Say nothing."""
        return b""


def and_line(load: Load) -> bytes:
    """Return a line of an A&D balance: 9 columns, or of nines when out of range."""
    if load.condition != "weighing":
        return b"OL,%b99999.99 kg" % (b"-" if load.condition == "underload" else b"+")
    sign = b"-" if load.shown < 0 else b"+"
    head = b"ST" if load.stable else b"US"
    return b"%b,%b%08.3f%3b" % (head, sign, abs(load.shown), load.unit.encode())


def cas_line(load: Load, *, device_id: int = 1) -> bytes:
    """Return a line of 22 bytes of a CAS indicator, without its end."""
    head = b"ST" if load.stable else b"US"
    head = head if load.condition == "weighing" else b"OL"
    mode = b"NT" if load.tare else b"GS"
    lamps = 0x80 | (0x40 if load.stable else 0) | (2 if load.tare else 4)
    marks = bytes([0x30 + device_id]) + bytes([lamps])
    digits = b"-99.9999" if load.condition == "underload" else b"%8.3f" % load.shown
    return b"%b,%b,%b,%b %2b" % (head, mode, marks, digits, load.unit.encode())


def ohaus_line(load: Load) -> bytes:
    """Return a line of an Ohaus indicator of the 3000 series, without its end."""
    if load.condition != "weighing":
        return b"Err 8.%d" % (3 if load.condition == "overload" else 4)
    mode: Literal[b"NET", b"   "] = b"NET" if load.tare else b"   "
    sign = b"-" if load.shown < 0 else b" "
    mark = b" " if load.stable else b"?"
    return b"%b %7.3f %-5b%b%b" % (sign, abs(load.shown), load.unit.encode(), mark, mode)


def _take_lines(received: bytearray, end: bytes) -> list[bytes]:
    *lines, rest = received.split(end)
    received[:] = rest
    return [bytes(line) for line in lines]


def _obeyed(command: bytes, load: Load, *, zero: bytes, tare: bytes, clear: bytes) -> Load:
    if command == zero:
        return load.zeroed()
    if command == tare:
        return load.tared()
    return replace(load, tare=Decimal(0)) if command == clear else load
