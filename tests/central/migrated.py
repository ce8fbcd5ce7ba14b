"""Migrated, empty ledgers on SQLite: a process makes one of a generation and copies it. Edge.

To migrate takes a quarter of a second of work, more than most tests.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from central.storage.database import Database, open_database
from central.storage.schema import migrate


def open_migrated(path: Path, *, generation: str) -> Database:
    """Return a migrated, empty ledger in a new file, open; the caller closes it."""
    path.write_bytes(migrated_bytes(generation))
    return open_database(f"sqlite:///{path}")


@cache
def migrated_bytes(generation: str) -> bytes:
    """Return what the file of a migrated, empty ledger holds."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        opened = open_database(f"sqlite:///{path}")
        migrate(opened, generation=generation)
        opened.close()  # The last connection takes the write-ahead log into the file.
        return path.read_bytes()
