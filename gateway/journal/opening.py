"""Opens a journal: creates it whole, refuses what is not ours, takes the lock. Edge of SQLite.

A new journal is built under another name and renamed when complete, so that the file is never half
there. A file that is not a journal of this gateway is only looked at, never written, and no new
one is put beside the log of another: SQLite would read that log into it. A file that is damaged
while every fact in it can be read and proven is rebuilt from them and kept aside; any other damage
stops the start and says what to do.
"""

import fcntl
import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

from gateway.errors import JournalDamaged, JournalFull, JournalLocked, JournalNotOurs
from gateway.journal.disk import file_bytes
from gateway.journal.files import (
    CACHE_KIB,
    PAGE_BYTES,
    WAL_PAGES_MAX,
    applied_migrations,
    build_file,
    check_header,
    check_version,
    connect_reader,
    connect_writer,
    log_names,
    restore_hint,
)
from gateway.journal.rebuild import rebuild
from gateway.journal.schema import INSERT_APPLIED, MIGRATION_NAMES, MIGRATION_SET, SELECT_APPLIED
from gateway.journal.start_check import EarlierEnd, check_newest, file_findings
from gateway.journal.swap import (
    LOG_SUFFIX,
    declare_ready,
    finish_swap,
    new_path,
    remove_leftovers,
    sync_folder,
)
from gateway.journal.transactions import PRIMARY_CODE_MASK, journal_error, reading, transaction
from gateway.logs import log_event

WAL_RESERVE_BYTES = WAL_PAGES_MAX * PAGE_BYTES
RESERVE_CACHE_KIB = 64

SELECT_IDENTITY = "SELECT gateway, warehouse FROM identity"
# Beside the migrations, while the last ones are unknown to who writes: the newest that is known.
BEHIND_SET = f"{MIGRATION_SET}-behind"
FORGET_BEHIND = "DELETE FROM _sqlite_migrations WHERE migration_set = ?"
FORGET_STANDING = "UPDATE ledger_knowledge SET stream = '', number = 0"
FILL_RESERVE = "INSERT INTO log_reserve (data) VALUES (zeroblob(?))"
EMPTY_RESERVE = "DELETE FROM log_reserve"


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
        finish_swap(path)
        if not path.exists():
            _refuse_stray_log(path)
            _create(path, gateway=gateway, warehouse=warehouse)
        check_header(path)
        try:
            return _open_checked(path, gateway=gateway, warehouse=warehouse)
        except JournalDamaged as damage:
            _repair_or_stop(path, damage, gateway=gateway, warehouse=warehouse)
        return _open_checked(path, gateway=gateway, warehouse=warehouse)
    except sqlite3.Error as error:
        raise journal_error(error) from error
    except OSError as error:
        raise JournalFull(
            f"the journal {path} is not usable: {error}",
            hint=f"Make {path} readable and writable for this user.",
        ) from error


def reserve_log(connection: sqlite3.Connection) -> None:
    """Let the log grow to its full length now: to sync a growing file costs half as much again.

    SQLite deletes the log at a clean end and keeps its length otherwise. A full disk is no reason
    not to start: the log then grows as it can.
    """
    with reading():
        connection.execute(EMPTY_RESERVE)  # Earlier versions may have ended before they did.
        # What does not fit into a small cache goes into the log while its transaction is open.
        connection.execute(f"PRAGMA cache_size = -{RESERVE_CACHE_KIB}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(FILL_RESERVE, (WAL_RESERVE_BYTES + RESERVE_CACHE_KIB * 1024,))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE_MASK != sqlite3.SQLITE_FULL:
                raise
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        # There is the epoch to write back, and before that SQLite syncs the log, in its length.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def check_identity(
    connection: sqlite3.Connection, path: Path, *, gateway: str, warehouse: str
) -> None:
    """Raise JournalNotOurs unless a file is a journal of this gateway and of a version we know."""
    check_version(connection, path)
    row = connection.execute(SELECT_IDENTITY).fetchone()
    if row is None:
        raise JournalDamaged(
            f"the journal {path} does not say whose it is", hint=restore_hint(path)
        )
    if row != (gateway, warehouse):
        raise JournalNotOurs(
            f"{path} is the journal of gateway {row[0]} in warehouse {row[1]}, "
            f"not of {gateway} in {warehouse}",
            hint=f"Correct gateway.code and gateway.warehouse, or move {path} away "
            f"and keep it, together with {log_names(path)} beside it, until its facts are sent.",
        )


def repair(path: Path, *, gateway: str, warehouse: str) -> Path:
    """Rebuild a journal from its own facts; return where the file before is kept.

    The caller holds the lock. Raises JournalDamaged, nothing changed, if facts are damaged.
    """
    try:
        with closing(connect_reader(path)) as source:
            check_identity(source, path, gateway=gateway, warehouse=warehouse)
            rebuild(source, new_path(path))
        declare_ready(path)
    except sqlite3.Error as error:
        raise journal_error(error) from error
    finally:
        remove_leftovers(path)
    kept = finish_swap(path)
    assert kept is not None
    return kept


def _open_checked(path: Path, *, gateway: str, warehouse: str) -> sqlite3.Connection:
    log_bytes = file_bytes(path.with_name(path.name + LOG_SUFFIX))
    end = EarlierEnd(is_clean=log_bytes == 0, file_bytes=file_bytes(path) + log_bytes)
    with ExitStack() as opened:
        try:
            connection = opened.enter_context(closing(connect_writer(path)))
            findings = file_findings(connection, end)
            if findings:
                raise JournalDamaged(
                    f"the journal {path} is broken: {'; '.join(findings)[:300]}",
                    hint=restore_hint(path),
                )
            check_identity(connection, path, gateway=gateway, warehouse=warehouse)
            _migrate_if_older(connection)
            _note_if_newer(connection)
            check_newest(connection, end, gateway=gateway)
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            raise journal_error(error) from error
        opened.pop_all()  # From here on the caller closes it.
    return connection


def _repair_or_stop(path: Path, damage: JournalDamaged, *, gateway: str, warehouse: str) -> None:
    """Rebuild derived tables if all facts are whole; else say what is damaged and what to do."""
    try:
        kept = repair(path, gateway=gateway, warehouse=warehouse)
    except JournalDamaged as error:
        raise JournalDamaged(
            f"{damage}; its facts are not whole either: {error}", hint=restore_hint(path)
        ) from damage
    log_event(
        "error",
        "journal was damaged and has been rebuilt from its facts",
        reason=str(damage),
        kept=str(kept),
        hint="Replace the card or disk of this gateway soon.",
    )


def _refuse_stray_log(path: Path) -> None:
    log = path.with_name(path.name + LOG_SUFFIX)
    if file_bytes(log) > 0:
        raise JournalDamaged(
            f"{log} is the log of a journal that is missing; facts may be only there",
            hint=f"Put the missing {path.name} back beside {log.name}; "
            f"if it is lost, move {log_names(path)} away, keep them and call support.",
        )


def _create(path: Path, *, gateway: str, warehouse: str) -> None:
    building = new_path(path)
    build_file(building, gateway=gateway, warehouse=warehouse)
    building.rename(path)
    sync_folder(path.parent)


def _migrate_if_older(connection: sqlite3.Connection) -> None:
    if not set(MIGRATION_NAMES) <= set(applied_migrations(connection)):
        # Here, because sqlite-utils would be a sixth of the memory of a running gateway.
        from gateway.journal.migrations import migrate  # noqa: PLC0415

        migrate(connection)


def _note_if_newer(connection: sqlite3.Connection) -> None:
    """Note that a program writes which does not know all tables, as after an update that went back.

    The next one that knows more finds the note, and has central tell everything anew.
    """
    unknown = [name for name in applied_migrations(connection) if name not in MIGRATION_NAMES]
    behind = [row[0] for row in connection.execute(SELECT_APPLIED, (BEHIND_SET,))]
    wanted = [MIGRATION_NAMES[-1]] if unknown else []
    if behind == wanted:
        return
    with transaction(connection):
        if behind:
            connection.execute(FORGET_STANDING)
        connection.execute(FORGET_BEHIND, (BEHIND_SET,))
        for name in wanted:
            connection.execute(INSERT_APPLIED, (BEHIND_SET, name))
    if unknown:
        log_event("warning", "journal of a newer version, going on", unknown=", ".join(unknown))
