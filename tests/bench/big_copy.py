"""Takes all rows of a ledger of SQLite into one of PostgreSQL, to measure the same one. Root."""

import sqlite3
import sys
from pathlib import Path

from sqlalchemy import Boolean, Table, delete

from central.storage import bulk
from central.storage.database import Database, open_database
from central.storage.metadata import metadata
from central.storage.schema import migrate

ROWS_AT_ONCE = 50_000


def take_rows(source: Path, database: Database) -> None:
    """Fill a new ledger with all that another has, which is upgraded before."""
    ledger = open_database(f"sqlite:///{source}", checkpoints=True)
    migrate(ledger, generation="bench")
    ledger.close()
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as connection:
        for table in metadata.sorted_tables:
            _take(connection, table, database)
    connection.close()


def _take(source: sqlite3.Connection, table: Table, database: Database) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    flags = [
        index for index, column in enumerate(table.columns) if isinstance(column.type, Boolean)
    ]
    found = source.execute(f'SELECT {names} FROM "{table.name}"')
    with database.write() as connection:
        connection.execute(delete(table))
        for index in table.indexes:  # Made anew at the end: entry by entry it takes far longer.
            index.drop(connection)
    count = 0
    while rows := found.fetchmany(ROWS_AT_ONCE):
        for place in flags:
            rows = [(*row[:place], bool(row[place]), *row[place + 1 :]) for row in rows]
        with database.write() as connection:
            bulk.insert_rows(connection, table, rows)
        count += len(rows)
    with database.write() as connection:
        for index in table.indexes:
            index.create(connection)
    if count:
        print(f"    took {count:,} rows of {table.name}", file=sys.stderr, flush=True)
