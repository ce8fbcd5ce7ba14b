"""A real PostgreSQL server on a free port for one test session. Edge of the operating system."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.memory_folder import IN_MEMORY, has_room
from tests.ports import steady_port

BINARIES = Path("/usr/lib/postgresql")
START_S_MAX = 60
END_S_MAX = 60
# What has to be free for one in memory: a cluster, its log at its largest, a few databases.
IN_MEMORY_BYTES_FREE_MIN = 1024 * 1024 * 1024
# A test server may lose everything; it has to be quick and small.
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=40",
    "shared_buffers=32MB",
    "max_wal_size=256MB",
)
# What is committed outlives the death of the server, not that of the machine (fsync is off).
CRASH_SAFE_SETTINGS = (
    *(setting for setting in SETTINGS if not setting.startswith("synchronous_commit")),
    "synchronous_commit=on",
    "restart_after_crash=on",
)


def postgresql_binaries() -> Path | None:
    """Return the folder of the newest installed server, None if there is none."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).parent
    folders = sorted(
        BINARIES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    return folders[0].parent if folders else None


class PostgresqlServer:
    """A server in a child of ours, to start, end in four ways and start again.

    Create from the thread that lives longest: the server ends with it. port: stays the same.
    """

    def __init__(
        self, folder: Path, *, settings: Sequence[str] = SETTINGS, is_new: bool = True
    ) -> None:
        """Make an empty database cluster in an empty folder, or take the one in its `data`."""
        binaries = postgresql_binaries()
        assert binaries is not None, "install PostgreSQL, e.g. `apt-get install postgresql`"
        self._user = _server_user(folder)
        self.folder = folder
        self.keep = False  # True: whoever made the folder leaves it for a look at its files.
        initdb = [
            *(*self._user, binaries / "initdb", "--pgdata", folder / "data", "--username=postgres"),
            *("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"),
        ]
        if is_new:
            subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
        self.port = steady_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}"
        options = [part for setting in settings for part in ("-c", setting)]
        data = folder / "data"
        self._command = [binaries / "postgres", "-D", data, "-p", str(self.port), *options]
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the number of the server that was started last."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Return when it answers; after a crash it has recovered by then."""
        log = self.folder / "log"
        with log.open("ab") as file:
            self._server = subprocess.Popen(
                [*self._user, *self._command], stdout=file, stderr=file, cwd=self.folder
            )
        _wait_until_it_answers(self.url, self._server, log)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT in an orderly way, SIGQUIT at once as in a crash (postgres(1))."""
        self._end(how)

    def kill(self) -> None:
        """End it with SIGKILL, and all that it started, as a power cut would."""
        self._end(signal.SIGKILL)

    def kill_backend(self, number: int) -> bool:
        """Kill one of the clients' backends; the server then recovers by itself. False: none."""
        backends = sorted(pid for pid in self._children() if _is_backend(pid))
        if not backends:
            return False
        with suppress(ProcessLookupError):
            os.kill(backends[number % len(backends)], signal.SIGKILL)
        return True

    def _end(self, how: signal.Signals) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        children = self._children(server.pid)
        server.send_signal(how)
        try:
            server.wait(timeout=END_S_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        deadline = time.monotonic() + END_S_MAX
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            # They see that the server is gone; a new one does not start beside them.
            assert time.monotonic() < deadline, "a part of PostgreSQL outlives it"
            time.sleep(0.01)

    def _children(self, pid: int | None = None) -> list[int]:
        parent = pid or (self._server.pid if self._server else 0)
        try:
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            return []
        return [int(word) for word in text.split()]


@contextmanager
def postgresql_server(*, in_memory: bool = False) -> Iterator[str]:
    """Yield the URL of a running server, "postgresql://postgres@127.0.0.1:port"; then stop it.

    in_memory: for many small databases. Each is hundreds of files, which cost a disk ten to twenty
    times the work; on a disk all the same where memory has no room.
    """
    with restartable_postgresql(in_memory=in_memory) as server:
        yield server.url


@contextmanager
def restartable_postgresql(
    settings: Sequence[str] = SETTINGS, *, in_memory: bool = False
) -> Iterator[PostgresqlServer]:
    """Yield a running server in a folder of its own; then stop it and remove the folder."""
    place = IN_MEMORY if in_memory and has_room(IN_MEMORY_BYTES_FREE_MIN) else None
    folder = Path(tempfile.mkdtemp(prefix="dockledger-postgresql-", dir=place))
    kept = False
    try:
        server = PostgresqlServer(folder, settings=settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
            kept = server.keep
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server_url: str, name: str, *, template: str = "template1") -> Iterator[str]:
    """Yield the SQLAlchemy URL of a new database on a server; then drop it.

    template: the database that it begins as a copy of; the server's own is empty.
    """
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield f"{server_url.replace('postgresql://', 'postgresql+psycopg://')}/{name}"
    finally:
        with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server_user(folder: Path) -> list[str]:
    """The server refuses to run as root: then it runs as the system's user for it."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    who = ("--reuid=postgres", "--regid=postgres", "--clear-groups")
    return ["setpriv", *who, "--pdeathsig=INT"]


def _is_backend(pid: int) -> bool:
    """Return whether a child of the server serves a client: its title names who is connected."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b" 127.0.0.1(" in title


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL did not start: {log.read_text()}") from error
            time.sleep(0.05)
