"""ESC/POS as a virtual receipt printer understands it: bands of dots, cuts, DLE EOT. Pure."""

import re
from typing import Literal

from drivers.bitmap import Bitmap
from drivers.simulators.printer_language import Command, MachineState

LINE_FEED_DOTS = 30


class EscPosInterpreter:
    """Puts bands of dots below each other; a cut, or a feed where `cuts` is False, ends a label."""

    real_time = re.compile(rb"\x10(?:\x04[\x01-\x08]|\x05.|\x14.)", re.DOTALL)
    real_time_starts: tuple[bytes, ...] = (b"\x10\x04", b"\x10\x05", b"\x10\x14", b"\x10")
    waits_when_stopped = True

    def __init__(self, *, head_dots: int = 576, cuts: bool = True) -> None:
        self._head_dots = head_dots
        self._cuts = cuts
        self._paper: list[bytes] = []

    def answer(self, command: bytes, state: MachineState) -> bytes:
        """Answer DLE EOT 1 to 4."""
        if command[:2] != b"\x10\x04" or not 1 <= command[2] <= 4:
            return b""
        off_line = state.stopped or state.paused
        values = (
            0x12 | 0x08 * off_line,
            0x12 | 0x04 * state.head_open | 0x20 * state.paper_out,
            0x12,
            0x12 | 0x0C * (state.paper_near_end or state.paper_out) | 0x60 * state.paper_out,
        )
        return bytes([values[command[2] - 1]])

    def told(self, _what: Literal["begun", "printed", "stopped"], _state: MachineState, /) -> bytes:
        """It says nothing by itself."""
        return b""

    def take(self, buffer: bytearray, _state: MachineState, /) -> Command | None:
        """Take one command."""
        if buffer.startswith(b"\x1dv0"):
            return self._band(buffer)
        for start, length in ((b"\x1b@", 2), (b"\x1bd", 3), (b"\x1dV", 4), (b"\x1dr", 3)):
            if buffer.startswith(start):
                if len(buffer) < length:
                    return None
                command = bytes(buffer[:length])
                del buffer[:length]
                return self._obey(command)
        if not buffer or bytes(buffer) in {b"\x1b", b"\x1d", b"\x1dv"}:
            return None
        del buffer[:1]
        return Command("")

    def _band(self, buffer: bytearray) -> Command | None:
        if len(buffer) < 8:
            return None
        row_bytes = buffer[4] + 256 * buffer[5]
        end = 8 + row_bytes * (buffer[6] + 256 * buffer[7])
        if len(buffer) < end:
            return None
        width = (self._head_dots + 7) // 8
        for start in range(8, end, row_bytes):
            row = bytes(buffer[start : start + row_bytes])
            self._paper.append(row[:width].ljust(width, b"\0"))
        del buffer[:end]
        return Command("GS v 0")

    def _obey(self, command: bytes) -> Command:
        if command[:2] == b"\x1bd" and not self._cuts:
            return Command("ESC d", self._torn_off())
        if command[:2] == b"\x1dV":
            return Command("GS V", self._torn_off())
        if command[:2] == b"\x1dr":
            return Command("GS r", reply=b"\x00", confirms=True)
        if command == b"\x1b@":
            self._paper.clear()
        return Command("ESC " + chr(command[1]))

    def _torn_off(self) -> Bitmap | None:
        paper, self._paper = self._paper, []
        return Bitmap(self._head_dots, len(paper), b"".join(paper)) if paper else None
