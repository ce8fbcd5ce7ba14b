"""Drivers scanner-serial and scanner-tcp: scanners that send lines of text. Edge of the scanner."""

from typing import Annotated, Literal

import msgspec

from drivers.api import CommandName, Driver
from drivers.builtin.scanner_vendors import SCANNER_VENDORS
from drivers.builtin.stream import ByteLine, StreamDevice
from drivers.candidates import Matcher
from drivers.protocols.framing import LineEnd
from drivers.protocols.scanner_commands import ScannerCommands
from drivers.protocols.scanner_text import (
    FRAME_BYTES_MAX,
    IdentifierUse,
    ScannerText,
    ScannerTextProtocol,
    TextEncoding,
)
from drivers.transports.serial_line import Parity, open_serial
from drivers.transports.tcp_client import open_tcp

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
FrameBytes = Annotated[int, msgspec.Meta(ge=16, le=65536)]
Seconds = Annotated[float, msgspec.Meta(ge=0.05, le=60)]
Text = Annotated[str, msgspec.Meta(max_length=64)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)]

# No line holds them, so a text with them would never be found in one.
LINE_ENDS: dict[LineEnd, tuple[str, ...]] = {
    "cr_or_lf": ("\r", "\n"),
    "cr": ("\r",),
    "lf": ("\n",),
    "crlf": ("\r\n",),
    "tab": ("\t",),
    "etx": ("\x03",),
}
SCANNER_COMMANDS: frozenset[CommandName] = frozenset({"trigger_on", "trigger_off", "signal"})


class TextScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every scanner that sends lines of text.

    line_end: what ends a scan: "cr_or_lf" (any of CR, LF, CR LF), "cr", "lf", "crlf", "tab", "etx".
    encoding: "auto" (UTF-8, else Latin-1), "utf-8", "latin-1" or "gb18030".
    identifier: the AIM identifier ]cm: "optional", "required" (safer) or "none" (it is data).
    gs_substitute: text that stands for GS (FNC1), such as "{GS}"; "" if the scanner sends GS.
    no_read_texts: texts that a fixed scanner sends when it saw no code, such as ["ERROR"].
    ignored_texts: lines that mean nothing, such as a heartbeat.
    prefix, suffix: texts that the scanner puts around each line; a line without is half a line.
    code_separator: text between the codes of one line, such as ";"; "" if a line is one code.
    frame_bytes_max: a longer line is noise.
    trigger_on_text, trigger_off_text: what starts and stops a reading, with its end ("LON\\r").
    good_read_text, bad_read_text: what makes the scanner beep or light for a good, a bad scan.
    answer_ok_text, answer_error_text: what stands before the repeated command in an answer.
    command_timeout_s: so long the scanner has for its answer.
    idle_s: so long a pause in the middle of a scan makes it a half scan; networks pause longer.
    """

    line_end: LineEnd = "cr_or_lf"
    encoding: TextEncoding = "auto"
    identifier: IdentifierUse = "optional"
    gs_substitute: Text = ""
    no_read_texts: Texts = ()
    ignored_texts: Texts = ()
    prefix: Text = ""
    suffix: Text = ""
    code_separator: Text = ""
    frame_bytes_max: FrameBytes = FRAME_BYTES_MAX
    trigger_on_text: Text = ""
    trigger_off_text: Text = ""
    good_read_text: Text = ""
    bad_read_text: Text = ""
    answer_ok_text: Text = ""
    answer_error_text: Text = ""
    command_timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=2)] = 1.0

    def __post_init__(self) -> None:
        fixed = (self.gs_substitute, self.prefix, self.suffix, self.code_separator)
        texts = (*fixed, *self.no_read_texts, *self.ignored_texts)
        if any(end in text for end in LINE_ENDS[self.line_end] for text in texts):
            raise ValueError("the end of the line is never part of a text: take it out of them")
        if bool(self.answer_ok_text) != bool(self.answer_error_text):
            raise ValueError("set both of `answer_ok_text` and `answer_error_text`, or none")


class SerialScannerSettings(
    TextScannerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of scanner-serial, beside those of every scanner that sends lines of text.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate, data_bits, parity, stop_bits: as set in the scanner; a USB scanner ignores them.
    idle_s: so long a pause in the middle of a scan makes it a half scan.
    """

    port: str
    baud_rate: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 9600
    data_bits: Literal[7, 8] = 8
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    idle_s: Seconds = 0.5


class TcpScannerSettings(
    TextScannerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of scanner-tcp, beside those of every scanner that sends lines of text.

    host: name or address of the scanner, or of the device server it is connected to.
    port: its TCP port; the gateway connects to it.
    connect_timeout_s: limit for one attempt to connect.
    idle_s: so long a pause in the middle of a scan makes it a half scan; networks pause longer.
    """

    host: str
    port: Port
    connect_timeout_s: Seconds = 3.0
    idle_s: Seconds = 2.0


def text_protocol(settings: TextScannerSettings) -> ScannerTextProtocol:
    """Return the protocol of a scanner that is set up as the settings say."""
    return ScannerTextProtocol(
        ScannerText(
            line_end=settings.line_end,
            encoding=settings.encoding,
            identifier=settings.identifier,
            gs_substitute=settings.gs_substitute,
            no_read_texts=settings.no_read_texts,
            ignored_texts=settings.ignored_texts,
            prefix=settings.prefix,
            suffix=settings.suffix,
            code_separator=settings.code_separator,
            frame_bytes_max=settings.frame_bytes_max,
        ),
        ScannerCommands(
            trigger_on=settings.trigger_on_text,
            trigger_off=settings.trigger_off_text,
            good_read=settings.good_read_text,
            bad_read=settings.bad_read_text,
            answer_ok=settings.answer_ok_text,
            answer_error=settings.answer_error_text,
        ),
    )


def text_device(
    line: ByteLine, protocol: ScannerTextProtocol, settings: TextScannerSettings, *, idle_s: float
) -> StreamDevice:
    """Return the scanner behind an open line."""
    return StreamDevice(
        line,
        protocol,
        idle_s=idle_s,
        commands=protocol,
        command_timeout_s=settings.command_timeout_s,
        late_answer_max_s=0.0,  # An answer repeats its command: a late one cannot mislead.
    )


def _open_serial_scanner(settings: SerialScannerSettings) -> StreamDevice:
    line = open_serial(
        settings.port,
        baud_rate=settings.baud_rate,
        data_bits=settings.data_bits,
        parity=settings.parity,
        stop_bits=settings.stop_bits,
    )
    return text_device(line, text_protocol(settings), settings, idle_s=settings.idle_s)


def _open_tcp_scanner(settings: TcpScannerSettings) -> StreamDevice:
    line = open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)
    return text_device(line, text_protocol(settings), settings, idle_s=settings.idle_s)


SERIAL = Driver(
    name="scanner-serial",
    device_class="scanner",
    summary="Bar code scanners that send text over RS-232, a USB serial port or Bluetooth serial.",
    settings_type=SerialScannerSettings,
    open_device=_open_serial_scanner,
    commands=SCANNER_COMMANDS,
    matchers=(
        Matcher("serial", 10),
        Matcher("serial", 70, product_glob="*scanner*"),
        Matcher("serial", 70, product_glob="*barcode*"),
        *(Matcher("serial", 60, vendor_id=vendor) for vendor in SCANNER_VENDORS),
    ),
    node_setting="port",
    new_protocol=text_protocol,
    tier="gold",
)
TCP = Driver(
    name="scanner-tcp",
    device_class="scanner",
    summary="Bar code scanners and serial device servers that send text over a TCP connection.",
    settings_type=TcpScannerSettings,
    open_device=_open_tcp_scanner,
    commands=SCANNER_COMMANDS,
    matchers=(Matcher("network", 5),),
    node_setting="host",
    tcp_port_setting="port",
    new_protocol=text_protocol,
    tier="gold",
)
