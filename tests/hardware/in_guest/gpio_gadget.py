"""An emulated USB adapter with GPIO lines: Silicon Labs CP2112. Edge of FunctionFS.

The kernel's hid-cp2112 makes it a GPIO chip, /dev/gpiochipN, whose inputs it asks for every ten
ticks. Reports by Silicon Labs AN495, "CP2112 Interface Specification", section 5:

    02  | id | directions, 1 = output | push-pull | special | clock divider |   get and set
    03  | id | values |                                                         get
    04  | id | values | mask |                                                  set
    05  | id | part 0x0C | version |                                            get
    06  | id | 13 bytes of the SMBus, not used here |                           get and set
    20  | id | lock |                                                           get
"""

import struct
from pathlib import Path
from threading import Lock

from tests.hardware.in_guest.function_gadget import FunctionGadget, endpoint, interface
from tests.hardware.in_guest.gadget import wait_until

LINES_COUNT = 8
CONFIGURATION, VALUES, SET_VALUES, VERSION, SMBUS, LOCK = 0x02, 0x03, 0x04, 0x05, 0x06, 0x20
# HID 1.11, sections 6.2.1, 7.1 and 7.2.
HID_CLASS, HID_DESCRIPTOR, REPORT_DESCRIPTOR = 3, 0x21, 0x22
GET_DESCRIPTOR, GET_REPORT, SET_REPORT = 6, 1, 9
INTERRUPT, INTERVAL_MS = 3, 10
PACKET_BYTES = 64


def _feature(report, count):
    """Return a vendor's feature report of so many bytes, HID 1.11 section 6.2.2."""
    return bytes((0x85, report, 0x95, count, 0x75, 8, 0x15, 0, 0x26, 255, 0, 0x09, 1, 0xB1, 2))


REPORTS = {CONFIGURATION: 4, VALUES: 1, SET_VALUES: 2, VERSION: 2, SMBUS: 13, LOCK: 1}
DESCRIPTOR = (
    bytes((0x06, 0x00, 0xFF, 0x09, 1, 0xA1, 1))
    + b"".join(_feature(report, count) for report, count in REPORTS.items())
    # One report that the adapter sends by itself; without it the host listens to nothing.
    + bytes((0x85, 0x16, 0x95, 6, 0x75, 8, 0x09, 1, 0x81, 2, 0xC0))
)


class GpioAdapter(FunctionGadget):
    """Eight lines. press() and let_go() are fingers on inputs, `lit` shows which outputs are on."""

    vendor, product, name = 0x10C4, 0xEA90, "CP2112 HID USB-to-SMBus Bridge"
    endpoints_count = class_parts_count = 1

    def prepare(self):
        self._lock = Lock()
        self._pressed = self._outputs = self._directions = 0
        self.shown = []  # What the outputs showed, one after the other.
        super().prepare()

    def descriptors(self, packet_bytes):
        about = struct.pack(
            "<BBHBBBH", 9, HID_DESCRIPTOR, 0x0111, 0, 1, REPORT_DESCRIPTOR, len(DESCRIPTOR)
        )
        point = endpoint(0x81, PACKET_BYTES, attributes=INTERRUPT, interval=INTERVAL_MS)
        return interface(1, kind=HID_CLASS, subclass=0, protocol=0) + about + point

    def press(self, line):
        """Make an input high."""
        with self._lock:
            self._pressed |= 1 << line

    def let_go(self, line):
        """Make an input low."""
        with self._lock:
            self._pressed &= ~(1 << line)

    @property
    def lit(self):
        """Return the lines that are outputs and high."""
        with self._lock:
            return self._lit()

    def chip(self):
        """Return the path of the chip that the kernel made for it."""
        return self.node("gpiochip")

    def answer(self, request, value):
        if request == GET_DESCRIPTOR:
            return DESCRIPTOR
        report = value & 0xFF
        with self._lock:
            levels = (self._outputs & self._directions) | (self._pressed & ~self._directions)
            told = {
                CONFIGURATION: bytes((self._directions, 0xFF, 0, 0)),
                VALUES: bytes((levels,)),
                VERSION: bytes((0x0C, 0x03)),
            }
            return bytes((report,)) + told.get(report, bytes(REPORTS.get(report, 1)))

    def take(self, request, value, data):
        if request != SET_REPORT:
            return
        with self._lock:
            if data[0] == CONFIGURATION:
                self._directions = data[1]
            elif data[0] == SET_VALUES:
                before = self._lit()
                self._outputs = (self._outputs & ~data[2]) | (data[1] & data[2])
                if self._lit() != before:
                    self.shown.append(self._lit())

    def _lit(self):
        high = self._outputs & self._directions
        return {line for line in range(LINES_COUNT) if high >> line & 1}


def lines_used(chip):
    """Return how many chips of that name the kernel has; 0 when it is gone."""
    return len(list(Path("/sys/bus/gpio/devices").glob(Path(chip).name)))


def wait_for_end(chip):
    """Wait until the kernel has forgotten a chip."""
    wait_until(lambda: not lines_used(chip), f"end of {chip}")
