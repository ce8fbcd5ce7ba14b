"""Judges once more what a document did not expect, by the facts themselves. Edge of the database.

That a document expects an item says nothing of where its goods came from: a receipt from a supplier
is none of a sales order, whatever that asks for.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, and_, select

from central.contract.facts import Movement
from central.ledger.entries import ExpectedLine
from central.ledger.goods_rules import SETTLING_FLAG
from central.ledger.posting import is_expected
from central.ledger.progress import goes_back
from central.ledger.reading import read_fact
from central.storage import bulk, tables
from central.storage.line_blocks import first_lines, reach_of

FACTS_READ_MAX = 5000  # Of the item, from the first fact on; of more nothing is said.
_NAME = ("warehouse", "gateway", "epoch", "seq")


def all_expected(
    connection: Connection,
    document: tuple[str, str],
    item: str,
    expected: Mapping[int, ExpectedLine],
    *,
    since: int,
) -> bool:
    """Return whether a document expects all that moved of an item under it and stands.

    What went back is not expected of itself: whoever was told of it decides.

    document: warehouse and code. expected: its lines. since: the record number of the first fact.
    """
    warehouse, code = document
    reach = reach_of(
        connection,
        warehouse=warehouse,
        item=item,
        after=since - 1,
        limit=FACTS_READ_MAX,
        newest_first=False,
    )
    if reach.facts_count >= FACTS_READ_MAX:
        return False
    heads = bulk.select_by_key(connection, tables.documents, [document], columns_count=2)
    kind = next((row[2] for row in heads), "")
    moved = standing_movements(
        connection, warehouse, item, after=since - 1, through=reach.record_no
    )
    return all(
        is_expected(movement, expected, kind=kind) and not goes_back(movement, kind=kind)
        for _, movement in moved
        if movement.document == code and SETTLING_FLAG not in movement.flags
    )


def standing_movements(
    connection: Connection, warehouse: str, item: str, *, after: int, through: int
) -> Iterator[tuple[int, Movement]]:
    """Yield the movements of an item that nobody has taken back, with their record numbers."""
    facts, reversals = tables.facts.c, tables.reversals.c
    first = first_lines(
        connection, warehouses=[warehouse], items=[item], after=after, through=through
    )
    taken_back = select(reversals.seq).where(
        *(getattr(reversals, name) == getattr(facts, name) for name in _NAME)
    )
    query = (
        select(facts.record_no, facts.seq, facts.body)
        .join_from(
            first,
            tables.facts,
            and_(facts.warehouse == first.c.warehouse, facts.record_no == first.c.record_no),
        )
        .where(facts.kind == "movement", ~taken_back.exists())
    )
    for row in connection.execute(query):
        fact = read_fact(bytes(row.body), seq=row.seq)
        if isinstance(fact, Movement):
            yield row.record_no, fact
