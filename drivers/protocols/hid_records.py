"""Reports of a HID device as one stream of bytes that keeps where each of them ends. Pure.

A HID device sends packets. The transport puts each into a record; the first one says what the
others mean, so a recorded line can be read without the device:

    | kind u8 | length u16 little endian | data |
      "D" the report descriptor, once, first           from the device
      "I" an input report, with its id if it has one   from the device
      "O" an output report, "F" a feature report       to the device; the id is always there, 0 if
                                                       the device numbers no reports (as hidraw
                                                       wants it: Linux Documentation/hid/hidraw.rst)
"""

import struct
from collections.abc import Callable
from typing import Literal

from drivers.readings import DeviceFault, Reading

RecordKind = Literal["D", "I", "O", "F"]

RECORD_BYTES_MAX = 4096  # A descriptor; a report on USB has 1024 at most.
HEAD = struct.Struct("<cH")

_KINDS: dict[bytes, RecordKind] = {b"D": "D", b"I": "I", b"O": "O", b"F": "F"}


def pack_record(kind: RecordKind, data: bytes) -> bytes:
    """Return one record; `data` must not be longer than RECORD_BYTES_MAX."""
    assert len(data) <= RECORD_BYTES_MAX, f"a record of {len(data)} bytes"
    return HEAD.pack(kind.encode(), len(data)) + data


class RecordReader:
    """Feed bytes in, take records out; holds at most one record.

    broken: bytes came that are no record. Where the next one begins is not known, so nothing more
    is returned until `restart`.
    """

    def __init__(self) -> None:
        self.broken = False
        self._buffer = b""

    def receive_data(self, data: bytes) -> list[tuple[RecordKind, bytes]]:
        """Return the records completed by `data`, oldest first."""
        if self.broken:
            return []
        if self._buffer:
            data = self._buffer + data
        records: list[tuple[RecordKind, bytes]] = []
        place, length = 0, len(data)
        while length - place >= HEAD.size:
            mark, size = HEAD.unpack_from(data, place)
            kind = _KINDS.get(mark)
            if kind is None or size > RECORD_BYTES_MAX:
                self.broken = True
                self._buffer = b""
                return records
            end = place + HEAD.size + size
            if end > length:
                break
            records.append((kind, data[place + HEAD.size : end]))
            place = end
        self._buffer = data[place:]
        return records

    def restart(self) -> bool:
        """Forget what has begun; return True if a record had."""
        begun = bool(self._buffer)
        self.broken = False
        self._buffer = b""
        return begun


def read_records(
    records: RecordReader,
    data: bytes,
    *,
    learn: Callable[[bytes], Reading | None],
    read: Callable[[bytes], Reading | None],
) -> list[Reading]:
    """Return what `learn` makes of descriptors and `read` of input reports, oldest first.

    Bytes that are no record give one fault, however many follow.
    """
    readings: list[Reading] = []
    was_broken = records.broken
    for kind, content in records.receive_data(data):
        reading = None
        if kind == "I":
            reading = read(content)
        elif kind == "D":
            reading = learn(content)
        if reading is not None:
            readings.append(reading)
    if records.broken and not was_broken:
        readings.append(DeviceFault("unreadable", "no report of a HID device", data[:64]))
    return readings
