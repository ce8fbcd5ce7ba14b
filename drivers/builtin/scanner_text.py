"""Drivers scanner-serial and scanner-tcp: scanners that send lines of text. Edge of the scanner."""

from typing import Annotated, Literal

import msgspec

from drivers.api import Driver
from drivers.builtin.stream import StreamDevice
from drivers.protocols.framing import LineEnd
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


class SerialScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of scanner-serial.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate, data_bits, parity, stop_bits: as set in the scanner; a USB scanner ignores them.
    line_end: what ends a scan: "cr_or_lf" (any of CR, LF, CR LF), "cr", "lf" or "crlf".
    encoding: "auto" (UTF-8, else Latin-1), "utf-8", "latin-1" or "gb18030".
    identifier: the AIM identifier ]cm: "optional", "required" (safer) or "none" (it is data).
    gs_substitute: text that stands for GS (FNC1), such as "{GS}"; "" if the scanner sends GS.
    no_read_texts: texts that a fixed scanner sends when it saw no code, such as ["ERROR"].
    frame_bytes_max: a longer line is noise.
    idle_s: so long a pause in the middle of a scan makes it a half scan.
    """

    port: str
    baud_rate: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 9600
    data_bits: Literal[7, 8] = 8
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    line_end: LineEnd = "cr_or_lf"
    encoding: TextEncoding = "auto"
    identifier: IdentifierUse = "optional"
    gs_substitute: str = ""
    no_read_texts: tuple[str, ...] = ()
    frame_bytes_max: FrameBytes = FRAME_BYTES_MAX
    idle_s: Seconds = 0.5


class TcpScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of scanner-tcp.

    host: name or address of the scanner, or of the device server it is connected to.
    port: its TCP port; the gateway connects to it.
    connect_timeout_s: limit for one attempt to connect.
    line_end: what ends a scan: "cr_or_lf" (any of CR, LF, CR LF), "cr", "lf" or "crlf".
    encoding: "auto" (UTF-8, else Latin-1), "utf-8", "latin-1" or "gb18030".
    identifier: the AIM identifier ]cm: "optional", "required" (safer) or "none" (it is data).
    gs_substitute: text that stands for GS (FNC1), such as "{GS}"; "" if the scanner sends GS.
    no_read_texts: texts that a fixed scanner sends when it saw no code, such as ["ERROR"].
    frame_bytes_max: a longer line is noise.
    idle_s: so long a pause in the middle of a scan makes it a half scan; networks pause longer.
    """

    host: str
    port: Port
    connect_timeout_s: Seconds = 3.0
    line_end: LineEnd = "cr_or_lf"
    encoding: TextEncoding = "auto"
    identifier: IdentifierUse = "optional"
    gs_substitute: str = ""
    no_read_texts: tuple[str, ...] = ()
    frame_bytes_max: FrameBytes = FRAME_BYTES_MAX
    idle_s: Seconds = 2.0


def _open_serial_scanner(settings: SerialScannerSettings) -> StreamDevice:
    line = open_serial(
        settings.port,
        baud_rate=settings.baud_rate,
        data_bits=settings.data_bits,
        parity=settings.parity,
        stop_bits=settings.stop_bits,
    )
    return StreamDevice(line, _protocol(settings), idle_s=settings.idle_s)


def _open_tcp_scanner(settings: TcpScannerSettings) -> StreamDevice:
    line = open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)
    return StreamDevice(line, _protocol(settings), idle_s=settings.idle_s)


def _protocol(settings: SerialScannerSettings | TcpScannerSettings) -> ScannerTextProtocol:
    return ScannerTextProtocol(
        ScannerText(
            line_end=settings.line_end,
            encoding=settings.encoding,
            identifier=settings.identifier,
            gs_substitute=settings.gs_substitute,
            no_read_texts=settings.no_read_texts,
            frame_bytes_max=settings.frame_bytes_max,
        )
    )


SERIAL = Driver(
    name="scanner-serial",
    device_class="scanner",
    summary="Bar code scanners that send text over RS-232, a USB serial port or Bluetooth serial.",
    settings_type=SerialScannerSettings,
    open_device=_open_serial_scanner,
)
TCP = Driver(
    name="scanner-tcp",
    device_class="scanner",
    summary="Bar code scanners and serial device servers that send text over a TCP connection.",
    settings_type=TcpScannerSettings,
    open_device=_open_tcp_scanner,
)
