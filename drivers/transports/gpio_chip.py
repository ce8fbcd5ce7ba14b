"""Lines of a GPIO chip such as /dev/gpiochip0. Edge of the Linux GPIO character device."""

import contextlib
import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable

from drivers.errors import DeviceLost

EVENTS_BYTES_MAX = 48 * 64
_FD = struct.Struct("<i")
_VALUES = struct.Struct("<QQ")

Ioctl = Callable[[int, int, bytearray], object]


class GpioChip:
    """Requested lines of one chip; one thread uses it. Made by `open_gpio_chip`."""

    def __init__(self, *, path: str, inputs_fd: int, outputs_fd: int, ioctl: Ioctl) -> None:
        self._path = path
        self._inputs_fd = inputs_fd
        self._outputs_fd = outputs_fd
        self._ioctl = ioctl
        self._closed = False

    def read(self, timeout_s: float) -> bytes:
        """Return the events that have arrived, whole ones; b"" if none came in `timeout_s`.

        Raises DeviceLost when the chip is gone.
        """
        if self._closed:
            raise self._lost(OSError(errno.EBADF, "closed"))
        poller = select.poll()
        if self._inputs_fd != -1:
            poller.register(self._inputs_fd, select.POLLIN)
        if self._outputs_fd != -1:
            poller.register(self._outputs_fd, 0)  # Tells nothing but that the chip is gone.
        try:
            found = dict(poller.poll(max(timeout_s, 0.0) * 1000))
            if not found:
                return b""
            events = os.read(self._inputs_fd, EVENTS_BYTES_MAX) if self._inputs_fd in found else b""
        except OSError as error:
            raise self._lost(error) from error
        if not events:
            raise self._lost(OSError(errno.ENODEV, "the chip is gone"))
        return events

    def input_bits(self, *, request: int, mask: int) -> int:
        """Return which inputs are active, bit 0 the first of the request. Raises DeviceLost."""
        buffer = bytearray(_VALUES.pack(0, mask))
        self._call(self._inputs_fd, request, buffer)
        bits: int = _VALUES.unpack(buffer)[0]
        return bits & mask

    def set_outputs(self, *, request: int, values: bytes) -> None:
        """Switch outputs. Raises DeviceLost."""
        self._call(self._outputs_fd, request, bytearray(values))

    def close(self) -> None:
        """Give the lines back. Never raises; may be called twice."""
        self._closed = True
        for descriptor in {self._inputs_fd, self._outputs_fd} - {-1}:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._inputs_fd = self._outputs_fd = -1

    def _call(self, descriptor: int, request: int, buffer: bytearray) -> None:
        if self._closed:
            raise self._lost(OSError(errno.EBADF, "closed"))
        try:
            self._ioctl(descriptor, request, buffer)
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> DeviceLost:
        return DeviceLost(f"{self._path} lost: {error}", hint="Check the board or USB adapter.")


def open_gpio_chip(
    path: str,
    *,
    request: int,
    inputs: bytes | None,
    outputs: bytes | None,
    ioctl: Ioctl = fcntl.ioctl,
) -> GpioChip:
    """Return the requested lines; nobody else can have them while they are open.

    request: the number of the ioctl that requests lines. inputs, outputs: its struct, None if
        there are none.
    Raises DeviceLost.
    """
    opened: list[int] = []
    try:
        chip = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            for wanted in (inputs, outputs):
                opened.append(_request(chip, request, wanted, ioctl=ioctl))
        finally:
            os.close(chip)  # The kernel keeps requested lines by their own descriptors.
    except OSError as error:
        for descriptor in set(opened) - {-1}:
            os.close(descriptor)
        raise DeviceLost(f"cannot open {path}: {error}", hint=_open_hint(error)) from error
    return GpioChip(path=path, inputs_fd=opened[0], outputs_fd=opened[1], ioctl=ioctl)


def _request(chip: int, request: int, wanted: bytes | None, *, ioctl: Ioctl) -> int:
    if wanted is None:
        return -1
    buffer = bytearray(wanted)
    ioctl(chip, request, buffer)
    descriptor: int = _FD.unpack(buffer[-_FD.size :])[0]
    if descriptor <= 0:
        raise OSError(errno.EIO, "the chip gave no lines")
    return descriptor


def _open_hint(error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return "Choose lines that no other program and no driver of the kernel uses (gpioinfo)."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Allow the gateway's user to use GPIO lines (group gpio)."
    if error.errno == errno.EINVAL:
        return "Correct the line numbers; the chip has fewer lines, or cannot do this (gpioinfo)."
    return "Correct `path`: it must name a GPIO chip such as /dev/gpiochip0 (see gpiodetect)."
