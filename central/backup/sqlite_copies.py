"""A copy of an SQLite ledger while it is used, and a ledger out of a copy. Edge of SQLite.

The backup API reads one state of the database while others go on writing; a copy of the files of a
WAL database need not be one (sqlite.org/howtocorrupt.html, 1.2). The copy is checked before it
counts: a backup of a damaged database would be found when it is needed.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from central.backup.states import KeptState
from central.contract.backup_files import Source
from central.contract.errors import ContractError
from central.errors import BackupFailed, RestoreRefused

COPY_SUFFIX = ".backing-up"
RESTORING_SUFFIX = ".restoring"
PAGES_PER_STEP = -1  # Readers keep no writer of a WAL waiting: all pages in one go, one state.
WRITE_BYTES = 1024 * 1024
SELECT_STATE = "SELECT key, value FROM ledger_state"
SELECT_REVISION = "SELECT version_num FROM alembic_version"


@contextmanager
def copied(path: Path) -> Iterator[tuple[BinaryIO, KeptState]]:
    """Yield a copy of the ledger, open at its beginning, and its state; it is deleted afterwards.

    It takes as much room as the ledger, beside it. Raises BackupFailed.
    """
    copy = path.with_name(path.name + COPY_SUFFIX)
    with _alone(path):
        try:
            try:
                state = _copy(path, _new_file(copy))
                file = copy.open("rb")
            except (sqlite3.Error, OSError) as error:
                raise _failed(path, str(error)) from error
            with file:
                yield file, state
        finally:
            for left in (copy, *_logs_of(copy)):
                with suppress(OSError):
                    left.unlink(missing_ok=True)


def unpack(source: Source, path: Path, *, adjust: Callable[[Path], None]) -> None:
    """Put what `source` gives into the place of a ledger that is not there.

    adjust: changes it before it has its name. Raises RestoreRefused if something stands there or
    nothing can be written, and what `source` and `adjust` raise; then nothing is left behind.
    """
    for there in (path, *_logs_of(path)):
        if there.exists():
            raise RestoreRefused(
                f"{there} exists",
                hint="Restore into an empty place; to replace a ledger, stop it and move it away.",
            )
    aside = path.with_name(path.name + RESTORING_SUFFIX)
    try:
        opened = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _not_written(aside, error) from error
    try:
        with os.fdopen(opened, "wb") as file:
            while data := source.read(WRITE_BYTES):
                file.write(data)
        _check(aside)
        adjust(aside)
        with closing(sqlite3.connect(aside)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        _sync(aside)
        aside.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise _not_written(aside, error) from error
    except sqlite3.Error as error:
        raise ContractError(
            f"what the backup holds is no whole database: {error}",
            hint="Take an older backup, and look at the disk of the machine that made this one.",
        ) from error
    finally:
        for left in (aside, *_logs_of(aside)):
            with suppress(OSError):
                left.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep a second backup of the same ledger away; the lock of its folder goes with us."""
    try:
        opened = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _failed(path, error.strerror or str(error)) from error
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise _failed(path, "another backup of it is being made") from error
    finally:
        os.close(opened)


def _new_file(path: Path) -> Path:
    """Make an empty file that only we may read; what a backup that was killed has left goes."""
    for left in (path, *_logs_of(path)):
        left.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path


def _copy(path: Path, copy: Path) -> KeptState:
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target, pages=PAGES_PER_STEP)
        target.execute("PRAGMA journal_mode = DELETE").fetchall()
        found = target.execute("PRAGMA quick_check(1)").fetchone()
        if found != ("ok",):
            raise sqlite3.DatabaseError(str(found[0]))
        values = dict(target.execute(SELECT_STATE))
        (revision,) = target.execute(SELECT_REVISION).fetchone()
    return KeptState(
        generation=values["generation"],
        record_no=int(values["record_no"]),
        revision=revision,
    )


def _check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != ("ok",):
        raise sqlite3.DatabaseError(str(found[0]))


def _logs_of(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _failed(path: Path, reason: str) -> BackupFailed:
    return BackupFailed(
        f"{path} cannot be copied: {reason}",
        hint="Look at the room and the health of its disk, then make the backup again.",
    )


def _not_written(path: Path, error: OSError) -> RestoreRefused:
    return RestoreRefused(
        f"{path} cannot be written: {error.strerror or error}",
        hint="Make room, remove what a restore has left, and let this user write there.",
    )
