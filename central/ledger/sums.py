"""Sums over lines and balances, computed by the database. Edge of the database.

A sum is taken of whole units and of the millionths left over, apart: so no order of the rows can
leave 64 bits on the way, which SQLite would answer with an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from central.ledger.entries import BalanceKey

_KEY = "warehouse, location, item, lot, serial, sscc, unit, status"


def _sum(column: str) -> str:
    return f"CAST(SUM({column} / 1000000) * 1000000 + SUM({column} % 1000000) AS BIGINT)"


# What the lines say beside what the balances say, where that differs.
DIFFERENCES = text(f"""
    SELECT {_KEY}, {_sum("line_micro")} AS lines_micro, {_sum("balance_micro")} AS balances_micro,
           {_sum("line_weight")} AS lines_weight, {_sum("balance_weight")} AS balances_weight
    FROM (
        SELECT {_KEY}, quantity_micro AS line_micro, weight_micro AS line_weight,
               0 AS balance_micro, 0 AS balance_weight
        FROM lines
        UNION ALL
        SELECT {_KEY}, 0 AS line_micro, 0 AS line_weight,
               on_hand_micro AS balance_micro, weight_micro AS balance_weight
        FROM balances
    ) AS amounts
    GROUP BY {_KEY}
    HAVING {_sum("line_micro")} <> {_sum("balance_micro")}
        OR {_sum("line_weight")} <> {_sum("balance_weight")}
    ORDER BY {_KEY}
""")  # noqa: S608 - made of our own constants

# Of each thing in each warehouse, virtual places and every status included, nothing may be left.
NOT_CONSERVED = text(f"""
    SELECT warehouse, '' AS location, item, lot, serial, sscc, unit, '' AS status,
           0 AS expected_micro, {_sum("on_hand_micro")} AS left_micro,
           0 AS expected_weight, {_sum("weight_micro")} AS left_weight
    FROM balances
    GROUP BY warehouse, item, lot, serial, sscc, unit
    HAVING {_sum("on_hand_micro")} <> 0 OR {_sum("weight_micro")} <> 0
    ORDER BY warehouse, item, lot, serial, sscc, unit
""")  # noqa: S608 - made of our own constants

REBUILD = text(f"""
    INSERT INTO balances ({_KEY}, on_hand_micro, record_no, weight_micro)
    SELECT {_KEY}, {_sum("quantity_micro")}, MAX(record_no), {_sum("weight_micro")}
    FROM lines
    GROUP BY {_KEY}
""")  # noqa: S608 - made of our own constants


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two sums differ. expected: of the lines; actual: of the balance; in millionths."""

    key: BalanceKey
    expected_micro: int
    actual_micro: int
    expected_weight_micro: int = 0
    actual_weight_micro: int = 0


def differing_balances(connection: Connection) -> Iterator[Difference]:
    """Yield every balance that is not the sum of its lines, in the order of the keys."""
    yield from _differences(connection, DIFFERENCES)


def unconserved_items(connection: Connection) -> Iterator[Difference]:
    """Yield everything whose balances over all places do not sum to zero; location is ""."""
    yield from _differences(connection, NOT_CONSERVED)


def replace_balances(connection: Connection) -> None:
    """Make every balance the sum of its lines; the caller holds the ledger's lock."""
    connection.execute(text("DELETE FROM balances"))
    connection.execute(REBUILD)


def _differences(connection: Connection, query: TextClause) -> Iterator[Difference]:
    rows = connection.execute(query, execution_options={"yield_per": 500})
    for row in rows:
        yield Difference(BalanceKey(*row[:8]), *(int(value) for value in row[8:12]))
