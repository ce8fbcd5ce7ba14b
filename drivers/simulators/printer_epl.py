"""EPL2 as a virtual printer understands it: N to P, ^ commands at any time. Pure."""

import re
from typing import Literal

from drivers.bitmap import Bitmap
from drivers.simulators.printer_language import Command, MachineState


class EplInterpreter:
    """Draws GWs into an image of q times Q dots, and prints it at P.

    errors: codes that it names besides those of its state.
    """

    real_time = re.compile(rb"\^(?:ee|@|[A-Za-z])")
    real_time_starts: tuple[bytes, ...] = (b"^e", b"^")
    waits_when_stopped = False

    def __init__(self) -> None:
        self.errors: list[int] = []
        self._width = 0
        self._height = 0
        self._black: set[tuple[int, int]] = set()

    def answer(self, command: bytes, state: MachineState) -> bytes:
        """Answer ^ee."""
        if command != b"^ee":
            return b""
        codes = list(self.errors)
        if state.paper_out or state.ribbon_out:
            codes.append(7)
        if state.head_open:
            codes.append(11)
        if state.paused:
            codes.append(92)
        text = ",".join(f"{code:02d}" for code in codes or [0])
        return text.encode("ascii") + b"\r\n"

    def told(self, _what: Literal["begun", "printed", "stopped"], _state: MachineState, /) -> bytes:
        """It says nothing by itself."""
        return b""

    def take(self, buffer: bytearray, _state: MachineState, /) -> Command | None:
        """Take one line, or one GW with its bytes."""
        while buffer.startswith((b"\r", b"\n")):
            del buffer[:1]
        found = re.match(rb"GW(\d+),(\d+),(\d+),(\d+),", buffer)
        if found:
            x, y, row_bytes, rows_count = (int(number) for number in found.groups())
            end = found.end() + row_bytes * rows_count
            if len(buffer) < end:
                return None
            self._draw(bytes(buffer[found.end() : end]), x, y, row_bytes)
            del buffer[:end]
            return Command("GW")
        end = buffer.find(b"\n")
        if end == -1:
            return None
        line = bytes(buffer[:end]).decode("latin-1").rstrip("\r")
        del buffer[: end + 1]
        return self._obey(line)

    def _obey(self, line: str) -> Command:
        if line == "N":
            self._black.clear()
        elif re.fullmatch(r"q\d+", line):
            self._width = int(line[1:])
        elif re.fullmatch(r"Q\d+,\d+", line):
            self._height = int(line[1:].split(",", maxsplit=1)[0])
        elif re.fullmatch(r"P\d+", line):
            return Command("P", self._picture(), int(line[1:]))
        elif line != "ZT":
            self.errors.append(1)
            return Command("")
        return Command(line[:1])

    def _draw(self, data: bytes, x: int, y: int, row_bytes: int) -> None:
        for number, value in enumerate(data):
            if value == 0xFF:
                continue
            row, column = divmod(number, row_bytes)
            for bit in range(8):
                if not value & 0x80 >> bit:
                    self._black.add((x + column * 8 + bit, y + row))

    def _picture(self) -> Bitmap:
        row_bytes = (self._width + 7) // 8
        rows = bytearray(row_bytes * self._height)
        for x, y in self._black:
            if x < self._width and y < self._height:
                rows[y * row_bytes + x // 8] |= 0x80 >> x % 8
        return Bitmap(self._width, self._height, bytes(rows))
