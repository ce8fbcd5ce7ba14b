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

Both forms have their width checked, so that a byte lost on the line yields a fault, not another
weight. Sources: METTLER TOLEDO, Reference Manual Standard Interface Command Set (MT-SICS), level 0
commands S, SI, SIR, @, I4 and error replies ES, ET, EL; RADWAG, PUE C/31H user manual, section 18.4
(mass frame) and AS R2 PLUS manual, section 14.2 (replies A, E, I, ^, v).
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from drivers.protocols.framing import Frame, LineFramer
from drivers.readings import DeviceFault, FaultCode, Reading, WeightMeasured

FRAME_BYTES_MAX = 80  # The longest reply we know (I4 with a long serial number) is under 50 bytes.
WEIGHT_COLUMNS = 10  # MT-SICS manual, format of the S reply.

UnitSetting = Literal["any", "g", "kg", "mg", "t", "lb", "oz"]

# UN/CEFACT Recommendation 20 code of each unit name.
UNIT_CODES = {"g": "GRM", "kg": "KGM", "mg": "MGM", "t": "TNE", "lb": "LBR", "oz": "ONZ"}

_HEAD = rb"S|SI|SIR|SU|SIU|SIRU"
_METTLER_WEIGHT = re.compile(rb"(?:" + _HEAD + rb") ([SD]) ( *-?\d+(?:\.\d+)?) ([A-Za-z%]{1,4})")
_RADWAG_WEIGHT = re.compile(
    rb"(?=.{19}\Z)(?:S  |SI |SU |SUI)([ ?^v]) ([ -])( *\d+(?:\.\d+)?) ([A-Za-z%]{1,3}) *"
)
_STATUS = re.compile(rb"(?:" + _HEAD + rb"|SUI) ([AEIL+^v-])")
_IGNORED = re.compile(
    rb"(?:" + _HEAD + rb"|SUI)"  # Our own command, echoed by a converter on the line.
    rb'|I4 A ".*"'  # The serial number: the scale has just been switched on or reset.
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
    unit: the only unit to accept; "any" takes each weight in its own, at the price that "kg" with
        its first letter lost on the line is taken for "g".
    """

    def __init__(self, *, weight_columns: int = WEIGHT_COLUMNS, unit: UnitSetting = "any") -> None:
        self._weight_columns = weight_columns
        self._unit = unit
        self._framer = LineFramer(line_end="cr_or_lf", frame_bytes_max=FRAME_BYTES_MAX)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings = [self._read(frame) for frame in self._framer.receive_data(data)]
        return [reading for reading in readings if reading is not None]

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a reply; the half reply becomes a fault."""
        begun = self._framer.idle()
        return [DeviceFault("unreadable", "half a reply", begun)] if begun else []

    def poll(self) -> bytes:
        """Return the bytes that ask for the current weight, stable or not (command SI)."""
        return b"SI\r\n"

    def _read(self, frame: Frame) -> Reading | None:
        line = frame.data
        if frame.oversized:
            detail = f"a reply of more than {FRAME_BYTES_MAX} bytes was dropped"
            return DeviceFault("unreadable", detail, line)
        if _IGNORED.fullmatch(line):
            return None
        if line in _ERROR_FAULTS:
            return DeviceFault(*_ERROR_FAULTS[line], line)
        if status := _STATUS.fullmatch(line):
            if status[1] == b"A":
                return None  # Accepted; the weight follows in a line of its own.
            return DeviceFault(*_STATUS_FAULTS[status[1]], line)
        if weight := _RADWAG_WEIGHT.fullmatch(line):
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

    def _weight(self, digits: bytes, unit: bytes, *, stable: bool, raw: bytes) -> Reading:
        name = unit.decode("ascii").lower()
        if name not in UNIT_CODES:
            return DeviceFault("unreadable", f"the scale shows {name!r}, not a unit of weight", raw)
        if self._unit not in {"any", name}:
            return DeviceFault("unreadable", f"the weight is in {name}, not in {self._unit}", raw)
        return WeightMeasured(
            value=Decimal(digits.decode("ascii").strip()),
            unit=UNIT_CODES[name],
            # MT-SICS does not say whether a tare is active; README: lock the scale's tare key.
            kind="gross",
            stable=stable,
            raw=raw,
        )
