"""Many rows in few statements, as fast as each database takes them. Edge of the database.

SQLite: one prepared statement run for all rows. PostgreSQL: binary COPY for many new rows, arrays
for the rest, and few statements gathered into one (`gathering`). Rows are tuples in the order of
the table's columns. Table and column names come from our own metadata, never from data; values are
always bound. Statements go to the driver itself, in the transaction of the connection: for a few
rows SQLAlchemy's own way there costs more than they do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from central.storage.array_sql import (
    arrays,
    beside_sql,
    conflict_clause,
    matches,
    names,
    plain,
    select_sql,
    slots_of,
    statement_of,
    types,
    wanted_values,
)
from central.storage.foresight import Kind, Row
from central.storage.gathering import Joining, gathering_of
from central.storage.looks import Lead, Led, Look, Part, indices_of
from central.storage.reading_ahead import read_ahead

__all__ = ["Lead", "Led", "Look", "Part", "Row"]

# Wanted keys per SELECT on SQLite: a power of two, so that few different statements are prepared.
KEYS_PER_SELECT_MAX = 128
# A COPY of fewer rows costs PostgreSQL more than an INSERT of them does.
COPIED_ROWS_MIN = 100


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that are not there yet."""
    if len(rows) < COPIED_ROWS_MIN or connection.dialect.name == "sqlite":
        _write_rows(connection, table, rows, "insert")
        return
    _before_copy(connection)
    with _driver(connection).cursor() as cursor, cursor.copy(_copy_sql(table)) as copy:
        copy.set_types(types(table))
        write_row = copy.write_row
        for row in rows:
            write_row(row)


def copy_binary(connection: Connection, table: Table, columns: str, data: bytes) -> None:
    """Insert rows of PostgreSQL that are in its binary form already, header and trailer too.

    columns: their names, parted by commas; the others get their defaults.
    """
    _before_copy(connection)
    sql = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
    with _driver(connection).cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(data)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or give the ones that are there these values; no two of one key."""
    _write_rows(connection, table, rows, "upsert")


def insert_missing_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose key is not there yet; leave the others as they are."""
    _write_rows(connection, table, rows, "missing")


def update_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Give rows that are there other values. columns: of `rows`, the primary key first."""
    _write_rows(connection, table, rows, "update", columns)


def delete_by_key(connection: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Delete rows of which the first columns are one of `keys`, all of one length."""
    _write_rows(connection, table, keys, "delete")


def write_many(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    """Run a statement of SQLite once for each row."""
    _driver(connection).executemany(sql, rows).close()


def select_rows(connection: Connection, sql: str, values: Sequence[object] = ()) -> list[Row]:
    """Return what a statement says of which the values stand for its question marks."""
    gathering = gathering_of(connection)
    if gathering is not None:
        gathering.write()
        return gathering.ask(*statement_of(sql, values))
    text = sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")
    return list(_driver(connection).execute(text, values).fetchall())


def open_with(
    connection: Connection,
    sql: str,
    values: Sequence[object] = (),
    *,
    columns: tuple[str, ...] = (),
) -> Callable[[], list[Row]]:
    """Have a statement run before whatever this transaction says next; return its rows.

    It sees what was written before. On PostgreSQL it goes together with what is said next, unless
    somebody asks for its rows before; elsewhere it runs at once.
    columns: of its rows, of which none is bytes, if it locks nothing and may be a part of a look.
    """
    gathering = gathering_of(connection)
    if gathering is not None and columns:
        return gathering.open_joined(Joining(sql.replace("?", "%s"), columns, values))
    if gathering is not None:
        return gathering.open_with(*statement_of(sql, values))
    rows = select_rows(connection, sql, values)
    return lambda: rows


def look_ahead(connection: Connection, looks: Sequence[Look | Led]) -> None:
    """Read what the selects will ask for, on PostgreSQL by one statement; elsewhere nothing.

    Only under the ledger's lock, and only of tables that nobody changes without it: what is read
    ahead is what later look-ups of this transaction find.
    """
    gathering = gathering_of(connection)
    if gathering is not None:
        read_ahead(gathering, looks)


def select_by_key(
    connection: Connection, table: Table, keys: Sequence[Row], *, columns_count: int
) -> Iterator[Row]:
    """Return whole rows of a table whose first `columns_count` columns are one of `keys`.

    Those of one key come in the order of the primary key.
    """
    if not keys:
        return iter(())
    gathering = gathering_of(connection)
    if gathering is not None:
        known = gathering.foresight.rows(table, columns_count, keys)
        if known is not None:
            return iter(known)
    return _select(connection, table, keys, columns=names(table)[:columns_count])


def select_beside(
    connection: Connection,
    table: Table,
    keys: Sequence[Row],
    *,
    columns_count: int,
    columns: tuple[str, ...],
) -> Iterator[tuple[Row, Row]]:
    """Yield these columns of the rows of `select_by_key`, each beside its key as it was given.

    What the caller has is not made once more: that would be most of what many keys cost.
    """
    by = names(table)[:columns_count]
    if connection.dialect.name == "sqlite":
        for start in range(0, len(keys), KEYS_PER_SELECT_MAX):
            chunk = keys[start : start + KEYS_PER_SELECT_MAX]
            slots_count, values = _padded(chunk, columns_count)
            sql = _select_beside_sqlite(table, by, slots_count, columns)
            for row in _driver(connection).execute(sql, values).fetchall():
                yield chunk[row[0]], row[1:]
        return
    gathering = gathering_of(connection)
    known: Iterable[Row] | None = None
    if gathering is not None:
        known = gathering.foresight.rows(table, columns_count, keys)
    if known is None and slots_of(keys):
        known = _select(connection, table, keys, columns=by)
    if known is not None:
        indices = indices_of(table, columns)
        for row in known:
            yield row[:columns_count], tuple([row[index] for index in indices])
        return
    _write_before(connection, table, by, keys)
    for row in _fetched(connection, beside_sql(table, by, columns), arrays(table, keys, by)):
        yield keys[row[0] - 1], row[1:]


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
    gathering = gathering_of(connection)
    if gathering is not None and not where:
        known = gathering.foresight.rows_aside(table, indices_of(table, columns), keys)
        if known is not None:
            yield from known
            return
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
            _write_before(connection, table, columns, keys)
            sql = select_sql(table, columns, slots_of(keys), where)
            wanted = wanted_values(table, keys, columns)
            yield from _fetched(connection, sql, wanted)
        return
    columns_count = len(columns)
    for start in range(0, len(keys), KEYS_PER_SELECT_MAX):
        chunk = keys[start : start + KEYS_PER_SELECT_MAX]
        slots_count, values = _padded(chunk, columns_count)
        sql = _select_sqlite(table, columns, slots_count, index, where)
        yield from _driver(connection).execute(sql, values).fetchall()


def _padded(chunk: Sequence[Row], columns_count: int) -> tuple[int, list[object]]:
    """Return how many keys a statement of SQLite has slots for, and the values of all slots."""
    # Padded to a power of two by rows that are no keys: NULL equals nothing.
    slots_count = 1 << (len(chunk) - 1).bit_length()
    values: list[object] = [value for key in chunk for value in key]
    values += [None] * ((slots_count - len(chunk)) * columns_count)
    return slots_count, values


def _write_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    kind: Kind,
    columns: tuple[str, ...] = (),
) -> None:
    """Write rows. columns: what they have, the first ones of the table if it is not said."""
    if not rows:
        return
    columns = columns or names(table)[: len(rows[0])]
    gathering = gathering_of(connection)
    if gathering is not None:
        gathering.add(table, kind, columns, rows)
        return
    assert connection.dialect.name == "sqlite"  # Nothing else may write.
    write_many(connection, _write_sqlite(table, kind, columns), rows)


def _fetched(connection: Connection, sql: str, values: Sequence[object]) -> list[Row]:
    """Return what a statement of `array_sql` finds on PostgreSQL."""
    gathering = gathering_of(connection)
    if gathering is not None:
        return gathering.ask(sql, values)
    from psycopg import RawCursor  # noqa: PLC0415 - 10 MB that a ledger on SQLite does not need

    return list(RawCursor(_driver(connection)).execute(sql, plain(values)).fetchall())


def _before_copy(connection: Connection) -> None:
    """Write what waits, e.g. that rows of this table go; forget what was read ahead of it."""
    gathering = gathering_of(connection)
    if gathering is not None:
        gathering.open()
        gathering.write()
        gathering.foresight.forget_all()


def _write_before(
    connection: Connection, table: Table, columns: tuple[str, ...], keys: Sequence[Row]
) -> None:
    """Have everything written that waits, if some of it may be what is looked for."""
    gathering = gathering_of(connection)
    if gathering is not None:
        gathering.write_before(table, columns, keys)


def _driver(connection: Connection) -> Any:  # noqa: ANN401 - the connection of sqlite3 or psycopg
    raw = connection.connection.driver_connection
    assert raw is not None
    return raw


@cache
def _select_sqlite(
    table: Table, columns: tuple[str, ...], slots_count: int, index: str, where: str
) -> str:
    wanted = ", ".join(f"k{index}" for index in range(len(columns)))
    slot = f"({', '.join('?' * len(columns))})"
    # Of itself SQLite does not take an index of some rows alone, it reads the whole warehouse.
    indexed = f" INDEXED BY {index}" if index else ""
    # CROSS JOIN keeps SQLite's planner from scanning the table (sqlite.org/optoverview.html, 8).
    return (
        f"WITH wanted({wanted}) AS (VALUES {', '.join([slot] * slots_count)})"  # noqa: S608
        f" SELECT {', '.join(f't.{name}' for name in names(table))}"
        f" FROM wanted CROSS JOIN {table.name} t{indexed} ON {matches(columns, where)}"
    )


@cache
def _select_beside_sqlite(
    table: Table, by: tuple[str, ...], slots_count: int, columns: tuple[str, ...]
) -> str:
    wanted = ", ".join(f"k{index}" for index in range(len(by)))
    slots = ", ".join(f"({number}{', ?' * len(by)})" for number in range(slots_count))
    return (
        f"WITH wanted(number, {wanted}) AS (VALUES {slots})"  # noqa: S608 - our own names
        f" SELECT wanted.number, {', '.join(f't.{name}' for name in columns)}"
        f" FROM wanted CROSS JOIN {table.name} t ON {matches(by)}"
    )


@cache
def _write_sqlite(table: Table, kind: Kind, columns: tuple[str, ...]) -> str:
    if kind == "delete":
        wanted = " AND ".join(f"{name} = ?" for name in columns)
        return f"DELETE FROM {table.name} WHERE {wanted}"  # noqa: S608 - our own names
    if kind == "update":
        key = {column.name for column in table.primary_key}
        slots = [f"{name} = ?{number}" for number, name in enumerate(columns, 1)]
        changes = ", ".join(
            slot for slot, name in zip(slots, columns, strict=True) if name not in key
        )
        wanted = " AND ".join(
            slot for slot, name in zip(slots, columns, strict=True) if name in key
        )
        return f"UPDATE {table.name} SET {changes} WHERE {wanted}"  # noqa: S608 - our own names
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)})"  # noqa: S608 - our own names
        f" VALUES ({', '.join('?' * len(columns))}){conflict_clause(table, kind)}"
    )


@cache
def _copy_sql(table: Table) -> str:
    return f"COPY {table.name} ({', '.join(names(table))}) FROM STDIN (FORMAT BINARY)"
