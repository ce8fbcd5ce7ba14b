"""Statements of PostgreSQL for rows that come as arrays, one a column. Edge of SQLAlchemy.

    INSERT INTO t (a, b) SELECT * FROM unnest($1::text[], $2::bigint[])

One statement for any number of rows, so the server keeps its plan. Few keys to look up are bound
one by one: how short an array is it learns each time anew, and plans anew for that
(postgresql.org/docs/15/sql-prepare.html, Notes), which costs more than to run the plan.

Table and column names come from our own metadata, never from data; values are always bound.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, Table
from sqlalchemy.types import TypeEngine

from central.storage.foresight import Kind, Row

SLOTS_MAX = 16  # Of keys that are bound one by one.
ROWS_BOUND_MAX = 4  # Rows that are written so: lines of a movement, events of a sale.
_SLOTS = [1 << (count - 1).bit_length() for count in range(SLOTS_MAX + 1)]
STATEMENTS_KEPT_MAX = 1000  # Of several tables, in one of many compositions.


class Statement(NamedTuple):
    """What to send to the server. values: text, bytes or None for $1, $2 ..."""

    sql: str
    values: Sequence[object] = ()


# A write of rows of these columns, and how many rows it has if their values are bound one by one; 0
# if they come as arrays.
Write = tuple[Table, Kind, tuple[str, ...], int]


@cache
def names(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns."""
    return tuple(column.name for column in table.columns)


@cache
def key_indices(table: Table) -> tuple[int, ...]:
    """Return where in a row the parts of its primary key stand."""
    return tuple(names(table).index(column.name) for column in table.primary_key)


@cache
def key_getter(table: Table) -> Callable[[Row], Row]:
    """Return what gives the primary key of a whole row."""
    indices = key_indices(table)
    if indices == tuple(range(len(indices))):
        return itemgetter(slice(len(indices)))
    return lambda row: tuple([row[index] for index in indices])


@cache
def types(table: Table, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the columns' types, or those of all, as PostgreSQL names them."""
    return tuple(_type_name(table.c[name].type) for name in columns or names(table))


def arrays(
    table: Table, rows: Sequence[Row], columns: tuple[str, ...] | None = None
) -> list[object]:
    """Return the columns of `rows` as values for parameters that are cast to arrays."""
    kinds = types(table, columns or names(table))
    return [
        _array(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=False)
    ]


def bind_rows(
    values: list[object], table: Table, rows: Sequence[Row], columns: tuple[str, ...]
) -> int:
    """Add the values for a write of these rows; return how many are bound one by one, or 0."""
    if len(rows) <= ROWS_BOUND_MAX:
        values += chain.from_iterable(rows)
        return len(rows)
    values += arrays(table, rows, columns)
    return 0


@lru_cache(STATEMENTS_KEPT_MAX)
def write_sql(writes: tuple[Write, ...]) -> str:
    """Return one statement for all of these."""
    *first, last = [_write_sql(write) for write in writes]
    parts = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(first))
    return numbered(f"WITH {parts} {last}" if first else last)


@cache
def conflict_clause(table: Table, kind: Kind) -> str:
    """Return what an INSERT does with rows that are there already; the same on SQLite."""
    if kind == "insert":
        return ""
    if kind == "missing":
        return " ON CONFLICT DO NOTHING"
    keys = [column.name for column in table.primary_key]
    values = [name for name in names(table) if name not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


def slots_of(keys: Sequence[Row]) -> int:
    """Return for how many keys a statement has slots, 0 for one that takes arrays."""
    return _SLOTS[len(keys)] if len(keys) <= SLOTS_MAX else 0


def wanted_values(table: Table, keys: Sequence[Row], columns: tuple[str, ...]) -> Sequence[object]:
    """Return the values for a statement that looks up these keys."""
    slots_count = slots_of(keys)
    if not slots_count:
        return arrays(table, keys, columns)
    values: list[object] = list(chain.from_iterable(keys))
    missing_count = slots_count - len(keys)
    if missing_count:  # Padded by rows that are no keys: NULL equals nothing.
        values += [None] * (missing_count * len(columns))
    return values


@cache
def select_sql(table: Table, columns: tuple[str, ...], slots_count: int, where: str = "") -> str:
    """Return the statement that reads whole rows by these columns.

    Those of one key come in the order of the primary key, if the columns begin it: who reads may
    be given them through the whole of a small table, as they lie there.
    """
    found = found_clause(table, columns, slots_count, where, in_order=True)
    return numbered(f"SELECT found.* {found}")


@cache
def beside_sql(table: Table, by: tuple[str, ...], columns: tuple[str, ...]) -> str:
    """Return the statement that reads columns of rows by keys in arrays, and which key it was."""
    return numbered(
        f"SELECT wanted.number, {', '.join(f'found.{name}' for name in columns)}"  # noqa: S608
        f" FROM unnest({_slots(table, by)}) WITH ORDINALITY AS wanted({_wanted(len(by))}, number)"
        f" CROSS JOIN LATERAL {looked_up(table, by, '')} found"
    )


def statement_of(sql: str, values: Sequence[object]) -> Statement:
    """Return a statement whose slots are question marks; a list is an array of text."""
    bound = [_array(tuple(one), "text") if isinstance(one, list) else one for one in values]
    return Statement(_numbered_of(sql), bound)


def plain(values: Sequence[object]) -> list[object]:
    """Return values to bind one by one by the driver's own ways.

    As text: the driver gives small and large numbers another type, and that is another plan.
    """
    return [
        value if value is None or isinstance(value, str | bytes | bytearray) else str(value)
        for value in values
    ]


def matches(columns: tuple[str, ...], where: str = "") -> str:
    """Return the condition that a row `t` is one of those that are wanted."""
    conditions = [f"t.{name} = wanted.k{index}" for index, name in enumerate(columns)]
    if where:
        conditions.append(f"t.{where}")
    return " AND ".join(conditions)


def found_clause(
    table: Table,
    columns: tuple[str, ...],
    slots_count: int,
    where: str,
    *,
    in_order: bool = False,
) -> str:
    """Return the part of a statement that finds rows by these columns, as `found`."""
    source = f"unnest({_slots(table, columns)})"
    if slots_count:
        source = f"(VALUES {', '.join([_slot(table, columns)] * slots_count)})"
    return (
        f"FROM {source} AS wanted({_wanted(len(columns))})"
        f" CROSS JOIN LATERAL {looked_up(table, columns, where, in_order=in_order)} found"
    )


def looked_up(table: Table, columns: tuple[str, ...], where: str, *, in_order: bool = False) -> str:
    """Return the look for rows of which these columns are those that are `wanted`."""
    # One look into the key's index for each: a plain join of many keys becomes a merge over a
    # shorter index, which reads every serial number of an item, seconds under the ledger's lock.
    key = tuple(column.name for column in table.primary_key)
    bound = "LIMIT 1" if columns == key else "OFFSET 0"
    if in_order and columns == key[: len(columns)] != key:
        bound = f"ORDER BY {', '.join(f't.{name}' for name in key[len(columns) :])} {bound}"
    return (
        f"(SELECT {', '.join(f't.{name}' for name in names(table))}"  # noqa: S608 - our own names
        f" FROM {table.name} t WHERE {matches(columns, where)} {bound})"
    )


def looked_up_once(table: Table, columns: tuple[str, ...]) -> str:
    """Return the table, as `found`, and which of its rows are wanted: what slots say."""
    slots = [
        f"found.{name} = %s::{kind}"
        for name, kind in zip(columns, types(table, columns), strict=True)
    ]
    return f"{table.name} found WHERE {' AND '.join(slots)}"


def numbered(sql: str) -> str:
    """Return a statement with its slots as the server numbers them.

    The driver would look for them each time in a statement that is as long as these.
    """
    first, *rest = sql.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


@lru_cache(STATEMENTS_KEPT_MAX)
def _numbered_of(sql: str) -> str:
    return numbered(sql.replace("?", "%s"))


def _write_sql(write: Write) -> str:
    table, kind, columns, rows_count = write
    values = f"VALUES {', '.join([_slot(table, columns)] * rows_count)}"
    if kind in {"insert", "upsert", "missing"}:
        many = f"SELECT * FROM unnest({_slots(table, columns)})"  # noqa: S608 - our own names
        source = values if rows_count else many
        into = f"INSERT INTO {table.name} ({', '.join(columns)})"
        return f"{into} {source}{conflict_clause(table, kind)}"
    source = f"({values})" if rows_count else f"unnest({_slots(table, columns)})"
    source += f" AS wanted({_wanted(len(columns))})"
    if kind == "delete":
        return f"DELETE FROM {table.name} t USING {source} WHERE {matches(columns)}"  # noqa: S608
    key = tuple(column.name for column in table.primary_key)
    assert columns[: len(key)] == key
    changes = ", ".join(
        f"{name} = wanted.k{index}" for index, name in enumerate(columns) if name not in key
    )
    return f"UPDATE {table.name} t SET {changes} FROM {source} WHERE {matches(key)}"  # noqa: S608


def _slot(table: Table, columns: tuple[str, ...]) -> str:
    return f"({', '.join(f'%s::{kind}' for kind in types(table, columns))})"


def _slots(table: Table, columns: tuple[str, ...]) -> str:
    return ", ".join(f"%s::{kind}[]" for kind in types(table, columns))


def _wanted(columns_count: int) -> str:
    return ", ".join(f"k{index}" for index in range(columns_count))


def _array(values: Row, kind: str) -> str:
    """Return an array as PostgreSQL writes it (postgresql.org/docs/15/arrays.html, 8.15.6).

    The driver takes 20 times longer to write one.
    """
    if None in values:
        parts = ("NULL" if value is None else _array((value,), kind)[1:-1] for value in values)
        return "{" + ",".join(parts) + "}"
    if kind in {"bigint", "integer"}:
        return "{" + ",".join(map(str, values)) + "}"
    if kind == "boolean":
        return "{" + ",".join("t" if value else "f" for value in values) + "}"
    if kind == "bytea":
        return "{" + ",".join(f'"\\\\x{value.hex()}"' for value in values) + "}"
    inside = '","'.join(values)
    if "\\" in inside or inside.count('"') != 2 * (len(values) - 1):
        inside = '","'.join(value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return '{"' + inside + '"}'


def _type_name(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, LargeBinary):
        return "bytea"
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, BigInteger):
        return "bigint"
    return "integer" if isinstance(kind, Integer) else "text"
