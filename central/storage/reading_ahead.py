"""Reads by one statement what a transaction will look up. Edge of the database."""

from collections.abc import Sequence

from central.storage.array_sql import wanted_values
from central.storage.foresight import Foresight, Row
from central.storage.gathering import Gathering
from central.storage.looks import (
    Led,
    Look,
    first_names,
    looks_sql,
    row_of_json,
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
    for look in wanted:
        values += _wanted_values(gathering, look)
    for one in led:
        gathering.write_of(one.lead.table)
        values += _wanted_values(gathering, one.leader)
    joined = gathering.joining  # Not sooner: what was written meanwhile it must not see.
    for joining in joined:
        values += joining.values
    tables = [*(look.table for look in wanted), *(one.lead.table for one in led)]
    tables_or_none = [*tables, *[None] * len(joined)]
    found: list[list[Row]] = [[] for _ in tables_or_none]
    shapes_joined = ((one.sql, one.columns) for one in joined)
    sql = looks_sql((*map(shape_of_look, wanted), *map(shape_of_led, led), *shapes_joined))
    for number, text in gathering.ask_joined(sql, values):
        found[number].append(row_of_json(tables_or_none[number], text))
    gathering.told(found[len(tables) :])
    for look, rows in zip(wanted, found, strict=False):
        _learn(foresight, look, rows)
    for one, rows in zip(led, found[len(wanted) :], strict=False):
        leading = _known(foresight, one.leader)
        if leading is not None:  # What it leads to is found: all of it, or nothing is known.
            _learn(foresight, one.lead.look(leading), rows)


def _wanted_values(gathering: Gathering, look: Look) -> Sequence[object]:
    """Return the values of a look; what waits to be written and may be found is written first."""
    table, keys, columns_count, columns = look
    if columns:
        gathering.write_of(table)
        return wanted_values(table, keys, columns)
    columns = first_names(table, columns_count)
    gathering.write_before(table, columns, keys)
    return keys[0] if len(keys) == 1 else wanted_values(table, keys, columns)


def _unknown(foresight: Foresight, looks: Sequence[Look | Led]) -> tuple[list[Look], list[Led]]:
    """Return what has to be read; a look whose leader is known has keys of its own."""
    wanted: list[Look] = []
    led: list[Led] = []
    for one in looks:
        look = one
        if isinstance(look, Led):
            leading = _known(foresight, look.leader)
            if leading is None:
                led.append(look)
                continue
            look = look.lead.look(leading)
        table, keys, columns_count, columns = look
        if columns:
            if keys and foresight.rows_aside(table, look.indices, keys) is None:
                wanted.append(look)
            continue
        unknown = foresight.unknown(table, columns_count, keys)
        if unknown:
            wanted.append(look if unknown is keys else look._replace(keys=unknown))
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
