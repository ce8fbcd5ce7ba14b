"""Many rows in few statements, as fast as each database takes them. Edge of the database.

SQLite: one prepared statement run for all rows. PostgreSQL: COPY for inserts, arrays for the rest.
Rows are tuples in the order of the table's columns. Table and column names come from our own
metadata, never from data; values are always bound.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table

# Wanted keys per SELECT on SQLite: a power of two, so that few different statements are prepared.
KEYS_PER_SELECT_MAX = 128

Row = tuple[Any, ...]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that are not there yet."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert_sql(table), list(rows))
        return
    with _cursor(connection) as cursor, cursor.copy(_copy_sql(table)) as copy:
        for row in rows:
            copy.write_row(row)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or give the ones that are there these values; in the order given."""
    _write_rows(connection, table, rows, conflict=_update_clause(table))


def insert_missing_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose key is not there yet; leave the others as they are."""
    _write_rows(connection, table, rows, conflict=" ON CONFLICT DO NOTHING")


def select_by_key(
    connection: Connection, table: Table, keys: Sequence[Row], *, columns_count: int
) -> Iterator[Row]:
    """Yield whole rows of a table whose first `columns_count` columns are one of `keys`."""
    if connection.dialect.name != "sqlite":
        if keys:
            yield from _select_postgresql(connection, table, keys, columns_count)
        return
    for start in range(0, len(keys), KEYS_PER_SELECT_MAX):
        chunk = keys[start : start + KEYS_PER_SELECT_MAX]
        # Padded to a power of two by a row that is no key: NULL equals nothing.
        slots_count = 1 << (len(chunk) - 1).bit_length()
        values = [value for key in chunk for value in key]
        values += [None] * ((slots_count - len(chunk)) * columns_count)
        sql = _select_sqlite(table, columns_count, slots_count)
        yield from map(tuple, connection.exec_driver_sql(sql, tuple(values)))


def _write_rows(
    connection: Connection, table: Table, rows: Sequence[Row], *, conflict: str
) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert_sql(table) + conflict, list(rows))
        return
    arrays = ", ".join(f"%s::{_array_type(table, name)}" for name in _names(table))
    sql = (
        f"INSERT INTO {table.name} ({', '.join(_names(table))})"  # noqa: S608 - our own names
        f" SELECT * FROM unnest({arrays}){conflict}"
    )
    connection.exec_driver_sql(sql, tuple(list(column) for column in zip(*rows, strict=True)))


def _select_postgresql(
    connection: Connection, table: Table, keys: Sequence[Row], columns_count: int
) -> Iterator[Row]:
    names = _names(table)
    arrays = ", ".join(f"%s::{_array_type(table, name)}" for name in names[:columns_count])
    wanted = ", ".join(f"k{index}" for index in range(columns_count))
    matches = " AND ".join(
        f"t.{name} = wanted.k{index}" for index, name in enumerate(names[:columns_count])
    )
    sql = (
        f"SELECT {', '.join(f't.{name}' for name in names)}"  # noqa: S608 - our own names
        f" FROM unnest({arrays}) AS wanted({wanted}) JOIN {table.name} t ON {matches}"
    )
    columns = tuple(list(column) for column in zip(*keys, strict=True))
    yield from map(tuple, connection.exec_driver_sql(sql, columns))


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - psycopg's cursor, which has copy()
    raw = connection.connection.driver_connection
    assert raw is not None
    return raw.cursor()


@cache
def _select_sqlite(table: Table, columns_count: int, slots_count: int) -> str:
    names = _names(table)
    wanted = ", ".join(f"k{index}" for index in range(columns_count))
    slot = f"({', '.join('?' * columns_count)})"
    matches = " AND ".join(
        f"t.{name} = wanted.k{index}" for index, name in enumerate(names[:columns_count])
    )
    # CROSS JOIN keeps SQLite's planner from scanning the table (sqlite.org/optoverview.html, 8).
    return (
        f"WITH wanted({wanted}) AS (VALUES {', '.join([slot] * slots_count)})"  # noqa: S608
        f" SELECT {', '.join(f't.{name}' for name in names)}"
        f" FROM wanted CROSS JOIN {table.name} t ON {matches}"
    )


@cache
def _insert_sql(table: Table) -> str:
    names = _names(table)
    return (
        f"INSERT INTO {table.name} ({', '.join(names)})"  # noqa: S608 - our own names
        f" VALUES ({', '.join('?' * len(names))})"
    )


@cache
def _copy_sql(table: Table) -> str:
    return f"COPY {table.name} ({', '.join(_names(table))}) FROM STDIN"


@cache
def _update_clause(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    values = [name for name in _names(table) if name not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


@cache
def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _array_type(table: Table, name: str) -> str:
    kind = table.columns[name].type
    if isinstance(kind, LargeBinary):
        return "bytea[]"
    if isinstance(kind, Boolean):
        return "boolean[]"
    if isinstance(kind, BigInteger):
        return "bigint[]"
    return "integer[]" if isinstance(kind, Integer) else "text[]"
