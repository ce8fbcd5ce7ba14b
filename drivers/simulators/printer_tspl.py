"""TSPL as a virtual printer understands it: SIZE to PRINT, <ESC>! at any time. Pure."""

import re
from typing import Literal

from drivers.bitmap import Bitmap
from drivers.simulators.printer_language import Command, MachineState

LINE_BYTES_MAX = 4096


class TsplInterpreter:
    """Draws BITMAPs into an image as large as SIZE says, and prints it at PRINT."""

    real_time = re.compile(rb"\x1b!.", re.DOTALL)
    real_time_starts: tuple[bytes, ...] = (b"\x1b!", b"\x1b")
    waits_when_stopped = False

    def __init__(self, *, dots_per_mm: int = 8, is_clone: bool = False) -> None:
        self._dots_per_mm = dots_per_mm
        self._is_clone = is_clone  # Answers no question.
        self._rows: list[list[int]] = []
        self._width = 0

    def answer(self, command: bytes, state: MachineState) -> bytes:
        """Answer <ESC>!? and <ESC>!S."""
        if self._is_clone:
            return b""
        if command == b"\x1b!S":
            message = b"`" if state.paused else b"P" if state.printing else b"@"
            paper = 0x40 | state.paper_out | state.ribbon_out << 2 | state.head_open << 5
            return b"\x02" + message + b"@@" + bytes([paper]) + b"\x03\r\n"
        if command != b"\x1b!?":
            return b""
        flags = (state.head_open, False, state.paper_out, state.ribbon_out, state.paused)
        bits = sum(flag << bit for bit, flag in enumerate((*flags, state.printing)))
        return bytes([bits])

    def told(self, _what: Literal["begun", "printed", "stopped"], _state: MachineState, /) -> bytes:
        """It says nothing by itself."""
        return b""

    def take(self, buffer: bytearray, _state: MachineState, /) -> Command | None:
        """Take one line, or one BITMAP with its bytes."""
        found = re.match(rb"BITMAP (\d+),(\d+),(\d+),(\d+),0,", buffer)
        if found:
            x, y, row_bytes, rows_count = (int(number) for number in found.groups())
            end = found.end() + row_bytes * rows_count
            if len(buffer) < end:
                return None
            self._draw(bytes(buffer[found.end() : end]), x, y, row_bytes)
            del buffer[:end]
            return Command("BITMAP")
        end = buffer.find(b"\r\n")
        if end == -1:
            if len(buffer) > LINE_BYTES_MAX and not buffer.startswith(b"BITMAP "):
                del buffer[:]
                return Command("")
            return None
        line = bytes(buffer[:end]).decode("latin-1")
        del buffer[: end + 2]
        return self._obey(line)

    def _obey(self, line: str) -> Command | None:
        name, _, rest = line.partition(" ")
        if name == "SIZE":
            sides = [float(side.removesuffix(" mm")) for side in rest.split(",")]
            self._width = round(sides[0] * self._dots_per_mm)
            self._rows = [[] for _ in range(round(sides[1] * self._dots_per_mm))]
        elif name == "CLS":
            self._rows = [[0] * self._width for _ in self._rows]
        elif name == "PRINT":
            sets_count, _, copies_count = rest.partition(",")
            picture = _packed(self._rows, self._width)
            return Command("PRINT", picture, int(sets_count) * int(copies_count or "1"))
        elif name not in {"GAP", "DIRECTION", "REFERENCE", ""}:
            return Command("")
        return Command(name or "empty line")

    def _draw(self, data: bytes, x: int, y: int, row_bytes: int) -> None:
        for number in range(len(data) // row_bytes):
            row = data[number * row_bytes : (number + 1) * row_bytes]
            if y + number >= len(self._rows):
                return
            dots = [1 - int(bit) for value in row for bit in f"{value:08b}"]
            target = self._rows[y + number]
            fitting = dots[: max(0, len(target) - x)]
            target[x : x + len(fitting)] = fitting


def _packed(rows: list[list[int]], width: int) -> Bitmap:
    packed = bytearray()
    for row in rows:
        text = "".join(map(str, row)) + "0" * (-width % 8)
        packed += int(text, 2).to_bytes(len(text) // 8, "big")
    return Bitmap(width, len(rows), bytes(packed))
