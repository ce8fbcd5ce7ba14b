"""Driver scanner-hidraw: scanners in USB HID POS mode. Edge of the scanner."""

from typing import Literal

import msgspec

from drivers.api import Driver
from drivers.builtin.scanner_text import SCANNER_COMMANDS, Seconds, Text, Texts
from drivers.builtin.stream import StreamDevice
from drivers.candidates import Matcher
from drivers.errors import DeviceLost
from drivers.protocols.scanner_hid import ScannerHidProtocol
from drivers.protocols.scanner_text import ScannerText, TextEncoding
from drivers.transports.hidraw import open_hidraw

MODE_HINT = "Scan the code for USB HID POS mode in the scanner's manual, or use scanner-evdev."


class HidScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of scanner-hidraw.

    path: the HID device; a path that stays, made by a udev rule; or a local socket.
    encoding: "auto" (UTF-8, else Latin-1), "utf-8", "latin-1" or "gb18030".
    identifier: the AIM identifier: "optional" or "required".
    gs_substitute: text that stands for GS (FNC1), such as "{GS}"; "" if the scanner sends GS.
    no_read_texts: codes that mean that the scanner saw none.
    idle_s: so long a pause between two reports of one code makes it a half code.
    """

    path: str
    encoding: TextEncoding = "auto"
    identifier: Literal["optional", "required"] = "optional"
    gs_substitute: Text = ""
    no_read_texts: Texts = ()
    idle_s: Seconds = 0.5


def _protocol(settings: HidScannerSettings) -> ScannerHidProtocol:
    return ScannerHidProtocol(
        ScannerText(
            encoding=settings.encoding,
            identifier=settings.identifier,
            gs_substitute=settings.gs_substitute,
            no_read_texts=settings.no_read_texts,
        )
    )


def _open_hid_scanner(settings: HidScannerSettings) -> StreamDevice:
    line = open_hidraw(settings.path)
    protocol = _protocol(settings)
    protocol.receive_data(line.read(0.0))  # The descriptor, which the line gives first.
    if protocol.problem:
        line.close()
        raise DeviceLost(f"{settings.path}: {protocol.problem}", hint=MODE_HINT)
    return StreamDevice(line, protocol, idle_s=settings.idle_s, commands=protocol)


HIDRAW = Driver(
    name="scanner-hidraw",
    device_class="scanner",
    summary="Bar code scanners in USB HID POS mode, read without any keyboard layout.",
    settings_type=HidScannerSettings,
    open_device=_open_hid_scanner,
    commands=SCANNER_COMMANDS,
    matchers=(Matcher("hidraw", 95, usage=(0x8C, 0x02)),),
    node_setting="path",
    new_protocol=_protocol,
    tier="silver",
)
