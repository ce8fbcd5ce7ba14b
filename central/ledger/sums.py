"""Sums over lines and balances, computed by the database. Edge of the database.

A sum is taken of whole units and of the millionths left over, apart: so no order of the rows can
leave 64 bits on the way, which SQLite would answer with an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from central.ledger.entries import BalanceKey

_KEY = "warehouse, location, item, lot, serial, sscc, unit"
_SUM = "CAST(SUM(amount / 1000000) * 1000000 + SUM(amount % 1000000) AS BIGINT)"

# What the lines say beside what the balances say, where that differs.
DIFFERENCES = text(f"""
    SELECT {_KEY}, {_SUM.replace("amount", "line_amount")} AS lines_micro,
           {_SUM.replace("amount", "balance_amount")} AS balances_micro
    FROM (
        SELECT {_KEY}, quantity_micro AS line_amount, 0 AS balance_amount FROM lines
        UNION ALL
        SELECT {_KEY}, 0 AS line_amount, on_hand_micro AS balance_amount FROM balances
    ) AS amounts
    GROUP BY {_KEY}
    HAVING {_SUM.replace("amount", "line_amount")} <> {_SUM.replace("amount", "balance_amount")}
    ORDER BY {_KEY}
""")  # noqa: S608 - made of our own constants

# Of each thing in each warehouse, virtual places included, nothing may be left over.
NOT_CONSERVED = text(f"""
    SELECT warehouse, '' AS location, item, lot, serial, sscc, unit, {_SUM} AS left_micro,
           0 AS zero
    FROM (SELECT {_KEY}, on_hand_micro AS amount FROM balances) AS amounts
    GROUP BY warehouse, item, lot, serial, sscc, unit
    HAVING {_SUM} <> 0
    ORDER BY warehouse, item, lot, serial, sscc, unit
""")  # noqa: S608 - made of our own constants

REBUILD = text(f"""
    INSERT INTO balances ({_KEY}, on_hand_micro, record_no)
    SELECT {_KEY}, {_SUM}, MAX(record_no)
    FROM (SELECT {_KEY}, quantity_micro AS amount, record_no FROM lines) AS amounts
    GROUP BY {_KEY}
""")  # noqa: S608 - made of our own constants


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two sums differ. expected_micro: of the lines; actual_micro: of the balance."""

    key: BalanceKey
    expected_micro: int
    actual_micro: int


def differing_balances(connection: Connection) -> Iterator[Difference]:
    """Yield every balance that is not the sum of its lines, in the order of the keys."""
    yield from _differences(connection, DIFFERENCES)


def unconserved_items(connection: Connection) -> Iterator[Difference]:
    """Yield everything whose balances over all places do not sum to zero; location is ""."""
    for difference in _differences(connection, NOT_CONSERVED):
        yield Difference(difference.key, 0, difference.expected_micro)


def replace_balances(connection: Connection) -> None:
    """Make every balance the sum of its lines; the caller holds the ledger's lock."""
    connection.execute(text("DELETE FROM balances"))
    connection.execute(REBUILD)


def _differences(connection: Connection, query: TextClause) -> Iterator[Difference]:
    rows = connection.execute(query, execution_options={"yield_per": 500})
    for row in rows:
        yield Difference(BalanceKey(*row[:7]), int(row[7]), int(row[8]))
