"""What scales have in common: names of units, digits, lines of which each stands for itself. Pure.

Digits are kept as sent: "1.50" stays 1.50, so a multi-interval scale shows its interval.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal

from drivers.protocols.framing import Frame, LineEnd, LineFramer
from drivers.readings import DeviceFault, Reading

FirstLine = Literal["whole", "maybe_cut", "dropped"]

# UN/CEFACT Recommendation 20 code of each unit name, in lower case.
UNIT_CODES = {"g": "GRM", "kg": "KGM", "mg": "MGM", "t": "TNE", "lb": "LBR", "oz": "ONZ"}

DIGITS = rb"\d++(?:\.\d*+)?+|\.\d++"  # Possessive: noise costs no backtracking.


def decimal_of(digits: bytes, *, sign: bytes = b"") -> Decimal:
    """Return the number that DIGITS (blanks around allowed) and a sign, "-" or other, stand for."""
    value = Decimal(digits.strip().decode("ascii"))
    return value.copy_negate() if sign.strip() == b"-" else value


def unit_code(name: bytes) -> str:
    """Return the UN/CEFACT code of a unit's name in any case; "" for pieces, percent and others."""
    return UNIT_CODES.get(name.strip().decode("ascii", "replace").lower(), "")


class LineReader:
    """Cuts lines and gives each to `read`; the framing of scales that send lines of text.

    read: returns what one whole line says, None for nothing.
    first_line: of a scale that speaks by itself, what comes first, and first after a pause within
        a line, may be the end of a line. "maybe_cut": it is no fault, if it cannot be read;
        "dropped": nothing tells a cut line from a whole one, so it is not even tried.
    """

    def __init__(
        self,
        read: Callable[[bytes], Reading | None],
        *,
        line_end: LineEnd,
        line_bytes_max: int,
        first_line: FirstLine = "whole",
    ) -> None:
        self._read = read
        self._line_bytes_max = line_bytes_max
        self._framer = LineFramer(line_end=line_end, frame_bytes_max=line_bytes_max)
        self._first_line = first_line
        self._is_first = True

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings: list[Reading] = []
        for frame in self._framer.receive_data(data):
            is_first, self._is_first = self._is_first, False
            if is_first and self._first_line == "dropped":
                continue
            reading = self._too_long(frame) if frame.oversized else self._read(frame.data)
            is_cut = isinstance(reading, DeviceFault) and reading.code == "unreadable"
            if is_first and is_cut and self._first_line == "maybe_cut":
                continue
            if reading is not None:
                readings.append(reading)
        return readings

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a line; the half line becomes a fault."""
        begun = self._framer.idle()
        if not begun:
            return []
        self._is_first = True
        return [DeviceFault("unreadable", "half a line", begun)]

    def _too_long(self, frame: Frame) -> DeviceFault:
        detail = f"a line of more than {self._line_bytes_max} bytes was dropped"
        return DeviceFault("unreadable", detail, frame.data)
