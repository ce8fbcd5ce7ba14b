"""A&D standard format: lines of balances, scales and indicators to readings. Pure.

    ST,+00012.34  g CR LF              ST,G ,+01234.5kg CR LF
    |  |         |                     |  |  |       `-- unit, 2 or 3 columns
    |  |         `-- unit, 3 columns   |  |  `-- sign and weight, 8 columns
    |  `-- sign and weight, 9 columns  |  `-- G GS gross, N NT net, T TR PT a tare
    `-- header                         `-- header, the same

    header  ST stable  US unstable  OL out of range (the digits are no weight)  QT count  HD held
    second header of a checkweigher, with 9 columns:  LO OK HI --

Commands end with CR LF. The device echoes a command that it does, and answers I when it cannot now,
? when it does not know it. Where weights come without G or N no tare is sent: they would be net and
not say so.

Sources: A&D GC series manual, section 16.2 (header, LO OK HI); AD-4329A manual, sections 11.1.1 and
12.1.3 (second header, blanks or nines when out of range, echo, I, ?); AD-4406 manual, sections 13.2
and 13.3 (RW, MZ, MT, CT, HD); HV-G/HW-G manual, section 16.3 (Q, Z, T, CT).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drivers.api import CommandName, CommandResult, DeviceCommand
from drivers.protocols.scale_commands import TARE_UNSTATED, CommandAnswer
from drivers.protocols.scale_units import DIGITS, LineReader, decimal_of, unit_code
from drivers.readings import DeviceFault, Reading, WeightMeasured

LINE_BYTES_MAX = 32

Model = Literal["scale", "indicator"]


@dataclass(frozen=True, slots=True)
class CommandSet:
    """What a family of A&D devices is told. poll: asks for the weight."""

    poll: bytes
    zero: bytes
    tare: bytes
    clear_tare: bytes


COMMAND_SETS: dict[Model, CommandSet] = {
    "scale": CommandSet(poll=b"Q", zero=b"Z", tare=b"T", clear_tare=b"CT"),
    "indicator": CommandSet(poll=b"RW", zero=b"MZ", tare=b"MT", clear_tare=b"CT"),
}

_LINE = re.compile(
    rb"(ST|US|OL|QT|HD),(?:(GS|G |NT|N |TR|T |PT|LO|OK|HI|--),)?+"
    rb"([+-])([\d., ]{6,7}[\d.,]|[., ]{7,8})([A-Za-z% ]{2,3})"
)
_NUMBER = re.compile(rb" *+(?:" + DIGITS + rb")")
_WEIGHT_COLUMNS_SHORT = 7  # Without the sign, after a second header of gross, net or tare.
_WEIGHT_COLUMNS_LONG = 8
_UNIT_COLUMNS = 3  # Without such a header: " kg" that lost a byte would be grams.
_GROSS_OR_NET = frozenset({b"G ", b"GS", b"N ", b"NT"})


class AndProtocol:
    """Feed bytes in, take readings out; never raises. Also a CommandProtocol.

    model: which commands the device knows. speaks_by_itself: so its first line may be cut.
    """

    def __init__(self, *, model: Model = "scale", speaks_by_itself: bool = False) -> None:
        self._commands = COMMAND_SETS[model]
        self._sent = b""
        self._answer = CommandAnswer()
        self._states_net = False
        self._reader = LineReader(
            self._read,
            line_end="cr_or_lf",
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
        """Return the bytes that ask for the weight at once."""
        return self._commands.poll + b"\r\n"

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; its echo, "I" or "?" belongs to it."""
        sent: dict[CommandName, bytes] = {
            "zero": self._commands.zero,
            "tare": self._commands.tare,
            "clear_tare": self._commands.clear_tare,
        }
        self._answer.begin(command.name)
        if command.name not in sent:
            self._answer.finish("refused", "no such command in this protocol")
            return b""
        if command.name == "tare" and not self._states_net:
            self._answer.finish("refused", TARE_UNSTATED)
            return b""
        self._sent = sent[command.name]
        return self._sent + b"\r\n"

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while nothing is known."""
        return self._answer.result()

    def _read(self, line: bytes) -> Reading | None:
        if match := _LINE.fullmatch(line):
            self._states_net = match[2] in _GROSS_OR_NET
            return _reading(match, line)
        if self._answer.waiting is not None and line in {self._sent, b"I", b"?"}:
            detail = "busy or not allowed now" if line == b"I" else "the command is not known"
            self._answer.finish_if(done=line == self._sent, otherwise=detail)
            return None
        if line == b"I":
            return DeviceFault("not_ready", "the scale is busy", line)
        if line == b"?":
            return DeviceFault("not_ready", "the scale does not know the command; see model", line)
        if line == self._commands.poll:
            return None  # Our own question, echoed by a converter on the line.
        return DeviceFault("unreadable", "not a line of the A&D standard format", line)


def _reading(match: re.Match[bytes], line: bytes) -> Reading:
    header, second, sign, columns, name = match.groups()
    if header == b"OL":
        if sign == b"-":
            return DeviceFault("underload", "the load is under the range of the scale", line)
        return DeviceFault("overload", "the load exceeds the range of the scale", line)
    if header == b"HD":
        return DeviceFault("not_ready", "the scale holds a former weight", line)
    if second in {b"T ", b"TR", b"PT"}:
        return DeviceFault("not_ready", "the scale sends its tare instead of the load", line)
    is_short = second in _GROSS_OR_NET
    if not is_short and len(name) != _UNIT_COLUMNS:
        return DeviceFault("unreadable", "the unit has too few columns: a byte was lost", line)
    if len(columns) != (_WEIGHT_COLUMNS_SHORT if is_short else _WEIGHT_COLUMNS_LONG):
        return DeviceFault("unreadable", "the weight has too few or too many columns", line)
    number = columns.replace(b",", b".")
    if not _NUMBER.fullmatch(number):
        return DeviceFault("unreadable", "the columns of the weight hold no number", line)
    unit = unit_code(name)
    if header == b"QT" or not unit:
        return DeviceFault("unreadable", f"the scale shows {name!r}, not a unit of weight", line)
    kind: Literal["gross", "net"] = "net" if second in {b"N ", b"NT"} else "gross"
    value = decimal_of(number, sign=sign)
    return WeightMeasured(value, unit, kind, stable=header == b"ST", raw=line)
