"""What is read ahead, and the one statement of PostgreSQL that reads it. Edge of SQLAlchemy.

    Look(transfers, [("TR-1",)], 1)          rows by their keys
    Led(Lead(document_progress, by its warehouses and its code), Look(transfers, ...))
                                             rows by keys that stand in a row of that look

What a row leads to is found by the server itself, in the same statement: who knows only the code of
a transfer reads with it what both of its warehouses have of it.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import NamedTuple

import msgspec
from sqlalchemy import Table

from central.storage.array_sql import (
    STATEMENTS_KEPT_MAX,
    found_clause,
    looked_up,
    looked_up_once,
    names,
    numbered,
    slots_of,
    types,
)
from central.storage.foresight import Row


class Look(msgspec.Struct, frozen=True):
    """Which rows are wanted: those of which these columns are one of `keys`.

    columns: none for the first `columns_count` ones of the table; others have an index of theirs.
    """

    table: Table
    keys: Sequence[Row]
    columns_count: int
    columns: tuple[str, ...] = ()

    @property
    def indices(self) -> tuple[int, ...]:
        """Return where in a row `columns` stand."""
        return indices_of(self.table, self.columns)


class Part(NamedTuple):
    """A part of a key: a text, and after it what a column of the leading row says, "" for none."""

    text: str = ""
    column: str = ""


class Lead:
    """To which rows of a table a row of another one leads. To be made once, and kept.

    columns: of the table, as `Look` has them. keys: what they are, for each row of `leader`.
    """

    __slots__ = ("_keys_of", "columns", "keys", "leader", "table", "where")

    def __init__(
        self,
        table: Table,
        leader: Table,
        columns: tuple[str, ...],
        keys: tuple[tuple[Part, ...], ...],
    ) -> None:
        self.table = table
        self.leader = leader
        self.columns = columns
        self.keys = keys
        # The columns of its looks: none where they are the first ones.
        self.where = () if columns == names(table)[: len(columns)] else columns
        self._keys_of = [_key_getter(leader, key) for key in keys]

    def look(self, leading: Sequence[Row]) -> Look:
        """Return the look that these rows of the leader come to."""
        keys = {key_of(row) for row in leading for key_of in self._keys_of}
        return Look(self.table, sorted(keys), len(self.columns), self.where)


class Led(msgspec.Struct, frozen=True):
    """Which rows are wanted: those to which the rows of another look lead, which is read too."""

    lead: Lead
    leader: Look


# What a statement for looks is made of: one without its values, and for how many keys it has slots;
# or the text of another statement, and the columns of its rows.
Shape = (
    tuple[Table, int, tuple[str, ...], int]
    | tuple[Lead, Table, int, tuple[str, ...], int]
    | tuple[str, tuple[str, ...]]
)


@cache
def indices_of(table: Table, columns: tuple[str, ...]) -> tuple[int, ...]:
    """Return where in a row these columns stand."""
    return tuple(map(names(table).index, columns))


@cache
def first_names(table: Table, columns_count: int) -> tuple[str, ...]:
    """Return the names of the first columns of a table."""
    return names(table)[:columns_count]


def shape_of_look(look: Look) -> Shape:
    """Return the shape of a look."""
    return look.table, look.columns_count, look.columns, slots_of(look.keys)


def shape_of_led(one: Led) -> Shape:
    """Return the shape of a look to which another one leads."""
    leader = one.leader
    columns, slots_count = leader.columns, slots_of(leader.keys)
    return one.lead, leader.table, leader.columns_count, columns, slots_count


@lru_cache(STATEMENTS_KEPT_MAX)
def looks_sql(shapes: tuple[Shape, ...]) -> str:
    """Return one statement for several looks; each row ends with which one it is of.

    A row is a JSON array: to make text of each column costs the server more than to find it, and
    the driver more than to read all rows at once.
    """
    parts = []
    for number, shape in enumerate(shapes):
        values = ", ".join(f"found.{name}" for name in _columns_of(shape))
        parts.append(f"SELECT json_build_array({values}, {number}) {_source(shape)}")
    return numbered(" UNION ALL ".join(parts))


def rows_of_looks(found: Sequence[Row], tables: Sequence[Table | None]) -> list[list[Row]]:
    """Return what `looks_sql` has found, look by look. tables: None for one without any bytes."""
    rows: list[list[Row]] = [[] for _ in tables]
    for row in found:
        rows[row[-1]].append(row[:-1])
    for number, table in enumerate(tables):
        if table is not None and _bytes_at(table) and rows[number]:
            rows[number] = [_with_bytes(row, _bytes_at(table)) for row in rows[number]]
    return rows


def _key_getter(leader: Table, key: Sequence[Part]) -> Callable[[Row], Row]:
    """Return what gives a key to which a row of the leader leads."""
    place = names(leader).index
    parts = [(part.text, place(part.column) if part.column else None) for part in key]
    if len(parts) > 1 and all(not text and place is not None for text, place in parts):
        return itemgetter(*(place for _, place in parts))
    return lambda row: tuple([text if at is None else text + row[at] for text, at in parts])


def _with_bytes(row: Row, indices: tuple[int, ...]) -> Row:
    values = list(row)
    for index in indices:
        if values[index] is not None:
            values[index] = bytes.fromhex(values[index][2:])  # After the server's "\\x".
    return tuple(values)


def _columns_of(shape: Shape) -> tuple[str, ...]:
    if isinstance(shape[0], str):
        return shape[1]
    return names(shape[0].table if isinstance(shape[0], Lead) else shape[0])


def _source(shape: Shape) -> str:
    if isinstance(shape[0], str):
        return f"FROM ({shape[0]}) found"
    if isinstance(shape[0], Lead):
        return _led_source(*shape)
    table, columns_count, columns, slots_count = shape
    columns = columns or names(table)[:columns_count]
    if slots_count == 1:
        return f"FROM {looked_up_once(table, columns)}"
    return found_clause(table, columns, slots_count, "")


def _led_source(
    lead: Lead, leader: Table, columns_count: int, columns: tuple[str, ...], slots_count: int
) -> str:
    columns = columns or names(leader)[:columns_count]
    leading = found_clause(leader, columns, slots_count, "")
    wanted = ", ".join(f"k{index}" for index in range(len(lead.columns)))
    keys = ", ".join(f"({', '.join(map(_part_sql, key))})" for key in lead.keys)
    return (
        f"FROM (SELECT found.* {leading}) AS leader"
        f" CROSS JOIN LATERAL (VALUES {keys}) AS wanted({wanted})"
        f" CROSS JOIN LATERAL {looked_up(lead.table, lead.columns, '')} found"
    )


def _part_sql(part: Part) -> str:
    # Our own words, of no more than letters and strokes.
    assert part.text.replace("_", "").replace("/", "").isalpha() or not part.text
    said = [f"'{part.text}'::text"] if part.text or not part.column else []
    return " || ".join([*said, *([f"leader.{part.column}"] if part.column else [])])


@cache
def _bytes_at(table: Table) -> tuple[int, ...]:
    return tuple(index for index, kind in enumerate(types(table)) if kind == "bytea")
