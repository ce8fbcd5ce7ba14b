"""Ends connections that are held open without use, and counts them. Edge of sockets and uvicorn.

    accept -> too many of this address? -> head within 10 s -> body at a pace -> answer is taken
                    closed                     408               408               closed

Nothing here looks at how long an answer takes to be made, or how long a page listens to `/changes`:
only at what the other end owes us. Sources: RFC 9110, section 15.5.9 (408); RFC 6585, section 7.2,
of a server under attack: connections may simply be dropped.
"""

import asyncio
import ipaddress
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from typing import Any, Literal

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from central.access.failures import address_subject
from central.access.refusals import RefusalKind, Refusals

CONNECTIONS_MAX = 512  # Beyond, requests are answered 503.
CROWDED_COUNT = 448  # From here on, who waits longest for its head makes room for whoever comes.
SOCKETS_MAX = 640  # With those that are still agreeing on TLS; a process has 1,024 descriptors.
REFUSED_AT_ONCE_MAX = 64  # Then others get their turn.
TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    b"content-length: 41\r\n\r\nThe request came too slowly. Try it again"
)
# Closed with a reset: nothing stays in the kernel for whoever does not read.
NO_LINGER = struct.pack("ii", 1, 0)

Stage = Literal["head", "body", "taking", "ours", "ended"]
logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the other end may take. head_s: to agree on TLS and send a request's head. body_s:
    for the body, and a second more for each `body_bytes_per_s`. taking_s: to take some of an
    answer that waits for it, and as much more. ended_s: to take the refusal. crowded_s: for the
    head in a crowd."""

    head_s: float = 10.0
    body_s: float = 10.0
    body_bytes_per_s: int = 4096
    taking_s: float = 30.0
    ended_s: float = 2.0
    crowded_s: float = 1.0


class _Held:
    """One connection. since_s: since when it owes us what `mark` says."""

    def __init__(self, taken: "Taken", subject: str, since_s: float) -> None:
        self.taken = taken
        self.subject = subject
        self.since_s = since_s
        self.mark: tuple[Stage, int] = ("head", 0)
        self.protocol: BoundedProtocol | None = None
        self.read_count = 0
        self.left_count = self.taken_count = 0

    @property
    def stage(self) -> Stage:
        return self.protocol.stage if self.protocol is not None else "head"


class Connections:
    """Who is connected. Everything in the event loop.

    proxies: addresses and networks that may hold as many as they like (others stand behind them).
    per_address_max: what any other address may hold at once; an IPv6 network of 64 bits is one.
    """

    def __init__(
        self,
        *,
        refusals: Refusals,
        clock_s: Callable[[], float],
        proxies: Sequence[str],
        per_address_max: int,
        patience: Patience | None = None,
    ) -> None:
        self._refusals = refusals
        self._clock_s = clock_s
        self._proxies = [ipaddress.ip_network(one) for one in proxies]
        self._per_address_max = per_address_max
        self._patience = patience if patience is not None else Patience()
        self._held: dict[int, _Held] = {}
        self._counts: Counter[str] = Counter()

    def doorway(self, listening: socket.socket) -> "Doorway":
        """Return what listens instead of a socket, which is of no use any more."""
        doorway = Doorway(fileno=listening.detach())
        doorway.connections = self
        return doorway

    def takes(self, taken: "Taken", address: str) -> bool:
        """Return whether a connection may stay; one that may not is counted, and to be closed."""
        subject = address_subject(address)
        if len(self._held) >= CROWDED_COUNT:
            self._make_room()
        crowded = len(self._held) >= SOCKETS_MAX
        many = self._counts[subject] >= self._per_address_max
        if crowded or (many and not self._is_free(address)):
            self._count("connections_many", subject)
            return False
        held = _Held(taken, subject, self._clock_s())
        self._held[taken.fileno()] = held
        self._counts[subject] += 1
        taken.closing = lambda number: self._gone(number, held)
        return True

    def begun(self, protocol: "BoundedProtocol") -> None:
        """Note that a connection can be spoken on: TLS, if any, is agreed on."""
        number = protocol.transport.get_extra_info("socket").fileno()
        held = self._held.get(number)
        if held is not None:
            held.protocol = protocol

    def look(self) -> None:
        """End what has owed us something for too long."""
        now_s = self._clock_s()
        for held in list(self._held.values()):
            if self._is_over(held, now_s):
                self._end(held, now_s)

    def _is_free(self, address: str) -> bool:
        with suppress(ValueError):
            known = ipaddress.ip_address(address)
            mapped = getattr(known, "ipv4_mapped", None)
            return any((mapped or known) in network for network in self._proxies)
        return False

    def _is_over(self, held: _Held, now_s: float) -> bool:
        stage, protocol, patience = held.stage, held.protocol, self._patience
        # Agreeing on TLS and sending the first head have one time together.
        mark = (stage, protocol.turn if protocol is not None else 0)
        read_count = protocol.read_count if protocol is not None else 0
        left_count = protocol.left_count if protocol is not None else 0
        # A whole file may wait in one piece: whoever takes it at a pace is not deaf.
        held.taken_count += max(0, held.left_count - left_count)
        held.left_count = left_count
        if mark != held.mark:
            held.mark, held.since_s, held.read_count = mark, now_s, read_count
            held.taken_count = 0
        if stage == "ours":
            return False
        pace = patience.body_bytes_per_s
        allowed_s = {
            "head": patience.head_s,
            "body": patience.body_s + (read_count - held.read_count) / pace,
            "taking": patience.taking_s + held.taken_count / pace,
            "ended": patience.ended_s,
        }[stage]
        return now_s - held.since_s > allowed_s

    def _end(self, held: _Held, now_s: float) -> None:
        protocol = held.protocol
        if held.stage != "ended":
            self._count("connection_slow", held.subject)
        if protocol is not None and protocol.refuse():
            held.since_s = now_s
            return
        held.taken.cut()
        if protocol is not None:
            protocol.transport.abort()

    def _make_room(self) -> None:
        """Cut off who waits longest for a head: nobody who means it takes a second."""
        since_s = self._clock_s() - self._patience.crowded_s
        waiting = [
            one for one in self._held.values() if one.since_s < since_s and one.stage == "head"
        ]
        waiting.sort(key=lambda one: one.since_s)
        for one in waiting[: len(self._held) - CROWDED_COUNT + 1]:
            self._count("connection_slow", one.subject)
            number = one.taken.fileno()
            one.taken.cut()
            if one.protocol is not None:
                one.protocol.transport.abort()
            self._gone(number, one)

    def _gone(self, number: int, held: _Held) -> None:
        if self._held.get(number) is held:
            del self._held[number]
            self._counts[held.subject] -= 1
            if not self._counts[held.subject]:
                del self._counts[held.subject]

    def _count(self, kind: RefusalKind, subject: str) -> None:
        address = subject.partition(":")[2]
        self._refusals.count(kind, subject=subject, address=address)


class Taken(socket.socket):
    """A connection that tells when it is closed."""

    closing: Callable[[int], None] | None = None

    def close(self) -> None:
        """Close it, and say so before its number is given to another."""
        closing, self.closing = self.closing, None
        if closing is not None:
            closing(self.fileno())
        super().close()

    def cut(self) -> None:
        """End it for both ends, whoever else still holds it."""
        with suppress(OSError):
            self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.shutdown(socket.SHUT_RDWR)


class Doorway(socket.socket):
    """Listens, and takes no more connections of one address than it may hold."""

    connections: Connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection that may stay. Raises OSError as any socket does."""
        for _ in range(REFUSED_AT_ONCE_MAX):
            accepted, address = super().accept()
            family, kind, protocol = accepted.family, accepted.type, accepted.proto
            taken = Taken(family, kind, protocol, fileno=accepted.detach())
            if self.connections.takes(taken, str(address[0])):
                return taken, address
            taken.cut()
            taken.close()
        raise ConnectionAbortedError  # asyncio comes back for the next ones.


class BoundedConfig(uvicorn.Config):
    """What the server knows of its connections as well."""

    connections: Connections


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that says what the other end owes. turn: another one with each step forward."""

    turn = 0
    read_count = 0
    _refused = False

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Begin, and be known."""
        super().connection_made(transport)
        assert isinstance(self.config, BoundedConfig)
        self.config.connections.begun(self)

    def data_received(self, data: bytes) -> None:
        """Count what comes; after a refusal nothing is heard any more."""
        self.read_count += len(data)
        if not self._refused:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Note a step forward."""
        self.turn += 1
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Note a step forward: some of the answer was taken."""
        self.turn += 1
        super().resume_writing()

    @property
    def left_count(self) -> int:
        """Return how many bytes of an answer wait here; 0 of TLS that is being closed."""
        if self.scheme == "https" and self.transport.is_closing():
            return 0  # It may have no buffers any more.
        return self.transport.get_write_buffer_size()

    @property
    def stage(self) -> Stage:
        """Return what the other end owes: a head, a body, to take an answer; or nothing."""
        if self._refused:
            return "ended"
        # What waits is more than the kernel takes; nobody has to read what is still on its way.
        # TLS is closed in words: the end of the answer is before them, perhaps on a weak line.
        if self.transport.is_closing() or self.left_count:
            return "taking"
        if self.conn.their_state is h11.SEND_BODY:
            return "ours" if self.flow.read_paused else "body"
        if self.conn.their_state is h11.IDLE:
            return "head"
        return "ours" if self.conn.our_state in {h11.SEND_RESPONSE, h11.SEND_BODY} else "ended"

    def refuse(self) -> bool:
        """Say that a request came too slowly, if one began and nothing is said yet; end it."""
        if self.stage == "head":
            begun = bool(self.conn.trailing_data[0])
        else:
            begun = self.stage == "body" and self.conn.our_state is h11.SEND_RESPONSE
        if not begun:
            return False
        self._refused = True
        self.transport.write(TOO_SLOW)
        self.transport.close()
        return True
