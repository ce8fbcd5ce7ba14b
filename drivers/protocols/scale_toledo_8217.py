"""Toledo 8217 and 8213 scale: answers to W and Z to readings. Pure.

The host sends one letter, the scale answers, 7 bits and even parity:

    02 '0' '1' '.' '2' '5' '0' [N] 0D        02 '?' status 0D
    |  |                       |   |
    |  `-- six columns          `-- a tare is active, the weight is net
    `-- STX                        `-- CR

    status bit  6 command not known  5 net  4 centre of zero  3 outside the zero capture range
                2 under zero         1 over capacity          0 in motion

In the 8213 form bits 5 and 6 are always set and there is no net marker. Where the weight cannot be
reported there is a status instead, so no answer is ever a weight of before. The unit is not sent.

Sources: PSC Magellan 8500 service manual, section 6.1.4 (W, Z, 7E1, at least 200 ms between
commands); Transcell PC-150 manual, appendix B.1.4 (8213 status bits); emupos 0.4.0,
docs/protocols/toledo8217.md (net marker, bits 5 and 6 of the 8217). None of them knows a command
that tares.
"""

import re
from collections.abc import Sequence
from typing import Literal

from drivers.api import CommandResult, DeviceCommand
from drivers.protocols.scale_commands import CommandAnswer
from drivers.protocols.scale_units import DIGITS, UNIT_CODES, LineReader, decimal_of
from drivers.readings import DeviceFault, Reading, WeightMeasured

FRAME_BYTES_MAX = 16
WEIGHT_COLUMNS = 6

Variant = Literal["8217", "8213"]
UnitOfScale = Literal["kg", "lb", "g", "oz"]

_WEIGHT = re.compile(rb"\x02(" + DIGITS + rb")(N?)")
_STATUS = re.compile(rb"\x02\?([\x00-\x7f])", re.DOTALL)

_MOTION, _OVER, _UNDER, _NOT_ZEROED, _AT_ZERO, _UNKNOWN = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40


class Toledo8217Protocol:
    """Feed bytes in, take readings out; never raises. Also a CommandProtocol (zero).

    unit: what the scale weighs in. variant: which meaning bits 5 and 6 of the status have.
    """

    def __init__(self, *, unit: UnitOfScale = "kg", variant: Variant = "8217") -> None:
        self._unit = UNIT_CODES[unit]
        self._variant = variant
        self._answer = CommandAnswer()
        self._was_net = False
        self._reader = LineReader(self._read, line_end="cr", line_bytes_max=FRAME_BYTES_MAX)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return self._reader.receive_data(data)

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a reply; the half reply becomes a fault."""
        return self._reader.idle()

    def poll(self) -> bytes:
        """Return the byte that asks for the weight."""
        return b"W"

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the byte of a command; only "zero" is known to this protocol."""
        self._answer.begin(command.name)
        if command.name == "zero":
            return b"Z"
        self._answer.finish("refused", "no such command in this protocol")
        return b""

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while nothing is known."""
        return self._answer.result()

    def _read(self, line: bytes) -> Reading | None:
        if status := _STATUS.fullmatch(line):
            return self._status(status[1][0], line)
        weight = _WEIGHT.fullmatch(line)
        if weight is None:
            return DeviceFault("unreadable", "not a reply to W; is the line 7 bits, even?", line)
        digits, net = weight.groups()
        if len(digits) != WEIGHT_COLUMNS:
            detail = f"the weight has {len(digits)} columns, not {WEIGHT_COLUMNS}: a byte was lost"
            return DeviceFault("unreadable", detail, line)
        kind: Literal["gross", "net"] = "net" if net else "gross"
        was_net, self._was_net = self._was_net, bool(net)
        if was_net and not net:  # One lost byte must not make a net weight a gross one.
            return DeviceFault("not_ready", "no net marker, as the weight before had it", line)
        return WeightMeasured(decimal_of(digits), self._unit, kind, stable=True, raw=line)

    def _status(self, bits: int, line: bytes) -> Reading | None:
        if self._variant == "8213":
            bits &= ~_UNKNOWN
        if self._answer.waiting is not None:
            is_zero = bool(bits & _AT_ZERO) and not bits & (_MOTION | _OVER | _UNDER | _UNKNOWN)
            self._answer.finish_if(done=is_zero, otherwise=_status_fault(bits, line).detail)
            return None
        return _status_fault(bits, line)


def _status_fault(bits: int, line: bytes) -> DeviceFault:
    if bits & _OVER:
        return DeviceFault("overload", "the load exceeds the range of the scale", line)
    if bits & _UNDER:
        return DeviceFault("underload", "the load is under zero", line)
    if bits & _NOT_ZEROED:
        return DeviceFault("zero_error", "the scale is outside its zero capture range", line)
    if bits & _UNKNOWN:
        return DeviceFault("not_ready", "the scale does not know the command", line)
    if bits & _MOTION:
        return DeviceFault("not_ready", "the load is in motion", line)
    return DeviceFault("not_ready", "the scale has no weight to report", line)
