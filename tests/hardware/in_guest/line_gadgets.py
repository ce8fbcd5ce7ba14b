"""Emulated devices with a serial line: CDC-ACM and FTDI. Edge of configfs and FunctionFS."""

import os
import tty
from pathlib import Path
from threading import Condition, Thread

from tests.hardware.in_guest.function_gadget import FunctionGadget, endpoint, interface
from tests.hardware.in_guest.gadget import Gadget, wait_until


class AcmScanner(Gadget):
    """A scanner in USB CDC mode: the kernel makes it /dev/ttyACM."""

    function = "acm"
    vendor, product, name = 0x05E0, 0x1701, "Lab CDC Scanner"
    closes_before_unplug = False
    _side = -1

    def connect(self):
        if self._side >= 0:
            return
        path = Path(f"/dev/ttyGS{(self._function / 'port_num').read_text().strip()}")
        wait_until(path.exists, path)
        self._side = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._side)

    def say(self, data):
        """Send bytes."""
        os.write(self._side, data)

    def release(self):
        os.close(self._side)


class FtdiLine(FunctionGadget):
    """An FT232R adapter with a device behind it: the kernel makes it /dev/ttyUSB.

    Vendor requests as the kernel's ftdi_sio sends them; each packet to the host begins with two
    status bytes (FTDI AN_232B; drivers/usb/serial/ftdi_sio.h).
    """

    vendor, product, name = 0x0403, 0x6001, "FT232R USB UART"
    endpoints_count = 2
    STATUS = b"\x01\x60"
    PACKET_BYTES = 512
    SET_BAUD_RATE, GET_MODEM_STATUS, GET_LATENCY = 3, 5, 10

    def prepare(self):
        self._folder.joinpath("bcdDevice").write_text("0x0600")
        self.heard = bytearray()
        self._changed = Condition()
        super().prepare()

    def descriptors(self, packet_bytes):
        points = [endpoint(address, packet_bytes) for address in (0x81, 0x02)]
        return interface(len(points)) + b"".join(points)

    def answer(self, request, value):
        told = {self.GET_MODEM_STATUS: self.STATUS, self.GET_LATENCY: b"\x10"}
        return told.get(request, bytes(64))

    def enabled(self):
        Thread(target=self._hear, name="bytes", daemon=True).start()

    def read(self, timeout_s):
        """Return what the host has sent, b"" if nothing came in time: a simulator's line."""
        with self._changed:
            self._changed.wait_for(lambda: self.heard, timeout=timeout_s)
            data = bytes(self.heard)
            self.heard.clear()
            return data

    def write(self, data):
        """Send what a simulator says; False if the cable is out."""
        try:
            self.say(data)
        except OSError:
            return False
        return True

    def say(self, data):
        """Send what the device behind the adapter says."""
        room = self.PACKET_BYTES - len(self.STATUS)
        pieces = [data[at : at + room] for at in range(0, len(data), room)]
        os.write(self.sides[0], b"".join(self.STATUS + piece for piece in pieces))

    def wait_for(self, data):
        """Wait until the host has sent these bytes, and forget them."""
        with self._changed:
            assert self._changed.wait_for(lambda: data in self.heard, timeout=20), bytes(self.heard)
            self.heard.clear()

    def _hear(self):
        while self.is_enabled:
            try:
                data = os.read(self.sides[1], 4096)
            except OSError:
                return
            with self._changed:
                self.heard += data
                self._changed.notify_all()
