"""Driver scanner-evdev: scanners that type like a USB keyboard. Edge of the scanner."""

from typing import Annotated

import msgspec

from drivers.api import Driver
from drivers.builtin.scanner_vendors import SCANNER_VENDORS
from drivers.builtin.stream import StreamDevice
from drivers.candidates import Matcher
from drivers.protocols.keyboard_layouts import LayoutName
from drivers.protocols.scanner_keyboard import KeyboardDecoder
from drivers.protocols.scanner_text import IdentifierUse, ScannerText
from drivers.transports.keyboard import find_keyboard, open_keyboard

GAP_MIN_S = 0.03  # Scanners pause up to 20 ms between two keys.


class KeyboardScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of scanner-evdev; exactly one of `path` and `name` is set.

    path: the input device; a path that stays, such as /dev/input/by-id/usb-...-event-kbd.
    name: or the name the device gives itself, where only one has it (see: evtest).
    layout: the country keyboard the scanner imitates: "us", "uk", "de" or "fr".
    identifier: the AIM identifier ]cm: "optional", "required" (safer) or "none" (it is data).
    gs_substitute: text typed for GS (FNC1), such as "{GS}"; "" if it comes as Ctrl+] or F8.
    no_read_texts: texts that a fixed scanner types when it saw no code, such as ["ERROR"].
    prefix, suffix: texts that the scanner types around each code; a scan without is half a scan.
    idle_s: so long a pause in the middle of a scan makes it a half scan.
    end_by_gap_s: for a scanner that types no Enter: so long a pause ends a scan; 0 never.
    """

    path: str = ""
    name: str = ""
    layout: LayoutName = "us"
    identifier: IdentifierUse = "optional"
    gs_substitute: str = ""
    no_read_texts: tuple[str, ...] = ()
    prefix: Annotated[str, msgspec.Meta(max_length=64)] = ""
    suffix: Annotated[str, msgspec.Meta(max_length=64)] = ""
    idle_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 0.5
    end_by_gap_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.0

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.name):
            raise ValueError("set exactly one of `path` and `name`")
        if 0 < self.end_by_gap_s < GAP_MIN_S:
            raise ValueError(f"`end_by_gap_s` is 0 or at least {GAP_MIN_S}")


def _protocol(settings: KeyboardScannerSettings) -> KeyboardDecoder:
    text = ScannerText(
        identifier=settings.identifier,
        gs_substitute=settings.gs_substitute,
        no_read_texts=settings.no_read_texts,
        prefix=settings.prefix,
        suffix=settings.suffix,
    )
    return KeyboardDecoder(layout=settings.layout, text=text, end_by_gap=settings.end_by_gap_s > 0)


def _open_keyboard_scanner(settings: KeyboardScannerSettings) -> StreamDevice:
    pause_s = settings.end_by_gap_s or settings.idle_s
    line = open_keyboard(settings.path or find_keyboard(settings.name), pause_s=pause_s)
    return StreamDevice(line, _protocol(settings), idle_s=pause_s)


EVDEV = Driver(
    name="scanner-evdev",
    device_class="scanner",
    summary="Bar code scanners in USB keyboard mode (keyboard wedge), read exclusively.",
    settings_type=KeyboardScannerSettings,
    open_device=_open_keyboard_scanner,
    matchers=(
        Matcher("keyboard", 10),
        Matcher("keyboard", 80, product_glob="*scanner*"),
        Matcher("keyboard", 80, product_glob="*barcode*"),
        Matcher("keyboard", 80, product_glob="*bar code*"),
        *(Matcher("keyboard", 70, vendor_id=vendor) for vendor in SCANNER_VENDORS),
    ),
    node_setting="path",
    new_protocol=_protocol,
    tier="silver",  # By hand, with a USB gadget keyboard of Linux 6.1: see SCANNERS.md.
)
