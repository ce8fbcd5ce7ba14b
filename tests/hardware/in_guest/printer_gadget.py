"""The USB side of an emulated label printer. Edge of configfs.

What it prints and answers is a simulator's, which has it for its line.
"""

import os
import select
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

from tests.hardware.in_guest.gadget import Gadget, wait_until

READ_BYTES_MAX = 8192
AWAY_PAUSE_S = 0.02


class LabelPrinter(Gadget):
    """A printer on a USB cable; the kernel makes it /dev/usb/lp. Any thread may call.

    hold() stops it taking bytes, as a busy printer does. heard: all that it has taken.
    """

    function = "printer"
    vendor, product, name = 0x0A5F, 0x0084, "Lab Label Printer"
    _side = -1

    def describe(self):
        self._write_function("pnp_string", "MFG:Lab;MDL:Label-1;CLS:PRINTER;")
        # Requests of 8 kB: so much it takes before somebody here has read it.
        self._write_function("q_len", "2")
        self.heard = bytearray()
        self._bytes_count_max = None
        self._lock = Lock()

    def connect(self):
        def look():  # Not there until the host has configured it; another's may be.
            for path in sorted(Path("/dev").glob("g_printer*")):
                with suppress(OSError):
                    return (os.open(path, os.O_RDWR | os.O_NONBLOCK),)
            return None

        (self._side,) = wait_until(look, "printer's own side")

    def disconnect(self):
        with self._lock:
            if self._side >= 0:
                os.close(self._side)
                self._side = -1

    def hold(self, *, after_bytes_count):
        """Take nothing more once it has so many bytes."""
        self._bytes_count_max = after_bytes_count

    def go_on(self):
        """Take bytes again."""
        self._bytes_count_max = None

    def read(self, timeout_s):
        """Return what the host has sent, b"" if nothing came in time or the cable is out."""
        with self._lock:
            poll = select.poll()
            if self._side < 0 or self._holds():
                time.sleep(AWAY_PAUSE_S)
                return b""
            poll.register(self._side, select.POLLIN)
            if not poll.poll(timeout_s * 1000):
                return b""
            try:
                data = os.read(self._side, READ_BYTES_MAX)
            except OSError:  # Nothing after all, or the host has gone.
                return b""
        self.heard += data
        return data

    def write(self, data):
        """Send what the printer says; False if not all of it was taken."""
        with self._lock, suppress(OSError):
            return os.write(self._side, data) == len(data)
        return False

    def _holds(self):
        return self._bytes_count_max is not None and len(self.heard) >= self._bytes_count_max
