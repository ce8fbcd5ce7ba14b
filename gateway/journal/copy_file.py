"""The copy on a second medium: a file that a journal can be restored from. Edge of SQLite.

It has the journal's own schema: facts, epochs, and what does not follow from facts. What central
sends again (its stock, its reference data, templates, settings) stays out of it, but for the
reference data of the last revision.

A commit is synced: a power cut may take the card and the last second together, so the copy may not
lose more than that second. Nobody else has the file open (locking_mode EXCLUSIVE), so that a medium
needs no shared memory, as FAT has none.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.errors import JournalNotOurs
from gateway.journal.append import INSERT_FACT
from gateway.journal.files import (
    applied_migrations,
    build_file,
    check_header,
    check_version,
    connect_writer,
)
from gateway.journal.pruned import Pruned, load_pruned
from gateway.journal.schema import INSERT_APPLIED, MIGRATION_NAMES, MIGRATION_SET, SCHEMA_STEPS
from gateway.journal.swap import LOG_SUFFIX, new_path, sync_folder

COPY_FILE = "journal-copy.db"
OTHER_INFIX = ".other-"
OTHER_FILES_MAX = 3
LOG_PAGES_MAX = 1000

MAKE_STATE = """
    CREATE TABLE IF NOT EXISTS copy_state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        copied_ms INTEGER NOT NULL
    ) STRICT
"""
SET_STATE = "INSERT OR REPLACE INTO copy_state VALUES (1, ?)"
SELECT_IDENTITY = "SELECT gateway, warehouse FROM identity"
SELECT_NEWEST = "SELECT number, digest FROM facts ORDER BY number DESC LIMIT 1"
DELETE_FACTS = "DELETE FROM facts WHERE number <= ?"
DELETE_RECORDS = "DELETE FROM alibi_records WHERE number < ?"
SELECT_NEWEST_RECORD = "SELECT coalesce(max(number), 0) FROM alibi_records"
INSERT_RECORD = "INSERT INTO alibi_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

FactRow = tuple[int, int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class TableRows:
    """All rows of a small table."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since the last commit of the copy.

    facts: follow the newest fact of the copy. tables: replace what is there. records: of the alibi
    memory, beyond those in the copy. forget_to: facts up to this are gone from the journal, None if
    that is not said; oldest_record: the first of the alibi memory that is kept.
    """

    facts: Sequence[FactRow] = ()
    tables: Sequence[TableRows] = ()
    records: Sequence[tuple[object, ...]] = ()
    forget_to: int | None = None
    oldest_record: int = 0

    @property
    def is_empty(self) -> bool:
        """Return True if there is nothing to write."""
        return not (self.facts or self.tables or self.records or self.forget_to is not None)


class CopyFile:
    """One open copy. One thread uses it; its errors are those of SQLite and of the file system."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use `CopyFile.open`."""
        self._connection = connection

    @classmethod
    def open(cls, folder: Path, *, gateway: str, warehouse: str) -> Self:
        """Return the copy in a folder that exists, made if there is none.

        Raises JournalNotOurs for a file of another gateway, JournalDamaged, sqlite3.Error, OSError.
        """
        path = folder / COPY_FILE
        if not path.exists():
            path.with_name(path.name + LOG_SUFFIX).unlink(missing_ok=True)
            build_file(new_path(path), gateway=gateway, warehouse=warehouse)
            new_path(path).rename(path)
            sync_folder(folder)
        check_header(path)
        with ExitStack() as opened:
            connection = opened.enter_context(closing(connect_writer(path)))
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES_MAX}")
            check_version(connection, path)
            found = connection.execute(SELECT_IDENTITY).fetchone()
            if found != (gateway, warehouse):
                raise JournalNotOurs(
                    f"{path} is the copy of gateway {found[0] if found else 'unknown'}",
                    hint="Plug in this gateway's own medium.",
                )
            _bring_up_to_date(connection)
            opened.pop_all()
        return cls(connection)

    def newest(self) -> Pruned:
        """Return number and chain of the newest fact that the copy has or has forgotten."""
        row = self._connection.execute(SELECT_NEWEST).fetchone()
        return Pruned(row[0], row[1]) if row else load_pruned(self._connection)

    def newest_record(self) -> int:
        """Return the journal's number of the newest weighing in the alibi memory, 0 if none."""
        number: int = self._connection.execute(SELECT_NEWEST_RECORD).fetchone()[0]
        return number

    def write(self, changes: Changes, *, now_ms: int) -> None:
        """Write what is new, in one commit; durable on return."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(INSERT_FACT, changes.facts)
            for one in changes.tables:
                _replace_rows(connection, one)
            connection.executemany(INSERT_RECORD, changes.records)
            if changes.forget_to is not None:
                connection.execute(DELETE_FACTS, (changes.forget_to,))
                connection.execute(DELETE_RECORDS, (changes.oldest_record,))
            connection.execute(SET_STATE, (now_ms,))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file. Raises sqlite3.Error if its medium is gone."""
        self._connection.close()


def put_aside(folder: Path) -> Path | None:
    """Give a copy that does not fit another name; return it, None if too many lie there already."""
    path = folder / COPY_FILE
    for count in range(1, OTHER_FILES_MAX + 1):
        aside = path.with_name(f"{path.name}{OTHER_INFIX}{count}")
        if not aside.exists():
            log = path.with_name(path.name + LOG_SUFFIX)
            if log.exists():
                log.rename(aside.with_name(aside.name + LOG_SUFFIX))
            path.rename(aside)
            sync_folder(folder)
            return aside
    return None


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Apply the journal's migrations, as SQL: a running gateway does not load sqlite-utils."""
    applied = applied_migrations(connection)
    for name, statements in zip(MIGRATION_NAMES, SCHEMA_STEPS, strict=True):
        if name in applied:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(INSERT_APPLIED, (MIGRATION_SET, name))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    connection.execute(MAKE_STATE)


def _replace_rows(connection: sqlite3.Connection, one: TableRows) -> None:
    names, marks = ", ".join(one.columns), ", ".join("?" for _ in one.columns)
    connection.execute(f"DELETE FROM {one.table}")  # noqa: S608 - names of our schema
    statement = f"INSERT INTO {one.table} ({names}) VALUES ({marks})"  # noqa: S608
    connection.executemany(statement, one.rows)
