"""A real PostgreSQL server on a free port for one test session. Edge of the operating system."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

BINARIES = Path("/usr/lib/postgresql")
START_S_MAX = 60
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


def postgresql_binaries() -> Path | None:
    """Return the folder of the newest installed server, None if there is none."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).parent
    folders = sorted(
        BINARIES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    return folders[0].parent if folders else None


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Yield the URL of a running server, "postgresql://postgres@127.0.0.1:port"; then stop it."""
    binaries = postgresql_binaries()
    assert binaries is not None, "install PostgreSQL, e.g. `apt-get install postgresql`"
    folder = Path(tempfile.mkdtemp(prefix="dockledger-postgresql-"))
    user = _server_user(folder)
    try:
        subprocess.run(
            [
                *user,
                binaries / "initdb",
                "--pgdata",
                folder / "data",
                "--username=postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        port = _free_port()
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*user, binaries / "postgres", "-D", folder / "data", "-p", str(port), *settings],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}"
            _wait_until_it_answers(url, server, folder / "log")
            yield url
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server_url: str, name: str) -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database on a server; then drop it."""
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
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
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
