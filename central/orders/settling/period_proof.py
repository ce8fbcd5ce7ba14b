"""Proves the figures of closed periods, and what came late for them. Edge of the database.

balances   kept at each closing: everything dated in the period or before, and recorded by then
late       exactly the facts that are dated in a closed period and were recorded after it

One walk over all lines proves every period: a line counts in the first period that had it, and what
is kept of a period is the sum up to it.
"""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection, text

from central.ledger.fact_check import Fault
from central.orders.settling.period_book import list_periods
from central.orders.settling.period_figures import sum_of
from central.orders.settling.periods import MOVING_KINDS, Period
from central.storage.tables import DATED_SQL

_KEY = "warehouse, location, item, lot, serial, sscc, unit, status"
_KEY_SIZE = 8
_LINE_KEY = ", ".join("l." + name for name in _KEY.split(", "))
_MOVING = ", ".join(f"'{kind}'" for kind in MOVING_KINDS)
COUNTED_AND_KEPT = text(f"""
    SELECT {_KEY}, number, {sum_of("counted")} AS counted, {sum_of("kept")} AS kept,
           {sum_of("counted_weight")} AS counted_weight, {sum_of("kept_weight")} AS kept_weight
    FROM (
        SELECT {_LINE_KEY}, l.quantity_micro AS counted, 0 AS kept,
               l.weight_micro AS counted_weight, 0 AS kept_weight,
               (SELECT MIN(p.number) FROM periods p
                WHERE f.record_no <= p.closed_record_no AND {DATED_SQL} < p.through_ms) AS number
        FROM facts f CROSS JOIN lines l
        WHERE l.warehouse = f.warehouse AND l.record_no = f.record_no
        UNION ALL
        SELECT {_KEY}, 0 AS counted, on_hand_micro AS kept,
               0 AS counted_weight, weight_micro AS kept_weight, number
        FROM period_balances
    ) amounts
    WHERE number IS NOT NULL
    GROUP BY {_KEY}, number
    ORDER BY {_KEY}, number
""")  # noqa: S608 - made of our own constants

_LATE = f"""
    SELECT f.warehouse AS warehouse, f.record_no AS record_no,
           (SELECT MIN(p.number) FROM periods p WHERE {DATED_SQL} < p.through_ms) AS number
    FROM facts f
    WHERE f.kind IN ({_MOVING})
      AND EXISTS (SELECT 1 FROM periods p
                  WHERE {DATED_SQL} < p.through_ms AND f.record_no > p.closed_record_no)
"""  # noqa: S608 - made of our own constants
_LISTED = "SELECT warehouse, record_no, number FROM late_facts"
NOT_LISTED = text(f"{_LATE} EXCEPT {_LISTED}")
LISTED_WRONGLY = text(f"{_LISTED} EXCEPT {_LATE}")


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off with closed periods."""
    periods = list_periods(connection)
    if periods:
        yield from _balance_faults(connection, periods)
    for query, detail in (
        (NOT_LISTED, "it came late for period {} and is not listed"),
        (LISTED_WRONGLY, "it is listed as late for period {} and is not"),
    ):
        for row in connection.execute(query, execution_options={"yield_per": 500}):
            subject = f"{row.warehouse}/{row.record_no}"
            yield Fault("late", subject, detail.format(row.number))


def _balance_faults(connection: Connection, periods: list[Period]) -> Iterator[Fault]:
    codes = {period.number: period.code for period in periods}
    rows = connection.execute(COUNTED_AND_KEPT, execution_options={"yield_per": 500})
    for key, found in groupby(rows, key=lambda row: tuple(row[:_KEY_SIZE])):
        by_number = {row.number: row for row in found}
        total, weight = 0, 0
        for number, code in codes.items():
            row = by_number.get(number)
            kept, kept_weight = (row.kept, row.kept_weight) if row else (0, 0)
            if row is not None:
                total, weight = total + row.counted, weight + row.counted_weight
            for what, one, said in (("", kept, total), ("weight ", kept_weight, weight)):
                if one != said:
                    detail = f"{what}kept {one}, lines say {said} (micro)"
                    yield Fault("period", f"{code}/{'/'.join(key)}", detail)
