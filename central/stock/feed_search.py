"""Movements by who did them, for which document and when, page by page. Edge of the database.

Operator and document stand in the facts' own bytes and have no index: the database looks for their
text in at most FACTS_SCANNED_MAX facts a page, then what is found is read and compared.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, literal

from central.stock.feed import last_record_no, list_numbered
from central.stock.feed_numbers import NEAR_COUNT, record_numbers
from central.stock.moments import record_no_at
from central.stock.rows import FeedFilter, MovementRow
from central.storage.tables import facts

FACTS_SCANNED_MAX = 100_000  # That many take 0.2 s.


@dataclass(frozen=True, slots=True)
class MovementQuery:
    """What is asked for. operator, document: "" for any. since_ms, until_ms: when the ledger
    recorded it, None for any time; until_ms itself is not in it."""

    feed: FeedFilter
    operator: str = ""
    document: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MovementsFound:
    """One page, newest first. next_no: go on before this record number, 0 if there is no more.

    A page may be short, even empty, and yet not the last one.
    """

    rows: tuple[MovementRow, ...]
    next_no: int


def find_movements(
    connection: Connection,
    wanted: MovementQuery,
    *,
    before_no: int | None,
    limit: int,
    scanned_max: int = FACTS_SCANNED_MAX,
) -> MovementsFound:
    """Return one page of facts. before_no: the `next_no` of the page before, None for the first."""
    high = last_record_no(connection) + 1 if before_no is None else before_no
    if wanted.until_ms is not None:
        high = min(high, record_no_at(connection, wanted.until_ms - 1) + 1)
    low = 0 if wanted.since_ms is None else record_no_at(connection, wanted.since_ms - 1)
    first = max(low, high - scanned_max - 1) if wanted.operator or wanted.document else low
    texts = [one.encode() for one in (wanted.operator, wanted.document) if one]
    numbers = record_numbers(
        connection,
        wanted.feed,
        after=first,
        before=high,
        limit=limit + 1,
        newest_first=True,
        near_count=scanned_max if texts else NEAR_COUNT,
        also=[_holds(connection, one) for one in texts],
    )
    shown = numbers[:limit]
    rows = [row for row in reversed(list_numbered(connection, shown)) if _matches(row, wanted)]
    next_no = shown[-1] if len(numbers) > limit else first + 1 if first > low else 0
    return MovementsFound(tuple(rows), next_no)


def _holds(connection: Connection, wanted: bytes) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return func.instr(facts.c.body, wanted) > 0
    return func.position(literal(wanted).op("IN")(facts.c.body)) > 0


def _matches(row: MovementRow, wanted: MovementQuery) -> bool:
    fact = row.fact
    if wanted.operator and fact.operator != wanted.operator:
        return False
    return not wanted.document or getattr(fact, "document", "") == wanted.document
