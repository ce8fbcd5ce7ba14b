"""Emulated devices with a serial line: CDC-ACM and FTDI. Edge of configfs and FunctionFS."""

import os
import select
import struct
import subprocess
import tty
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread

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


class FtdiLine(Gadget):
    """An FT232R adapter with a device behind it: the kernel makes it /dev/ttyUSB.

    Vendor requests as the kernel's ftdi_sio sends them; each packet to the host begins with two
    status bytes (FTDI AN_232B; drivers/usb/serial/ftdi_sio.h).
    """

    function = "ffs"
    vendor, product, name = 0x0403, 0x6001, "FT232R USB UART"
    STATUS = b"\x01\x60"
    PACKET_BYTES = 512
    SET_BAUD_RATE, GET_MODEM_STATUS, GET_LATENCY = 3, 5, 10
    BIND, UNBIND, ENABLE, DISABLE, SETUP = range(5)

    def prepare(self):
        self._folder.joinpath("bcdDevice").write_text("0x0600")
        self._mount = Path(f"/dev/{self._folder.name}")
        self._mount.mkdir()
        words = ("mount", "-t", "functionfs", self._folder.name, str(self._mount))
        subprocess.run(words, check=True)
        self._control = os.open(self._mount / "ep0", os.O_RDWR | os.O_NONBLOCK)
        os.write(self._control, _descriptors())
        os.write(self._control, _texts(self.name))
        self._to_host = os.open(self._mount / "ep1", os.O_RDWR)
        self._from_host = os.open(self._mount / "ep2", os.O_RDWR)
        self.requests = []
        self.heard = bytearray()
        self._changed = Condition()
        self._open = self._enabled = True
        self._answers = Thread(target=self._answer_requests, name="requests", daemon=True)
        self._answers.start()

    def say(self, data):
        """Send what the device behind the adapter says."""
        room = self.PACKET_BYTES - len(self.STATUS)
        pieces = [data[at : at + room] for at in range(0, len(data), room)]
        os.write(self._to_host, b"".join(self.STATUS + piece for piece in pieces))

    def wait_for(self, data):
        """Wait until the host has sent these bytes, and forget them."""
        with self._changed:
            assert self._changed.wait_for(lambda: data in self.heard, timeout=20), bytes(self.heard)
            self.heard.clear()

    def disconnect(self):
        self._enabled = False

    def release(self):
        self._open = False
        self._answers.join()
        for side in (self._to_host, self._from_host, self._control):
            os.close(side)
        subprocess.run(["umount", "--lazy", str(self._mount)], check=True)
        self._mount.rmdir()

    def _answer_requests(self):
        # A blocking read would hold the lock that unplugging needs, so it polls.
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while self._open:
            if not poll.poll(20):
                continue
            try:
                event = os.read(self._control, 12)
            except (BlockingIOError, InterruptedError):
                continue
            kind, request, value, index, length, event_type = struct.unpack("<BBHHHB", event[:9])
            if event_type == self.ENABLE:
                self._enabled = True
                Thread(target=self._hear, name="bytes", daemon=True).start()
            elif event_type == self.SETUP:
                self.requests.append((request, value, index))
                self._answer(kind, request, length)

    def _answer(self, kind, request, length):
        answers = {self.GET_MODEM_STATUS: self.STATUS, self.GET_LATENCY: b"\x10"}
        with suppress(OSError):  # The host has given the request up.
            if kind & 0x80:
                os.write(self._control, answers.get(request, bytes(length))[:length])
            else:
                os.read(self._control, length)

    def _hear(self):
        while self._enabled:
            try:
                data = os.read(self._from_host, 4096)
            except OSError:
                return
            with self._changed:
                self.heard += data
                self._changed.notify_all()


def _descriptors():
    def of_speed(packet_bytes):
        interface = struct.pack("<9B", 9, 4, 0, 0, 2, 0xFF, 0xFF, 0xFF, 1)
        points = [struct.pack("<BBBBHB", 7, 5, at, 2, packet_bytes, 0) for at in (0x81, 0x02)]
        return interface + b"".join(points)

    magic_v2, full, high, all_requests, before_configured = 3, 1, 2, 64, 128
    body = struct.pack("<II", 3, 3) + of_speed(64) + of_speed(512)
    flags = full | high | all_requests | before_configured
    return struct.pack("<III", magic_v2, 12 + len(body), flags) + body


def _texts(name):
    english = struct.pack("<H", 0x409) + name.encode() + b"\0"
    return struct.pack("<IIII", 2, 16 + len(english), 1, 1) + english
