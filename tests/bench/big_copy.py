"""Takes all rows of a ledger of SQLite into one of PostgreSQL, to measure the same one. Root."""

import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, Text, delete

from central.storage.database import Database, open_database
from central.storage.metadata import metadata
from central.storage.schema import migrate

ROWS_AT_ONCE = 50_000
# As they came, so that they do not lie closer together than rows that were posted one by one.
ORDERS = {"balances": " ORDER BY record_no", "facts": " ORDER BY record_no"}


def take_rows(source: Path, database: Database) -> None:
    """Fill a new ledger with all that another has, which is upgraded before."""
    ledger = open_database(f"sqlite:///{source}", checkpoints=True)
    migrate(ledger, generation="bench")
    ledger.close()
    take_tables(source, database, metadata.sorted_tables)


def take_tables(source: Path, database: Database, tables: Sequence[Table]) -> None:
    """Fill tables with what a ledger of the same schema has in them."""
    connection = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    for table in tables:
        _take(connection, table, database)
    connection.close()


def _take(source: sqlite3.Connection, table: Table, database: Database) -> None:
    fields = " || char(9) || ".join(_field(column) for column in table.columns)
    order = ORDERS.get(table.name, "")
    found = source.execute(f'SELECT {fields} FROM "{table.name}"{order}')
    with database.write() as connection:
        connection.execute(delete(table))
        for index in table.indexes:  # Made anew at the end: entry by entry it takes far longer.
            index.drop(connection)
    names = ", ".join(column.name for column in table.columns)
    count = 0
    while rows := found.fetchmany(ROWS_AT_ONCE):
        with database.write() as connection:
            raw: Any = connection.connection.driver_connection
            with (
                raw.cursor() as cursor,
                cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy,
            ):
                copy.write("".join(f"{row[0]}\n" for row in rows))
        count += len(rows)
    with database.write() as connection:
        for index in table.indexes:
            index.create(connection)
    if count:
        print(f"    took {count:,} rows of {table.name}", file=sys.stderr, flush=True)


def _field(column: Column[Any]) -> str:
    """Return what makes a field of COPY's text form (postgresql.org/docs/15/sql-copy.html)."""
    name = f'"{column.name}"'
    if isinstance(column.type, LargeBinary):
        made = rf"'\\x' || hex({name})"
    elif isinstance(column.type, Text):
        made = rf"replace(replace(replace({name}, '\', '\\'), char(9), '\t'), char(10), '\n')"
    else:
        made = name
    return rf"coalesce({made}, '\N')"
