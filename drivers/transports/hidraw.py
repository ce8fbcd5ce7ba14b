"""A HID device as the kernel's hidraw driver hands it out. Edge of Linux hidraw and local sockets.

Each read of the device file is one report; the ioctls give the report descriptor and set feature
reports. Source: Linux Documentation/hid/hidraw.rst, include/uapi/linux/hidraw.h.

A path may also be a local socket of type SOCK_SEQPACKET, which keeps the ends of packets as hidraw
does. Its other end sends the descriptor as the first packet, then reports, each a record of one
packet; that is how HID devices of another machine, or virtual ones, come in.
"""

import errno
import fcntl
import os
import select
import socket
import stat
import struct
from pathlib import Path
from typing import Literal, Protocol

from drivers.errors import DeviceLost

RecordKind = Literal["D", "I", "O", "F"]  # As in drivers/protocols/hid_records.py.

RECORD_BYTES_MAX = 4096
READ_REPORTS_MAX = 64  # At once; the kernel keeps as many for a reader that is late.
WRITE_TIMEOUT_S = 2.0
DESCRIPTOR_TIMEOUT_S = 2.0

_HEAD = struct.Struct("<cH")
_DESCRIPTOR_SIZE_MAX = 4096
_DESCRIPTOR = struct.Struct(f"<I{_DESCRIPTOR_SIZE_MAX}s")
HIDIOCGRDESCSIZE = 0x80044801
HIDIOCGRDESC = 0x90044802
HIDIOCSFEATURE = 0xC0004806  # With the length of the report in bits 16 to 29.

_UNPLUGGED_HINT = "Plug the device in again, or check its cable."


class ReportSource(Protocol):
    """Where reports come from and go to; all raise OSError."""

    def fileno(self) -> int: ...
    def descriptor(self) -> bytes: ...
    def read(self) -> bytes: ...
    def write(self, kind: RecordKind, report: bytes) -> None: ...
    def close(self) -> None: ...


class HidrawLine:
    """An open HID device; one thread uses it. Made by `open_hidraw`.

    `read` gives records as drivers/protocols/hid_records.py has them, the descriptor first.
    """

    def __init__(self, source: ReportSource, *, path: str) -> None:
        """Take over `source`. Raises DeviceLost if it gives no descriptor."""
        self._source = source
        self._path = path
        self._closed = False
        self._poller = select.poll()
        self._poller.register(source.fileno(), select.POLLIN)
        try:
            self._waiting = _record("D", source.descriptor()[:RECORD_BYTES_MAX])
        except OSError as error:
            self.close()
            raise DeviceLost(
                f"{path} gives no report descriptor: {error}", hint=_open_hint(error)
            ) from error

    def read(self, timeout_s: float) -> bytes:
        """Return the reports that have arrived, as records; b"" if none came in `timeout_s`.

        Raises DeviceLost when the device is unplugged.
        """
        if self._closed:
            raise self._lost(OSError(errno.EBADF, "closed"))
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            return waiting
        records: list[bytes] = []
        try:
            while len(records) < READ_REPORTS_MAX:
                wait_s = 0.0 if records else max(timeout_s, 0.0)
                if not self._poller.poll(wait_s * 1000):
                    break
                records.append(_record("I", self._source.read()))
        except BlockingIOError:
            pass
        except OSError as error:
            if not records:
                raise self._lost(error) from error
            # What came before the plug was pulled is returned first; the next read tells the loss.
        return b"".join(records)

    def write(self, data: bytes) -> None:
        """Send the reports in `data`, records of the kinds "O" and "F". Raises DeviceLost."""
        place = 0
        try:
            while place < len(data):
                mark, size = _HEAD.unpack_from(data, place)
                report = data[place + _HEAD.size : place + _HEAD.size + size]
                self._source.write("F" if mark == b"F" else "O", report)
                place += _HEAD.size + size
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Give the device back; only then does it get its name back. Never raises."""
        if self._closed:
            return
        self._closed = True
        try:
            self._source.close()
        except OSError:
            return  # It is unplugged; there is nothing left to give back.

    def _lost(self, error: OSError) -> DeviceLost:
        return DeviceLost(f"{self._path} lost: {error}", hint=_UNPLUGGED_HINT)


def open_hidraw(path: str) -> HidrawLine:
    """Return the HID device at `path`, locked against other programs that lock it (flock).

    path: one that stays the same, such as a link below /dev/dockledger made by a udev rule, or a
        local socket.
    Raises DeviceLost.
    """
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISSOCK(mode):
            source: ReportSource = _SocketSource(path)
        elif stat.S_ISCHR(mode):
            source = _HidrawSource(path)
        else:
            raise OSError(errno.ENOTTY, "neither a device nor a socket", path)
    except OSError as error:
        raise DeviceLost(f"cannot open {path}: {error}", hint=_open_hint(error)) from error
    return HidrawLine(source, path=path)


class _HidrawSource:
    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise

    def fileno(self) -> int:
        return self._descriptor

    def descriptor(self) -> bytes:
        # struct hidraw_report_descriptor: u32 size, u8 value[4096]; the size is given, not asked.
        size_field = bytearray(4)
        fcntl.ioctl(self._descriptor, HIDIOCGRDESCSIZE, size_field)
        size = min(int.from_bytes(size_field, "little"), _DESCRIPTOR_SIZE_MAX)
        buffer = bytearray(_DESCRIPTOR.pack(size, b""))
        fcntl.ioctl(self._descriptor, HIDIOCGRDESC, buffer)
        return bytes(buffer[4 : 4 + size])

    def read(self) -> bytes:
        report = os.read(self._descriptor, RECORD_BYTES_MAX)
        if not report:
            raise OSError(errno.EIO, "the device ended")
        return report

    def write(self, kind: RecordKind, report: bytes) -> None:
        if kind == "F":
            request = HIDIOCSFEATURE | len(report) << 16
            fcntl.ioctl(self._descriptor, request, bytearray(report))
        else:
            os.write(self._descriptor, report)

    def close(self) -> None:
        os.close(self._descriptor)


class _SocketSource:
    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.settimeout(DESCRIPTOR_TIMEOUT_S)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def descriptor(self) -> bytes:
        descriptor = self._receive()
        self._socket.settimeout(WRITE_TIMEOUT_S)
        return descriptor

    def read(self) -> bytes:
        return self._receive()

    def write(self, kind: RecordKind, report: bytes) -> None:
        self._socket.send(_record(kind, report))

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> bytes:
        packet = self._socket.recv(RECORD_BYTES_MAX)
        if not packet:
            raise ConnectionResetError(errno.ECONNRESET, "the other end closed")
        return packet


def _record(kind: RecordKind, data: bytes) -> bytes:
    return _HEAD.pack(kind.encode(), len(data)) + data


def _open_hint(error: OSError) -> str:
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ECONNREFUSED}:
        return "Plug the device in, or correct `path` in its settings."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Allow the gateway's user to use this device with a udev rule (hidraw)."
    if error.errno in {errno.EAGAIN, errno.EBUSY}:
        return "Close the other program that uses this device; only one can read it."
    return "Correct `path`: it must name a HID device such as /dev/hidraw0."
