"""Opens a journal to look into it, also beside a running gateway. Edge of SQLite."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path

from sqlite_utils import Database

from gateway.errors import JournalNotOurs
from gateway.journal.files import check_header, check_version, connect_reader
from gateway.journal.transactions import journal_error


def open_reader(path: Path) -> Database:
    """Return a connection that cannot write; it works beside a running gateway.

    Raises JournalNotOurs, JournalDamaged, or JournalFull if the file cannot be opened.
    """
    if not path.exists():
        raise JournalNotOurs(
            f"there is no journal {path}",
            hint="Start the gateway once, or correct gateway.data_directory.",
        )
    check_header(path)
    with ExitStack() as opened:  # Closed again unless all is well with it.
        try:
            connection = connect_reader(path)
            opened.callback(connection.close)
            check_version(connection, path)
        except sqlite3.Error as error:
            raise journal_error(error) from error
        opened.pop_all()
    return Database(connection, recursive_triggers=False, execute_plugins=False)
