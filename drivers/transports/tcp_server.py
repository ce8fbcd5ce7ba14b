"""A TCP port at which devices call the gateway. Edge of the network (sockets)."""

import errno
import ipaddress
import select
import socket

from drivers.errors import DeviceLost, SettingsInvalid
from drivers.transports.tcp_client import TcpClient, keep_alive

BACKLOG_MAX = 4
REFUSED_AT_ONCE_MAX = 16  # Callers turned away in one go, before the device is read again.

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TcpServer:
    """A listening port; one thread uses it. Made by `open_tcp_server`.

    port: the one it listens on, also when the system chose it.
    """

    def __init__(self, listener: socket.socket, *, allowed: tuple[Network, ...]) -> None:
        self._listener = listener
        self._allowed = allowed
        self.port: int = listener.getsockname()[1]

    def accept(self, timeout_s: float, *, only_from: str = "") -> tuple[TcpClient, str] | None:
        """Return the next caller's connection and its address; None if none came in `timeout_s`.

        Whoever is not allowed to call is hung up on. only_from: so is everyone but this address.
        Raises DeviceLost when the port is gone.
        """
        wait_s = max(timeout_s, 0.0)
        for _ in range(REFUSED_AT_ONCE_MAX):
            try:
                if not select.select([self._listener], [], [], wait_s)[0]:
                    return None
                connection, peer = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None  # The caller was gone before we answered.
            except (OSError, ValueError) as error:
                raise DeviceLost(
                    f"port {self.port} lost: {error}", hint="Check the gateway's network."
                ) from error
            address = str(peer[0]).removeprefix("::ffff:")
            if self._may_call(address) and only_from in {"", address}:
                keep_alive(connection)
                return TcpClient(connection, peer=f"{address}:{peer[1]}"), address
            connection.close()
            wait_s = 0.0
        return None

    def close(self) -> None:
        """Stop listening. Never raises; may be called twice."""
        try:
            self._listener.close()
        except OSError:
            return  # Nothing is left of it.

    def _may_call(self, address: str) -> bool:
        try:
            caller = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(caller in network for network in self._allowed)


def open_tcp_server(host: str, port: int, *, allowed: tuple[str, ...]) -> TcpServer:
    """Return a port that listens on `host` and is called by the `allowed` addresses alone.

    host: an address of the gateway, "0.0.0.0" or "::" for all. port: 0 lets the system choose.
    allowed: addresses or networks, such as "192.0.2.7" or "192.0.2.0/28".
    Raises DeviceLost if the port cannot be had, SettingsInvalid if an address is none.
    """
    networks = allowed_networks(allowed)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG_MAX)
    except OSError as error:
        raise DeviceLost(
            f"cannot listen on {host}:{port}: {error}", hint=_listen_hint(error)
        ) from error
    listener.setblocking(False)
    return TcpServer(listener, allowed=networks)


def allowed_networks(allowed: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks that the texts name. Raises SettingsInvalid."""
    try:
        return tuple(ipaddress.ip_network(one) for one in allowed)
    except ValueError as error:
        raise SettingsInvalid(
            f"allowed_addresses: {error}",
            hint="Correct `allowed_addresses`: addresses or networks such as 192.0.2.0/28.",
        ) from error


def _listen_hint(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "Give this device another `port`; something else listens on this one."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Use a `port` above 1023; lower ones belong to the system."
    return "Correct `host`: it must be an address of this gateway, or 0.0.0.0 for all."
