"""USB HID scale (usage page 0x8D): reports to readings. Pure.

The scale's own report descriptor says where each part lies. With DYMO M10 and M25 that is

    | 03 | status | unit | exponent, signed | weight, 2 bytes little endian |
           71..78   51..5C  0x41               0x40             usages of page 0x8D
           1..8     1..12                                       values in the report

    weight * 10^exponent in that unit, exactly; under zero the number stays positive and only the
    status says so

| status                          | reading |
| 2 stable at zero, 4 stable      | weight, stable |
| 3 in motion                     | weight, not stable |
| 5 under zero                    | weight, negative, not stable (it does not say that it is) |
| 6 over the limit                | overload |
| 1 fault, 7 calibrate, 8 re-zero | zero_error |

The command "zero" sets Zero Scale (0x80) in the output or feature report that has it; it is done
when the scale then says "stable at zero". Many scales have no such field, or ignore it.

Sources: USB-IF HID Point of Sale Usage Tables 1.02, section 4 (page 0x8D); DYMO M10 and M25 as
published by Antradar ("Dymo USB Scale Interface Specs", 2017) and S. Snyder (report 3 of an M10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from drivers.api import CommandResult, DeviceCommand
from drivers.protocols.hid_commands import command_record
from drivers.protocols.hid_records import RecordReader, read_records
from drivers.protocols.hid_reports import (
    DescriptorInvalid,
    ReportDescriptor,
    ReportField,
    Usage,
    parse_descriptor,
    read_bits,
    to_signed,
)
from drivers.readings import DeviceFault, Reading, WeightMeasured

SCALE_PAGE = 0x8D
# Decimal text without an exponent, as everything behind the drivers wants it, begins at 10^-6.
EXPONENT_MIN, EXPONENT_MAX = -6, 6
WEIGHT_BITS_MAX = 32

_WEIGHT: Usage = (SCALE_PAGE, 0x40)
_SCALING: Usage = (SCALE_PAGE, 0x41)
_ZERO_SCALE: Usage = (SCALE_PAGE, 0x80)
_UNIT_BASE = 0x50
_STATUS_BASE = 0x70
# UN/CEFACT Recommendation 20. Carats, taels, grains, pennyweights and short tons are refused: no
# one weighs stock in them, and nothing behind the drivers converts them.
_UNITS = {1: "MGM", 2: "GRM", 3: "KGM", 8: "TNE", 10: "APZ", 11: "ONZ", 12: "LBR"}

_FAULT, _AT_ZERO, _MOTION, _STABLE, _UNDER, _OVER, _CALIBRATE, _REZERO = range(1, 9)
_FAILED = {
    _FAULT: "the scale reports a fault",
    _CALIBRATE: "the scale must be calibrated",
    _REZERO: "the scale must be zeroed",
}


@dataclass(frozen=True, slots=True)
class ScaleLayout:
    """The fields of a scale's data report; `scaling` None: whole units."""

    report_id: int
    numbered: bool
    status: ReportField
    unit: ReportField
    weight: ReportField
    scaling: ReportField | None


class ScaleHidProtocol:
    """Feed records in (hid_records), take readings out; never raises.

    problem: why the device cannot be used, "" while nothing speaks against it.
    """

    def __init__(self) -> None:
        self._records = RecordReader()
        self._descriptor: ReportDescriptor | None = None
        self._layout: ScaleLayout | None = None
        self._result: CommandResult | None = None
        self.problem = ""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return read_records(self._records, data, learn=self._learn, read=self._read)

    def idle(self) -> Sequence[Reading]:
        """Tell that no report came for the idle limit; a half record is forgotten."""
        if not self._records.restart():
            return []
        return [DeviceFault("unreadable", "a report broke off")]

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the record of a command; b"" if this scale has none for it."""
        record = b""
        if command.name == "zero" and self._descriptor is not None:
            record = command_record(self._descriptor, _ZERO_SCALE, 1)
        refused = CommandResult("refused", f"this scale has no command {command.name}")
        self._result = None if record else refused
        return record

    def result(self) -> CommandResult | None:
        """Return what became of the command: done as soon as the scale says that it is at zero."""
        return self._result

    def _learn(self, descriptor: bytes) -> Reading | None:
        self._layout = self._descriptor = None
        try:
            self._descriptor = parse_descriptor(descriptor)
        except DescriptorInvalid as error:
            self.problem = f"no report descriptor: {error}"
        else:
            found = scale_layout(self._descriptor)
            self.problem = found if isinstance(found, str) else ""
            self._layout = None if isinstance(found, str) else found
        return DeviceFault("unreadable", self.problem, descriptor) if self.problem else None

    def _read(self, report: bytes) -> Reading | None:
        layout = self._layout
        if layout is None or (layout.numbered and report[:1] != bytes((layout.report_id,))):
            return None  # Another report of the same scale, such as its limits.
        content = report[layout.numbered :]
        status = _choice(content, layout.status, _STATUS_BASE)
        unit = _choice(content, layout.unit, _UNIT_BASE)
        number = _number(content, layout.weight, _WEIGHT)
        exponent = _exponent(content, layout.scaling)
        if status is None or unit is None or number is None or exponent is None:
            return DeviceFault("unreadable", "a report that is too short", report)
        if status in _FAILED:
            return DeviceFault("zero_error", _FAILED[status], report)
        if status == _OVER:
            return DeviceFault("overload", "the load is over the scale's limit", report)
        if status not in {_AT_ZERO, _MOTION, _STABLE, _UNDER}:
            return DeviceFault("unreadable", f"status {status} is not known", report)
        if unit not in _UNITS:
            return DeviceFault("unreadable", f"unit {unit} is not taken here", report)
        if not EXPONENT_MIN <= exponent <= EXPONENT_MAX:
            return DeviceFault("unreadable", f"a weight times 10^{exponent}", report)
        if status == _AT_ZERO:
            self._result = CommandResult("done", "the scale says it is stable at zero")
        return WeightMeasured(
            value=_decimal(-abs(number) if status == _UNDER else number, exponent),
            unit=_UNITS[unit],
            kind="gross",
            stable=status in {_AT_ZERO, _STABLE},
            raw=report,
        )


def scale_layout(descriptor: ReportDescriptor) -> ScaleLayout | str:
    """Return where the scale's report holds what, or why it cannot be read, in English."""
    if not any(page == SCALE_PAGE for page, _ in descriptor.usages):
        return "not a HID scale: no usage page 8D"
    weight = descriptor.find("input", _WEIGHT)
    if weight is None or weight.bit_size > WEIGHT_BITS_MAX:
        return "a layout of its maker's own: no weight (usage 40 of page 8D)"
    status = _named_field(descriptor, weight.report_id, range(_STATUS_BASE, _STATUS_BASE + 9))
    unit = _named_field(descriptor, weight.report_id, range(_UNIT_BASE, _UNIT_BASE + 13))
    scaling = descriptor.find("input", _SCALING)
    if status is None or unit is None:
        return "a layout of its maker's own: no status or no unit beside the weight"
    return ScaleLayout(
        report_id=weight.report_id,
        numbered=descriptor.numbered,
        status=status,
        unit=unit,
        weight=weight,
        scaling=scaling if scaling is not None and scaling.report_id == weight.report_id else None,
    )


def _named_field(descriptor: ReportDescriptor, report_id: int, usages: range) -> ReportField | None:
    """Return the one value of the weight's report that means one of these usages."""
    for one in descriptor.fields:
        if one.kind == "input" and (one.report_id, one.count) == (report_id, 1):
            page, usage = one.usages[0]
            if page == SCALE_PAGE and usage in usages:
                return one
    return None


def _choice(content: bytes, field: ReportField, base: int) -> int | None:
    """Return which usage is chosen, counted from `base`; None if the report is too short."""
    number = read_bits(content, offset=field.bit_offset, size=field.bit_size)
    if number is None:
        return None
    index = number - field.logical_min
    if field.is_array and 0 <= index < len(field.usages):
        return field.usages[index][1] - base
    # One usage for the whole byte: makers then put the number of the usage into it.
    return -1 if field.is_array else number


def _number(content: bytes, field: ReportField, usage: Usage) -> int | None:
    place = field.place_of(usage)
    if place is None:
        place = field.bit_offset
    number = read_bits(content, offset=place, size=field.bit_size)
    if number is None or field.logical_min >= 0:
        return number
    return to_signed(number, bits=field.bit_size)


def _exponent(content: bytes, field: ReportField | None) -> int | None:
    if field is None:
        return 0
    number = read_bits(content, offset=field.bit_offset, size=field.bit_size)
    # Signed whatever its logical minimum says: a scale has no use for 10^255.
    return None if number is None else to_signed(number, bits=field.bit_size)


def _decimal(number: int, exponent: int) -> Decimal:
    """Return number * 10^exponent with all its digits, and never "-0" or "1E+2"."""
    if exponent >= 0:
        return Decimal(number * 10**exponent)
    return Decimal((int(number < 0), tuple(int(digit) for digit in str(abs(number))), exponent))
