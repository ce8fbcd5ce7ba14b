"""JSON objects, one a line, over a socket of the file system, heard by a thread. Edge (socket)."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Any

READ_BYTES = 65536
CONNECT_S_MAX = 60


class JsonLines:
    """One end. heard: called for each object by a thread of its own; for the end with None."""

    def __init__(self, path: Path, heard: Callable[[dict[str, Any] | None], None]) -> None:
        self._socket = _connected(path)
        self._heard = heard
        self._lock = Lock()
        self._thread = Thread(target=self._listen, name=f"hears {path.name}", daemon=True)
        self._thread.start()

    def send(self, message: dict[str, Any]) -> None:
        """Send one object. Raises OSError if nobody listens any more."""
        with self._lock:
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """Hang up; `heard` is called no more."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._heard(None)  # The other side was quicker.
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        held = b""
        while True:
            try:
                data = self._socket.recv(READ_BYTES)
            except OSError:
                data = b""
            if not data:
                self._heard(None)
                return
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                if line.strip():
                    self._heard(json.loads(line))


def _connected(path: Path) -> socket.socket:
    deadline = time.monotonic() + CONNECT_S_MAX
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
