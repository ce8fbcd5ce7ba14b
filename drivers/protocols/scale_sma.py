"""Scale that speaks SMA SCP-0499: standard responses to readings. Pure.

    LF s r n m f wwwwwwwwww uuu CR
       | | | | | |          `-- unit, left-aligned in 3 columns
       | | | | | `-- weight in 10 columns, or "----------" where there is none
       | | | | `-- reserved
       | | | `-- M in motion, blank stable
       | | `-- G gross, N net, T tare (answer to M), g and n in high resolution
       | `-- range, from 1: of a multi-interval scale the one in use
       `-- blank fine, Z centre of zero, O over, U under, E zero error, I initial zero error,
           T tare error

    LF ? CR  command not known       LF ! CR  the scale received damaged bytes

Sources: Sartorius PR 5211 instrument manual, section 5 (commands W, Z, T, C, status); Fairbanks
FB2550 manual, appendix III (I, initial zero error); emupos 0.4.0, docs/protocols/sma.md.
"""

import re
from collections.abc import Sequence
from typing import Literal

from drivers.api import CommandName, CommandResult, DeviceCommand
from drivers.protocols.scale_commands import CommandAnswer
from drivers.protocols.scale_units import DIGITS, LineReader, decimal_of, unit_code
from drivers.readings import DeviceFault, FaultCode, Reading, WeightMeasured

LINE_BYTES_MAX = 64  # Answers to A, B, D and N are longer than weights; we never ask them.

_RESPONSE = re.compile(rb"([ ZOUEIT])[1-9]([GNTgn])([M ]).(.{10})(.{3})", re.DOTALL)
_WEIGHT = re.compile(rb" *+(-?+) *+(" + DIGITS + rb")")

_COMMANDS: dict[CommandName, bytes] = {
    "zero": b"\nZ\r",
    "tare": b"\nT\r",
    "clear_tare": b"\nC\r",
}
_FAULTS: dict[bytes, tuple[FaultCode, str]] = {
    b"O": ("overload", "the load exceeds the range of the scale"),
    b"U": ("underload", "the load is under the range of the scale"),
    b"E": ("zero_error", "the scale cannot be zeroed"),
    b"I": ("zero_error", "the scale could not be zeroed when it was switched on"),
    b"T": ("not_ready", "the scale cannot be tared"),
}
_ERRORS = {
    b"?": "the scale does not know the command",
    b"!": "the scale received damaged bytes; check parity and cable",
}


class SmaProtocol:
    """Feed bytes in, take readings out; never raises. Also a CommandProtocol."""

    def __init__(self) -> None:
        self._answer = CommandAnswer()
        self._reader = LineReader(self._read, line_end="cr_or_lf", line_bytes_max=LINE_BYTES_MAX)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return self._reader.receive_data(data)

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a reply; the half reply becomes a fault."""
        return self._reader.idle()

    def poll(self) -> bytes:
        """Return the bytes that ask for the displayed weight."""
        return b"\nW\r"

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; the next response belongs to it."""
        self._answer.begin(command.name)
        if command.name in _COMMANDS:
            return _COMMANDS[command.name]
        self._answer.finish("refused", "no such command in this protocol")
        return b""

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while nothing is known."""
        return self._answer.result()

    def _read(self, line: bytes) -> Reading | None:
        if line in _ERRORS:
            if self._answer.waiting is None:
                return DeviceFault("not_ready", _ERRORS[line], line)
            self._answer.finish("refused", _ERRORS[line])
            return None
        response = _RESPONSE.fullmatch(line)
        if response is None:
            return DeviceFault("unreadable", "not a standard response of SCP-0499", line)
        reading = _response(response, line)
        if self._answer.waiting is None:
            return reading
        status, mode = response[1], response[2]
        done = isinstance(reading, WeightMeasured) and {
            "zero": status == b"Z",
            "tare": mode in b"Nn",
            "clear_tare": mode in b"Gg",
        }.get(self._answer.waiting, False)
        detail = reading.detail if isinstance(reading, DeviceFault) else "the scale did not do it"
        self._answer.finish_if(done=done, otherwise=detail)
        return reading if isinstance(reading, WeightMeasured) else None


def _response(response: re.Match[bytes], line: bytes) -> WeightMeasured | DeviceFault:
    status, mode, motion, digits, name = response.groups()
    if status in _FAULTS:
        return DeviceFault(*_FAULTS[status], line)
    if digits == b"-" * len(digits):
        return DeviceFault("not_ready", "the scale has no weight to report", line)
    weight = _WEIGHT.fullmatch(digits)
    if weight is None:
        return DeviceFault("unreadable", "the columns of the weight hold no number", line)
    if mode == b"T":
        return DeviceFault("unreadable", "a tare, not the weight that was asked for", line)
    unit = unit_code(name.replace(b"_", b" "))
    if not unit:
        return DeviceFault("unreadable", f"the scale shows {name!r}, not a unit of weight", line)
    sign, number = weight.groups()
    kind: Literal["gross", "net"] = "net" if mode in b"Nn" else "gross"
    return WeightMeasured(
        decimal_of(number, sign=sign), unit, kind, stable=motion == b" ", raw=line
    )
