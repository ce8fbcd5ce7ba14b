"""A child that dies with us, stops on request and keeps what it said. Edge of the system."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

STOP_TIMEOUT_S = 10.0
KILL_TIMEOUT_S = 5.0
START_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
POLL_S = 0.02
LOG_LINES_SHOWN_MAX = 20
LOG_BYTES_READ_MAX = 64 * 1024

# Runs in the child before the program proper: prctl(PR_SET_PDEATHSIG, SIGTERM), so that even a
# killed demo leaves no child behind (Linux, prctl(2)); then the program takes its place.
_LAUNCHER = (
    "import ctypes, os, signal, sys; "
    "ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


class ChildFailed(Exception):
    """A child did not start, did not answer or ended by itself; `hint` says where to look."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Child:
    """One running program in a session of its own, so that Ctrl-C reaches the demo alone.

    Create, start and stop from the main thread: the kernel ties the child to the starting thread.
    log: the file that takes its output and errors, appended to over restarts.
    """

    def __init__(self, name: str, command: Sequence[str], *, log: Path) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._running: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of the running child."""
        assert self._running is not None, f"{self.name} was never started"
        return self._running.pid

    def start(self) -> None:
        """Start it; a child that was stopped or killed may be started again."""
        assert not self.is_running, f"{self.name} is running already"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_file = self.log.open("ab")
        launcher = [sys.executable, "-S", "-c", _LAUNCHER, str(os.getpid())]
        self._running = subprocess.Popen(
            [*launcher, *self._command],
            stdin=subprocess.DEVNULL,
            stdout=self._log_file,
            stderr=self._log_file,
            start_new_session=True,
        )

    @property
    def is_running(self) -> bool:
        """True between a start and the end of the child, whoever ended it."""
        return self._running is not None and self._running.poll() is None

    def check(self) -> None:
        """Raise ChildFailed if the child has ended, with the last lines that it wrote."""
        if not self.is_running:
            code = self._running.returncode if self._running else "none"
            raise ChildFailed(
                f"{self.name} ended by itself with exit status {code}:\n{self.log_tail()}",
                hint=f"Read {self.log} (keep it with --keep DIRECTORY).",
            )

    def ask_to_end(self) -> None:
        """Ask it to end without waiting; `stop` waits. Nothing happens if it does not run."""
        if self._running is not None and self.is_running:
            _signal_group(self._running.pid, signal.SIGTERM)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> int | None:
        """Ask it to end, insist after `timeout_s`; return its exit status, None if never started.

        Whatever it started itself ends, too.
        """
        return self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """End it at once with SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL, KILL_TIMEOUT_S)

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - LOG_BYTES_READ_MAX))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN_MAX:])

    def _end(self, first_signal: signal.Signals, timeout_s: float) -> int | None:
        if self._running is None:
            return None
        _signal_group(self._running.pid, first_signal)
        try:
            self._running.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _signal_group(self._running.pid, signal.SIGKILL)
            self._running.wait(KILL_TIMEOUT_S)
            if self._log_file is not None:
                self._log_file.close()
        return self._running.returncode


def run_once(name: str, command: Sequence[str], *, timeout_s: float = START_TIMEOUT_S) -> str:
    """Return the standard output of a short command. Raises ChildFailed unless it exits 0."""
    try:
        finished = subprocess.run(
            list(command), capture_output=True, timeout=timeout_s, check=False, text=True
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(
            f"{name} took longer than {timeout_s:.0f} s", hint="Try again on a machine at rest."
        ) from error
    if finished.returncode != 0:
        raise ChildFailed(
            f"{name} ended with exit status {finished.returncode}:\n{finished.stderr[-4000:]}",
            hint="Run the command alone: " + " ".join(command),
        )
    return finished.stdout


def wait_for_port(child: Child, port: int, *, timeout_s: float = START_TIMEOUT_S) -> None:
    """Return as soon as 127.0.0.1:`port` accepts. Raises ChildFailed if it never does."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        child.check()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(POLL_S)
        else:
            return
    raise ChildFailed(
        f"{child.name} did not open port {port} in {timeout_s:.0f} s:\n{child.log_tail()}",
        hint="Try again on a machine at rest.",
    )


def require_listener(host: str, port: int) -> None:
    """Return if somebody accepts connections there, else raise ChildFailed."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise ChildFailed(
            f"nobody answers at {host}:{port}: {error}",
            hint="Start the broker, or correct --broker HOST:PORT.",
        ) from error


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if nobody has that TCP port on 127.0.0.1, else one that is free now."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do: a port whose last connections are only waiting to expire is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise ChildFailed("no TCP port is free", hint="Close some programs and try again.")


def _signal_group(group: int, what: signal.Signals) -> None:
    try:
        os.killpg(group, what)
    except ProcessLookupError:
        return  # All of it has ended already.
