"""Bar code scanner that sends each code as a line of text: lines to readings. Pure.

    ]C1 0109501101530003 10ABC123 GS 17271231 CR
    |   |                         |           `-- end of line, a setting of the scanner
    |   |                         `-- FNC1 as GS (0x1D), or as the substitute set in the scanner
    |   `-- the message, as encoded in the symbol
    `-- AIM identifier, if the scanner is set to send it; see aim.py

Sources: ISO/IEC 15424 (identifier); GS1 General Specifications, section 7.8 (FNC1 is transmitted
as GS); ISO/IEC 15434 (RS, GS, FS, US and EOT in message envelopes).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drivers.protocols.aim import GS, split_identifier
from drivers.protocols.framing import Frame, LineEnd, LineFramer
from drivers.readings import BarcodeScanned, DeviceFault, Reading

TextEncoding = Literal["auto", "utf-8", "latin-1", "gb18030"]
IdentifierUse = Literal["optional", "required", "none"]

FRAME_BYTES_MAX = 8192  # The largest QR code holds 7089 digits.

# Every other control character (C0, DEL, C1) is a sign of noise: a break on the line reads as NUL,
# a wrong speed as a mixture of all. CR and LF can be data only where the other one ends the line.
DATA_CONTROLS = frozenset("\t\n\r\x04\x1c\x1d\x1e\x1f")


@dataclass(frozen=True, slots=True)
class ScannerText:
    """How a scanner is set up to send its text.

    encoding: "auto" reads UTF-8 where the bytes are valid UTF-8, else Latin-1.
    identifier: "optional" takes an AIM identifier where there is one; "required" refuses a line
        without one, so that a scan whose beginning was lost cannot pass as another code; "none"
        takes "]C1" for data.
    gs_substitute: text the scanner sends in place of GS, such as "{GS}" or "|"; "" if it sends GS.
    no_read_texts: what a fixed scanner sends when it was triggered and saw no code.
    """

    line_end: LineEnd = "cr_or_lf"
    encoding: TextEncoding = "auto"
    identifier: IdentifierUse = "optional"
    gs_substitute: str = ""
    no_read_texts: tuple[str, ...] = ()
    frame_bytes_max: int = FRAME_BYTES_MAX


class ScannerTextProtocol:
    """Feed bytes in, take readings out; never raises on anything a scanner can send."""

    def __init__(self, text: ScannerText) -> None:
        self._text = text
        self._framer = LineFramer(line_end=text.line_end, frame_bytes_max=text.frame_bytes_max)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return [read_frame(frame, self._text) for frame in self._framer.receive_data(data)]

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a line; the half scan becomes a fault.

        What comes next begins a new scan: two halves are never joined.
        """
        begun = self._framer.idle()
        if not begun:
            return []
        detail = f"{len(begun)} bytes came without a line end; is the scanner set to send one?"
        return [DeviceFault("scan_again", detail, begun)]


def read_frame(frame: Frame, text: ScannerText) -> BarcodeScanned | DeviceFault:
    """Return the scan that one line holds, or why it cannot be one."""
    raw = frame.data
    if frame.oversized:
        detail = f"a line of more than {text.frame_bytes_max} bytes was dropped"
        return DeviceFault("unreadable", detail, raw)
    try:
        line = _decode(raw, text.encoding)
    except UnicodeDecodeError as error:
        detail = f"not {text.encoding} text: {error.reason} at byte {error.start}"
        return DeviceFault("unreadable", detail, raw)
    return read_line(line, raw=raw, text=text)


def read_line(line: str, *, raw: bytes, text: ScannerText) -> BarcodeScanned | DeviceFault:
    """Return the scan that a decoded line holds, or why it cannot be one."""
    if line in text.no_read_texts:
        return DeviceFault("scan_again", f"the scanner saw no code ({line!r})", raw)
    for character in line:
        if _is_control(character) and character not in DATA_CONTROLS:
            detail = f"control character 0x{ord(character):02x}: noise, or wrong line settings"
            return DeviceFault("unreadable", detail, raw)
    if text.gs_substitute:
        line = line.replace(text.gs_substitute, GS)
    identifier, message = ("", line) if text.identifier == "none" else split_identifier(line)
    if text.identifier == "required" and not identifier:
        return DeviceFault("scan_again", "the scan does not begin with an AIM identifier", raw)
    if not message:
        return DeviceFault("scan_again", "the scan holds an AIM identifier and no data", raw)
    return BarcodeScanned(symbology=identifier, data=message, raw=raw)


def _decode(raw: bytes, encoding: TextEncoding) -> str:
    if encoding != "auto":
        return raw.decode(encoding)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0"
