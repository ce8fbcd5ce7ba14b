"""Brother QL raster as a virtual printer understands it; it tells what it does by itself. Pure."""

import re
from typing import Literal

from drivers.bitmap import Bitmap
from drivers.simulators.printer_language import Command, MachineState

ROW_BYTES = 90
LENGTHS = {b"a": 4, b"!": 4, b"M": 4, b"A": 4, b"K": 4, b"d": 5, b"z": 13, b"S": 3}


class BrotherQlInterpreter:
    """Collects rows of 720 pins and prints them at FF or SUB, right side up.

    width_mm, length_mm: of the roll in it; length 0 is tape. Another one is an error.
    """

    real_time = re.compile(rb"(?!)")  # None: a question waits in line like everything else.
    real_time_starts: tuple[bytes, ...] = ()
    waits_when_stopped = False

    def __init__(self, *, width_mm: int = 62, length_mm: int = 0) -> None:
        self._width_mm = width_mm
        self._length_mm = length_mm
        self._rows: list[bytes] = []
        self.wrong_media = False

    def answer(self, _command: bytes, _state: MachineState, /) -> bytes:
        """There are no real-time commands."""
        return b""

    def told(self, what: Literal["begun", "printed", "stopped"], state: MachineState, /) -> bytes:
        """Tell of a label that begins, that is printed, or that cannot be."""
        if what == "begun":
            return self._status(state, kind=6, phase=1)
        if what == "printed":
            return self._status(state, kind=1) + self._status(state, kind=6, phase=0)
        return self._status(state, kind=2)

    def take(self, buffer: bytearray, state: MachineState, /) -> Command | None:
        """Take one command."""
        zeros = len(buffer) - len(buffer.lstrip(b"\0"))
        if zeros:
            del buffer[:zeros]
            return Command("NULL")
        if not buffer:
            return None
        first = bytes(buffer[:1])
        if first == b"g":
            return self._row(buffer)
        if first in {b"\x0c", b"\x1a"}:
            del buffer[:1]
            return Command("FF" if first == b"\x0c" else "SUB", self._page())
        if first == b"M":
            return self._cut_off(buffer, 2, "M")
        if first != b"\x1b":
            del buffer[:1]
            return Command("")
        if buffer[1:2] == b"@":
            self._rows.clear()
            return self._cut_off(buffer, 2, "ESC @")
        if len(buffer) < 3:
            return None
        name = bytes(buffer[2:3])
        if buffer[1:2] != b"i" or name not in LENGTHS:
            del buffer[:1]
            return Command("")
        if name == b"z" and len(buffer) >= LENGTHS[name]:
            self._check_media(bytes(buffer[3:13]))
        reply = self._status(state, kind=0) if name == b"S" else b""
        return self._cut_off(buffer, LENGTHS[name], f"ESC i {name.decode()}", reply)

    def _row(self, buffer: bytearray) -> Command | None:
        if len(buffer) < 3 or len(buffer) < 3 + buffer[2]:
            return None
        if buffer[1] != 0 or buffer[2] != ROW_BYTES:
            del buffer[:1]
            return Command("")
        self._rows.append(bytes(buffer[3 : 3 + ROW_BYTES]))
        del buffer[: 3 + ROW_BYTES]
        return Command("g")

    def _page(self) -> Bitmap | None:
        rows, self._rows = self._rows, []
        if not rows or self.wrong_media:
            return None
        turned = b"".join(
            int(f"{int.from_bytes(row, 'big'):0720b}"[::-1], 2).to_bytes(ROW_BYTES, "big")
            for row in rows
        )
        return Bitmap(ROW_BYTES * 8, len(rows), turned)

    def _check_media(self, stated: bytes) -> None:
        flags, kind, width_mm, length_mm = stated[:4]
        is_tape = self._length_mm == 0
        self.wrong_media = (
            (flags & 0x02 > 0 and kind != (0x0A if is_tape else 0x0B))
            or (flags & 0x04 > 0 and width_mm != self._width_mm)
            or (flags & 0x08 > 0 and length_mm != self._length_mm)
        )

    def _status(self, state: MachineState, *, kind: int, phase: int = 0) -> bytes:
        said = bytearray(32)
        said[:7] = b"\x80\x20B4800"
        said[8] = 0x02 * state.paper_out
        said[9] = 0x10 * state.head_open | 0x01 * self.wrong_media
        said[10] = self._width_mm
        said[11] = 0x0B if self._length_mm else 0x0A
        said[17] = self._length_mm
        said[18] = kind
        said[19] = phase
        return bytes(said)

    @staticmethod
    def _cut_off(buffer: bytearray, length: int, name: str, reply: bytes = b"") -> Command | None:
        if len(buffer) < length:
            return None
        del buffer[:length]
        return Command(name, reply=reply)
