"""Virtual HID devices: a scanner and a scale that a driver opens by path. Edge of local sockets.

There is no hidraw without a kernel driver and root, so the far end is a local socket that keeps the
ends of packets (SOCK_SEQPACKET), which the hidraw transport opens as well. The report descriptors
are written by hand from the USB-IF HID Point of Sale Usage Tables 1.02.
"""

import contextlib
import select
import socket
import threading
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.protocols.hid_records import HEAD, RECORD_BYTES_MAX

CLIENTS_WAITING_MAX = 1
WRITE_TIMEOUT_S = 2.0
SERVE_STEP_S = 0.02
STOP_TIMEOUT_S = 5.0
CODE_BYTES = 56
SCANNER_REPORT_BYTES = 64

# Report 2, 64 bytes: byte count, three bytes of AIM identifier, 56 bytes of data, 2 of the maker's
# own, 8 bits of which the first is "more follows". Report 4 out: 8 bits, two of them beeps.
SCANNER_DESCRIPTOR = bytes.fromhex(
    "058c0902a101"  # Usage page 8C, bar code scanner, application collection.
    "0912a102850215" + "0026ff0075089501" + "0501093b8102"  # Scanned data report, byte count.
    "9503058c09fb09fc09fd8102"
    "953809fe820201"  # Decoded data, buffered bytes.
    "95020600ff09018102058c"
    + "25017501950109ff810295078103c00914a1028504250175019503 09600985 09869102"
    + "95059103c0"
    "c0"
)
# Report 3: status and unit as choices, exponent, weight of 16 bit. Report 2 out: zero.
SCALE_DESCRIPTOR = bytes.fromhex(
    "058d0920a101"  # Usage page 8D, scale device, application collection.
    "0932a1028503"
    "150125087508950119712978 8100" + "1501250c1951295c8100"
    "1580257f09418102"
    "150027ffff0000751009408102c0"
    "0931a1028502150025017501950109809102" + "95079103c0"
    "c0"
)
UNITS = {"mg": 1, "g": 2, "kg": 3, "t": 8, "oz": 11, "lb": 12}
STATUS_AT_ZERO, STATUS_MOTION, STATUS_STABLE, STATUS_UNDER, STATUS_OVER = 2, 3, 4, 5, 6


class VirtualHidDevice:
    """The device's end. A driver opens `path`. Use as a context manager; any threads may call."""

    def __init__(self, path: Path, descriptor: bytes) -> None:
        self.path = path
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._written: list[bytes] = []
        self._closed = False
        self.plug_in()
        self._thread = threading.Thread(target=self._serve, name="hid-device", daemon=True)
        self._thread.start()

    def plug_in(self) -> None:
        """Be there (again) under the same path; nothing happens if it is."""
        with self._changed:
            if self._listener is None and not self._closed:
                self.path.unlink(missing_ok=True)
                self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self._listener.bind(str(self.path))
                self._listener.listen(CLIENTS_WAITING_MAX)

    def unplug(self) -> None:
        """Go away: the driver sees the end, and the path is gone until `plug_in`."""
        with self._changed:
            for one in (self._listener, self._client):
                if one is not None:
                    one.close()
            self._listener = self._client = None
            self.path.unlink(missing_ok=True)
            self._changed.notify_all()

    def wait_for_driver(self, timeout_s: float) -> bool:
        """Return True as soon as a driver has opened the device; False if none did in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._client is not None, timeout_s)

    def send(self, report: bytes) -> bool:
        """Send one input report; False if nobody took it."""
        with self._changed:
            if self._client is None:
                return False
            try:
                self._client.send(report)
            except OSError:
                return False
            return True

    def written(self, timeout_s: float) -> bytes:
        """Return the next output or feature report that a driver wrote, b"" if none in time."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._written), timeout_s)
            return self._written.pop(0) if self._written else b""

    def close(self) -> None:
        """Unplug for good. May be called twice."""
        self._closed = True
        self.unplug()
        self._thread.join(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._closed:
            with self._changed:
                sockets = [one for one in (self._listener, self._client) if one is not None]
            try:
                ready = select.select(sockets, [], [], SERVE_STEP_S)[0]
            except (OSError, ValueError):
                continue  # One of them was closed meanwhile; look again.
            with self._changed, contextlib.suppress(OSError):
                for one in ready:
                    self._take(one)
                self._changed.notify_all()

    def _take(self, ready: socket.socket) -> None:
        if ready is self._listener:
            client = ready.accept()[0]
            if self._client is not None:
                client.close()  # A device has one reader here.
                return
            client.settimeout(WRITE_TIMEOUT_S)
            client.send(self._descriptor)
            self._client = client
        elif ready is self._client:
            record = ready.recv(RECORD_BYTES_MAX)
            if record:
                self._written.append(record[HEAD.size :])
            else:
                ready.close()
                self._client = None


class VirtualHidScanner(VirtualHidDevice):
    """A HID POS scanner; reports as in the Access-IS LSR116 manual, appendix A."""

    def __init__(self, path: Path, descriptor: bytes = SCANNER_DESCRIPTOR) -> None:
        super().__init__(path, descriptor)

    def scan(self, data: str | bytes, symbology: str = "]C1") -> bool:
        """Send one code in as many reports as it needs; False if any of them was lost."""
        return all(self.send(report) for report in scan_reports(data, symbology))


class VirtualHidScale(VirtualHidDevice):
    """A HID scale that reports each change once."""

    def __init__(self, path: Path, descriptor: bytes = SCALE_DESCRIPTOR) -> None:
        super().__init__(path, descriptor)

    def put(self, weight: Decimal, unit: str = "kg", *, stable: bool = True) -> bool:
        """Lay so much on the scale, with as many decimals as given; negative is under zero."""
        status = STATUS_STABLE if stable else STATUS_MOTION
        if weight == 0 and stable:
            status = STATUS_AT_ZERO
        return self.report(STATUS_UNDER if weight < 0 else status, unit, abs(weight))

    def report(self, status: int, unit: str = "kg", weight: Decimal = Decimal(0)) -> bool:
        """Send a report of any status."""
        return self.send(scale_report(status, UNITS[unit], weight))


def scan_reports(data: str | bytes, symbology: str) -> list[bytes]:
    """Return the reports of one code."""
    message = data.encode() if isinstance(data, str) else data
    identifier = symbology.encode("ascii").ljust(3, b"\0")
    parts = [message[at : at + CODE_BYTES] for at in range(0, len(message), CODE_BYTES)] or [b""]
    return [
        b"\x02"
        + bytes((len(part),))
        + identifier
        + part.ljust(CODE_BYTES, b"\0")
        + b"s\0"
        + bytes((part is not parts[-1],))
        for part in parts
    ]


def scale_report(status: int, unit: int, weight: Decimal) -> bytes:
    """Return the report of a weight that is not negative."""
    exponent = int(weight.as_tuple().exponent)
    number = int(weight.scaleb(-exponent))
    return bytes((3, status, unit, exponent & 0xFF)) + number.to_bytes(2, "little")
