"""Does for the tests what systemd does for the gateway. Edge of processes.

Type=notify with WatchdogSec, Restart=always, and a path unit that restarts when a file is written.
"""

import socket
import subprocess
import time
from contextlib import suppress
from threading import Event, Thread

LOOK_S = 0.02


class Supervisor:
    """Runs `current/bin/dockledger-gateway run` for ever. `start` once, `stop` once."""

    def __init__(self, root, folder, *, port, watchdog_s=1.0, restart_s=0.1):
        self.root, self.restart_file = root, folder / "restart"
        self.port, self.watchdog_s, self.restart_s = port, watchdog_s, restart_s
        self.starts_count = 0
        self._socket_path = folder / "notify"
        self._stopping = Event()
        self._thread = Thread(target=self._run)
        self._program = None

    def start(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._socket_path))
        self._socket.setblocking(False)
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self._thread.join(60)
        self._socket.close()

    def _run(self):
        asked = self._asked()
        while not self._stopping.is_set():
            self._begin()
            while self._program.poll() is None and not self._stopping.is_set():
                self._hear()
                now_asked = self._asked()
                if now_asked != asked:
                    asked = now_asked
                    break
                if self._heard_s and time.monotonic() - self._heard_s > self.watchdog_s:
                    break
                self._stopping.wait(LOOK_S)
            self._program.kill()
            self._program.wait()
            self._stopping.wait(self.restart_s)

    def _begin(self):
        self._hear()
        self._heard_s = 0.0
        self.starts_count += 1
        self._program = subprocess.Popen(
            [self.root / "current/bin/dockledger-gateway", "run"],
            env={
                "PATH": "/usr/bin:/bin",
                "NOTIFY_SOCKET": str(self._socket_path),
                "HEALTH_PORT": str(self.port),
            },
        )

    def _hear(self):
        with suppress(BlockingIOError):
            while self._socket.recv(100):
                self._heard_s = time.monotonic()

    def _asked(self):
        try:
            return self.restart_file.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
