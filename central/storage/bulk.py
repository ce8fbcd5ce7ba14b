"""Many rows in few statements, as fast as each database takes them. Edge of the database.

SQLite: one prepared statement run for all rows. PostgreSQL: binary COPY for inserts, arrays for the
rest. Rows are tuples in the order of the table's columns. Table and column names come from our own
metadata, never from data; values are always bound. Statements go to the driver itself, in the
transaction of the connection: for a few rows SQLAlchemy's own way there costs more than they do.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table
from sqlalchemy.types import TypeEngine

# Wanted keys per SELECT on SQLite: a power of two, so that few different statements are prepared.
KEYS_PER_SELECT_MAX = 128

Row = tuple[Any, ...]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that are not there yet."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        write_many(connection, _insert_sql(table), rows)
        return
    with _driver(connection).cursor() as cursor, cursor.copy(_copy_sql(table)) as copy:
        copy.set_types(_types(table))
        write_row = copy.write_row
        for row in rows:
            write_row(row)


def copy_binary(connection: Connection, table: Table, columns: str, data: bytes) -> None:
    """Insert rows of PostgreSQL that are in its binary form already, header and trailer too.

    columns: their names, parted by commas; the others get their defaults.
    """
    sql = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
    with _driver(connection).cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(data)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or give the ones that are there these values; in the order given."""
    _write_rows(connection, table, rows, conflict=_update_clause(table))


def insert_missing_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose key is not there yet; leave the others as they are."""
    _write_rows(connection, table, rows, conflict=" ON CONFLICT DO NOTHING")


def write_many(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    """Run a statement of SQLite once for each row."""
    _driver(connection).executemany(sql, rows).close()


def select_by_key(
    connection: Connection, table: Table, keys: Sequence[Row], *, columns_count: int
) -> Iterator[Row]:
    """Yield whole rows of a table whose first `columns_count` columns are one of `keys`."""
    columns = _names(table)[:columns_count]
    yield from _select(connection, table, keys, columns=columns)


def select_by_columns(
    connection: Connection,
    table: Table,
    keys: Sequence[Row],
    *,
    columns: tuple[str, ...],
    index: str,
    where: str,
) -> Iterator[Row]:
    """Yield whole rows of a table in which these columns are one of `keys`.

    index: begins with the columns, and holds the rows of which `where` is true and no others.
    """
    yield from _select(connection, table, keys, columns=columns, index=index, where=where)


def _select(
    connection: Connection,
    table: Table,
    keys: Sequence[Row],
    *,
    columns: tuple[str, ...],
    index: str = "",
    where: str = "",
) -> Iterator[Row]:
    if connection.dialect.name != "sqlite":
        if keys:
            sql = _select_arrays_sql(table, columns, where)
            arrays = _arrays(table, keys, columns)
            yield from _driver(connection).execute(sql, arrays).fetchall()
        return
    columns_count = len(columns)
    for start in range(0, len(keys), KEYS_PER_SELECT_MAX):
        chunk = keys[start : start + KEYS_PER_SELECT_MAX]
        # Padded to a power of two by a row that is no key: NULL equals nothing.
        slots_count = 1 << (len(chunk) - 1).bit_length()
        values = [value for key in chunk for value in key]
        values += [None] * ((slots_count - len(chunk)) * columns_count)
        sql = _select_sqlite(table, columns, slots_count, index, where)
        yield from _driver(connection).execute(sql, values).fetchall()


def _write_rows(
    connection: Connection, table: Table, rows: Sequence[Row], *, conflict: str
) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        write_many(connection, _insert_sql(table) + conflict, rows)
        return
    sql = _insert_arrays_sql(table) + conflict
    _driver(connection).execute(sql, _arrays(table, rows)).close()


def _arrays(
    table: Table, rows: Sequence[Row], columns: tuple[str, ...] | None = None
) -> list[object]:
    """Return the columns of `rows` as values for parameters that are cast to arrays."""
    kinds = _types(table, columns or _names(table))
    return [
        _array(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=False)
    ]


def _array(values: Row, kind: str) -> object:
    """Return an array as PostgreSQL writes it, or the list, which the driver takes 20 times longer
    to write, where that needs a closer look (postgresql.org/docs/15/arrays.html, 8.15.6).
    """
    if kind == "bigint" and None not in values:
        return "{" + ",".join(map(str, values)) + "}"
    if kind == "text" and None not in values:
        inside = '","'.join(values)
        if "\\" not in inside and inside.count('"') == 2 * (len(values) - 1):
            return '{"' + inside + '"}'
    return list(values)


def _driver(connection: Connection) -> Any:  # noqa: ANN401 - the connection of sqlite3 or psycopg
    raw = connection.connection.driver_connection
    assert raw is not None
    return raw


@cache
def _select_sqlite(
    table: Table, columns: tuple[str, ...], slots_count: int, index: str, where: str
) -> str:
    names = _names(table)
    wanted = ", ".join(f"k{index}" for index in range(len(columns)))
    slot = f"({', '.join('?' * len(columns))})"
    matches = _matches(columns, where)
    # Of itself SQLite does not take an index of some rows alone, it reads the whole warehouse.
    indexed = f" INDEXED BY {index}" if index else ""
    # CROSS JOIN keeps SQLite's planner from scanning the table (sqlite.org/optoverview.html, 8).
    return (
        f"WITH wanted({wanted}) AS (VALUES {', '.join([slot] * slots_count)})"  # noqa: S608
        f" SELECT {', '.join(f't.{name}' for name in names)}"
        f" FROM wanted CROSS JOIN {table.name} t{indexed} ON {matches}"
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
    return f"COPY {table.name} ({', '.join(_names(table))}) FROM STDIN (FORMAT BINARY)"


@cache
def _insert_arrays_sql(table: Table) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for kind in _types(table))
    return (
        f"INSERT INTO {table.name} ({', '.join(_names(table))})"  # noqa: S608 - our own names
        f" SELECT * FROM unnest({arrays})"
    )


@cache
def _select_arrays_sql(table: Table, columns: tuple[str, ...], where: str = "") -> str:
    names = _names(table)
    arrays = ", ".join(f"%s::{kind}[]" for kind in _types(table, columns))
    wanted = ", ".join(f"k{index}" for index in range(len(columns)))
    matches = _matches(columns, where)
    # One look into the key's index for each: a plain join of many keys becomes a merge over a
    # shorter index, which reads every serial number of an item, seconds under the ledger's lock.
    whole = columns == tuple(column.name for column in table.primary_key)
    bound = "LIMIT 1" if whole else "OFFSET 0"
    return (
        f"SELECT found.* FROM unnest({arrays}) AS wanted({wanted})"  # noqa: S608 - ours
        f" CROSS JOIN LATERAL (SELECT {', '.join(f't.{name}' for name in names)}"
        f" FROM {table.name} t WHERE {matches} {bound}) found"
    )


def _matches(columns: tuple[str, ...], where: str) -> str:
    conditions = [f"t.{name} = wanted.k{index}" for index, name in enumerate(columns)]
    if where:
        conditions.append(f"t.{where}")
    return " AND ".join(conditions)


@cache
def _update_clause(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    values = [name for name in _names(table) if name not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


@cache
def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


@cache
def _types(table: Table, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the columns' types, or those of all, as PostgreSQL names them."""
    return tuple(_type_name(table.c[name].type) for name in columns or _names(table))


def _type_name(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, LargeBinary):
        return "bytea"
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, BigInteger):
        return "bigint"
    return "integer" if isinstance(kind, Integer) else "text"
