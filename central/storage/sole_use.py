"""Keeps a second `serve` away from an SQLite ledger. Edge of the file system.

Two processes that write and checkpoint one WAL database can corrupt it (see `database`), and both
would take facts under one name. The lock goes with the process, however that ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from central.errors import DatabaseUnusable
from central.storage.database import Database


@contextmanager
def sole_use(database: Database) -> Iterator[None]:
    """Hold an SQLite ledger alone, `<file>.serving` says so; PostgreSQL serves any number.

    Raises DatabaseUnusable if another process holds it.
    """
    if database.dialect != "sqlite":
        yield
        return
    path = Path(f"{make_url(database.place).database}.serving")
    try:
        file = path.open("ab")
    except OSError as error:
        raise DatabaseUnusable(
            f"{path} cannot be written: {error.strerror}",
            hint="Let the user of the service write the folder of the database.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseUnusable(
                f"another process serves {database.place}",
                hint="Stop the other `dockledger-central serve`, or use PostgreSQL for several.",
            ) from error
        yield
