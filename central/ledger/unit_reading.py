"""Reads where handling units are, for facts that bring them in. Edge of the database."""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection

from central.contract.facts import Fact, Movement
from central.ledger.pairs import places_of
from central.ledger.runs import Route
from central.ledger.unit_places import comes_in, is_judged
from central.storage import bulk, tables

# Every warehouse with balances: one look into the index for each.
BOOKS = """
WITH RECURSIVE books (warehouse) AS (
    SELECT min(warehouse) FROM balances
    UNION ALL
    SELECT (SELECT min(balances.warehouse) FROM balances
        WHERE balances.warehouse > books.warehouse)
    FROM books WHERE books.warehouse IS NOT NULL
)
SELECT warehouse FROM books WHERE warehouse IS NOT NULL
"""
UNITS_AT_ONCE_MAX = 64
_COLUMNS = tuple(column.name for column in tables.balances.columns)
# Each by one look into the index of units: on PostgreSQL by a subquery that it keeps apart.
_FOUND = {
    "sqlite": "balances t INDEXED BY balances_sscc ON",
    "postgresql": "LATERAL (SELECT * FROM balances t WHERE",
}
_FOUND_END = {"sqlite": "", "postgresql": " OFFSET 0) t"}


class UnitsSoon(NamedTuple):
    """What is asked of units, and its rows: whole ones of `balances`, of all warehouses."""

    connection: Connection
    units: Set[str]
    rows: Callable[[], Sequence[bulk.Row]]


class UnitsAsked(NamedTuple):
    """Units that facts may bring to several places. soon: what was asked for ahead, if anything."""

    judged: Set[str]
    soon: UnitsSoon | None


NO_UNITS = UnitsAsked(frozenset(), None)


def units_judged(routes: Iterable[Route], apart: Iterable[tuple[str, Fact]]) -> Set[str]:
    """Return the units that facts may bring to several places, or to one again."""
    found: set[str] = set()
    for route in routes:
        if route[6] and is_judged(route[1], route[2]):
            found.add(route[6])
    for _, fact in apart:
        if isinstance(fact, Movement) and fact.sscc and is_judged(*places_of(fact)):
            found.add(fact.sscc)
    return found


def units_soon(connection: Connection, units: Set[str]) -> UnitsSoon | None:
    """Ask for the balances of a few units, with what is asked next; None for none, or for many."""
    if not 0 < len(units) <= UNITS_AT_ONCE_MAX:
        return None
    statement = _statement(connection, sorted(units))
    return UnitsSoon(connection, units, bulk.open_with(connection, *statement, columns=_COLUMNS))


def read_units(
    connection: Connection, units: Set[str], soon: UnitsSoon | None = None
) -> Iterable[bulk.Row]:
    """Return the balances of units in all books. soon: what was asked for ahead, if anything."""
    if soon is None or soon.connection is not connection or not units <= soon.units:
        soon = units_soon(connection, units)
    if soon is not None:
        return soon.rows()
    houses = [house for (house,) in bulk.select_rows(connection, BOOKS)]
    return bulk.select_by_columns(
        connection,
        tables.balances,
        sorted((house, unit) for house in houses for unit in units),
        columns=("warehouse", "sscc"),
        index="balances_sscc",
        where="sscc <> ''",
    )


def items_of_unit(connection: Connection, warehouse: str, sscc: str) -> set[str]:
    """Return the items that the book of a warehouse has, or had, in a unit."""
    rows = bulk.select_by_columns(
        connection,
        tables.balances,
        [(warehouse, sscc)],
        columns=("warehouse", "sscc"),
        index="balances_sscc",
        where="sscc <> ''",
    )
    return {row[2] for row in rows}


def brings_unit(movement: Movement, sscc: str) -> bool:
    """Return whether a movement brings goods in from outside under the number of a unit."""
    return movement.sscc == sscc and comes_in(movement.from_location, movement.to_location)


def _statement(connection: Connection, units: Sequence[str]) -> tuple[str, Sequence[str | None]]:
    slots_count = 1 << (len(units) - 1).bit_length()
    # Padded to a power of two: NULL equals nothing.
    return _sql(connection.dialect.name, slots_count), [
        *units,
        *[None] * (slots_count - len(units)),
    ]


@cache
def _sql(dialect: str, slots_count: int) -> str:
    columns = ", ".join(f"t.{name}" for name in _COLUMNS)
    slots = ", ".join("?" * slots_count)
    return (
        f"SELECT {columns} FROM ({BOOKS}) books CROSS JOIN {_FOUND[dialect]}"  # noqa: S608
        f" t.warehouse = books.warehouse AND t.sscc <> '' AND t.sscc IN ({slots})"
        f"{_FOUND_END[dialect]}"
    )
