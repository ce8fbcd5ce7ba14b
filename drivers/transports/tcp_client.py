"""A TCP connection to a device. Edge of the network (sockets)."""

import socket
import time

from drivers.errors import DeviceLost

READ_BYTES_MAX = 4096
WRITE_TIMEOUT_S = 5.0  # A device that takes no byte for so long is as good as gone.
KEEPALIVE_IDLE_S = 10
KEEPALIVE_INTERVAL_S = 5
KEEPALIVE_PROBES_MAX = 3


class TcpClient:
    """An open connection; one thread uses it. Made by `open_tcp`."""

    def __init__(self, connection: socket.socket, *, peer: str) -> None:
        self._socket = connection
        self._peer = peer

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, at most READ_BYTES_MAX; b"" if nothing came in `timeout_s`.

        Raises DeviceLost when the device closed the connection or stopped answering on it.
        """
        try:
            self._socket.settimeout(max(timeout_s, 0.0))
            data = self._socket.recv(READ_BYTES_MAX)
        except (TimeoutError, BlockingIOError) as error:
            if isinstance(error, TimeoutError) and error.errno is not None:
                raise self._lost(error) from error  # ETIMEDOUT: the keepalive probes failed.
            return b""
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise DeviceLost(
                f"{self._peer} closed the connection",
                hint="Check the device's power and that no other program is connected to it.",
            )
        return data

    def write(self, data: bytes) -> None:
        """Give all bytes to the connection. Raises DeviceLost; some bytes may have left then."""
        try:
            self._socket.settimeout(WRITE_TIMEOUT_S)
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from error

    def finish(self, timeout_s: float) -> None:
        """Tell the device that nothing more comes and wait until it closes, or for `timeout_s`.

        Closing with unread bytes would reset the connection, and with it what is still on its way.
        Raises DeviceLost if the device reset it: it did not take all bytes.
        """
        deadline_s = time.monotonic() + timeout_s
        try:
            self._socket.shutdown(socket.SHUT_WR)
            while (left_s := deadline_s - time.monotonic()) > 0:
                self._socket.settimeout(left_s)
                if not self._socket.recv(READ_BYTES_MAX):
                    return
        except TimeoutError:
            return  # It keeps the connection open, for the next job.
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the connection. Never raises; may be called twice."""
        try:
            self._socket.close()
        except OSError:
            return  # A reset that came too late for anyone to care.

    def _lost(self, error: OSError) -> DeviceLost:
        return DeviceLost(
            f"connection to {self._peer} lost: {error}",
            hint="Check the device's power and its network cable.",
        )


def open_tcp(host: str, port: int, *, connect_timeout_s: float) -> TcpClient:
    """Return an open connection to `host`:`port`.

    Raises DeviceLost after at most `connect_timeout_s` for each address of the host. A dead peer is
    noticed by keepalive probes within 25 s even if nobody writes, as with a scanner.
    """
    peer = f"{host}:{port}"
    try:
        connection = socket.create_connection((host, port), timeout=connect_timeout_s)
    except (OSError, UnicodeError) as error:  # UnicodeError: not a host name, such as "a..b".
        raise DeviceLost(f"cannot connect to {peer}: {error}", hint=_connect_hint(error)) from error
    keep_alive(connection)
    return TcpClient(connection, peer=peer)


def keep_alive(connection: socket.socket) -> None:
    """Let a connection notice a dead peer within 25 s, and send what it has at once."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option_name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES_MAX),
    ):
        if hasattr(socket, option_name):  # Each system names its own; Linux has all three.
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option_name), value)


def _connect_hint(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "Correct the host name in the settings, or give the IP address."
    if isinstance(error, ConnectionRefusedError):
        return "Check the port number and that TCP server mode is switched on in the device."
    return "Check the device's power, its network cable and its IP address."
