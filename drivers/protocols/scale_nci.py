"""NCI (Weigh-Tronix) SCP-01 and SCP-02 scale: replies to readings. Pure.

    LF xxxx.xxuu CR LF [S]hh CR ETX      weight, unit, status
    LF [S]hh CR ETX                      status alone: where there is no weight, and after Z and T
    LF ? CR ETX                          command not known

"S" comes before the status of SCP-02 (ECR). Status bytes, always 3x or 7x hexadecimal:

    bit  first           second              third
     0   in motion       under capacity      range
     1   at zero         over capacity       range
     2   RAM error       ROM error           net weight
     3   EEPROM error    bad calibration     initial zero error
     6   always 0        another follows     another follows

A model's weights all have the same width, pounds and ounces another: one that differs from the
weight before has lost a byte, or the unit was changed; then the next one tells.

Fewer than three status bytes do not say net or gross; then no tare is sent, see `begin`.

A weight in pounds and ounces, "1lb  4.5oz", becomes ounces: 16 in a pound, exactly.

Sources: NCI SCP-01, Weigh-Tronix document 8408-14788-01; Ohaus Aviator 7000 service manual, pages
47-49 (SCP-02, status bytes); Adam MDW manual, section 8.5 (T, ^^^ over, ___ under, --- zero error);
Avery Weigh-Tronix 7821 user instructions, section 6.3.
"""

import re
from collections.abc import Sequence
from typing import Literal

from drivers.api import CommandName, CommandResult, DeviceCommand
from drivers.protocols.scale_commands import TARE_UNSTATED, CommandAnswer
from drivers.protocols.scale_units import DIGITS, decimal_of, unit_code
from drivers.readings import DeviceFault, Reading, WeightMeasured

FRAME_BYTES_MAX = 40  # The longest, "LF 999lb 15.99oz CR LF Shhhh CR", has 25.
OUNCES_IN_POUND = 16

_ETX = b"\x03"
_FRAME = re.compile(rb"(?:\n([^\r\n]{1,20})\r)?\nS?+([0-\x3f][0-\x7f]{1,3})\r", re.DOTALL)
_WEIGHT = re.compile(rb" *+(-?+) *+(" + DIGITS + rb") *+([A-Za-z]{1,2}) *+")
_POUNDS_OUNCES = re.compile(rb" *+(-?+) *+(\d++) ?+[Ll][Bb] *+(" + DIGITS + rb") ?+[Oo][Zz] *+")

_COMMANDS: dict[CommandName, bytes] = {"zero": b"Z\r", "tare": b"T\r"}


class NciProtocol:
    """Feed bytes in, take readings out; never raises. Also a CommandProtocol (zero, tare)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._oversized = False
        self._answer = CommandAnswer()
        self._states_net = False
        self._widths: dict[bool, int] = {}  # By "pounds and ounces": of the weight before.

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings: list[Reading] = []
        for start in range(0, len(data), FRAME_BYTES_MAX):
            self._buffer += data[start : start + FRAME_BYTES_MAX]
            while (end := self._buffer.find(_ETX)) != -1:
                frame = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                readings += [] if self._oversized else self._read(frame)
                self._oversized = False
            if len(self._buffer) > FRAME_BYTES_MAX:
                if not self._oversized:
                    readings.append(_too_long(bytes(self._buffer[:FRAME_BYTES_MAX])))
                self._oversized = True
                self._buffer.clear()
        return readings

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a reply; the half reply becomes a fault."""
        begun = b"" if self._oversized else bytes(self._buffer)
        self._buffer.clear()
        self._oversized = False
        return [DeviceFault("unreadable", "half a reply", begun)] if begun.strip() else []

    def poll(self) -> bytes:
        """Return the bytes that ask for the weight."""
        return b"W\r"

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; the next status without a weight belongs to it."""
        self._answer.begin(command.name)
        if command.name == "tare" and not self._states_net:
            self._answer.finish("refused", TARE_UNSTATED)
            return b""
        if command.name in _COMMANDS:
            return _COMMANDS[command.name]
        self._answer.finish("refused", "no such command in this protocol")
        return b""

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while nothing is known."""
        return self._answer.result()

    def _read(self, frame: bytes) -> list[Reading]:
        if len(frame) > FRAME_BYTES_MAX:
            return [_too_long(frame[:FRAME_BYTES_MAX])]
        if frame == b"\n?\r":
            detail = "the scale does not know the command"
            if self._answer.waiting is None:
                return [DeviceFault("not_ready", detail, frame)]
            self._answer.finish("refused", detail)
            return []
        match = _FRAME.fullmatch(frame)
        if match is None or not _is_status(match[2]):
            return [DeviceFault("unreadable", "not a reply of SCP-01 or SCP-02", frame)]
        text, status = match.groups()
        fault = _status_fault(status, frame)
        if text is None and self._answer.waiting is not None:
            self._finish(status, fault)
            return []
        if fault is not None:
            return [fault]
        if text is None:
            detail = "in motion" if status[0] & 0x01 else "the scale has no weight to report"
            return [DeviceFault("not_ready", detail, frame)]
        self._states_net = len(status) > 2
        return [self._checked(_weight(text, status, frame), text)]

    def _checked(self, reading: Reading, text: bytes) -> Reading:
        is_compound = _POUNDS_OUNCES.fullmatch(text) is not None
        width = self._widths.setdefault(is_compound, len(text))
        self._widths[is_compound] = len(text)
        if isinstance(reading, DeviceFault) or width == len(text):
            return reading
        detail = f"the weight has {len(text)} columns, the one before had {width}"
        return DeviceFault("unreadable", detail, reading.raw)

    def _finish(self, status: bytes, fault: DeviceFault | None) -> None:
        if fault is not None:
            self._answer.finish("refused", fault.detail)
        elif self._answer.waiting == "zero":
            is_zero = status[0] & 0x03 == 0x02
            self._answer.finish_if(done=is_zero, otherwise="the scale is not at zero")
        elif len(status) < 3:
            self._answer.finish("unknown", "the scale does not state whether a tare is active")
        else:
            self._answer.finish_if(done=bool(status[2] & 0x04), otherwise="no tare is active")


def _is_status(status: bytes) -> bool:
    last = len(status) - 1
    return all(
        byte & 0x30 == 0x30 and (index == 0 or bool(byte & 0x40) == (index < last))
        for index, byte in enumerate(status)
    )


def _status_fault(status: bytes, frame: bytes) -> DeviceFault | None:
    first, second = status[0], status[1]
    if first & 0x0C or second & 0x0C:
        return DeviceFault("zero_error", "memory or calibration error of the scale", frame)
    if second & 0x02:
        return DeviceFault("overload", "the load exceeds the range of the scale", frame)
    if second & 0x01:
        return DeviceFault("underload", "the load is under the range of the scale", frame)
    if len(status) > 2 and status[2] & 0x08:
        return DeviceFault("zero_error", "the scale could not be zeroed when switched on", frame)
    return None


def _weight(text: bytes, status: bytes, frame: bytes) -> Reading:
    kind: Literal["gross", "net"] = "net" if len(status) > 2 and status[2] & 0x04 else "gross"
    stable = not status[0] & 0x01
    if compound := _POUNDS_OUNCES.fullmatch(text):
        sign, pounds, ounces = compound.groups()
        value = decimal_of(pounds) * OUNCES_IN_POUND + decimal_of(ounces)
        value = value.copy_negate() if sign else value
        return WeightMeasured(value, "ONZ", kind, stable=stable, raw=frame)
    weight = _WEIGHT.fullmatch(text)
    if weight is None:
        return DeviceFault("unreadable", "there is no number where the weight stands", frame)
    sign, digits, name = weight.groups()
    unit = unit_code(name)
    if not unit:
        return DeviceFault("unreadable", f"the scale shows {name!r}, not a unit of weight", frame)
    return WeightMeasured(decimal_of(digits, sign=sign), unit, kind, stable=stable, raw=frame)


def _too_long(head: bytes) -> DeviceFault:
    detail = f"a reply of more than {FRAME_BYTES_MAX} bytes was dropped"
    return DeviceFault("unreadable", detail, head)
