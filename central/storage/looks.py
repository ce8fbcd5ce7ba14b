"""What is read ahead, and the one statement of PostgreSQL that reads it. Edge of SQLAlchemy.

    Look(transfers, [("TR-1",)], 1)          rows by their keys
    Led(Lead(document_progress, by its warehouses and its code), Look(transfers, ...))
                                             rows by keys that stand in a row of that look

What a row leads to is found by the server itself, in the same statement: who knows only the code of
a transfer reads with it what both of its warehouses have of it.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

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


class Look(NamedTuple):
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

    __slots__ = ("_parts", "columns", "keys", "leader", "table", "where")

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
        place = names(leader).index
        self._parts = [
            [(part.text, place(part.column) if part.column else None) for part in key]
            for key in keys
        ]

    def look(self, leading: Sequence[Row]) -> Look:
        """Return the look that these rows of the leader come to."""
        keys = {
            tuple([text if place is None else text + row[place] for text, place in key])
            for row in leading
            for key in self._parts
        }
        return Look(self.table, sorted(keys), len(self.columns), self.where)


class Led(NamedTuple):
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
    table, keys, columns_count, columns = look
    return table, columns_count, columns, slots_of(keys)


def shape_of_led(one: Led) -> Shape:
    """Return the shape of a look to which another one leads."""
    table, keys, columns_count, columns = one.leader
    return one.lead, table, columns_count, columns, slots_of(keys)


@lru_cache(STATEMENTS_KEPT_MAX)
def looks_sql(shapes: tuple[Shape, ...]) -> str:
    """Return one statement for several looks; each row says which one it is of.

    A row comes as a JSON array: to make text of each column costs the server more than to find it.
    """
    parts = []
    for number, shape in enumerate(shapes):
        values = ", ".join(f"found.{name}" for name in _columns_of(shape))
        parts.append(f"SELECT {number}, json_build_array({values})::text {_source(shape)}")
    return numbered(" UNION ALL ".join(parts))


def row_of_json(table: Table | None, text: str) -> Row:
    """Return a row that `looks_sql` has read, as it is. table: None for one without any bytes."""
    row = _decode(text)
    if table is None:
        return tuple(row)
    for index in _bytes_at(table):
        if row[index] is not None:
            row[index] = bytes.fromhex(row[index][2:])  # After the server's "\\x".
    return tuple(row)


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
        return f"FROM {looked_up_once(table, columns)} found"
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


_decode = msgspec.json.Decoder(list[Any]).decode
