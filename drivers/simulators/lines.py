"""The far end of a line: a pseudo terminal or a TCP port a driver can open. Edge of the system."""

import contextlib
import os
import select
import socket
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

READ_BYTES_MAX = 4096
INBOX_BYTES_MAX = 65_536
CLIENTS_MAX = 4
WRITE_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 5.0
SERVE_STEP_S = 0.02  # So soon a listener that came or went is noticed.


class VirtualLine(Protocol):
    """What a virtual device needs of its end of the line."""

    def read(self, timeout_s: float) -> bytes:
        """Return bytes that the driver wrote; b"" if none came in time or the line is cut."""
        ...

    def write(self, data: bytes) -> bool:
        """Send bytes to the driver; False if they were lost, as on a cut line."""
        ...


class VirtualSerialLine:
    """The device's end of a serial line. A driver opens `path`.

    Use as a context manager. One thread may read, another write, a third plug and unplug.
    path: a symbolic link that stays when the line is unplugged and plugged in again, as a name in
        /dev/serial/by-id does; the pseudo terminal behind it is a new one each time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._device_fd = -1  # Ours; reads what the driver wrote.
        self._driver_fd = -1  # Held open so that a driver may close and open without a hang-up.
        self._wake_read_fd, self._wake_write_fd = os.pipe()
        self._plug_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self.plug_in()

    def plug_in(self) -> None:
        """Make the line (again) under the same path; nothing happens if it is plugged in."""
        with self._plug_lock, self._read_lock, self._write_lock:
            if self._device_fd != -1:
                return
            self._device_fd, self._driver_fd = os.openpty()
            tty.setraw(self._driver_fd)
            os.set_blocking(self._device_fd, False)
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(self._driver_fd))

    def unplug(self) -> None:
        """Cut the line: the driver sees a hang-up and the path is gone until `plug_in`."""
        with self._plug_lock:
            os.write(self._wake_write_fd, b"!")  # Whoever waits in read or write lets go.
            with self._read_lock, self._write_lock:
                os.read(self._wake_read_fd, 1)
                if self._device_fd == -1:
                    return
                self.path.unlink(missing_ok=True)
                os.close(self._device_fd)
                os.close(self._driver_fd)
                self._device_fd = self._driver_fd = -1

    def read(self, timeout_s: float) -> bytes:
        """Return bytes that the driver wrote; b"" if none came in time or the line is unplugged."""
        with self._read_lock:
            if self._device_fd != -1:
                if not self._wait(select.POLLIN, timeout_s):
                    return b""
                try:
                    return os.read(self._device_fd, READ_BYTES_MAX)
                except OSError:
                    return b""  # Nobody holds the other end any more.
        self._wait_unplugged(timeout_s)
        return b""

    def write(self, data: bytes) -> bool:
        """Send bytes to the driver; False if unplugged or not all were taken in WRITE_TIMEOUT_S."""
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        with self._write_lock:
            if self._device_fd == -1:
                return False
            while data:
                if not self._wait(select.POLLOUT, deadline - time.monotonic()):
                    return False
                try:
                    data = data[os.write(self._device_fd, data) :]
                except BlockingIOError:
                    continue
                except OSError:
                    return False
        return True

    def close(self) -> None:
        """Unplug for good. May be called twice."""
        if self._wake_write_fd == -1:
            return
        self.unplug()
        os.close(self._wake_read_fd)
        os.close(self._wake_write_fd)
        self._wake_read_fd = self._wake_write_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait(self, event: int, timeout_s: float) -> bool:
        poller = select.poll()
        poller.register(self._device_fd, event)
        poller.register(self._wake_read_fd, select.POLLIN)
        ready = poller.poll(max(timeout_s, 0.0) * 1000)
        return bool(ready) and all(fd != self._wake_read_fd for fd, _ in ready)

    def _wait_unplugged(self, timeout_s: float) -> None:
        # A device on a cut line waits in short steps, so that it is there again soon after.
        time.sleep(min(max(timeout_s, 0.0), 0.02))


class VirtualTcpPort:
    """A device's TCP port on 127.0.0.1; what is written goes to every client.

    Use as a context manager. Any threads may call. What clients send waits in one bounded inbox;
    when that is full, TCP itself slows the clients down.
    port: stays the same through `refuse` and `listen`, as a device's does.
    """

    def __init__(self, *, port: int = 0, clients_max: int = CLIENTS_MAX) -> None:
        self._clients_max = clients_max
        self._changed = threading.Condition()
        self._clients: list[socket.socket] = []
        self._inbox = bytearray()
        self._closed = False
        self._listener: socket.socket | None = None
        self.port = port  # 0: a free one, chosen by the system.
        self.listen()
        self._thread = threading.Thread(target=self._serve, name=f"tcp-{self.port}", daemon=True)
        self._thread.start()

    def listen(self) -> None:
        """Accept clients (again) at `port`; nothing happens if it does already."""
        with self._changed:
            if self._listener is None and not self._closed:
                self._listener = socket.create_server(("127.0.0.1", self.port))
                self.port = self._listener.getsockname()[1]

    def refuse(self) -> None:
        """Go away, as a device that is switched off: drop the clients and refuse new ones."""
        with self._changed:
            if self._listener is not None:
                _close(self._listener)
                self._listener = None
        self.drop_clients()

    def drop_clients(self) -> None:
        """Close every connection; the clients may come again. Unread bytes of theirs are lost."""
        with self._changed:
            for client in self._clients:
                _close(client)
            self._clients.clear()
            self._inbox.clear()
            self._changed.notify_all()

    def wait_for_client(self, timeout_s: float) -> bool:
        """Return True as soon as a client is connected; False if none came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._clients), timeout_s)

    def read(self, timeout_s: float) -> bytes:
        """Return bytes that clients sent, in the order of arrival; b"" if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._inbox), max(timeout_s, 0.0))
            data = bytes(self._inbox[:READ_BYTES_MAX])
            del self._inbox[:READ_BYTES_MAX]
            return data

    def write(self, data: bytes) -> bool:
        """Send bytes to every client; False if nobody took them all."""
        with self._changed:
            taken = [client for client in self._clients if _send(client, data)]
            for client in self._clients:
                if client not in taken:
                    _close(client)
            self._clients[:] = taken
            return bool(taken)

    def close(self) -> None:
        """Drop everything and stop. May be called twice."""
        self.refuse()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
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
                sockets = list(self._clients) if len(self._inbox) < INBOX_BYTES_MAX else []
                if self._listener is not None and len(self._clients) < self._clients_max:
                    sockets.append(self._listener)
            try:
                ready = select.select(sockets, [], [], SERVE_STEP_S)[0]
            except (OSError, ValueError):
                continue  # One of them was closed meanwhile; look again.
            with self._changed:
                for one in ready:
                    self._take(one)
                self._changed.notify_all()

    def _take(self, ready: socket.socket) -> None:
        try:
            if ready is self._listener:
                client = ready.accept()[0]
                client.settimeout(WRITE_TIMEOUT_S)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._clients.append(client)
            elif ready in self._clients:
                data = ready.recv(READ_BYTES_MAX)
                self._inbox += data
                if not data:
                    raise ConnectionResetError  # A clean close is a close.
        except OSError:
            _close(ready)
            if ready in self._clients:
                self._clients.remove(ready)


def _send(client: socket.socket, data: bytes) -> bool:
    try:
        client.sendall(data)
    except OSError:
        return False
    return True


def _close(one: socket.socket) -> None:
    # A select() in the other thread keeps a closed socket alive in the kernel; shutdown ends it.
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
