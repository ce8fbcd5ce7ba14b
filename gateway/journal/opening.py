"""Opens a journal: creates it whole, refuses what is not ours, takes the lock. Edge of SQLite.

A new journal is built under another name and renamed when complete, so that the file is never half
there. A file that is not a journal of this gateway is only looked at, never written, and no new
one is put beside the log of another: SQLite would read that log into it.
"""

import fcntl
import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

from gateway.errors import JournalDamaged, JournalFull, JournalLocked, JournalNotOurs
from gateway.journal.schema import (
    CURRENT_SCHEMA,
    INSERT_APPLIED,
    MIGRATION_NAMES,
    MIGRATION_SET,
    MIGRATIONS_TABLE,
    SELECT_APPLIED,
)
from gateway.journal.transactions import PRIMARY_CODE_MASK, journal_error, reading

APPLICATION_ID = 0x444C4A31  # "DLJ1", where file(1) and sqlite3 look for it.
SQLITE_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat2.html, section 1.3
APPLICATION_ID_OFFSET = 68
HEADER_BYTES = 100
# Small pages: a commit writes whole pages, and a step touches about three of them. Measured: one
# fact takes a quarter less time than with 4096, and half as much wears the card.
PAGE_BYTES = 1024
CACHE_KIB = 2048
# The log is written back when it is that long; housekeeping does it earlier, when nobody scans.
WAL_PAGES_MAX = 4096
WAL_RESERVE_BYTES = WAL_PAGES_MAX * PAGE_BYTES
BUSY_TIMEOUT_S = 5.0
# Beside a WAL database (https://www.sqlite.org/wal.html): what is not yet in the file, its index.
LOG_SUFFIX, LOG_INDEX_SUFFIX = "-wal", "-shm"

SELECT_IDENTITY = "SELECT gateway, warehouse FROM identity"
FILL_RESERVE = "INSERT INTO log_reserve (data) VALUES (zeroblob(?))"
EMPTY_RESERVE = "DELETE FROM log_reserve"
INSERT_IDENTITY = "INSERT INTO identity (id, gateway, warehouse) VALUES (1, ?, ?)"


def take_lock(path: Path) -> BinaryIO:
    """Return the open lock file of a journal; closing it gives the lock back, so does a kill.

    Raises JournalLocked that names the other process, JournalFull if the folder is not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("a+b")
    except OSError as error:
        raise JournalFull(
            f"the folder of the journal {path} is not usable: {error}",
            hint=f"Make the folder {path.parent} writable for this user.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read(32).decode("ascii", "replace").strip() or "unknown"
        lock.close()
        raise JournalLocked(
            f"the journal {path} is open in another process, pid {owner}",
            hint=f"Stop the other gateway (pid {owner}) first.",
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n".encode())
    lock.flush()
    return lock


def open_writer(path: Path, *, gateway: str, warehouse: str) -> sqlite3.Connection:
    """Return the one connection that writes, its file checked, of the newest schema and ours.

    The caller holds the lock. Raises JournalNotOurs, JournalDamaged or JournalFull.
    """
    try:
        if not path.exists():
            _refuse_stray_log(path)
            _create(path, gateway=gateway, warehouse=warehouse)
        check_header(path)
        with ExitStack() as opened:
            connection = opened.enter_context(closing(_connect(path)))
            _check_file(connection, path)
            _check_identity(connection, path, gateway=gateway, warehouse=warehouse)
            _migrate_if_older(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            opened.pop_all()  # From here on the caller closes it.
    except sqlite3.Error as error:
        raise journal_error(error) from error
    except OSError as error:
        raise JournalFull(
            f"the journal {path} is not usable: {error}",
            hint=f"Make {path} readable and writable for this user.",
        ) from error
    return connection


def reserve_log(connection: sqlite3.Connection) -> None:
    """Let the log grow to its full length now: to sync a growing file costs half as much again.

    SQLite deletes the log at a clean end and keeps its length otherwise. A full disk is no reason
    not to start: the log then grows as it can.
    """
    with reading():
        try:
            connection.execute(FILL_RESERVE, (WAL_RESERVE_BYTES,))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE_MASK != sqlite3.SQLITE_FULL:
                raise
        connection.execute(EMPTY_RESERVE)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def check_header(path: Path) -> None:
    """Raise JournalNotOurs or JournalDamaged if a file does not begin as a journal; reads only."""
    keep = (
        f"Move {path} away and keep it, together with {_log_names(path)} beside it,"
        " or set gateway.data_directory to another folder."
    )
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header.startswith(SQLITE_MAGIC):
        if not header.strip(b"\0"):
            raise JournalDamaged(
                f"{path} is empty or begins with nothing but zeros",
                hint=f"Keep {path} and the files beside it, call support, check the card.",
            )
        raise JournalNotOurs(f"{path} is not a journal", hint=keep)
    found = int.from_bytes(header[APPLICATION_ID_OFFSET : APPLICATION_ID_OFFSET + 4], "big")
    if found != APPLICATION_ID:
        raise JournalNotOurs(f"{path} is a database of another program", hint=keep)


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JournalNotOurs if the journal is of a version newer than ours; only reads."""
    unknown = [name for name in _applied(connection) if name not in MIGRATION_NAMES]
    if unknown:
        raise JournalNotOurs(
            f"{path} was written by a newer version of this program ({', '.join(unknown)})",
            hint="Install that version or a newer one; never use an older one on this journal.",
        )


def _refuse_stray_log(path: Path) -> None:
    log = path.with_name(path.name + LOG_SUFFIX)
    if log.exists() and log.stat().st_size > 0:
        raise JournalDamaged(
            f"{log} is the log of a journal that is missing; facts may be only there",
            hint=f"Put the missing {path.name} back beside {log.name}; "
            f"if it is lost, move {_log_names(path)} away, keep them and call support.",
        )


def _log_names(path: Path) -> str:
    return f"{path.name}{LOG_SUFFIX} and {path.name}{LOG_INDEX_SUFFIX}"


def _create(path: Path, *, gateway: str, warehouse: str) -> None:
    building = path.with_name(path.name + ".new")
    for leftover in (building, building.with_name(building.name + "-journal")):
        leftover.unlink(missing_ok=True)
    with closing(_connect(building)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for statement in (*MIGRATIONS_TABLE, *CURRENT_SCHEMA):
            connection.execute(statement)
        for name in MIGRATION_NAMES:
            connection.execute(INSERT_APPLIED, (MIGRATION_SET, name))
        connection.execute(INSERT_IDENTITY, (gateway, warehouse))
    building.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    # No memory map and no second writer: before 3.51.3 two connections that checkpoint at the same
    # moment can break a WAL database (https://www.sqlite.org/wal.html#walresetbug).
    pragmas = (
        "synchronous = FULL",
        "mmap_size = 0",
        f"cache_size = -{CACHE_KIB}",
        f"wal_autocheckpoint = {WAL_PAGES_MAX}",
        "trusted_schema = OFF",
        "cell_size_check = ON",
    )
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    findings = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if findings != ["ok"]:
        raise JournalDamaged(
            f"the journal {path} is broken: {'; '.join(findings)[:300]}",
            hint=f"Stop scanning here, copy {path} and the files beside it, and call support.",
        )


def _check_identity(
    connection: sqlite3.Connection, path: Path, *, gateway: str, warehouse: str
) -> None:
    check_version(connection, path)
    row = connection.execute(SELECT_IDENTITY).fetchone()
    if row is None:
        raise JournalDamaged(
            f"the journal {path} does not say whose it is",
            hint=f"Keep {path} and the files beside it, and call support.",
        )
    if row != (gateway, warehouse):
        raise JournalNotOurs(
            f"{path} is the journal of gateway {row[0]} in warehouse {row[1]}, "
            f"not of {gateway} in {warehouse}",
            hint=f"Correct gateway.code and gateway.warehouse, or move {path} away "
            f"and keep it, together with {_log_names(path)} beside it, until its facts are sent.",
        )


def _migrate_if_older(connection: sqlite3.Connection) -> None:
    if _applied(connection) != list(MIGRATION_NAMES):
        # Here, because sqlite-utils would be a sixth of the memory of a running gateway.
        from gateway.journal.migrations import migrate  # noqa: PLC0415

        migrate(connection)


def _applied(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute(SELECT_APPLIED, (MIGRATION_SET,))]
