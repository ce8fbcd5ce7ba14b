"""Any scale that sends lines of ASCII text: a pattern with named groups to readings. Pure.

    pattern   (?P<sign>[ -]) (?P<weight>[ .\\d]{7}) (?P<unit>.{5})(?P<stable>[ ?])(?P<mode>.{3})
    line      -   1.500 kg   ?NET       must match as a whole

    weight  required: digits with or without a point, blanks around and a sign before are allowed
    sign    "-" makes it negative          unit    a usual name, or one of `units`
    stable  looked up in `stable_texts`, `moving_texts` and `errors`
    mode    looked up in `gross_texts` and `net_texts`          error   looked up in `errors`

Nothing is guessed: a line that does not match, and a text that is in no table, is "unreadable".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Literal

from drivers.protocols.framing import LineEnd
from drivers.protocols.scale_units import DIGITS, UNIT_CODES, LineReader, decimal_of, unit_code
from drivers.readings import DeviceFault, FaultCode, Reading, WeightMeasured

LINE_BYTES_MAX = 64

UnitName = Literal["kg", "g", "mg", "t", "lb", "oz"]
Checksum = Literal["none", "xor"]

_NUMBER = re.compile(rb" *+([+-]?+) *+(" + DIGITS + rb") *+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsciiForm:
    """How a scale writes its lines; texts are compared without the blanks around them.

    pattern: see above; `check_pattern` has accepted it.
    unit: what the weight is in where the line names no unit; None if each names one.
    units: the names of units that the scale uses in place of the usual ones.
    is_blank_unit_moving: a unit left blank says that the load is in motion (SBI).
    stable_texts, moving_texts: what `stable` holds. stable_only: a pattern without that group is of
        a scale that sends stable weights alone; otherwise such weights count as in motion.
    gross_texts, net_texts: what `mode` holds. errors: whole lines, their beginning up to a blank,
        or what `error` or `stable` holds, and the fault that they mean.
    decimals_count: digits after the point where the scale sends none; None if it sends the point.
    checksum: "xor": the last byte of a line is the exclusive or of all before it.
    is_zero_fault: the scale sends a zero also for overload and negative loads (Dibal).
    poll: the bytes that ask for a weight, b"" for a scale that sends by itself.
    """

    pattern: str
    line_end: LineEnd = "cr_or_lf"
    line_bytes_max: int = LINE_BYTES_MAX
    unit: UnitName | None = None
    units: Mapping[str, UnitName] = field(default_factory=dict)
    is_blank_unit_moving: bool = False
    stable_texts: tuple[str, ...] = ()
    moving_texts: tuple[str, ...] = ()
    stable_only: bool = False
    gross_texts: tuple[str, ...] = ()
    net_texts: tuple[str, ...] = ()
    errors: Mapping[str, FaultCode] = field(default_factory=dict)
    decimals_count: int | None = None
    checksum: Checksum = "none"
    is_zero_fault: bool = False
    poll: bytes = b""


class AsciiScaleProtocol:
    """Feed bytes in, take readings out; never raises."""

    def __init__(self, form: AsciiForm) -> None:
        self._form = form
        self._pattern = re.compile(form.pattern.encode("ascii"), re.DOTALL)
        self._errors = {_bytes(text): code for text, code in form.errors.items()}
        self._error_lines = _line_pattern(list(self._errors))
        self._stable = dict.fromkeys(map(_bytes, form.moving_texts), False)
        self._stable |= dict.fromkeys(map(_bytes, form.stable_texts), True)
        self._kinds: dict[bytes, Literal["gross", "net"]] = {}
        self._kinds |= dict.fromkeys(map(_bytes, form.gross_texts), "gross")
        self._kinds |= dict.fromkeys(map(_bytes, form.net_texts), "net")
        self._given = UNIT_CODES[form.unit] if form.unit else ""
        self._units = {_bytes(text): UNIT_CODES[name] for text, name in form.units.items()}
        self._reader = LineReader(
            self._read,
            line_end=form.line_end,
            line_bytes_max=form.line_bytes_max,
            first_line="whole" if form.poll else "dropped",
        )

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return self._reader.receive_data(data)

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a line; the half line becomes a fault."""
        return self._reader.idle()

    def _read(self, line: bytes) -> Reading | None:
        if self._form.poll and line == self._form.poll.strip(b"\r\n"):
            return None  # Our own question, echoed by a converter on the line.
        if self._error_lines is not None and (error := self._error_lines.fullmatch(line)):
            return self._fault(b" ".join(error[1].split()), line)
        match = self._pattern.fullmatch(line)
        if match is None:
            return DeviceFault("unreadable", "the line does not match the pattern", line)
        if self._form.checksum == "xor" and reduce(xor, line[:-1], 0) != line[-1]:
            return DeviceFault("unreadable", "the checksum is wrong", line)
        found = {name: value.strip() for name, value in match.groupdict(b"").items()}
        if found.get("error"):
            return self._fault(found["error"], line, sign=found.get("sign", b""))
        if found.get("stable") in self._errors:
            return self._fault(found["stable"], line, sign=found.get("sign", b""))
        return self._weight(found, line)

    def _fault(self, said: bytes, line: bytes, *, sign: bytes = b"") -> DeviceFault:
        code = self._errors.get(said)
        if code is None:
            return DeviceFault("unreadable", f"{said!r} is not in the table of errors", line)
        if code == "overload" and sign == b"-":
            code = "underload"
        return DeviceFault(code, f"the scale says {said!r}", line)

    def _weight(self, found: Mapping[str, bytes], line: bytes) -> Reading:
        form = self._form
        columns = found["weight"]
        if not columns:
            return DeviceFault("not_ready", "the scale leaves the weight blank", line)
        number = _NUMBER.fullmatch(columns)
        if number is None or (form.decimals_count is not None and b"." in columns):
            return DeviceFault("unreadable", "there is no number where the weight stands", line)
        unit, stable, kind = self._unit(found), self._is_stable(found), self._kind(found)
        if stable is None or kind is None or not unit:
            of = {"stable": stable is None, "mode": kind is None, "unit": not unit}
            said = ", ".join(f"{name} {found.get(name, b'')!r}" for name in of if of[name])
            return DeviceFault("unreadable", f"in no table: {said}", line)
        value = decimal_of(number[2])
        if number[1] and found.get("sign"):
            return DeviceFault("unreadable", "two signs before one weight", line)
        if form.decimals_count:
            value = value.scaleb(-form.decimals_count)
        if b"-" in {number[1], found.get("sign")}:
            value = value.copy_negate()
        if form.is_zero_fault and value == 0:
            detail = "zero, which this scale sends also for overload and negative loads"
            return DeviceFault("not_ready", detail, line)
        return WeightMeasured(value, unit, kind, stable=stable, raw=line)

    def _is_stable(self, found: Mapping[str, bytes]) -> bool | None:
        if self._form.is_blank_unit_moving:
            return bool(found.get("unit"))
        said = found.get("stable")
        return self._form.stable_only if said is None else self._stable.get(said)

    def _kind(self, found: Mapping[str, bytes]) -> Literal["gross", "net"] | None:
        said = found.get("mode")
        return "gross" if said is None else self._kinds.get(said)

    def _unit(self, found: Mapping[str, bytes]) -> str:
        name = found.get("unit")
        if name is None or (not name and self._form.is_blank_unit_moving):
            return self._given
        unit = self._units.get(name, "") if self._units else unit_code(name)
        return unit if self._given in {"", unit} else ""


def _bytes(text: str) -> bytes:
    return b" ".join(text.encode("ascii", "replace").split())


def _line_pattern(errors: list[bytes]) -> re.Pattern[bytes] | None:
    """Return what matches a line that is an error or begins with one and a blank."""
    longest_first = sorted(errors, key=len, reverse=True)
    spoken = b"|".join(b" ++".join(map(re.escape, one.split())) for one in longest_first)
    return re.compile(rb" *+(" + spoken + rb")(?: .*+)?+", re.DOTALL) if errors else None
