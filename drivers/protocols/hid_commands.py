"""What a HID device is told: one bit of an output or feature report, as a record. Pure."""

from drivers.protocols.hid_records import RECORD_BYTES_MAX, RecordKind, pack_record
from drivers.protocols.hid_reports import ReportDescriptor, ReportKind, Usage

_RECORDS: tuple[tuple[ReportKind, RecordKind], ...] = (("output", "O"), ("feature", "F"))


def command_record(descriptor: ReportDescriptor, usage: Usage, value: int) -> bytes:
    """Return the record that sets `usage` to `value` and all else of its report to 0.

    An output report is preferred to a feature report. b"" if the device has no such field.
    """
    for kind, record in _RECORDS:
        found = descriptor.find(kind, usage)
        place = found.place_of(usage) if found is not None else None
        if found is None or place is None:
            continue
        size = descriptor.report_bytes(kind, found.report_id) - descriptor.numbered
        if size >= RECORD_BYTES_MAX:
            continue
        bits = (value & ((1 << found.bit_size) - 1)) << place
        return pack_record(record, bytes((found.report_id,)) + bits.to_bytes(size, "little"))
    return b""
