"""Emulated devices whose requests a program answers itself. Edge of FunctionFS.

Documentation/usb/functionfs.rst, include/uapi/linux/usb/functionfs.h.
"""

import os
import select
import struct
import subprocess
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from threading import Thread

from tests.hardware.in_guest.gadget import Gadget

MAGIC_V2, FULL_SPEED, HIGH_SPEED, ALL_REQUESTS, BEFORE_CONFIGURED = 3, 1, 2, 64, 128
TO_HOST = 0x80
POLL_MS = 20


class FunctionGadget(Gadget, ABC):
    """A device with one interface. requests: what the host has asked, (request, value, index)."""

    function = "ffs"
    ENABLE, SETUP = 2, 4
    endpoints_count = 0

    @abstractmethod
    def descriptors(self, packet_bytes):
        """Return interface and endpoints for a speed whose bulk packets have so many bytes."""

    @abstractmethod
    def answer(self, request, value):
        """Return what the host gets for a request to it."""

    def take(self, request, value, data):
        """Hear what the host says with a request."""

    def enabled(self):
        """Hear that the host has configured the device; the thread of requests says so."""

    def prepare(self):
        self._mount = Path(f"/dev/{self._folder.name}")
        self._mount.mkdir()
        words = ("mount", "-t", "functionfs", self._folder.name, str(self._mount))
        subprocess.run(words, check=True)
        self._control = os.open(self._mount / "ep0", os.O_RDWR | os.O_NONBLOCK)
        full, high = self.descriptors(64), self.descriptors(512)
        parts_count = 1 + self.endpoints_count + self.class_parts_count
        body = struct.pack("<II", parts_count, parts_count) + full + high
        flags = FULL_SPEED | HIGH_SPEED | ALL_REQUESTS | BEFORE_CONFIGURED
        os.write(self._control, struct.pack("<III", MAGIC_V2, 12 + len(body), flags) + body)
        english = struct.pack("<H", 0x409) + self.name.encode() + b"\0"
        os.write(self._control, struct.pack("<IIII", 2, 16 + len(english), 1, 1) + english)
        numbers = range(1, self.endpoints_count + 1)
        # Not blocking: whoever writes while the cable is out is told so, and does not wait for it.
        flags = os.O_RDWR | os.O_NONBLOCK
        self.sides = [os.open(self._mount / f"ep{number}", flags) for number in numbers]
        self.requests = []
        self._open = self.is_enabled = True
        self._answers = Thread(target=self._answer_requests, name="requests", daemon=True)
        self._answers.start()

    # Descriptors of a class between interface and endpoints, such as HID's.
    class_parts_count = 0

    def disconnect(self):
        self.is_enabled = False

    def release(self):
        self._open = False
        self._answers.join()
        for side in (*self.sides, self._control):
            os.close(side)
        subprocess.run(["umount", "--lazy", str(self._mount)], check=True)
        self._mount.rmdir()

    def _answer_requests(self):
        # A blocking read would hold the lock that unplugging needs, so it polls.
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while self._open:
            if not poll.poll(POLL_MS):
                continue
            try:
                event = os.read(self._control, 12)
            except (BlockingIOError, InterruptedError):
                continue
            kind, request, value, index, length, event_type = struct.unpack("<BBHHHB", event[:9])
            if event_type == self.ENABLE:
                self.is_enabled = True
                self.enabled()
            elif event_type == self.SETUP:
                self.requests.append((request, value, index))
                with suppress(OSError):  # The host has given the request up.
                    if kind & TO_HOST:
                        os.write(self._control, self.answer(request, value)[:length])
                    else:
                        self.take(request, value, os.read(self._control, length))


def interface(number_of_endpoints, *, kind=0xFF, subclass=0xFF, protocol=0xFF):
    """Return the descriptor of an interface, USB 2.0 table 9-12."""
    return struct.pack("<9B", 9, 4, 0, 0, number_of_endpoints, kind, subclass, protocol, 1)


def endpoint(address, packet_bytes, *, attributes=2, interval=0):
    """Return the descriptor of an endpoint, USB 2.0 table 9-13; bulk by default."""
    return struct.pack("<BBBBHB", 7, 5, address, attributes, packet_bytes, interval)
