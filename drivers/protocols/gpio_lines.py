"""GPIO lines of a Linux character device: requests, values and events, packed and read. Pure.

    struct gpio_v2_line_request (592 bytes, little endian here as on every machine we run on)
    | offsets u32[64] | consumer char[32] | config | count u32 | buffer u32 | 0 u32[5] | fd s32 |
    config: | flags u64 | num_attrs u32 | 0 u32[5] | attrs [10] |
    attr:   | id u32 | 0 u32 | flags or values or debounce us u64 | mask u64 |
    mask: bit n is the n-th of the requested lines, not the line's number on the chip

    struct gpio_v2_line_event (48 bytes), read from the descriptor that a request gives
    | time ns u64 | id u32 | offset u32 | seqno u32 | line_seqno u32 | 0 u32[6] |
    id: 1 rising, 2 falling; seqno counts the events of the whole request

"Rising" is inactive to active: active_low is done by the kernel. Source: Linux
include/uapi/linux/gpio.h (ABI v2, since Linux 5.10), Documentation/userspace-api/gpio/chardev.rst.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drivers.readings import DeviceFault, InputChanged, Reading

Bias = Literal["as_is", "pull_up", "pull_down", "disabled"]

LINES_MAX = 64
ATTRIBUTES_MAX = 10
CONSUMER = b"dockledger"

GET_LINE_IOCTL = 0xC250B407
GET_VALUES_IOCTL = 0xC010B40E
SET_VALUES_IOCTL = 0xC010B40F

ACTIVE_LOW, INPUT, OUTPUT = 1 << 1, 1 << 2, 1 << 3
EDGE_RISING, EDGE_FALLING = 1 << 4, 1 << 5
BIAS_FLAGS: dict[Bias, int] = {
    "as_is": 0,
    "pull_up": 1 << 8,
    "pull_down": 1 << 9,
    "disabled": 1 << 10,
}
ATTRIBUTE_FLAGS, ATTRIBUTE_DEBOUNCE = 1, 3
RISING, FALLING = 1, 2

REQUEST = struct.Struct(f"<64I32sQI20x{24 * ATTRIBUTES_MAX}sII20xi")
ATTRIBUTE = struct.Struct("<I4xQQ")
VALUES = struct.Struct("<QQ")
EVENT = struct.Struct("<QIIII24x")
REQUEST_FD_AT = REQUEST.size - 4


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input.

    name: what the readings call it. line: its number on the chip.
    debounce_ms: so long it must be still to count, 0 as the kernel has it.
    code: text of a bar code that a press stands for, "" if it stands for none.
    """

    name: str
    line: int
    active_low: bool = False
    bias: Bias = "as_is"
    debounce_ms: int = 0
    code: str = ""


def input_request(inputs: Sequence[InputLine]) -> bytes | None:
    """Return the request for the inputs, both edges; None if they differ in too many ways."""
    flags = [
        INPUT
        | EDGE_RISING
        | EDGE_FALLING
        | (ACTIVE_LOW if one.active_low else 0)
        | BIAS_FLAGS[one.bias]
        for one in inputs
    ]
    debounces_us = [one.debounce_ms * 1000 for one in inputs]
    return _request([one.line for one in inputs], flags, debounces_us)


def output_request(lines: Sequence[int], active_low: Sequence[bool]) -> bytes | None:
    """Return the request for outputs that all begin inactive; None if there are too many."""
    flags = [OUTPUT | (ACTIVE_LOW if low else 0) for low in active_low]
    return _request(lines, flags, [])


def values(bits: int, *, mask: int) -> bytes:
    """Return struct gpio_v2_line_values: these bits, of the lines in `mask`."""
    return VALUES.pack(bits, mask)


class GpioInputs:
    """Feed event structs in, take readings out; never raises on anything a chip can say."""

    def __init__(self, inputs: Sequence[InputLine]) -> None:
        self._inputs = {one.line: one for one in inputs}
        self._order = tuple(inputs)
        self._pending = b""
        self._sequence: int | None = None

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        if self._pending:
            data = self._pending + data
        whole = len(data) - len(data) % EVENT.size
        self._pending = data[whole:]
        readings: list[Reading] = []
        for place in range(0, whole, EVENT.size):
            event = data[place : place + EVENT.size]
            _, kind, line, sequence, _ = EVENT.unpack(event)
            found = self._inputs.get(line)
            if found is None or kind not in {RISING, FALLING}:
                readings.append(DeviceFault("unreadable", f"event {kind} of line {line}", event))
                continue
            if self._sequence is not None and sequence != (self._sequence + 1) & 0xFFFFFFFF:
                readings.append(DeviceFault("unreadable", "the system lost changes of inputs"))
            self._sequence = sequence
            active = kind == RISING
            code = found.code if active else ""
            readings.append(InputChanged(found.name, active, code, event))
        return readings

    def idle(self) -> Sequence[Reading]:
        """Tell that no event came for the idle limit; the kernel gives whole ones only."""
        begun, self._pending = self._pending, b""
        return [DeviceFault("unreadable", "half an event", begun)] if begun else []

    def initial(self, bits: int) -> Sequence[Reading]:
        """Return which inputs are active when the chip is opened, by the bits of their request.

        One that stands for a bar code is left out: a key that is stuck must confirm nothing.
        """
        return [
            InputChanged(one.name, active=True)
            for index, one in enumerate(self._order)
            if bits >> index & 1 and not one.code
        ]


def _request(
    lines: Sequence[int], flags: Sequence[int], debounces_us: Sequence[int]
) -> bytes | None:
    if len(lines) > LINES_MAX:
        return None
    attributes = [
        *_grouped(ATTRIBUTE_FLAGS, flags, unset=flags[0]),
        *_grouped(ATTRIBUTE_DEBOUNCE, debounces_us, unset=0),
    ]
    if len(attributes) > ATTRIBUTES_MAX:
        return None
    offsets = [*lines, *[0] * (LINES_MAX - len(lines))]
    packed = b"".join(attributes)
    return REQUEST.pack(*offsets, CONSUMER, flags[0], len(attributes), packed, len(lines), 0, 0)


def _grouped(attribute: int, wanted: Sequence[int], *, unset: int) -> list[bytes]:
    """Return one attribute for each value but `unset`, with the mask of the lines that have it."""
    masks: dict[int, int] = {}
    for index, value in enumerate(wanted):
        masks[value] = masks.get(value, 0) | 1 << index
    return [ATTRIBUTE.pack(attribute, value, masks[value]) for value in masks if value != unset]
