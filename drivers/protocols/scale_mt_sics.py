"""Mettler-Toledo MT-SICS scale: weight replies to readings, the poll command to bytes. Pure.

A reply is ASCII and ends with CR LF. To S, SI and SIR the manual's scale answers with head "S":

    S S     100.00 g
    | | |          `-- unit, then the end
    | | `-- a space, then the weight, right-aligned in 10 columns, then a space
    | `-- S stable, D dynamic, I not now, + overload, - underload, L parameter wrong
    `-- head; some makers repeat the command here (SI, SIR, SU, SIU)

RADWAG and the KERN scales of the same make confirm first ("S A"), then send fixed columns:

    SI ? -     18.5 kg
    |  | ||        `-- 17-19 unit, left-aligned
    |  | |`-- 7-15 the weight, right-aligned
    |  | `-- 6 the sign, a space or "-"
    |  `-- 4 space stable, ? unstable, ^ over, v under the range
    `-- 1-3 command

To Z, T and TAC it answers with the command's own letters, and to TA with the tare:

    Z A                     done       T S      2.486 g    done, the weight that was tared
    TAC A                   done       TA A     2.486 g    the tare, 0 if none is active
    Z I, Z +, Z -           refused: not now, over, under the range of zeroing
    Z A, then Z D or Z E    RADWAG: begun, then done or given up; its TAC is "UT 0", its TA is OT

No weight says whether a tare is active. Where the tare is `asked`, TA is asked after every SI, and
a weight counts only between two equal answers to it; then it is known to be gross or net.

Both forms have their width checked, so that a byte lost on the line yields a fault, not another
weight.

Sources: METTLER TOLEDO, Reference Manual Standard Interface Command Set (MT-SICS), level 0 commands
S, SI, SIR, Z, @, I4 and error replies ES, ET, EL, level 1 commands T, TA, TAC; RADWAG, PUE C/31H
user manual, section 18.4 (mass frame), AS R2 PLUS manual, section 14.2 (replies A, E, I, ^, v) and
PS R2 manual, page 158 (T, OT, UT); KERN KET-TM manual, section 16.3 (Z ^, T ^).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from drivers.api import CommandName, CommandResult, DeviceCommand
from drivers.protocols.framing import Frame, LineFramer
from drivers.protocols.scale_commands import CommandAnswer
from drivers.protocols.scale_units import UNIT_CODES
from drivers.readings import DeviceFault, FaultCode, Reading, WeightMeasured

FRAME_BYTES_MAX = 80  # The longest reply we know (I4 with a long serial number) is under 50 bytes.
WEIGHT_COLUMNS = 10  # MT-SICS manual, format of the S reply.

UnitSetting = Literal["any", "g", "kg", "mg", "t", "lb", "oz"]
TareUse = Literal["locked", "asked"]
Dialect = Literal["mettler", "radwag"]

_HEAD = rb"S|SI|SIR|SU|SIU|SIRU"
_METTLER_WEIGHT = re.compile(rb"(?:" + _HEAD + rb") ([SD]) ( *-?\d+(?:\.\d+)?) ([A-Za-z%]{1,4})")
_RADWAG_WEIGHT = re.compile(
    rb"(?=.{19}\Z)(?:S  |SI |SU |SUI)([ ?^v]) ([ -])( *\d+(?:\.\d+)?) ([A-Za-z%]{1,3}) *"
)
_STATUS = re.compile(rb"(?:" + _HEAD + rb"|SUI) ([AEIL+^v-])")
_TARE = re.compile(
    rb"TA A ( *\d+(?:\.\d+)?) ([A-Za-z%]{1,4})|OT[ ?]+(\d+(?:\.\d+)?) ([A-Za-z%]{1,3}) *"
)
_TARE_REFUSED = re.compile(rb"(?:TA|OT) [IEL+^v-]")
_COMMAND_REPLY = re.compile(rb"(Z|T|TAC|UT) (A|D|OK|[EILv^+-])")
_TARED = re.compile(rb"T S ( *-?\d+(?:\.\d+)?) ([A-Za-z%]{1,4})")
_RESET = re.compile(rb'I4 A ".*"')  # The serial number: the scale was switched on or reset.
_IGNORED = re.compile(
    rb"(?:"
    + _HEAD
    + rb"|SUI|TA|OT|Z|T|TAC|UT 0)"  # Our own command, echoed by a converter on the line.
)

_STATUS_FAULTS: dict[bytes, tuple[FaultCode, str]] = {
    b"I": ("not_ready", "the scale is busy, or found no stable weight in its time limit"),
    b"E": ("not_ready", "the scale found no stable weight in its time limit"),
    b"L": ("not_ready", "the scale refuses the command's parameter"),
    b"+": ("overload", "the load exceeds the range of the scale"),
    b"^": ("overload", "the load exceeds the range of the scale"),
    b"-": ("underload", "the load is under the range of the scale; is the pan in place?"),
    b"v": ("underload", "the load is under the range of the scale; is the pan in place?"),
}
_ERROR_FAULTS: dict[bytes, tuple[FaultCode, str]] = {
    b"ES": ("not_ready", "the scale does not know the command; is it set to MT-SICS?"),
    b"ET": ("not_ready", "the scale received damaged bytes; check parity and cable"),
    b"EL": ("not_ready", "the scale cannot execute the command"),
}


class MtSicsProtocol:
    """Feed bytes in, take readings out; never raises on anything a scale can send.

    weight_columns: width of the weight in the Mettler form; 0 accepts every width, for scales that
        keep to no columns, at the price that a lost digit goes unnoticed.
    tare: "locked": nobody tares on the scale, each weight is gross and tare commands are refused;
        "asked": see above.
    dialect: whose commands are sent; weights of both are understood.
    unit: the only unit to accept; "any" takes each weight in its own, at the price that "kg" with
        its first letter lost on the line is taken for "g".
    """

    def __init__(
        self,
        *,
        weight_columns: int = WEIGHT_COLUMNS,
        unit: UnitSetting = "any",
        tare: TareUse = "locked",
        dialect: Dialect = "mettler",
    ) -> None:
        self._weight_columns = weight_columns
        self._unit = unit
        self._asks_tare = tare == "asked"
        self._dialect = dialect
        self._confirms_first = dialect == "radwag"
        self._answer = CommandAnswer()
        self._letters = b""
        self._tare: WeightMeasured | None = None  # What the last answer to TA said.
        self._held: WeightMeasured | None = None  # Waits for the next answer to TA.
        self._framer = LineFramer(line_end="cr_or_lf", frame_bytes_max=FRAME_BYTES_MAX)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings = [self._read(frame) for frame in self._framer.receive_data(data)]
        return [reading for reading in readings if reading is not None]

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a reply; the half reply becomes a fault."""
        self._held = None
        begun = self._framer.idle()
        return [DeviceFault("unreadable", "half a reply", begun)] if begun else []

    def poll(self) -> bytes:
        """Return the bytes that ask for the current weight, stable or not (SI), and the tare."""
        if not self._asks_tare:
            return b"SI\r\n"
        return b"SI\r\nOT\r\n" if self._dialect == "radwag" else b"SI\r\nTA\r\n"

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; replies with its letters belong to it."""
        commands: dict[CommandName, bytes] = {
            "zero": b"Z",
            "tare": b"T",
            "clear_tare": b"UT 0" if self._dialect == "radwag" else b"TAC",
        }
        self._answer.begin(command.name)
        if command.name not in commands:
            self._answer.finish("refused", "no such command in this protocol")
            return b""
        if command.name != "zero" and not self._asks_tare:
            detail = 'set tare = "asked": otherwise nobody could tell net from gross'
            self._answer.finish("refused", detail)
            return b""
        self._letters = commands[command.name][:3].rstrip(b" 0")
        return commands[command.name] + b"\r\n"

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while nothing is known."""
        return self._answer.result()

    def _read(self, frame: Frame) -> Reading | None:
        line = frame.data
        if frame.oversized:
            detail = f"a reply of more than {FRAME_BYTES_MAX} bytes was dropped"
            return DeviceFault("unreadable", detail, line)
        if self._answer.waiting is not None and self._finish(line):
            return None
        if _RESET.fullmatch(line):
            self._tare = self._held = None
            return None
        if _IGNORED.fullmatch(line):
            return None
        if self._asks_tare and (_TARE.fullmatch(line) or _TARE_REFUSED.fullmatch(line)):
            return self._read_tare(line)
        if line == b"ES" and self._held is not None:
            self._held = None
            return DeviceFault("not_ready", 'no answer to TA: set tare = "locked"', line)
        reading = self._read_weight(line)
        if not self._asks_tare or not isinstance(reading, WeightMeasured):
            if reading is not None:
                self._held = None  # What the scale says now is newer than a weight that waits.
            return reading
        self._held = reading
        return None

    def _finish(self, line: bytes) -> bool:
        """Return True if the line answers the command that waits."""
        if line in _ERROR_FAULTS:
            self._answer.finish("refused", _ERROR_FAULTS[line][1])
            return True
        if self._letters == b"T" and _TARED.fullmatch(line):
            self._answer.finish("done", "the scale confirms it")
            return True
        reply = _COMMAND_REPLY.fullmatch(line)
        if reply is None or reply[1] != self._letters:
            return False
        if reply[2] in _STATUS_FAULTS:
            self._answer.finish("refused", _STATUS_FAULTS[reply[2]][1])
        elif reply[2] != b"A" or not self._confirms_first:
            self._answer.finish("done", "the scale confirms it")
        return True

    def _read_tare(self, line: bytes) -> Reading | None:
        before, held = self._tare, self._held
        self._tare = self._held = None
        match = _TARE.fullmatch(line)
        if match is None:
            return DeviceFault("not_ready", "the scale does not state its tare now", line)
        if match[1] and self._weight_columns not in {0, len(match[1])}:
            return DeviceFault("unreadable", "the tare has too few or too many columns", line)
        tare = self._weight(match[1] or match[3], match[2] or match[4], stable=True, raw=b"")
        if not isinstance(tare, WeightMeasured):
            return replace(tare, raw=line)
        self._tare = tare
        if held is None or before != tare:
            return None  # The tare changed around this weight: it may belong to either.
        is_net = tare.value != 0
        stated = tare.value if is_net and tare.unit == held.unit else None
        return replace(held, kind="net" if is_net else "gross", tare=stated)

    def _read_weight(self, line: bytes) -> WeightMeasured | DeviceFault | None:
        if line in _ERROR_FAULTS:
            return DeviceFault(*_ERROR_FAULTS[line], line)
        if status := _STATUS.fullmatch(line):
            if status[1] == b"A":
                return None  # Accepted; the weight follows in a line of its own.
            return DeviceFault(*_STATUS_FAULTS[status[1]], line)
        if weight := _RADWAG_WEIGHT.fullmatch(line):
            self._confirms_first = True  # Whoever sends this form says "Z A" before it zeroes.
            marker, sign, digits, unit = weight.groups()
            if marker in _STATUS_FAULTS:
                return DeviceFault(*_STATUS_FAULTS[marker], line)
            return self._weight(sign + digits.lstrip(), unit, stable=marker == b" ", raw=line)
        if weight := _METTLER_WEIGHT.fullmatch(line):
            stability, columns, unit = weight.groups()
            if self._weight_columns not in {0, len(columns)}:
                detail = f"the weight has {len(columns)} columns, not {self._weight_columns}"
                return DeviceFault("unreadable", f"{detail}: a lost byte, or weight_columns", line)
            return self._weight(columns, unit, stable=stability == b"S", raw=line)
        return DeviceFault("unreadable", "not a reply to SI", line)

    def _weight(
        self, digits: bytes, unit: bytes, *, stable: bool, raw: bytes
    ) -> WeightMeasured | DeviceFault:
        name = unit.decode("ascii").lower()
        if name not in UNIT_CODES:
            return DeviceFault("unreadable", f"the scale shows {name!r}, not a unit of weight", raw)
        if self._unit not in {"any", name}:
            return DeviceFault("unreadable", f"the weight is in {name}, not in {self._unit}", raw)
        return WeightMeasured(
            value=Decimal(digits.decode("ascii").strip()),
            unit=UNIT_CODES[name],
            kind="gross",  # Unless an answer to TA says otherwise, see _read_tare.
            stable=stable,
            raw=raw,
        )
