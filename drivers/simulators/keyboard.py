"""A virtual keyboard made by the kernel (uinput), for scanners that type. Edge of Linux uinput.

It works only where /dev/uinput may be written to (root, or a udev rule), which containers and most
build machines do not grant. Source: Linux Documentation/input/uinput.rst and
include/uapi/linux/uinput.h.
"""

import contextlib
import fcntl
import os
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Self

UINPUT = Path("/dev/uinput")
UI_DEV_CREATE, UI_DEV_DESTROY = 0x5501, 0x5502
UI_DEV_SETUP = 0x405C5503
UI_SET_EVBIT, UI_SET_KEYBIT = 0x40045564, 0x40045565
UI_GET_SYSNAME = 0x8000552C  # With the length of the buffer in bits 16 to 29.

SETUP = struct.Struct("<4H80sI")  # struct uinput_setup: input_id, name, ff_effects_max.
INPUT_EVENT = struct.Struct("@llHHi")  # struct input_event of this machine, without a time.
RECORD = struct.Struct("<HHi")
KEYS_COUNT = 128
NODE_TIMEOUT_S = 5.0
_BUS_USB, _EV_KEY, _SYSNAME_BYTES = 3, 1, 64


class VirtualKeyboard:
    """A keyboard of the kernel's; a driver opens `path`. Use as a context manager.

    Plugged in when made; `close` unplugs it. name: as the driver's setting `name` may call it.
    """

    def __init__(self, name: str) -> None:
        """Make it. Raises OSError where uinput may not be used, TimeoutError if no node came."""
        self.name = name
        self._uinput = os.open(UINPUT, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._uinput, UI_SET_EVBIT, _EV_KEY)
            for key in range(1, KEYS_COUNT):
                fcntl.ioctl(self._uinput, UI_SET_KEYBIT, key)
            setup = SETUP.pack(_BUS_USB, 0, 0, 0, name.encode(), 0)
            fcntl.ioctl(self._uinput, UI_DEV_SETUP, setup)
            fcntl.ioctl(self._uinput, UI_DEV_CREATE)
            self.path = self._await_node()
        except OSError:
            self.close()
            raise

    @staticmethod
    def usable() -> bool:
        """Return True if this machine lets us make keyboards."""
        return os.access(UINPUT, os.W_OK)

    def press(self, records: bytes) -> None:
        """Send key events, 8 bytes each as drivers/protocols/scanner_keyboard.py has them."""
        for kind, code, value in RECORD.iter_unpack(records):
            os.write(self._uinput, INPUT_EVENT.pack(0, 0, kind, code, value))

    def close(self) -> None:
        """Unplug it. May be called twice."""
        if self._uinput == -1:
            return
        uinput, self._uinput = self._uinput, -1
        with contextlib.suppress(OSError):
            fcntl.ioctl(uinput, UI_DEV_DESTROY)
        os.close(uinput)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _await_node(self) -> Path:
        buffer = bytearray(_SYSNAME_BYTES)
        fcntl.ioctl(self._uinput, UI_GET_SYSNAME | _SYSNAME_BYTES << 16, buffer)
        folder = Path("/sys/devices/virtual/input") / buffer.partition(b"\0")[0].decode()
        deadline_s = time.monotonic() + NODE_TIMEOUT_S
        while time.monotonic() < deadline_s:
            for event in folder.glob("event*"):
                node = Path("/dev/input") / event.name
                if os.access(node, os.R_OK):
                    return node
            time.sleep(0.01)
        raise TimeoutError(f"no node of {self.name} came")
