"""Bar code scanner that sends each code as a line of text: lines to readings. Pure.

    ]C1 0109501101530003 10ABC123 GS 17271231 CR
    |   |                         |           `-- end of line, a setting of the scanner
    |   |                         `-- FNC1 as GS (0x1D), or as the substitute set in the scanner
    |   `-- the message, as encoded in the symbol
    `-- AIM identifier, if the scanner is set to send it; see aim.py

Sources: ISO/IEC 15424 (identifier); GS1 General Specifications, section 7.8 (FNC1 is transmitted
as GS); ISO/IEC 15434 (RS, GS, FS, US and EOT in message envelopes).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drivers.api import CommandResult, DeviceCommand
from drivers.protocols.aim import GS, split_identifier
from drivers.protocols.framing import Frame, LineEnd, LineFramer
from drivers.protocols.scanner_commands import (
    NO_COMMANDS,
    ScannerCommands,
    answers_of,
    stem_of,
    text_of,
)
from drivers.readings import BarcodeScanned, DeviceFault, Reading

TextEncoding = Literal["auto", "utf-8", "latin-1", "gb18030"]
IdentifierUse = Literal["optional", "required", "none"]

FRAME_BYTES_MAX = 8192  # The largest QR code holds 7089 digits.
CODES_MAX = 256  # Of one line; a fixed reader sees a pallet, not a warehouse.

# HT, LF, CR, EOT, FS, GS, RS and US are data; every other control character (C0, DEL, C1) is a sign
# of noise: a break on the line reads as NUL, a wrong speed as a mixture of all. CR and LF can be
# data only where the other one ends the line.
_NOISE = re.compile("[\x00-\x03\x05-\x08\x0b\x0c\x0e-\x1b\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class ScannerText:
    """How a scanner is set up to send its text.

    encoding: "auto" reads UTF-8 where the bytes are valid UTF-8, else Latin-1.
    identifier: "optional" takes an AIM identifier where there is one; "required" refuses a line
        without one, so that a scan whose beginning was lost cannot pass as another code; "none"
        takes "]C1" for data.
    gs_substitute: text the scanner sends in place of GS, such as "{GS}" or "|"; "" if it sends GS.
    no_read_texts: what a fixed scanner sends when it was triggered and saw no code.
    ignored_texts: lines that mean nothing, such as a heartbeat.
    prefix, suffix: what the scanner puts around each line; a line without them is half a line.
    code_separator: what stands between the codes of one line; "" if a line is one code.
    """

    line_end: LineEnd = "cr_or_lf"
    encoding: TextEncoding = "auto"
    identifier: IdentifierUse = "optional"
    gs_substitute: str = ""
    no_read_texts: tuple[str, ...] = ()
    frame_bytes_max: int = FRAME_BYTES_MAX
    ignored_texts: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    code_separator: str = ""


class ScannerTextProtocol:
    """Feed bytes in, take readings out; never raises on anything a scanner can send."""

    def __init__(self, text: ScannerText, commands: ScannerCommands = NO_COMMANDS) -> None:
        self._text = text
        self._commands = commands
        self._answers = answers_of(commands)
        self._awaited = ""
        self._result: CommandResult | None = None
        self._framer = LineFramer(line_end=text.line_end, frame_bytes_max=text.frame_bytes_max)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings: list[Reading] = []
        for frame in self._framer.receive_data(data):
            answer = self._answers.result(frame.data) if self._answers else None
            if answer is not None:
                stem, result = answer
                self._result = result if stem == self._awaited else self._result
                continue
            readings += read_frame(frame, self._text)
        return readings

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; b"" if the settings have none for it."""
        order = text_of(command, self._commands)
        self._awaited = stem_of(order)
        if not order:
            self._result = CommandResult("refused", f"no text for {command.name} in the settings")
        elif self._answers and command.name != "signal":
            self._result = None
        else:
            self._result = CommandResult("done", "sent; the scanner confirms nothing")
        return order.encode()

    def result(self) -> CommandResult | None:
        """Return what became of the command begun, None while the scanner has not answered."""
        return self._result

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a line; the half scan becomes a fault.

        What comes next begins a new scan: two halves are never joined.
        """
        begun = self._framer.idle()
        if not begun:
            return []
        detail = f"{len(begun)} bytes came without a line end; is the scanner set to send one?"
        return [DeviceFault("scan_again", detail, begun)]


def read_frame(frame: Frame, text: ScannerText) -> Sequence[Reading]:
    """Return the scans that one line holds, or why it cannot hold any."""
    raw = frame.data
    if frame.oversized:
        detail = f"a line of more than {text.frame_bytes_max} bytes was dropped"
        return [DeviceFault("unreadable", detail, raw)]
    try:
        line = decode(raw, text.encoding)
    except UnicodeDecodeError as error:
        detail = f"not {text.encoding} text: {error.reason} at byte {error.start}"
        return [DeviceFault("unreadable", detail, raw)]
    return read_line(line, raw=raw, text=text)


def read_line(line: str, *, raw: bytes, text: ScannerText) -> Sequence[Reading]:
    """Return the scans that a decoded line holds, or why it cannot hold any."""
    if text.ignored_texts and line in text.ignored_texts:
        return []
    if (text.prefix or text.suffix) and line not in text.no_read_texts:
        begin, end = len(text.prefix), len(line) - len(text.suffix)
        whole = line.startswith(text.prefix) and line.endswith(text.suffix)
        if not whole:
            return [DeviceFault("scan_again", "the line lacks its prefix or its suffix", raw)]
        line = line[begin:end]
    if not text.code_separator or text.code_separator not in line:
        return [read_code(line, raw=raw, text=text)]
    codes = [code for code in line.split(text.code_separator) if code]
    if len(codes) > CODES_MAX:
        return [DeviceFault("unreadable", f"more than {CODES_MAX} codes in a line", raw)]
    return [read_code(code, raw=raw, text=text) for code in codes]


def read_code(line: str, *, raw: bytes, text: ScannerText) -> BarcodeScanned | DeviceFault:
    """Return the scan that the text of one code is, or why it cannot be one."""
    noise = _NOISE.search(line)
    if noise:
        detail = f"control character 0x{ord(noise[0]):02x}: noise, or wrong line settings"
        return DeviceFault("unreadable", detail, raw)
    if text.no_read_texts and line in text.no_read_texts:
        return DeviceFault("scan_again", f"the scanner saw no code ({line!r})", raw)
    if text.gs_substitute:
        line = line.replace(text.gs_substitute, GS)
    identifier, message = ("", line) if text.identifier == "none" else split_identifier(line)
    if text.identifier == "required" and not identifier:
        return DeviceFault("scan_again", "the scan does not begin with an AIM identifier", raw)
    if not message:
        return DeviceFault("scan_again", "the scan holds an AIM identifier and no data", raw)
    return BarcodeScanned(identifier, message, raw)


def decode(raw: bytes, encoding: TextEncoding) -> str:
    """Return the text that the bytes are. Raises UnicodeDecodeError."""
    if encoding != "auto":
        return raw.decode(encoding)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
