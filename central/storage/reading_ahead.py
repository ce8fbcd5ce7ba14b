"""Reads by one statement what a transaction will look up. Edge of the database."""

from collections.abc import Sequence

from central.storage.array_sql import wanted_values
from central.storage.foresight import Foresight, Row
from central.storage.gathering import Gathering
from central.storage.looks import Led, Look, columns_of, looks_sql, row_of_json, shape_of


def read_ahead(gathering: Gathering, looks: Sequence[Look | Led]) -> None:
    """Have the foresight of a transaction know what these find; what it knows is not read again."""
    foresight = gathering.foresight
    wanted, led = _unknown(foresight, looks)
    if not wanted and not led:
        return
    asked: list[Look | Led] = [*wanted, *led]
    values: list[object] = []
    for one in asked:
        look = one if isinstance(one, Look) else one.leader
        if isinstance(one, Led):
            gathering.write_of(one.lead.table)
        if look.columns:
            gathering.write_of(look.table)
        columns = columns_of(look)
        if not look.columns:
            gathering.write_before(look.table, columns, look.keys)
        values += wanted_values(look.table, look.keys, columns)
    found: list[list[Row]] = [[] for _ in asked]
    tables = [one.table if isinstance(one, Look) else one.lead.table for one in asked]
    for number, text in gathering.ask(looks_sql(tuple([shape_of(one) for one in asked])), values):
        found[number].append(row_of_json(tables[number], text))
    for look, rows in zip(wanted, found, strict=False):
        _learn(foresight, look, rows)
    for one, rows in zip(led, found[len(wanted) :], strict=True):
        leading = _known(foresight, one.leader)
        if leading is not None:  # What it leads to is found: all of it, or nothing is known.
            _learn(foresight, one.lead.look(leading), rows)


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
        if look.columns:
            known = foresight.rows_aside(look.table, look.indices, look.keys)
            keys = look.keys if known is None else ()
        else:
            keys = foresight.unknown(look.table, look.columns_count, look.keys)
        if keys:
            wanted.append(look._replace(keys=keys))
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
