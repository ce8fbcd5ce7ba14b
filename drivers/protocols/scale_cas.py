"""CAS indicators: lines of 22, 18 and 10 bytes to readings. Pure.

    22   ST,GS,iL,   13.50 kg CR LF     18   ST,GS,   13.50kg CR LF     10      13.50 CR LF
         |  |  |||        `-- unit
         |  |  ||`-- weight in 8 columns, blanks or zeros before it
         |  |  |`-- lamps: bit 7 always 1, 6 stable, 4 hold, 2 gross, 1 tare, 0 zero
         |  |  `-- device id, 30 hexadecimal + number
         |  `-- GS gross, NT net
         `-- ST stable, US unstable, OL overload

The 10 byte form says neither unit nor stability. Asked with "01RW" (two digits of the device id)
the indicator answers in its form; it echoes "01MZ" (zero) and "01MT" (tare) when done, and sends
"!" when it cannot, "?" when it does not understand.

Sources: CAS CI-600D manual, section 10; CI-400 manual, appendices 1 and 2 (lines, commands); NT-200
manual, section 14 (device id).
"""

import re
from collections.abc import Sequence
from typing import Literal

from drivers.api import CommandName, CommandResult, DeviceCommand
from drivers.protocols.scale_commands import TARE_UNSTATED, CommandAnswer
from drivers.protocols.scale_units import (
    DIGITS,
    UNIT_CODES,
    LineReader,
    decimal_of,
    unit_code,
)
from drivers.readings import DeviceFault, Reading, WeightMeasured

LINE_BYTES_MAX = 32
DEVICE_ID_MAX = 99

LineForm = Literal["22", "18", "10"]
UnitOfScale = Literal["kg", "g", "t", "lb"]

_LINES: dict[LineForm, re.Pattern[bytes]] = {
    "22": re.compile(rb"(ST|US|OL),(GS|NT),(.)(.),(.{8}) (.{2})", re.DOTALL),
    "18": re.compile(rb"(ST|US|OL),(GS|NT),()()(.{8})(.{2})", re.DOTALL),
    "10": re.compile(rb"()()()()(.{8})()", re.DOTALL),
}
_NUMBER = re.compile(rb" *+(-?+) *+(" + DIGITS + rb")")
_ID_BASE = 0x30
_LAMP_ALWAYS, _LAMP_STABLE, _LAMP_HOLD = 0x80, 0x40, 0x10


class CasProtocol:
    """Feed bytes in, take readings out; never raises. Also a CommandProtocol (zero, tare).

    form: which line the indicator is set to.
    unit, stable_only: of the 10 byte form: its unit, and True if it is set to send stable weights
        alone; otherwise every weight counts as unstable.
    device_id: the only one to accept, and the one to ask; 0 accepts each and asks none.
    speaks_by_itself: so its first line may be cut.
    """

    def __init__(
        self,
        *,
        form: LineForm = "22",
        unit: UnitOfScale = "kg",
        stable_only: bool = False,
        device_id: int = 0,
        speaks_by_itself: bool = False,
    ) -> None:
        self._form = form
        self._unit = UNIT_CODES[unit]
        self._stable_only = stable_only
        self._device_id = device_id
        self._sent = b""
        self._answer = CommandAnswer()
        self._reader = LineReader(
            self._read,
            line_end="crlf",
            line_bytes_max=LINE_BYTES_MAX,
            first_line="maybe_cut" if speaks_by_itself else "whole",
        )

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return self._reader.receive_data(data)

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a line; the half line becomes a fault."""
        return self._reader.idle()

    def poll(self) -> bytes:
        """Return the bytes that ask for the weight."""
        return b"%02dRW\r\n" % self._device_id

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; its echo, "!" or "?" belongs to it."""
        letters: dict[CommandName, bytes] = {"zero": b"MZ", "tare": b"MT"}
        self._answer.begin(command.name)
        if command.name not in letters:
            self._answer.finish("refused", "no such command in this protocol")
            return b""
        if not self._device_id:
            self._answer.finish("refused", "set device_id, each command begins with it")
            return b""
        if command.name == "tare" and self._form == "10":
            self._answer.finish("refused", TARE_UNSTATED)
            return b""
        self._sent = b"%02d%b" % (self._device_id, letters[command.name])
        return self._sent + b"\r\n"

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while nothing is known."""
        return self._answer.result()

    def _read(self, line: bytes) -> Reading | None:
        if self._answer.waiting is not None and line in {self._sent, b"!", b"?"}:
            detail = "it cannot be done now" if line == b"!" else "the command is not known"
            self._answer.finish_if(done=line == self._sent, otherwise=detail)
            return None
        if line in {b"!", b"?"}:
            return DeviceFault("not_ready", "the indicator refuses the command", line)
        if self._device_id and line == self.poll()[:-2]:
            return None  # Our own question, echoed by a converter on the line.
        match = _LINES[self._form].fullmatch(line)
        if match is None:
            return DeviceFault("unreadable", f"not a line of {self._form} bytes", line)
        state, mode, device_id, lamps, columns, name = match.groups()
        if lamps and (fault := self._lamp_fault(state, device_id[0], lamps[0], line)):
            return fault
        number = _NUMBER.fullmatch(columns)
        if state == b"OL":
            is_negative = number is not None and number[1] == b"-"
            detail = "the load is out of the range of the scale"
            return DeviceFault("underload" if is_negative else "overload", detail, line)
        if number is None:
            return DeviceFault("unreadable", "the columns of the weight hold no number", line)
        unit = unit_code(name) if name else self._unit
        if not unit:
            return DeviceFault("unreadable", f"{name!r} is not a unit of weight", line)
        kind: Literal["gross", "net"] = "net" if mode == b"NT" else "gross"
        stable = state == b"ST" if state else self._stable_only
        value = decimal_of(number[2], sign=number[1])
        return WeightMeasured(value, unit, kind, stable=stable, raw=line)

    def _lamp_fault(
        self, state: bytes, device_id: int, lamps: int, line: bytes
    ) -> DeviceFault | None:
        if self._device_id and device_id != _ID_BASE + self._device_id:
            detail = f"the indicator with the id byte {device_id:#04x} spoke, not ours"
            return DeviceFault("unreadable", detail, line)
        if not lamps & _LAMP_ALWAYS:
            return DeviceFault("unreadable", "bit 7 of the lamps is lost: set 8 data bits", line)
        if lamps & _LAMP_HOLD:
            return DeviceFault("not_ready", "the indicator holds a former weight", line)
        if state != b"OL" and bool(lamps & _LAMP_STABLE) != (state == b"ST"):
            return DeviceFault("unreadable", "header and lamps differ on stability", line)
        return None
