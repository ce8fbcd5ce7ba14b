"""LLRP messages out of a stream of bytes, and the parameters inside them. Pure.

     0      2          6          10                    one message, network byte order
    +------+----------+----------+---------------------+
    | rrrv | length   | id       | fields, parameters  |   rrr: 3 bits reserved, 0
    | vvtt | u32, all | u32      |                     |   vvv: 3 bits version, 1 or 2
    +------+----------+----------+---------------------+   tt..: 10 bits type

     0      2        4                                     1
    +------+--------+-----------------+             +-----+---------+
    | type | length | fields, params. |   TLV   or  |1type| value   |   TV, 7 bits of type
    | 10 b | u16 all|                 |             | u8  | by type |
    +------+--------+-----------------+             +-----+---------+

Source: EPCglobal LLRP 1.1, section 17 (binary encoding) and 17.2 (parameters).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from drivers.protocols.llrp_numbers import STATUS_NAMES, TV_VALUE_BYTES, ParameterType

HEADER = struct.Struct(">HII")
HEADER_BYTES = HEADER.size
MESSAGE_BYTES_MAX = 1_048_576  # Some 16,000 tag reports; readers send a few hundred at once.
VERSIONS = frozenset({1, 2})  # 1.0.1 and 1.1.
TEXT_CHARACTERS_MAX = 200
TLV_KIND_MIN, TLV_KIND_MAX = 128, 1023  # Those below are TV, never TLV.
PARAMETERS_MAX = 4096  # In one message, reports apart; capabilities have some hundred.

_TLV = struct.Struct(">HH")


class LlrpInvalid(Exception):
    """Bytes that are no LLRP; the only error of this module and of those that build on it."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message. kind: its type number. body: all behind the header. A Struct: made often."""

    kind: int
    message_id: int
    version: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. kind: its type number, TV below 128. value: all behind its header."""

    kind: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """LLRPStatus: how the reader took a message. code: 0 is success. text: its own words."""

    code: int
    text: str

    def __str__(self) -> str:
        name = STATUS_NAMES.get(self.code, "unknown status")
        return f"{name} ({self.code}) {self.text}".rstrip()


class MessageReader:
    """Cuts a stream into messages. There is no way to find the next one after a wrong header."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the line. Take all messages of them before more are given."""
        if self._offset:
            del self._buffer[: self._offset]
            self._offset = 0
        self._buffer += data

    def next_message(self) -> Message | None:
        """Return the next message, None if it is not complete.

        Raises LlrpInvalid, then and ever after, at a header that is none or a message longer than
        MESSAGE_BYTES_MAX: the connection is worthless.
        """
        buffer, begin = self._buffer, self._offset
        if len(buffer) - begin < HEADER_BYTES:
            return None
        first, length, message_id = HEADER.unpack_from(buffer, begin)
        version = first >> 10  # The reserved bits in front of it must be 0.
        if version not in VERSIONS:
            raise LlrpInvalid(f"no LLRP header: {buffer[begin : begin + HEADER_BYTES].hex(' ')}")
        if not HEADER_BYTES <= length <= MESSAGE_BYTES_MAX:
            raise LlrpInvalid(f"a message of {length} bytes")
        end = begin + length
        if len(buffer) < end:
            return None
        self._offset = end
        return Message(
            first & 0x3FF, message_id, version, bytes(buffer[begin + HEADER_BYTES : end])
        )


def parameters(data: bytes) -> Iterator[Parameter]:
    """Yield the parameters that fill `data`.

    Raises LlrpInvalid at one that does not fit or whose length cannot be known, and after
    PARAMETERS_MAX.
    """
    offset, count = 0, 0
    while offset < len(data):
        kind, begin, end = parameter_at(data, offset)
        count += 1
        if count > PARAMETERS_MAX:
            raise LlrpInvalid(f"more than {PARAMETERS_MAX} parameters in a message")
        yield Parameter(kind, data[begin:end])
        offset = end


def parameter_at(data: bytes, offset: int) -> tuple[int, int, int]:
    """Return type, begin and end of the value of the parameter at `offset`. Raises LlrpInvalid."""
    first = data[offset]
    if first & 0x80:
        kind = first & 0x7F
        size = TV_VALUE_BYTES.get(kind)
        if size is None:
            raise LlrpInvalid(f"parameter of type {kind}, whose length nobody told")
        begin, end = offset + 1, offset + 1 + size
    else:
        if len(data) - offset < _TLV.size:
            raise LlrpInvalid("a parameter is cut off")
        kind, length = _TLV.unpack_from(data, offset)
        if not TLV_KIND_MIN <= kind <= TLV_KIND_MAX or length < _TLV.size:
            raise LlrpInvalid(f"no parameter: {data[offset : offset + 4].hex(' ')}")
        begin, end = offset + _TLV.size, offset + length
    if end > len(data):
        raise LlrpInvalid(f"parameter {kind} is longer than what holds it")
    return kind, begin, end


def unpack(layout: struct.Struct, value: bytes) -> tuple[int, ...]:
    """Return the fixed fields at the beginning of `value`. Raises LlrpInvalid if it is shorter."""
    if len(value) < layout.size:
        raise LlrpInvalid(f"{len(value)} bytes where {layout.size} are needed")
    return layout.unpack_from(value)


def text_at(value: bytes, offset: int) -> tuple[str, int]:
    """Return a text with its u16 length in front, and where it ends; safe to log, never raises.

    At most TEXT_CHARACTERS_MAX characters of it; what cannot be printed becomes "?".
    """
    length = int.from_bytes(value[offset : offset + 2], "big")
    end = offset + 2 + length
    text = value[offset + 2 : min(end, offset + 2 + 4 * TEXT_CHARACTERS_MAX)].decode(
        "utf-8", "replace"
    )
    shown = "".join(one if one.isprintable() else "?" for one in text[:TEXT_CHARACTERS_MAX])
    return shown.strip(), end


def find_status(body: bytes) -> Status | None:
    """Return the LLRPStatus among the parameters of `body`, None if it has none.

    Raises LlrpInvalid.
    """
    for parameter in parameters(body):
        if parameter.kind == ParameterType.LLRP_STATUS:
            if len(parameter.value) < 4:
                raise LlrpInvalid("a status without code or text")
            return Status(
                int.from_bytes(parameter.value[:2], "big"), text_at(parameter.value, 2)[0]
            )
    return None
