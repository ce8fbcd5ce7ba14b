"""Judges once more what a document did not expect, by the facts themselves. Edge of the database.

That a document expects an item says nothing of where its goods came from: a receipt from a supplier
is none of a sales order, whatever that asks for. What went back under a document explains as much
of what went, but never itself:

    shipment of 5     BIN-1 -> customer  3 NUT     unexpected
                      customer -> BIN-1  3 NUT     nothing of it is left
                      customer -> BIN-1  2 BOLT    unexpected, whatever leaves later
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from central.contract.facts import Movement
from central.ledger.entries import ExpectedLine, FactKey, Line
from central.ledger.goods_rules import taken_back_by
from central.ledger.pairs import own_lines, taken_micro
from central.ledger.posting import is_expected
from central.ledger.progress import (
    Progress,
    crosses_another_border,
    direction_of,
    progress_of,
)
from central.ledger.reading import read_fact
from central.ledger.restored_facts import restored_by
from central.storage import bulk, tables
from central.storage.line_blocks import first_lines, reach_of

FACTS_READ_MAX = 5000  # Of the item, from the first fact on; of more nothing is said.
_NAME = ("warehouse", "gateway", "epoch", "seq")


class Unexpected(NamedTuple):
    """What a discrepancy is about. first: the fact that opened it, with its record number."""

    document: str
    item: str
    first: FactKey
    record_no: int


class _Moved(NamedTuple):
    movement: Movement
    progress: Progress | None


def is_left(connection: Connection, one: Unexpected) -> bool:
    """Return whether anything is left that a document did not expect of an item, or may be.

    Nothing is if all that stands is expected, but for what went back as it had come, and never more
    went back than had been counted.
    """
    warehouse, document = one.first.warehouse, (one.first.warehouse, one.document)
    since = restored_by(connection, one.first) or one.record_no
    reach = reach_of(
        connection,
        warehouse=warehouse,
        item=one.item,
        after=since - 1,
        limit=FACTS_READ_MAX,
        newest_first=False,
    )
    if reach.facts_count >= FACTS_READ_MAX:
        return True
    heads = bulk.select_by_key(connection, tables.documents, [document], columns_count=2)
    kind = next((row[2] for row in heads), "")
    lines = bulk.select_by_key(connection, tables.document_lines, [document], columns_count=2)
    expected = {row[2]: ExpectedLine(row[3], row[4], row[5]) for row in lines}
    moved = _moved(connection, one, after=since - 1, through=reach.record_no)
    if not _come_to_nothing(moved, expected, kind=kind):
        return True
    if all(line.item != one.item for line in expected.values()):
        return False
    return _was_below_zero(connection, document, one.item, moved, direction=direction_of(kind))


def _come_to_nothing(
    moved: Sequence[_Moved], expected: Mapping[int, ExpectedLine], *, kind: str
) -> bool:
    """Return whether of what a document does not expect as much went back as had come."""
    left: Counter[tuple[int, str]] = Counter()
    for movement, progress in moved:
        if not is_expected(movement, expected, kind=kind):
            if progress is None or crosses_another_border(movement, kind=kind):
                return False
            left[progress.key.line, progress.key.unit] += progress.brought_in_micro
    return not any(left.values())


def _was_below_zero(
    connection: Connection,
    document: tuple[str, str],
    item: str,
    moved: Sequence[_Moved],
    *,
    direction: int,
) -> bool:
    """Return whether more went back of an item than had been counted, then or later."""
    done: Counter[str] = Counter()
    for row in bulk.select_by_key(
        connection, tables.document_progress, [document], columns_count=2
    ):
        if row[3] == item:
            done[row[4]] += row[7]
    lowest = done.copy()
    for _, progress in reversed(moved):
        if progress is not None:
            unit = progress.key.unit
            done[unit] -= direction * progress.brought_in_micro
            lowest[unit] = min(lowest[unit], done[unit])
    return any(micro < 0 for micro in lowest.values())


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


def _moved(
    connection: Connection, one: Unexpected, *, after: int, through: int
) -> Sequence[_Moved]:
    """Return the movements of an item under a document that nobody has taken back, oldest first.

    Those of settlements that took others back are not among them: those others are not, either.
    """
    warehouse = one.first.warehouse
    standing = standing_movements(connection, warehouse, one.item, after=after, through=through)
    found = {
        number: fact
        for number, fact in standing
        if fact.document == one.document and taken_back_by(fact) is None
    }
    lines: dict[int, list[Line]] = {}
    keys = [(warehouse, number) for number in sorted(found)]
    for stored in bulk.select_by_key(connection, tables.lines, keys, columns_count=2):
        lines.setdefault(stored[1], []).append(Line(*stored))
    return [_Moved(fact, _progress(fact, lines[number])) for number, fact in sorted(found.items())]


def _progress(movement: Movement, lines: Sequence[Line]) -> Progress | None:
    return progress_of(
        movement,
        warehouse=lines[0].warehouse,
        unit=lines[0].unit,
        quantity_micro=taken_micro(own_lines(sorted(lines))),
    )
