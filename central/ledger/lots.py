"""Expiry dates of lots: as movements state them, or as somebody corrected them. Edge of the DB.

A lot has the date that its first movement states which is not taken back, and does not take another
one back; once somebody has corrected it, that date, whatever movements state (`lot_dates`).
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from itertools import chain

from sqlalchemy import Connection, text

from central.ledger.fact_check import Fault
from central.ledger.goods_rules import LotKey
from central.ledger.runs import Run
from central.ledger.unit_reading import BOOKS
from central.storage import bulk, tables

LOTS_AT_ONCE_MAX = 64  # That one statement looks for in the books of all warehouses.
# Cheap where nothing was taken back: then nobody is among those that are left out.
_UNDONE = """
    SELECT fact.record_no FROM reversals AS back CROSS JOIN facts AS fact
    WHERE fact.warehouse = back.warehouse AND fact.gateway = back.gateway
        AND fact.epoch = back.epoch AND fact.seq = back.seq
    UNION
    SELECT fact.record_no FROM reversals AS back CROSS JOIN facts AS fact
    WHERE fact.warehouse = back.warehouse AND fact.gateway = back.gateway
        AND fact.epoch = back.by_epoch AND fact.seq = back.by_seq
    UNION
    SELECT fact.record_no FROM settlement_facts AS own CROSS JOIN facts AS fact
    WHERE fact.warehouse = own.warehouse AND fact.gateway = own.gateway
        AND fact.epoch = own.epoch AND fact.seq = own.seq
    AND own.back_epoch <> ''
"""
# The first line of each lot that states a date and stands, what people last made of that, and what
# is kept of the lot; where that differs. What was stated since is no part of the dates before it.
DIFFERENCES = text(f"""
    SELECT COALESCE(said.warehouse, lots.warehouse) AS warehouse,
           COALESCE(said.item, lots.item) AS item, COALESCE(said.lot, lots.lot) AS lot,
           said.expiry_date AS said, said.record_no AS said_no,
           lots.expiry_date AS kept, lots.first_record_no AS kept_no,
           last.expiry_date AS decided, last.cause AS cause
    FROM (
        SELECT first.warehouse, first.item, first.lot, first.record_no, lines.expiry_date
        FROM (
            SELECT lines.warehouse, lines.item, lines.lot, MIN(lines.record_no) AS record_no
            FROM lines LEFT JOIN ({_UNDONE}) AS undone ON undone.record_no = lines.record_no
            WHERE lines.lot <> '' AND lines.expiry_date <> '' AND lines.line_no = 1
                AND undone.record_no IS NULL
            GROUP BY lines.warehouse, lines.item, lines.lot
        ) AS first
        JOIN lines ON lines.warehouse = first.warehouse AND lines.record_no = first.record_no
            AND lines.line_no = 1
    ) AS said
    FULL JOIN lots
        ON lots.warehouse = said.warehouse AND lots.item = said.item AND lots.lot = said.lot
    LEFT JOIN lot_dates AS last
        ON last.warehouse = COALESCE(said.warehouse, lots.warehouse)
        AND last.item = COALESCE(said.item, lots.item) AND last.lot = COALESCE(said.lot, lots.lot)
        AND last.number = (SELECT MAX(number) FROM lot_dates AS one
            WHERE one.warehouse = last.warehouse AND one.item = last.item AND one.lot = last.lot)
    WHERE CASE WHEN last.cause = 'corrected'
        THEN lots.lot IS NULL OR lots.expiry_date <> last.expiry_date
        ELSE lots.lot IS NULL OR said.lot IS NULL OR lots.expiry_date <> said.expiry_date
            OR lots.first_record_no <> said.record_no
            OR (last.record_no >= lots.first_record_no AND lots.expiry_date <> last.expiry_date)
        END
    ORDER BY 1, 2, 3
""")  # noqa: S608 - our own words


def read_expiry_dates(
    connection: Connection, runs: Sequence[Run], asked: Set[LotKey]
) -> tuple[dict[LotKey, str], dict[LotKey, str]]:
    """Return what is known of lots of which a call states a date, and of those that are asked.

    And the earliest date that other books have of those that have none in their own.
    """
    wanted = dated_lots(runs) | asked
    found = bulk.select_by_key(connection, tables.lots, sorted(wanted), columns_count=3)
    dates = {(row[0], row[1], row[2]): row[3] for row in found}
    fresh = wanted - dates.keys()
    return dates, _dates_elsewhere(connection, fresh) if fresh else {}


def dated_lots(runs: Sequence[Run]) -> set[LotKey]:
    """Return the lots of which facts of these runs state a date."""
    return {(run.warehouse, *lot) for run in runs for lot in run.read.dated}


def read_all_dates(
    connection: Connection, goods: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, str]]:
    """Return the dates that the books of all warehouses have of lots, by item and lot."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    wanted = sorted(goods)
    for begin in range(0, len(wanted), LOTS_AT_ONCE_MAX):
        some = wanted[begin : begin + LOTS_AT_ONCE_MAX]
        slots_count = 1 << (len(some) - 1).bit_length()
        # Padded to a power of two: NULL equals nothing.
        values = [*chain.from_iterable(some), *[None] * (2 * (slots_count - len(some)))]
        for warehouse, item, lot, date in bulk.select_rows(connection, _sql(slots_count), values):
            found.setdefault((item, lot), {})[warehouse] = date
    return found


def _dates_elsewhere(connection: Connection, lots: Set[LotKey]) -> dict[LotKey, str]:
    dates = read_all_dates(connection, {lot[1:] for lot in lots})
    return {lot: min(dates[lot[1:]].values()) for lot in lots if lot[1:] in dates}


@cache
def _sql(slots_count: int) -> str:
    slots = ", ".join(["(CAST(? AS TEXT), CAST(? AS TEXT))"] * slots_count)
    return (
        "SELECT o.warehouse, o.item, o.lot, o.expiry_date"  # noqa: S608 - our own words
        f" FROM ({BOOKS}) books CROSS JOIN (VALUES {slots}) wanted CROSS JOIN lots o"
        " WHERE o.warehouse = books.warehouse AND o.item = wanted.column1"
        " AND o.lot = wanted.column2"
    )


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield every lot of which another date is kept than its first dated movement states."""
    for row in connection.execute(DIFFERENCES, execution_options={"yield_per": 500}):
        detail = (
            f"expiry {row.kept or 'none'} since record {row.kept_no or 0},"
            f" lines say {row.said or 'none'} since {row.said_no or 0}"
        )
        if row.cause is not None:
            detail += f", {row.cause} as {row.decided or 'none'}"
        yield Fault("lot", f"{row.warehouse}/{row.item}/{row.lot}", detail)
