"""Reads which movements the lines of a place are of, reversals too. Edge of the database."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, select

from central.contract.facts import Movement, Reversal
from central.ledger.reading import read_fact
from central.storage import bulk, tables
from central.storage.line_blocks import first_lines

ROWS_AT_ONCE = 200


def read_movements(
    connection: Connection,
    *,
    warehouse: str,
    item: str,
    unit: str,
    location: str,
    after: int = 0,
) -> Iterator[tuple[Movement, int]]:
    """Yield the movement and the quantity (10^-6) of each line of an item at a place, in any order.

    A line of a reversal is of the movement that it took back. Of the facts after a record number.
    """
    lines, facts = tables.lines, tables.facts
    first = first_lines(connection, warehouses=[warehouse], items=[item], after=after)
    query = (
        select(facts.c.gateway, facts.c.seq, facts.c.body, lines.c.quantity_micro)
        .join_from(
            first,
            lines,
            and_(lines.c.warehouse == first.c.warehouse, lines.c.record_no == first.c.record_no),
        )
        .join(
            facts,
            and_(facts.c.warehouse == lines.c.warehouse, facts.c.record_no == lines.c.record_no),
        )
        .where(lines.c.unit == unit, lines.c.location == location)
    )
    for row in connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}):
        fact = read_fact(row.body, seq=row.seq)
        if isinstance(fact, Reversal):
            target = (warehouse, row.gateway, fact.reverses_epoch, fact.reverses_seq)
            stored = next(bulk.select_by_key(connection, tables.facts, [target], columns_count=4))
            fact = read_fact(stored[5], seq=fact.reverses_seq)
        if isinstance(fact, Movement):
            yield fact, row.quantity_micro
