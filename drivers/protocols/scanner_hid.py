"""Bar code scanner in USB HID POS mode: reports to readings. Pure.

The scanner's own report descriptor says where each part lies, by usages of the page 0x8C:

    | id | count | AIM 1 | AIM 2 | AIM 3 | decoded data          | ... | more |
           0x3B of  0xFB    0xFC    0xFD   0xFE, NUL at the end        0xFF
           page 1

With makers that follow the usual layout (Access-IS, Honeywell) that is report 2 of 64 bytes:

    | 02 | n | ] | c | m | n bytes of 56 | 61 maker's own | 62 reserved | 63 bit 0: more follows |

A code longer than one report comes in several, all but the last with "more". A scanner whose
descriptor has no decoded data (0xFE) has a layout of its maker's own and is refused.

Commands go the same way: output reports with the usages Initiate Barcode Read (0x60), Sound Error
Beep (0x85), Sound Good Read Beep (0x86), Sound Not On File Beep (0x87), where the descriptor has
them; other bits of such a report are 0.

Sources: USB-IF HID Point of Sale Usage Tables 1.02, section 3 (page 0x8C) and HID Usage Tables
(Generic Desktop 0x3B, Byte Count); Access-IS LSR116 product manual 4.6, appendix A, ATR110 product
manual, appendix A (the layout in bytes, and a code of 60 bytes in two reports).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.api import CommandResult, DeviceCommand
from drivers.protocols.hid_commands import command_record
from drivers.protocols.hid_records import RecordReader, read_records
from drivers.protocols.hid_reports import (
    DescriptorInvalid,
    ReportDescriptor,
    Usage,
    parse_descriptor,
)
from drivers.protocols.scanner_text import ScannerText, decode, read_code
from drivers.readings import DeviceFault, Reading

SCANNER_PAGE = 0x8C
CODE_BYTES_MAX = 8192  # The largest QR code holds 7089 digits.
RAW_BYTES_MAX = 16_384

_ENDS = frozenset({b"\r", b"\n"})
_BYTE_COUNT: Usage = (0x01, 0x3B)
_IDENTIFIERS: tuple[Usage, ...] = ((SCANNER_PAGE, 0xFB), (SCANNER_PAGE, 0xFC), (SCANNER_PAGE, 0xFD))
_DECODED_DATA: Usage = (SCANNER_PAGE, 0xFE)
_CONTINUED: Usage = (SCANNER_PAGE, 0xFF)
_INITIATE_READ: Usage = (SCANNER_PAGE, 0x60)
_ERROR_BEEP: Usage = (SCANNER_PAGE, 0x85)
_GOOD_BEEP: Usage = (SCANNER_PAGE, 0x86)
_NOT_ON_FILE_BEEP: Usage = (SCANNER_PAGE, 0x87)
_SIGNALS: dict[str, tuple[Usage, ...]] = {
    "success": (_GOOD_BEEP,),
    "warning": (_NOT_ON_FILE_BEEP, _ERROR_BEEP),
    "error": (_ERROR_BEEP, _NOT_ON_FILE_BEEP),
}


@dataclass(frozen=True, slots=True)
class ScannerLayout:
    """Where a scanner's report holds what; all places are bytes of the report, its id included.

    report_id: the first byte of the report; -1 if reports are not numbered.
    count_at, identifier_at, more_at: -1 if the report has no such field.
    more_mask: the bit of "more follows" in its byte.
    """

    report_id: int
    data_at: int
    data_bytes: int
    count_at: int
    identifier_at: int
    more_at: int
    more_mask: int

    @property
    def report_mark(self) -> bytes:
        """The first byte of the report; of no use where reports are not numbered."""
        return bytes((max(self.report_id, 0),))

    @property
    def bytes_min(self) -> int:
        """How long a report must be to hold all of it."""
        return max(self.data_at + self.data_bytes, self.count_at + 1, self.more_at + 1)


class ScannerHidProtocol:
    """Feed records in (hid_records), take readings out; never raises.

    problem: why the device cannot be used, "" while nothing speaks against it.
    """

    def __init__(self, text: ScannerText) -> None:
        self._text = text
        self._records = RecordReader()
        self._descriptor: ReportDescriptor | None = None
        self._layout: ScannerLayout | None = None
        self._data = bytearray()
        self._raw = bytearray()
        self._identifier = b""
        self._dropping = False
        self._result: CommandResult | None = None
        self.problem = ""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return read_records(self._records, data, learn=self._learn, read=self._read)

    def idle(self) -> Sequence[Reading]:
        """Tell that no report came for the idle limit; a half code becomes a fault."""
        begun = bool(self._raw) and not self._dropping
        begun = self._records.restart() or begun
        raw = bytes(self._raw)
        self._forget()
        if not begun:
            return []
        return [DeviceFault("scan_again", "the code broke off after a report with more", raw)]

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the record of a command; a scanner gives no answer to it."""
        wanted: tuple[Usage, ...] = ()
        if command.name in {"trigger_on", "trigger_off"}:
            wanted = (_INITIATE_READ,)
        elif command.name == "signal":
            wanted = _SIGNALS.get(command.signal, ())
        value = 0 if command.name == "trigger_off" else 1
        for usage in wanted:
            record = command_record(self._descriptor, usage, value) if self._descriptor else b""
            if record:
                self._result = CommandResult("done", "sent; the scanner confirms nothing")
                return record
        self._result = CommandResult("refused", f"this scanner has no {command.name}")
        return b""

    def result(self) -> CommandResult | None:
        """Return what became of the command begun."""
        return self._result

    def _learn(self, descriptor: bytes) -> Reading | None:
        self._forget()
        self._layout = self._descriptor = None
        try:
            self._descriptor = parse_descriptor(descriptor)
        except DescriptorInvalid as error:
            self.problem = f"no report descriptor: {error}"
        else:
            found = scanner_layout(self._descriptor)
            self.problem = found if isinstance(found, str) else ""
            self._layout = None if isinstance(found, str) else found
        return DeviceFault("unreadable", self.problem, descriptor) if self.problem else None

    def _read(self, report: bytes) -> Reading | None:
        layout = self._layout
        if layout is None or (layout.report_id >= 0 and report[:1] != layout.report_mark):
            return None  # Another report of the same device, such as its state.
        end = layout.data_at + layout.data_bytes
        if len(report) < layout.bytes_min:
            return self._fault("unreadable", "a report that is too short", report)
        data = report[layout.data_at : end]
        if layout.count_at < 0:
            data = data.rstrip(b"\0")
        elif report[layout.count_at] > layout.data_bytes:
            return self._fault("unreadable", "a report that says it is longer than it is", report)
        else:
            data = data[: report[layout.count_at]]
        more = layout.more_at >= 0 and bool(report[layout.more_at] & layout.more_mask)
        identifier = b""
        if layout.identifier_at >= 0:
            identifier = report[layout.identifier_at : layout.identifier_at + 3].rstrip(b"\0")
        if not more and not self._raw and not self._dropping:
            return self._scan(identifier, data, report)
        return self._join(report, identifier, data, more=more)

    def _join(self, report: bytes, identifier: bytes, data: bytes, *, more: bool) -> Reading | None:
        if self._dropping:
            self._dropping = more
            return None
        if self._raw and identifier != self._identifier:
            # Its beginning belongs to another code: the end of that one was lost.
            return self._fault("scan_again", "the parts of a code do not belong together", report)
        self._identifier = identifier
        self._data += data
        self._raw += report
        if len(self._data) > CODE_BYTES_MAX or len(self._raw) > RAW_BYTES_MAX:
            fault = self._fault("unreadable", f"a code of more than {CODE_BYTES_MAX} bytes", b"")
            self._dropping = more
            return fault
        if more:
            return None
        reading = self._scan(self._identifier, bytes(self._data), bytes(self._raw))
        self._forget()
        return reading

    def _scan(self, identifier: bytes, data: bytes, raw: bytes) -> Reading | None:
        if data[-1:] in _ENDS:
            data = data.rstrip(b"\r\n")  # A suffix set for another interface of the scanner.
        if not data and not identifier:
            return None
        try:
            line = decode(identifier + data, self._text.encoding)
        except UnicodeDecodeError as error:
            return DeviceFault("unreadable", f"not {self._text.encoding}: {error.reason}", raw)
        return read_code(line, raw=raw, text=self._text)

    def _fault(self, code: str, detail: str, report: bytes) -> DeviceFault:
        raw = bytes(self._raw) + report
        self._forget()
        return DeviceFault("scan_again" if code == "scan_again" else "unreadable", detail, raw)

    def _forget(self) -> None:
        self._data.clear()
        self._raw.clear()
        self._identifier = b""
        self._dropping = False


def scanner_layout(descriptor: ReportDescriptor) -> ScannerLayout | str:
    """Return where the scanner's report holds what, or why it cannot be read, in English."""
    if not any(page == SCANNER_PAGE for page, _ in descriptor.usages):
        return "not a HID POS scanner: no usage page 8C; is it in keyboard or serial mode?"
    data = descriptor.find("input", _DECODED_DATA)
    if data is None:
        return "a layout of its maker's own: no decoded data (usage FE of page 8C)"
    if data.bit_size != 8 or data.bit_offset % 8 or data.usages != (_DECODED_DATA,):
        return "a layout of its maker's own: decoded data that is not one run of bytes"
    identifiers = [_byte_at(descriptor, data.report_id, usage) for usage in _IDENTIFIERS]
    together = identifiers[0] >= 0 and identifiers == list(
        range(identifiers[0], identifiers[0] + len(_IDENTIFIERS))
    )
    more = descriptor.find("input", _CONTINUED)
    has_more = more is not None and more.report_id == data.report_id
    more_bit = more.bit_offset if more is not None and has_more else 0
    return ScannerLayout(
        report_id=data.report_id if descriptor.numbered else -1,
        data_at=data.bit_offset // 8 + descriptor.numbered,
        data_bytes=data.count,
        count_at=_byte_at(descriptor, data.report_id, _BYTE_COUNT),
        identifier_at=identifiers[0] if together else -1,
        more_at=more_bit // 8 + descriptor.numbered if has_more else -1,
        more_mask=1 << more_bit % 8,
    )


def _byte_at(descriptor: ReportDescriptor, report_id: int, usage: Usage) -> int:
    """Return the byte of the report that is `usage`, -1 if no whole byte is."""
    found = descriptor.find("input", usage)
    if found is None or found.report_id != report_id or found.bit_size != 8:
        return -1
    place = found.place_of(usage)
    return -1 if place is None or place % 8 else place // 8 + descriptor.numbered
