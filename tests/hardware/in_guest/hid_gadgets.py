"""Emulated scanners and scales of the USB class HID. Edge of configfs.

The keyboard's descriptor is the boot keyboard of HID 1.11, appendix E.6; those of scanner and scale
are the simulators'.
"""

import os
from decimal import Decimal

from drivers.simulators.hid import (
    SCALE_DESCRIPTOR,
    SCANNER_DESCRIPTOR,
    STATUS_MOTION,
    STATUS_STABLE,
    UNITS,
    scale_report,
    scan_reports,
)
from tests.hardware.in_guest.gadget import Gadget, wait_until

SHIFT, CONTROL, ALT_GR = 0x02, 0x01, 0x40
ENTER = 0x28
# Usage of each character on a US keyboard, HID Usage Tables 1.12, page 07.
US_KEYS = (
    {letter: (0, 0x04 + at) for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
    | {letter: (SHIFT, 0x04 + at) for at, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
    | {digit: (0, 0x1E + at) for at, digit in enumerate("1234567890")}
    | {sign: (SHIFT, 0x1E + at) for at, sign in enumerate("!@#$%^&*()")}
    | {"\n": (0, ENTER), " ": (0, 0x2C), "-": (0, 0x2D), "=": (0, 0x2E), "_": (SHIFT, 0x2D)}
    | {"[": (0, 0x2F), "]": (0, 0x30), ";": (0, 0x33), ":": (SHIFT, 0x33), "/": (0, 0x38)}
    | {",": (0, 0x36), ".": (0, 0x37), "?": (SHIFT, 0x38), "+": (SHIFT, 0x2E)}
    | {"\x1d": (CONTROL, 0x30)}  # GS, as scanners send it: Ctrl+].
)


class _HidGadget(Gadget):
    function = "hid"
    subclass = protocol = 0
    report_bytes = 8
    descriptor = b""

    def describe(self):
        self._side = -1
        self._write_function("subclass", self.subclass)
        self._write_function("protocol", self.protocol)
        self._write_function("report_length", self.report_bytes)
        self._write_function("report_desc", self.descriptor)

    def connect(self):
        path = f"/dev/char/{(self._function / 'dev').read_text().strip()}"

        def look():  # After a replug udev first takes the old link away.
            try:
                return (os.open(path, os.O_RDWR),)
            except OSError:
                return None

        (self._side,) = wait_until(look, path)

    def disconnect(self):
        if self._side >= 0:
            os.close(self._side)
            self._side = -1

    def send(self, report):
        """Send one report; returns when the host has taken the one before."""
        os.write(self._side, report)


class KeyboardScanner(_HidGadget):
    """A scanner that types like a keyboard."""

    vendor, product, name = 0x05E0, 0x1200, "Lab Scanner"
    subclass, protocol = 1, 1
    descriptor = bytes.fromhex(
        "05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503"
        "910395067508150025650507190029658100c0"
    )

    def type(self, text):
        """Type a text as on a US keyboard."""
        self.press([US_KEYS[character] for character in text])

    def press(self, keys):
        """Press and release keys, each (modifiers, usage)."""
        for modifiers, usage in keys:
            self.send(bytes((modifiers, 0, usage, 0, 0, 0, 0, 0)))
            self.send(bytes(8))


class PosScanner(_HidGadget):
    """A scanner in HID POS mode."""

    vendor, product, name = 0x0C2E, 0x0B81, "Lab POS Scanner"
    descriptor = SCANNER_DESCRIPTOR
    report_bytes = len(scan_reports("1", "]C1")[0])

    def scan(self, data, symbology="]C1"):
        """Send one code in as many reports as it needs."""
        for report in scan_reports(data, symbology):
            self.send(report)


class HidScale(_HidGadget):
    """A scale that reports each change once."""

    vendor, product, name = 0x0922, 0x8003, "Lab Scale"
    descriptor = SCALE_DESCRIPTOR
    report_bytes = len(scale_report(STATUS_STABLE, UNITS["kg"], Decimal(1)))

    def show(self, weight, *, stable=True):
        """Show a weight in kilograms, a Decimal."""
        status = STATUS_STABLE if stable else STATUS_MOTION
        self.send(scale_report(status, UNITS["kg"], weight))
