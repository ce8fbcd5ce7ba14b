"""A printer's device file such as /dev/usb/lp0. Edge of the kernel's character devices."""

import errno
import fcntl
import os
import select
import termios
import time
import tty
from pathlib import Path

from drivers.errors import DeviceLost

READ_BYTES_MAX = 4096
WRITE_BYTES_MAX = 4096  # In one go; a printer that stops takes no more than its buffer.
WRITE_TIMEOUT_S = 5.0  # For each piece; a printer that takes no byte for so long has stopped.
EMPTY_READ_PAUSE_S = 0.01


class DeviceFile:
    """An open device file that nobody else writes to; one thread uses it."""

    def __init__(self, descriptor: int, *, path: Path, write_timeout_s: float) -> None:
        self._descriptor = descriptor
        self._path = path
        self._write_timeout_s = write_timeout_s

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, at most READ_BYTES_MAX; b"" if nothing came in `timeout_s`.

        Raises DeviceLost when the device is gone.
        """
        events = self._poll(select.POLLIN, timeout_s)
        if not events & select.POLLIN:
            if events:
                raise self._lost("hung up")
            return b""
        try:
            data = os.read(self._descriptor, READ_BYTES_MAX)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        if not data:
            if events & select.POLLHUP:
                raise self._lost("hung up")
            # usblp passes on a USB transfer of no bytes: not the end, and not to be spun on.
            time.sleep(EMPTY_READ_PAUSE_S)
        return data

    def write(self, data: bytes) -> None:
        """Give all bytes to the device. Raises DeviceLost; some bytes may have left then."""
        while data:
            events = self._poll(select.POLLOUT, self._write_timeout_s)
            if not events & select.POLLOUT:
                stalled = f"took no byte for {self._write_timeout_s:g} s"
                raise self._lost("hung up" if events else stalled)
            try:
                data = data[os.write(self._descriptor, data[:WRITE_BYTES_MAX]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._lost(error.strerror or str(error)) from error

    def finish(self, timeout_s: float) -> None:
        """Wait until the device has what was written. Raises DeviceLost if it takes too long.

        usblp takes a piece before the printer has it, and withdraws it if the file is closed.
        """
        if not self._poll(select.POLLOUT, timeout_s) & select.POLLOUT:
            raise self._lost(f"held back bytes for {timeout_s:g} s")

    def close(self) -> None:
        """Close the file and give up the lock. Never raises; may be called twice."""
        if self._descriptor == -1:
            return
        descriptor, self._descriptor = self._descriptor, -1
        try:
            os.close(descriptor)
        except OSError:
            return  # The device went first; the descriptor is free all the same.

    def _poll(self, event: int, timeout_s: float) -> int:
        if self._descriptor == -1:
            raise self._lost("closed")
        poller = select.poll()
        poller.register(self._descriptor, event)
        ready = poller.poll(max(timeout_s, 0.0) * 1000)
        return ready[0][1] if ready else 0

    def _lost(self, reason: str) -> DeviceLost:
        return DeviceLost(
            f"{self._path}: {reason}", hint="Check the printer's power and its USB cable."
        )


def open_device_file(path: Path, *, write_timeout_s: float = WRITE_TIMEOUT_S) -> DeviceFile:
    """Return the device file open for reading and writing, with an exclusive lock (flock).

    Raises DeviceLost if it is not there, is not ours to open or is in use.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceLost(f"cannot open {path}: {error.strerror}", hint=_open_hint(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.isatty(descriptor):
            tty.setraw(descriptor)  # Some printers are a /dev/ttyACM; no byte may be translated.
    except (OSError, termios.error) as error:
        os.close(descriptor)
        raise DeviceLost(f"cannot have {path} alone: {error}", hint=_open_hint(error)) from error
    return DeviceFile(descriptor, path=path, write_timeout_s=write_timeout_s)


def _open_hint(error: OSError | termios.error) -> str:
    number = error.args[0] if error.args else None
    if number in {errno.EAGAIN, errno.EBUSY}:
        return "Stop the other program that uses this printer, for example a CUPS queue."
    if number in {errno.EACCES, errno.EPERM}:
        return "Give the service's user the right to this device (group lp)."
    return "Check the printer's power, its USB cable and the path in the settings."
