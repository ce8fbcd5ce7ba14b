"""The journal's file itself: how it begins, how it is made, how it is opened. Edge of SQLite."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.errors import JournalDamaged, JournalNotOurs
from gateway.journal.schema import (
    CURRENT_SCHEMA,
    INSERT_APPLIED,
    MIGRATION_NAMES,
    MIGRATION_SET,
    MIGRATIONS_TABLE,
    SELECT_APPLIED,
)
from gateway.journal.swap import LOG_INDEX_SUFFIX, LOG_SUFFIX

APPLICATION_ID = 0x444C4A31  # "DLJ1", where file(1) and sqlite3 look for it.
SQLITE_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat2.html, section 1.3
APPLICATION_ID_OFFSET = 68
HEADER_BYTES = 100
# Small pages: a commit writes whole pages, and a step touches about three of them. Measured: one
# fact takes a quarter less time than with 4096, and half as much wears the card.
PAGE_BYTES = 1024
CACHE_KIB = 512
# The log is written back when it is that long; housekeeping does it earlier, when nobody scans.
WAL_PAGES_MAX = 4096
BUSY_TIMEOUT_S = 5.0

INSERT_IDENTITY = "INSERT INTO identity (id, gateway, warehouse) VALUES (1, ?, ?)"


def connect_writer(path: Path) -> sqlite3.Connection:
    """Return a connection that writes, with the journal's settings."""
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


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, not even the log back; any thread may use it."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


def build_file(building: Path, *, gateway: str, warehouse: str) -> None:
    """Write an empty journal of the newest schema; the caller gives it its name when complete."""
    for suffix in ("", "-journal", LOG_SUFFIX, LOG_INDEX_SUFFIX):
        building.with_name(building.name + suffix).unlink(missing_ok=True)
    with closing(connect_writer(building)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")  # Else each of the statements waits for the disk four times.
        for statement in (*MIGRATIONS_TABLE, *CURRENT_SCHEMA):
            connection.execute(statement)
        for name in MIGRATION_NAMES:
            connection.execute(INSERT_APPLIED, (MIGRATION_SET, name))
        connection.execute(INSERT_IDENTITY, (gateway, warehouse))
        connection.execute("COMMIT")


def check_header(path: Path) -> None:
    """Raise JournalNotOurs or JournalDamaged if a file does not begin as a journal; reads only."""
    keep = (
        f"Move {path} away and keep it, together with {log_names(path)} beside it,"
        " or set gateway.data_directory to another folder."
    )
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header.startswith(SQLITE_MAGIC):
        if not header.strip(b"\0"):
            raise JournalDamaged(
                f"{path} is empty or begins with nothing but zeros", hint=restore_hint(path)
            )
        raise JournalNotOurs(f"{path} is not a journal", hint=keep)
    found = int.from_bytes(header[APPLICATION_ID_OFFSET : APPLICATION_ID_OFFSET + 4], "big")
    if found != APPLICATION_ID:
        raise JournalNotOurs(f"{path} is a database of another program", hint=keep)


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JournalNotOurs if the journal is of a version that ours cannot go on from; only reads.

    Migrations add, so that a program which does not know the last ones goes on where an update goes
    back to it. One that does more sets PRAGMA user_version: how many a program has to know.
    """
    needed: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if needed > len(MIGRATION_NAMES):
        newest = applied_migrations(connection)[-1]
        raise JournalNotOurs(
            f"{path} was written by a newer version of this program ({newest})",
            hint="Install that version or a newer one; never use an older one on this journal.",
        )


def applied_migrations(connection: sqlite3.Connection) -> list[str]:
    """Return the migrations that a journal has been through, oldest first."""
    return [row[0] for row in connection.execute(SELECT_APPLIED, (MIGRATION_SET,))]


def log_names(path: Path) -> str:
    """Return how the files are called that belong to a journal's file."""
    return f"{path.name}{LOG_SUFFIX} and {path.name}{LOG_INDEX_SUFFIX}"


def restore_hint(path: Path) -> str:
    """Return what to do when facts are damaged: what a person can do, and what not."""
    return (
        f"Stop scanning here, keep {path} and the files beside it, check the card. With a copy on a"
        " second medium run `dockledger-gateway journal restore --from FOLDER`; else call support."
    )
