"""Reads by one statement what a transaction will look up. Edge of the database."""

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import Table

from central.storage.array_sql import wanted_values
from central.storage.foresight import Foresight, Row
from central.storage.gathering import Gathering
from central.storage.looks import (
    Led,
    Look,
    Shape,
    first_names,
    looks_sql,
    rows_of_looks,
    shape_of_led,
    shape_of_look,
)


def read_ahead(gathering: Gathering, looks: Sequence[Look | Led]) -> None:
    """Have the foresight of a transaction know what these find; what it knows is not read again."""
    foresight = gathering.foresight
    wanted, led = _unknown(foresight, looks)
    if not wanted and not led:
        return
    values: list[object] = []
    shapes: list[Shape] = []
    tables: list[Table | None] = []
    for look in wanted:
        values += _wanted_values(gathering, look)
        shapes.append(shape_of_look(look))
        tables.append(look.table)
    for one in led:
        gathering.write_of(one.lead.table)
        values += _wanted_values(gathering, one.leader)
        shapes.append(shape_of_led(one))
        tables.append(one.lead.table)
    looks_count = len(tables)
    for joining in gathering.joining:  # Not sooner: what was written meanwhile it must not see.
        values += joining.values
        shapes.append((joining.sql, joining.columns))
        tables.append(None)
    found = rows_of_looks(gathering.ask_joined(looks_sql(tuple(shapes)), values), tables)
    gathering.told(found[looks_count:])
    for look, rows in zip(wanted, found, strict=False):
        _learn(foresight, look, rows)
    for one, rows in zip(led, found[len(wanted) :], strict=False):
        leading = _known(foresight, one.leader)
        if leading is not None:  # What it leads to is found: all of it, or nothing is known.
            _learn(foresight, one.lead.look(leading), rows)


def _wanted_values(gathering: Gathering, look: Look) -> Sequence[object]:
    """Return the values of a look; what waits to be written and may be found is written first."""
    table, keys, columns = look.table, look.keys, look.columns
    if columns:
        gathering.write_of(table)
        return wanted_values(table, keys, columns)
    if gathering.is_waiting:
        gathering.write_before(table, first_names(table, look.columns_count), keys)
    if len(keys) == 1:
        return keys[0]
    return wanted_values(table, keys, first_names(table, look.columns_count))


def _unknown(foresight: Foresight, looks: Sequence[Look | Led]) -> tuple[list[Look], list[Led]]:
    """Return what has to be read; a look whose leader is known has keys of its own."""
    wanted: list[Look] = []
    led: list[Led] = []
    for one in looks:
        if isinstance(one, Led):
            leading = _known(foresight, one.leader)
            if leading is None:
                led.append(one)
                continue
            look = one.lead.look(leading)
        else:
            look = one
        keys = look.keys
        if look.columns:
            if keys and foresight.rows_aside(look.table, look.indices, keys) is None:
                wanted.append(look)
            continue
        unknown = foresight.unknown(look.table, look.columns_count, keys)
        if unknown:
            is_whole = len(unknown) == len(keys)
            wanted.append(look if is_whole else replace(look, keys=unknown))
    return wanted, led


def _known(foresight: Foresight, look: Look) -> list[Row] | None:
    if look.columns:
        return foresight.rows_aside(look.table, look.indices, look.keys)
    return foresight.rows(look.table, look.columns_count, look.keys)


def _learn(foresight: Foresight, look: Look, rows: Sequence[Row]) -> None:
    if look.columns:
        foresight.learn_aside(look.table, look.indices, look.keys, rows)
    else:
        foresight.learn(look.table, look.columns_count, look.keys, rows)
