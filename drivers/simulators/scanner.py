"""Virtual bar code scanners that send lines of text, or type. Edge of their lines."""

import contextlib
import socket
from types import TracebackType
from typing import Self

from drivers.simulators.lines import VirtualLine

CALL_TIMEOUT_S = 2.0
READ_BYTES_MAX = 4096


class VirtualScanner:
    """Writes each scan to `line` as a scanner does: AIM identifier, message, terminator."""

    def __init__(self, line: VirtualLine, *, terminator: bytes = b"\r\n") -> None:
        self._line = line
        self._terminator = terminator

    def scan(self, data: str | bytes, symbology: str = "]C1") -> bool:
        """Send one code; `data` may hold GS. False if the line was cut and the scan got lost.

        symbology: the AIM identifier to send; "" for a scanner that sends none.
        """
        message = data.encode() if isinstance(data, str) else data
        return self._line.write(symbology.encode("ascii") + message + self._terminator)


class TcpCaller:
    """A reader that calls a port, as a TCP client; a VirtualLine. Use as a context manager.

    source_address: the loopback address that it calls from.
    """

    def __init__(self, port: int, *, source_address: str = "127.0.0.1") -> None:
        """Call the port. Raises OSError if nobody listens."""
        self._socket = socket.create_connection(
            ("127.0.0.1", port), timeout=CALL_TIMEOUT_S, source_address=(source_address, 0)
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, timeout_s: float) -> bytes:
        """Return what the gateway sent; b"" if nothing came in time or it hung up."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            return self._socket.recv(READ_BYTES_MAX)
        except OSError:
            return b""

    def write(self, data: bytes) -> bool:
        """Send bytes; False if the connection is gone."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def hung_up(self, timeout_s: float) -> bool:
        """Return True if the gateway closed the connection within `timeout_s`."""
        self._socket.settimeout(timeout_s)
        try:
            return not self._socket.recv(READ_BYTES_MAX)
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Hang up. May be called twice."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
