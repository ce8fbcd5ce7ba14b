"""HID report descriptors: which field of which report holds what; and bits in and out. Pure.

A descriptor is a list of short items (USB Device Class Definition for HID 1.11, section 6.2.2):

    | tag 4 bit | type 2 bit | size 2 bit |  0, 1, 2 or 4 bytes of data, little endian
      type 0 main: input, output, feature, collection, end collection
      type 1 global, stays until changed: usage page, logical minimum, report size, count, id
      type 2 local, ends with the next main item: usage, usage minimum, usage maximum

Long items (prefix 0xFE) are skipped, as the definition asks; designators, strings and units are
of no use here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

ReportKind = Literal["input", "output", "feature"]
Usage = tuple[int, int]  # (usage page, usage)

DESCRIPTOR_BYTES_MAX = 4096  # HID_MAX_DESCRIPTOR_SIZE of Linux.
FIELDS_MAX = 512
USAGES_MAX = 1024  # Of one field; a keyboard has 256.
NESTING_MAX = 32
REPORT_BITS_MAX = 8 * 4096

_LONG_ITEM = 0xFE
_INPUT, _OUTPUT, _FEATURE, _COLLECTION, _END_COLLECTION = 0x80, 0x90, 0xB0, 0xA0, 0xC0
_KINDS: dict[int, ReportKind] = {_INPUT: "input", _OUTPUT: "output", _FEATURE: "feature"}
_USAGE_PAGE, _LOGICAL_MIN, _REPORT_SIZE, _REPORT_ID, _REPORT_COUNT = 0x04, 0x14, 0x74, 0x84, 0x94
_PUSH, _POP = 0xA4, 0xB4
_USAGE, _USAGE_MIN, _USAGE_MAX = 0x08, 0x18, 0x28
_APPLICATION = 1
_CONSTANT, _VARIABLE = 1, 2


class DescriptorInvalid(Exception):
    """The bytes are no report descriptor; the text says where they stop being one."""


@dataclass(frozen=True, slots=True)
class ReportField:
    """One main item: `count` elements of `bit_size` bits each, one after the other.

    report_id: 0 if the device numbers no reports.
    bit_offset: of the first element, from the end of the report id.
    usages: of a variable, one an element (the last stands for all that follow); of an array, what
        its values mean: logical_min is the first one, and so on.
    """

    kind: ReportKind
    report_id: int
    bit_offset: int
    bit_size: int
    count: int
    usages: tuple[Usage, ...]
    logical_min: int
    is_array: bool

    def place_of(self, usage: Usage) -> int | None:
        """Return the bit offset of the element that is `usage`; None if no element is."""
        if self.is_array or usage not in self.usages:
            return None
        index = self.usages.index(usage)
        return self.bit_offset + index * self.bit_size if index < self.count else None


@dataclass(frozen=True, slots=True)
class ReportDescriptor:
    """What a HID device says of its reports.

    usages: of the application collections, in order; they say what kind of device it is.
    numbered: each report begins with its id.
    lengths: bits of each report by kind and id, padding included, the id not.
    """

    usages: tuple[Usage, ...]
    fields: tuple[ReportField, ...]
    numbered: bool
    lengths: tuple[tuple[ReportKind, int, int], ...]

    def find(self, kind: ReportKind, usage: Usage) -> ReportField | None:
        """Return the first field of that kind that has `usage`; None if there is none."""
        return next((one for one in self.fields if one.kind == kind and usage in one.usages), None)

    def report_bytes(self, kind: ReportKind, report_id: int) -> int:
        """Return how long a report is, its id included; 0 if there is no such report."""
        for one_kind, one_id, bits in self.lengths:
            if (one_kind, one_id) == (kind, report_id):
                return (bits + 7) // 8 + self.numbered
        return 0


def parse_descriptor(data: bytes) -> ReportDescriptor:
    """Return what a report descriptor says. Raises DescriptorInvalid, nothing else."""
    if not data:
        raise DescriptorInvalid("the descriptor is empty")
    if len(data) > DESCRIPTOR_BYTES_MAX:
        raise DescriptorInvalid(f"more than {DESCRIPTOR_BYTES_MAX} bytes")
    parser = _Parser()
    for tag, value, signed in _items(data):
        parser.observe(tag, value, signed)
    if parser.depth:
        raise DescriptorInvalid("a collection is not ended")
    return ReportDescriptor(
        usages=tuple(parser.applications),
        fields=tuple(parser.fields),
        numbered=parser.numbered,
        lengths=tuple((kind, number, bits) for (kind, number), bits in parser.ends.items()),
    )


def read_bits(report: bytes, *, offset: int, size: int) -> int | None:
    """Return the unsigned number at a bit offset; None if the report is too short for it."""
    if offset + size > 8 * len(report):
        return None
    first, last = offset // 8, (offset + size + 7) // 8
    number = int.from_bytes(report[first:last], "little") >> offset % 8
    return number & ((1 << size) - 1)


def to_signed(number: int, *, bits: int) -> int:
    """Return what an unsigned number of so many bits is in two's complement."""
    return number - (1 << bits) if number >> bits - 1 else number


@dataclass(frozen=True, slots=True)
class _Globals:
    page: int = 0
    logical_min: int = 0
    bit_size: int = 0
    count: int = 0
    report_id: int = 0


class _Parser:
    def __init__(self) -> None:
        self.applications: list[Usage] = []
        self.fields: list[ReportField] = []
        self.ends: dict[tuple[ReportKind, int], int] = {}
        self.numbered = False
        self.depth = 0
        self._state = _Globals()
        self._stack: list[_Globals] = []
        self._usages: list[Usage] = []
        self._first_usage: Usage | None = None
        self._last_usage: Usage | None = None

    def observe(self, tag: int, value: int, signed: int) -> None:
        if tag in _KINDS:
            self._add_field(_KINDS[tag], value)
            self._forget_locals()
        elif tag in {_COLLECTION, _END_COLLECTION}:
            self._nest(tag, value)
            self._forget_locals()
        elif tag in {_USAGE, _USAGE_MIN, _USAGE_MAX}:
            self._name(tag, value)
        else:
            self._set_global(tag, value, signed)

    def _set_global(self, tag: int, value: int, signed: int) -> None:
        state = self._state
        if tag == _USAGE_PAGE:
            self._state = replace(state, page=value & 0xFFFF)
        elif tag == _LOGICAL_MIN:
            self._state = replace(state, logical_min=signed)
        elif tag == _REPORT_SIZE:
            self._state = replace(state, bit_size=value)
        elif tag == _REPORT_COUNT:
            self._state = replace(state, count=value)
        elif tag == _REPORT_ID:
            if not 1 <= value <= 0xFF:
                raise DescriptorInvalid(f"report id {value}")
            self._state, self.numbered = replace(state, report_id=value), True
        elif tag == _PUSH:
            if len(self._stack) >= NESTING_MAX:
                raise DescriptorInvalid("too many pushes")
            self._stack.append(state)
        elif tag == _POP:
            if not self._stack:
                raise DescriptorInvalid("a pop without a push")
            self._state = self._stack.pop()

    def _name(self, tag: int, value: int) -> None:
        usage = (value >> 16 or self._state.page, value & 0xFFFF)
        if tag == _USAGE:
            self._usages.append(usage)
        elif tag == _USAGE_MIN:
            self._first_usage = usage
        else:
            self._last_usage = usage
        if self._first_usage and self._last_usage:
            (page, first), (_, last) = self._first_usage, self._last_usage
            if last - first >= USAGES_MAX:
                raise DescriptorInvalid(f"usages {first} to {last} of one field")
            self._usages += [(page, one) for one in range(first, last + 1)]
            self._first_usage = self._last_usage = None
        if len(self._usages) > USAGES_MAX:
            raise DescriptorInvalid(f"more than {USAGES_MAX} usages of one field")

    def _nest(self, tag: int, value: int) -> None:
        self.depth += 1 if tag == _COLLECTION else -1
        if not 0 <= self.depth <= NESTING_MAX:
            raise DescriptorInvalid("collections do not match")
        if tag == _COLLECTION and value == _APPLICATION and self._usages:
            self.applications.append(self._usages[0])

    def _add_field(self, kind: ReportKind, flags: int) -> None:
        state = self._state
        key = (kind, state.report_id)
        start = self.ends.get(key, 0)
        end = start + state.bit_size * state.count
        if end > REPORT_BITS_MAX:
            raise DescriptorInvalid(f"report {state.report_id} has more than {REPORT_BITS_MAX} bit")
        self.ends[key] = end
        if flags & _CONSTANT or not self._usages or not state.bit_size or not state.count:
            return  # Padding.
        if len(self.fields) >= FIELDS_MAX:
            raise DescriptorInvalid(f"more than {FIELDS_MAX} fields")
        self.fields.append(
            ReportField(
                kind=kind,
                report_id=state.report_id,
                bit_offset=start,
                bit_size=state.bit_size,
                count=state.count,
                usages=tuple(self._usages),
                logical_min=state.logical_min,
                is_array=not flags & _VARIABLE,
            )
        )

    def _forget_locals(self) -> None:
        self._usages = []
        self._first_usage = self._last_usage = None


def _items(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (tag and type, value unsigned, value signed) of every short item."""
    place = 0
    while place < len(data):
        prefix = data[place]
        if prefix == _LONG_ITEM:
            size = data[place + 1] + 2 if place + 1 < len(data) else 2
            if place + 1 + size > len(data):
                raise DescriptorInvalid("it ends within a long item")
            place += 1 + size
            continue
        size = (0, 1, 2, 4)[prefix & 3]
        content = data[place + 1 : place + 1 + size]
        if len(content) < size:
            raise DescriptorInvalid("it ends within an item")
        yield (
            prefix & 0xFC,
            int.from_bytes(content, "little"),
            int.from_bytes(content, "little", signed=True),
        )
        place += 1 + size
