"""Transactions on the journal's file, and its failures as the gateway's errors. Edge of SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import JournalDamaged, JournalError, JournalFull

PRIMARY_CODE_MASK = 0xFF  # Extended result codes carry the primary one in their lowest byte.
OUR_MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in one transaction: durable when the block is left, or nothing of it happened.

    Raises JournalFull when the disk takes no more, JournalDamaged when the file is broken.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except OUR_MISTAKES:
        raise
    except sqlite3.Error as error:
        raise journal_error(error) from error
    finally:
        # SQLite rolls back by itself on some errors; a second ROLLBACK would be an error itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def reading() -> Iterator[None]:
    """Run a block that only reads; its SQLite errors become the journal's. Raises JournalError."""
    try:
        yield
    except OUR_MISTAKES:
        raise
    except sqlite3.Error as error:
        raise journal_error(error) from error


def journal_error(error: sqlite3.Error) -> JournalError:
    """Return what an SQLite error means for the people at the gateway."""
    code = (getattr(error, "sqlite_errorcode", 0) or 0) & PRIMARY_CODE_MASK
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return JournalDamaged(
            f"the journal's file is broken: {error}",
            hint="Stop scanning here, keep the journal's files and call support.",
        )
    hint = "Make space on the gateway's disk or replace its card; scan again afterwards."
    if code == sqlite3.SQLITE_BUSY:
        hint = (
            "Close the program that has the journal open, such as sqlite3; scan again afterwards."
        )
    if code == sqlite3.SQLITE_READONLY:
        hint = (
            "Replace the gateway's card or mount its file system writable; scan again afterwards."
        )
    return JournalFull(f"the journal could not be written: {error}", hint=hint)
