"""Writes of a transaction that wait for each other, to be one statement. Edge of the database.

    INSERT INTO facts ...                      WITH w0 AS (INSERT INTO facts ...),
    INSERT INTO balances ... ON CONFLICT ...        w1 AS (INSERT INTO balances ...)
    INSERT INTO positions ... ON CONFLICT ...  INSERT INTO positions ...

On PostgreSQL a statement costs 60 to 100 us however little it writes, half of it here. What waits
is written before anything reads its table, before any statement of SQLAlchemy, before a COPY, and
before the commit: nobody can see that it waited. Each table is in a statement once, since its parts
do not see each other's rows (postgresql.org/docs/15/queries-with.html, 7.8.4).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Table

from central.storage.array_sql import Write, key_indices, key_of, names, write_sql, write_values
from central.storage.foresight import Foresight, Kind, Row

ROWS_MAX = 200  # So many of one table wait; more are better written at once.


class Gathering:
    """What waits in one transaction. foresight: what it has read ahead."""

    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - of psycopg, see `numbered_cursor`
        self._cursor = cursor
        self._waiting: dict[Table, tuple[Kind, tuple[str, ...], list[Row]]] = {}
        self.foresight = Foresight(key_of)

    def add(self, table: Table, kind: Kind, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Let rows of these columns wait; what waits for the table is written if it has to be."""
        self.foresight.write(table, kind, rows)
        there = self._waiting.get(table)
        if there is not None:
            if there[:2] == (kind, columns) and len(there[2]) + len(rows) <= ROWS_MAX:
                rows = _merged(table, kind, [*there[2], *rows])
            else:
                self.write()
        self._waiting[table] = (kind, columns, list(rows))

    def write_before(self, table: Table, columns: tuple[str, ...], keys: Sequence[Row]) -> None:
        """Write all if a row waits of which these columns are, or may be, one of `keys`."""
        there = self._waiting.get(table)
        if there is None:
            return
        kind, _, rows = there
        if kind in {"delete", "update"} or columns != names(table)[: len(columns)]:
            self.write()
            return
        wanted = {tuple(key) for key in keys}
        if any(row[: len(columns)] in wanted for row in rows):
            self.write()

    def write(self) -> None:
        """Write all that waits."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        values: list[object] = []
        for table, (_, columns, rows) in waiting.items():
            values += write_values(table, rows, columns)
        writes = (
            Write(table, kind, columns, len(rows) == 1)
            for table, (kind, columns, rows) in waiting.items()
        )
        self._cursor.execute(write_sql(tuple(writes)), values)


_gatherings: WeakKeyDictionary[Connection, Gathering] = WeakKeyDictionary()


@contextmanager
def gathered(connection: Connection) -> Iterator[None]:
    """Gather the writes of a transaction of PostgreSQL; they are written at the end."""
    driver = connection.connection.driver_connection
    gathering = _gatherings[connection] = Gathering(numbered_cursor(driver))
    yield
    gathering.write()


def numbered_cursor(driver: Any) -> Any:  # noqa: ANN401 - both of psycopg
    """Return a cursor that takes statements with slots as the server numbers them."""
    from psycopg import RawCursor  # noqa: PLC0415 - 10 MB that a ledger on SQLite does not need

    return RawCursor(driver)


def gathering_of(connection: Connection) -> Gathering | None:
    """Return what waits in the transaction of a connection, None if nothing is gathered there."""
    return _gatherings.get(connection)


def before_statement(connection: Connection, sql: str) -> None:
    """Write all that waits before a statement that is not of `bulk`, and forget what it changes."""
    gathering = _gatherings.get(connection)
    if gathering is not None:
        gathering.write()
        if not sql.lstrip().startswith("SELECT"):
            gathering.foresight.forget_all()


def _merged(table: Table, kind: Kind, rows: list[Row]) -> list[Row]:
    """Return rows of which no two have one key, as if they were written one after another."""
    if kind == "insert":
        return rows
    if kind == "delete":
        return list(dict.fromkeys(rows))
    if kind == "update":  # Their key comes first. The server takes any one of two of a key.
        size = len(key_indices(table))
        return list({row[:size]: row for row in rows}.values())
    merged: dict[Row, Row] = {}
    for row in rows:
        key = key_of(table, row)
        if kind == "upsert" or key not in merged:
            merged[key] = row
    return list(merged.values())
