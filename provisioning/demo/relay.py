"""A TCP relay in front of a port that can be cut like a cable and mended. Edge of sockets."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

READ_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 64
CONNECT_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0


class Relay:
    """Passes bytes between clients of 127.0.0.1:`port` and the target. Use as a context manager.

    Cut, it drops every connection and lets nobody in; nothing is stored on the way. Any thread may
    call. port: stays the same through `cut` and `mend`.
    """

    def __init__(self, *, host: str, port: int) -> None:
        self._target = (host, port)
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._closed = False
        self.port = 0
        self.mend()

    @property
    def is_cut(self) -> bool:
        """True between `cut` and `mend`."""
        with self._lock:
            return self._listener is None

    def mend(self) -> None:
        """Let clients in (again); nothing happens if it does already."""
        with self._lock:
            if self._listener is not None or self._closed:
                return
            listener = socket.create_server(("127.0.0.1", self.port), backlog=CONNECTIONS_MAX)
            self._listener = listener
            self.port = listener.getsockname()[1]
        name = f"relay-{self.port}"
        threading.Thread(target=self._accept, args=(listener,), name=name, daemon=True).start()

    def cut(self) -> None:
        """Drop every connection and refuse new ones until `mend`."""
        with self._lock:
            listener, self._listener = self._listener, None
            sockets = list(self._sockets)
            self._sockets.clear()
        for one in (*([listener] if listener else []), *sockets):
            _shut(one)

    def close(self) -> None:
        """Cut for good. May be called twice."""
        with self._lock:
            self._closed = True
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return  # Cut.
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, timeout=CONNECT_TIMEOUT_S)
        except OSError:
            _shut(client)
            return
        server.settimeout(None)
        with self._lock:
            joined = self._listener is not None and len(self._sockets) < 2 * CONNECTIONS_MAX
            if joined:
                self._sockets |= {client, server}
        if not joined:
            _shut(client)
            _shut(server)
            return
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
        back.start()
        self._pass_on(client, server)
        back.join(STOP_TIMEOUT_S)
        with self._lock:
            self._sockets -= {client, server}
        _shut(client)
        _shut(server)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        # One direction. Whichever side ends, both end: MQTT knows no half-open connections.
        with contextlib.suppress(OSError):
            while data := source.recv(READ_BYTES_MAX):
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _shut(one: socket.socket) -> None:
    # A blocked accept or recv in another thread only ends by shutdown, not by close.
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
