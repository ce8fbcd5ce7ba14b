"""pg_dump, pg_basebackup and pg_restore, as streams. Edge of PostgreSQL's programs.

The password travels in the environment: arguments can be read by everybody on the machine. A dump
is of one exported snapshot, so the state that is told is the state that is in it
(postgresql.org/docs/15/functions-admin.html, "Snapshot Synchronization Functions").
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import inspect, text
from sqlalchemy.engine import URL, make_url

from central.backup.states import KeptState
from central.contract.backup_files import Source
from central.contract.errors import ContractError
from central.errors import BackupFailed, BackupRefused, LedgerUnavailable, RestoreRefused
from central.ledger.state import read_state
from central.storage.database import Database
from central.storage.schema import SELECT_REVISION

INSTALLED = Path("/usr/lib/postgresql")
WRITE_BYTES = 1024 * 1024
STDERR_BYTES_MAX = 4096
END_S_MAX = 30.0


def program(name: str, *, folder: str) -> str:
    """Return where a program is: in `folder`, or the newest that is installed.

    Raises BackupRefused.
    """
    if folder:
        candidates = [Path(folder) / name]
    else:
        candidates = sorted(INSTALLED.glob(f"*/bin/{name}"), key=_version, reverse=True)
        candidates += [Path(found)] if (found := shutil.which(name)) else []
    for candidate in candidates:
        if candidate.is_file():
            return str(candidate)
    raise BackupRefused(
        f"{name} is not installed",
        hint="Install postgresql-client, or name its folder: [backup] postgresql_binaries.",
    )


@contextmanager
def dumped(database: Database, url: str, *, folder: str) -> Iterator[tuple[Source, KeptState]]:
    """Yield a dump of the ledger in PostgreSQL's custom format as it is made, and its state.

    Raises BackupFailed, also while it is read: a dump that ends early is none.
    """
    command = [program("pg_dump", folder=folder), "--format=custom", "--compress=0"]
    command += ["--no-owner", "--no-privileges", "--no-password"]
    with ExitStack() as running:
        try:
            with database.read() as connection:
                state = read_state(connection)
                revision = connection.execute(SELECT_REVISION).scalar_one()
                snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
                command.append(f"--snapshot={snapshot}")
                source = running.enter_context(_read_from(command, url, what="pg_dump"))
                # It has the snapshot when its first byte is there; a transaction that waited for
                # the whole dump would be ended by the server.
                source.await_first()
        except LedgerUnavailable as error:
            raise BackupFailed(str(error), hint=error.hint) from error
        yield source, KeptState(state.generation, state.record_no, revision)


@contextmanager
def base_copied(database: Database, url: str, *, folder: str) -> Iterator[tuple[Source, KeptState]]:
    """Yield the files of the whole server as one tar file while it works, and the ledger's state.

    The role needs REPLICATION. Raises BackupFailed, also while it is read.
    """
    command = [program("pg_basebackup", folder=folder), "--pgdata=-", "--format=tar"]
    command += ["--wal-method=fetch", "--checkpoint=fast", "--no-password"]
    with database.read() as connection:
        state = read_state(connection)
        revision = connection.execute(SELECT_REVISION).scalar_one()
    with _read_from(command, url, what="pg_basebackup") as source:
        yield source, KeptState(state.generation, state.record_no, revision)


def load_dump(source: Source, database: Database, url: str, *, folder: str) -> None:
    """Fill an empty database from a dump, all or nothing.

    Raises RestoreRefused if there is anything in it, or the server refuses the dump, and what
    `source` raises; then nothing of it is there.
    """
    with database.read() as connection:
        there = inspect(connection).get_table_names()
    if there:
        raise RestoreRefused(
            f"database {database.place} is not empty, it has e.g. {min(there)!r}",
            hint="Create an empty database and name it; nothing that is there is overwritten.",
        )
    command = [program("pg_restore", folder=folder), "--single-transaction", "--exit-on-error"]
    command += ["--no-owner", "--no-privileges", "--no-password"]
    command.append(f"--dbname={_parsed(url).database}")
    with _started(command, url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        try:
            while data := source.read(WRITE_BYTES):
                running.stdin.write(data)
            running.stdin.close()
        except BrokenPipeError:
            pass  # It has ended, and says why.
        except ContractError:
            running.kill()  # Before it sees an end of its input: nothing is committed.
            raise
        code, said = _ended(running)
    if code:
        raise RestoreRefused(
            f"pg_restore: {said}",
            hint="Use a server at least as new as the one that the backup was made of.",
        )


@contextmanager
def scratch_database(url: str, *, name: str, folder: str) -> Iterator[str]:
    """Yield the URL of a new, empty database on a server; it is dropped afterwards.

    The role needs CREATEDB. Raises BackupRefused.
    """
    made = ["--template=template0", "--encoding=UTF8", "--no-password", name]
    _run([program("createdb", folder=folder), *made], url)
    try:
        yield _parsed(url).set(database=name).render_as_string(hide_password=False)
    finally:
        _run([program("dropdb", folder=folder), "--force", "--no-password", name], url)


class _Reading:
    """The output of a program; its end counts only if the program says that it is whole."""

    def __init__(self, running: "subprocess.Popen[bytes]", what: str) -> None:
        self._running = running
        self._what = what
        self._first = b""

    def await_first(self) -> None:
        """Return when the program has begun to write."""
        self._first = self.read(1)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end. Raises BackupFailed."""
        assert self._running.stdout is not None
        data, self._first = self._first or self._running.stdout.read(size), b""
        if not data:
            code, said = _ended(self._running)
            if code:
                raise BackupFailed(
                    f"{self._what}: {said}",
                    hint="Give the role the rights that it misses; use programs as new as the"
                    " server.",
                )
        return data


def _run(command: list[str], url: str) -> None:
    with _started(command, url, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        code, said = _ended(running)
    if code:
        raise BackupRefused(
            f"{Path(command[0]).name}: {said}", hint="Give the role the right CREATEDB."
        )


@contextmanager
def _read_from(command: list[str], url: str, *, what: str) -> Iterator[_Reading]:
    with _started(command, url, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        yield _Reading(running, what)


@contextmanager
def _started(
    command: Sequence[str], url: str, *, stdin: int, stdout: int
) -> Iterator["subprocess.Popen[bytes]"]:
    running = subprocess.Popen(  # noqa: S603 - our own arguments
        command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=_environment(_parsed(url))
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        with suppress(subprocess.TimeoutExpired):
            running.wait(END_S_MAX)
        for stream in (running.stdin, running.stdout, running.stderr):
            _close(stream)


def _ended(running: "subprocess.Popen[bytes]") -> tuple[int, str]:
    assert running.stderr is not None
    said = running.stderr.read(STDERR_BYTES_MAX).decode("utf-8", "replace").strip()
    code = running.wait()
    return code, (said.splitlines() or [f"it ended with {code}"])[-1][:300]


def _environment(url: URL) -> dict[str, str]:
    """Return what tells a program of PostgreSQL where to connect (libpq, 34.15)."""
    query = {key: value for key, value in url.query.items() if isinstance(value, str)}
    given = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
        "PGCONNECT_TIMEOUT": "15",
    }
    kept = ("PATH", "HOME", "LANG", "PGPASSFILE", "PGSERVICEFILE")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return environment | {name: str(value) for name, value in given.items() if value}


def _parsed(url: str) -> URL:
    return make_url(url)


def _version(path: Path) -> tuple[int, str]:
    folder = path.parent.parent.name
    return (int(folder) if folder.isdigit() else 0, folder)


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with suppress(OSError):
            stream.close()
