"""Expiry dates of lots, as the first movements that state them have it. Edge of the database."""

from collections.abc import Iterator, Sequence, Set

from sqlalchemy import Connection, text

from central.ledger.fact_check import Fault
from central.ledger.goods_rules import LotKey
from central.ledger.runs import Run
from central.storage import bulk, tables

# The first line of each lot that states a date, and what is kept of the lot; where that differs.
DIFFERENCES = text("""
    SELECT COALESCE(said.warehouse, lots.warehouse) AS warehouse,
           COALESCE(said.item, lots.item) AS item, COALESCE(said.lot, lots.lot) AS lot,
           said.expiry_date AS said, said.record_no AS said_no,
           lots.expiry_date AS kept, lots.first_record_no AS kept_no
    FROM (
        SELECT first.warehouse, first.item, first.lot, first.record_no, lines.expiry_date
        FROM (
            SELECT warehouse, item, lot, MIN(record_no) AS record_no FROM lines
            WHERE lot <> '' AND expiry_date <> '' AND line_no = 1
            GROUP BY warehouse, item, lot
        ) AS first
        JOIN lines ON lines.warehouse = first.warehouse AND lines.record_no = first.record_no
            AND lines.line_no = 1
    ) AS said
    FULL JOIN lots
        ON lots.warehouse = said.warehouse AND lots.item = said.item AND lots.lot = said.lot
    WHERE lots.lot IS NULL OR said.lot IS NULL OR lots.expiry_date <> said.expiry_date
        OR lots.first_record_no <> said.record_no
    ORDER BY 1, 2, 3
""")


def read_expiry_dates(
    connection: Connection, runs: Sequence[Run], asked: Set[LotKey]
) -> dict[LotKey, str]:
    """Return what is known of lots of which a call states a date, and of those that are asked."""
    keys = sorted(dated_lots(runs) | asked)
    found = bulk.select_by_key(connection, tables.lots, keys, columns_count=3)
    return {(row[0], row[1], row[2]): row[3] for row in found}


def dated_lots(runs: Sequence[Run]) -> set[LotKey]:
    """Return the lots of which facts of these runs state a date."""
    return {(run.warehouse, *lot) for run in runs for lot in run.read.dated}


def read_dates_elsewhere(
    connection: Connection, lots: Set[LotKey], houses: Sequence[str]
) -> dict[LotKey, str]:
    """Return the earliest dates that the books of these warehouses have of lots, by the lots."""
    goods = {(item, lot) for _, item, lot in lots}
    keys = sorted((house, *one) for house in houses for one in goods)
    dates: dict[tuple[str, str], str] = {}
    for row in bulk.select_by_key(connection, tables.lots, keys, columns_count=3):
        one = (row[1], row[2])
        dates[one] = min(row[3], dates.get(one, row[3]))
    return {lot: dates[lot[1:]] for lot in lots if lot[1:] in dates}


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield every lot of which another date is kept than its first dated movement states."""
    for row in connection.execute(DIFFERENCES, execution_options={"yield_per": 500}):
        detail = (
            f"expiry {row.kept or 'none'} since record {row.kept_no or 0},"
            f" lines say {row.said or 'none'} since {row.said_no or 0}"
        )
        yield Fault("lot", f"{row.warehouse}/{row.item}/{row.lot}", detail)
