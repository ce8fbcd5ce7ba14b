"""Devices on the network: which allowed ports of which allowed hosts are open. Edge of sockets.

Only what the configuration names is ever connected to. A port that is open is closed again at once;
whoever it belongs to is asked by its driver's probe, if that is allowed. Connections are made a few
at a time and with a pause between them: a label printer's little network stack is easily drowned.
A host on the same wire is known by its MAC address, which the kernel has learned by then.
"""

import ipaddress
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from drivers.candidates import Candidate

ARP_TABLE = Path("/proc/net/arp")
ARP_BYTES_MAX = 1024 * 1024
CONNECT_S_MAX = 0.5
CONNECTIONS_MAX = 8
PAUSE_S = 0.02
HOSTS_MAX = 1024
NO_MAC = "00:00:00:00:00:00"


@dataclass(frozen=True, slots=True)
class NetworkReach:
    """What may be connected to. hosts: names or addresses; networks: as 192.168.10.0/28."""

    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    def targets(self) -> Iterator[tuple[str, int]]:
        """Yield every host and port, each once, at most HOSTS_MAX hosts."""
        hosts = dict.fromkeys(self.hosts)
        for network in self.networks:
            for address in ipaddress.ip_network(network, strict=False).hosts():
                if len(hosts) >= HOSTS_MAX:
                    break
                hosts[str(address)] = None
        for host in hosts:
            yield from ((host, port) for port in self.ports)


class HostAliases:
    """Which names and addresses are one host: a printer by name must not be found by address."""

    def __init__(self) -> None:
        self._addresses: dict[str, frozenset[str]] = {}

    def learn(self, names: Iterable[str]) -> None:
        """Ask the resolver for the addresses of these; keep what it said when it is silent."""
        for name in sorted(names):
            addresses = _resolved(name) or self._addresses.get(name, frozenset())
            self._addresses[name] = addresses

    def of(self, host: str) -> frozenset[str]:
        """Return `host` and everything else by which it is known here."""
        mine = {host, *self._addresses.get(host, ())}
        named = {name for name, addresses in self._addresses.items() if mine & addresses}
        return frozenset(mine | named)


def sweep_network(
    reach: NetworkReach,
    *,
    skip: Callable[[str, int], bool],
    stopping: Callable[[], bool],
) -> tuple[Candidate, ...]:
    """Return the open ports. skip: a port that is in use by a device of ours: it stays alone.

    Ends early, with what was found, when `stopping` says so.
    """
    open_ports: list[tuple[str, int]] = []
    waiting = [target for target in reach.targets() if not skip(*target)]
    while waiting and not stopping():
        batch, waiting = waiting[:CONNECTIONS_MAX], waiting[CONNECTIONS_MAX:]
        open_ports += _open_ports(batch)
        time.sleep(PAUSE_S)
    macs = _mac_addresses()
    return tuple(
        Candidate(kind="network", node=host, tcp_port=port, reader_id=macs.get(host, ""))
        for host, port in open_ports
    )


def at_address_now(candidate: Candidate) -> Candidate:
    """Return what has the candidate's address now, as far as the kernel knows."""
    mac = _mac_addresses().get(candidate.node, candidate.reader_id)
    return replace(candidate, reader_id=mac)


def mac_addresses(arp_table: str) -> dict[str, str]:
    """Return MAC address by IPv4 address, of the hosts on the same wire; source: arp(7).

    IP address       HW type     Flags       HW address            Mask     Device
    192.168.10.23    0x1         0x2         00:07:4d:11:22:33     *        eth0
    """
    found = {}
    for line in arp_table.splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 4 and columns[3] != NO_MAC:
            found[columns[0]] = columns[3].lower()
    return found


def _open_ports(targets: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Connect to all of them at once; return those that took the connection in time."""
    pending: dict[int, tuple[socket.socket, tuple[str, int]]] = {}
    found: list[tuple[str, int]] = []
    poller = select.poll()
    try:
        for host, port in targets:
            one = _connecting(host, port)
            if one is not None:
                pending[one.fileno()] = (one, (host, port))
                poller.register(one, select.POLLOUT)
        deadline_s = time.monotonic() + CONNECT_S_MAX
        while pending and (left_s := deadline_s - time.monotonic()) > 0:
            for number, _ in poller.poll(left_s * 1000):
                one, target = pending.pop(number)
                poller.unregister(number)
                if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    found.append(target)
                one.close()
    finally:
        for one, _ in pending.values():
            one.close()
    return [target for target in targets if target in found]


def _connecting(host: str, port: int) -> socket.socket | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        one = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        return None
    one.setblocking(False)
    try:
        one.connect(address)
    except BlockingIOError:
        return one
    except OSError:
        one.close()
        return None
    return one


def _resolved(name: str) -> frozenset[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(str(one[4][0]) for one in found)


def _mac_addresses() -> dict[str, str]:
    try:
        with ARP_TABLE.open("rb") as file:
            return mac_addresses(file.read(ARP_BYTES_MAX).decode("ascii", "replace"))
    except OSError:
        return {}
