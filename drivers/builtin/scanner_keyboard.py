"""Driver scanner-evdev: scanners that type like a USB keyboard. Edge of the scanner."""

from typing import Annotated

import msgspec

from drivers.api import Driver
from drivers.builtin.stream import StreamDevice
from drivers.protocols.keyboard_layouts import LayoutName
from drivers.protocols.scanner_keyboard import KeyboardDecoder
from drivers.protocols.scanner_text import IdentifierUse, ScannerText
from drivers.transports.keyboard import find_keyboard, open_keyboard


class KeyboardScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of scanner-evdev; exactly one of `path` and `name` is set.

    path: the input device; a path that stays, such as /dev/input/by-id/usb-...-event-kbd.
    name: or the name the device gives itself, where only one has it (see: evtest).
    layout: the country keyboard the scanner imitates: "us", "uk", "de" or "fr".
    identifier: the AIM identifier ]cm: "optional", "required" (safer) or "none" (it is data).
    gs_substitute: text typed for GS (FNC1), such as "{GS}"; "" if it comes as Ctrl+] or F8.
    no_read_texts: texts that a fixed scanner types when it saw no code, such as ["ERROR"].
    idle_s: so long a pause in the middle of a scan makes it a half scan.
    """

    path: str = ""
    name: str = ""
    layout: LayoutName = "us"
    identifier: IdentifierUse = "optional"
    gs_substitute: str = ""
    no_read_texts: tuple[str, ...] = ()
    idle_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 0.5

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.name):
            raise ValueError("set exactly one of `path` and `name`")


def _open_keyboard_scanner(settings: KeyboardScannerSettings) -> StreamDevice:
    line = open_keyboard(settings.path or find_keyboard(settings.name))
    text = ScannerText(
        identifier=settings.identifier,
        gs_substitute=settings.gs_substitute,
        no_read_texts=settings.no_read_texts,
    )
    return StreamDevice(
        line, KeyboardDecoder(layout=settings.layout, text=text), idle_s=settings.idle_s
    )


EVDEV = Driver(
    name="scanner-evdev",
    device_class="scanner",
    summary="Bar code scanners in USB keyboard mode (keyboard wedge), read exclusively.",
    settings_type=KeyboardScannerSettings,
    open_device=_open_keyboard_scanner,
)
