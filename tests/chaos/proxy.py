"""A TCP proxy that breaks as networks do: cut, stalled, slow, deaf one way, half-open. Edge.

    client ---- up ---->  proxy  ---- up ---->  one of the targets, the first that answers
           <--- down ---         <--- down ---

    cut         every connection is reset, nobody gets in
    stall       bytes of a direction wait, here and in the sockets' buffers; `mend` lets them go on
    drop        bytes of a direction vanish; a connection that lost some stays deaf that way for
                good, as TCP would never deliver what follows a gap
    slow        a direction passes so many bytes a second
    half_open   what is connected now vanishes without a word, both ways; who connects anew passes

Nobody at either end is told anything by stall, drop and half_open, not even that the other closed.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Literal

from tests.ports import steady_port

Way = Literal["up", "down"]
WAYS: tuple[Way, ...] = ("up", "down")
READ_BYTES_MAX = 64 * 1024
SLOW_PIECE_BYTES = 256
CONNECTIONS_MAX = 128
CONNECT_TIMEOUT_S = 2.0
SEND_TIMEOUT = struct.pack("ll", 10, 0)  # A sender that nobody reads from ends at last.
RESET = struct.pack("ii", 1, 0)  # SO_LINGER with 0 s: close sends RST, see socket(7).


class _Joint:
    """The two sockets of one connection. deaf: directions that deliver nothing any more."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.deaf: set[Way] = set()

    def reset(self) -> None:
        for one in (self.client, self.server):
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                one.shutdown(socket.SHUT_RD)  # Wakes who reads; SHUT_RDWR would send FIN first.
            one.close()


class BreakableProxy:
    """Stands before one port, or before several of which any will do. Leave it to stop it.

    targets: ports of 127.0.0.1; a new client gets the first that answers, beginning behind the
        one that failed last, as the virtual address in front of a cluster does.
    port: stays the same whatever happens. Any thread may call.
    """

    def __init__(self, targets: Sequence[int]) -> None:
        self._targets = tuple(targets)
        self._first = 0  # The index of the target to try first.
        self._changed = threading.Condition()
        self._stalled: set[Way] = set()
        self._dropping: set[Way] = set()
        self._bytes_per_s: dict[Way, int] = {}
        self._joints: set[_Joint] = set()
        self._listener: socket.socket | None = None
        self._closed = False
        self.port = steady_port()
        self.mend()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def connections_count(self) -> int:
        """Return how many connections pass bytes both ways."""
        with self._changed:
            return sum(not joint.deaf for joint in self._joints)

    def target_of_newest(self) -> int:
        """Return the port to which new clients are led first."""
        return self._targets[self._first]

    def cut(self) -> None:
        """Reset every connection and refuse new ones until `mend`."""
        with self._changed:
            listener, self._listener = self._listener, None
            self._reset(list(self._joints))
        if listener is not None:
            _shut(listener)

    def stall(self, *ways: Way) -> None:
        """Let bytes wait until `mend`."""
        with self._changed:
            self._stalled.update(ways or WAYS)
            self._changed.notify_all()

    def drop(self, *ways: Way) -> None:
        """Let bytes vanish until `mend`, also of clients that come meanwhile."""
        with self._changed:
            self._dropping.update(ways or WAYS)

    def slow(self, bytes_per_s: int, *ways: Way) -> None:
        """Let so few bytes pass in a second until `mend`."""
        with self._changed:
            self._bytes_per_s.update(dict.fromkeys(ways or WAYS, bytes_per_s))

    def half_open(self) -> None:
        """Let the present connections vanish without a word; there is nothing to mend."""
        with self._changed:
            for joint in self._joints:
                joint.deaf.update(WAYS)
            self._changed.notify_all()

    def mend(self, *, reset_deaf: bool = False) -> None:
        """Pass everything again. reset_deaf: tell the ends of deaf connections that they ended."""
        with self._changed:
            self._stalled.clear()
            self._dropping.clear()
            self._bytes_per_s.clear()
            if reset_deaf:
                self._reset([joint for joint in self._joints if joint.deaf])
            self._changed.notify_all()
            if self._listener is not None or self._closed:
                return
            listener = socket.create_server(("127.0.0.1", self.port), backlog=CONNECTIONS_MAX)
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Cut for good. May be called twice."""
        with self._changed:
            self._closed = True
        self.cut()
        with self._changed:
            self._changed.notify_all()

    def _reset(self, joints: Sequence[_Joint]) -> None:
        for joint in joints:
            self._joints.discard(joint)
            joint.reset()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return  # Cut.
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        server = self._dial()
        if server is None:
            _shut(client)
            return
        joint = _Joint(client, server)
        with self._changed:
            joined = self._listener is not None and len(self._joints) < CONNECTIONS_MAX
            if joined:
                self._joints.add(joint)
        if not joined:
            joint.reset()
            return
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        back = threading.Thread(target=self._pass_on, args=(joint, "down"), daemon=True)
        back.start()
        self._pass_on(joint, "up")
        back.join()
        with self._changed:
            self._joints.discard(joint)
        _shut(client)
        _shut(server)

    def _dial(self) -> socket.socket | None:
        for _ in self._targets:
            with self._changed:
                first = self._first
            try:
                server = socket.create_connection(
                    ("127.0.0.1", self._targets[first]), timeout=CONNECT_TIMEOUT_S
                )
            except OSError:
                with self._changed:
                    if self._first == first:
                        self._first = (first + 1) % len(self._targets)
                continue
            server.settimeout(None)
            return server
        return None

    def _pass_on(self, joint: _Joint, way: Way) -> None:
        source, sink = joint.client, joint.server
        if way == "down":
            source, sink = sink, source
        with contextlib.suppress(OSError):
            while self._may_read(joint, way):
                data = source.recv(READ_BYTES_MAX)
                if not data:
                    break
                for piece in self._pieces(data, way):
                    if self._may_deliver(joint, way):
                        sink.sendall(piece)
        if not self._may_deliver(joint, way):  # An end is told only where bytes pass.
            _shut(source)
            return
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _pieces(self, data: bytes, way: Way) -> Iterator[bytes]:
        start = 0
        while start < len(data):
            bytes_per_s = self._bytes_per_s.get(way)
            piece = data[start : start + (SLOW_PIECE_BYTES if bytes_per_s else len(data))]
            if bytes_per_s:
                time.sleep(len(piece) / bytes_per_s)
            start += len(piece)
            yield piece

    def _may_read(self, joint: _Joint, way: Way) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._waits(joint, way))
            return not self._closed

    def _may_deliver(self, joint: _Joint, way: Way) -> bool:
        """Wait while the direction stalls; return whether what was read is to be passed on."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._waits(joint, way))
            if way in self._dropping:
                joint.deaf.add(way)
            return way not in joint.deaf and joint in self._joints

    def _waits(self, joint: _Joint, way: Way) -> bool:
        return way in self._stalled and way not in joint.deaf and joint in self._joints


def _shut(one: socket.socket) -> None:
    # A blocked accept or recv in another thread only ends by shutdown, not by close.
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
