"""Which facts made a document line have too much. Edge of the database.

    transfer, line 1: 2     BIN-3 -> in_transit   10 of line 1      counts
                            BIN-3 -> STAGE-1       1 of line 1      crosses no border
                            in_transit -> BIN-3    7 of no line     takes off

Taking back what counted makes it less; what took off, or never counted, is not behind it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row

from central.contract.facts import Movement
from central.ledger.entries import DiscrepancyKind, ProgressKey
from central.ledger.goods_rules import taken_back_by
from central.ledger.line_counts import UNNAMED, excess_kind
from central.ledger.progress import PICKED_KINDS, counts, progress_of, sign_of
from central.ledger.reference_book import FILE
from central.storage import bulk, tables

KINDS_OF_LINE_EXCESS: frozenset[DiscrepancyKind] = frozenset({"over_received", "over_shipped"})


class ExcessFacts:
    """Tells which movements counted for the line of an `over_received` or `over_shipped`.

    row: of `discrepancies`. ways: which way counts towards each progress of the document.
    is_shared: whether what names no line counts for the lines of its item, as it does not for
    picks.
    """

    def __init__(self, row: Row[Any], ways: Mapping[ProgressKey, int], *, is_shared: bool) -> None:
        self._row, self._ways = row, ways
        self._lines = {row.document_line, UNNAMED} if is_shared else {row.document_line}

    def made_it(self, movement: Movement, *, unit: str) -> bool:
        """Return whether a movement added to what the line has too much. unit: of its lines."""
        row = self._row
        if taken_back_by(movement) is not None:
            return False
        progress = progress_of(movement, warehouse=row.warehouse, unit=unit, quantity_micro=1)
        if progress is None:
            return False
        key, way = progress.key, self._ways.get(progress.key, 0)
        same = (key.document, key.item, key.unit) == (row.document, row.item, row.unit)
        if not (way and same and key.line in self._lines and counts(way, progress.border)):
            return False
        direction = sign_of(way)
        return excess_kind(direction) == row.kind and progress.brought_in_micro * direction > 0


def excess_facts(connection: Connection, row: Row[Any]) -> ExcessFacts:
    """Return what tells them of a discrepancy. row: of `discrepancies`."""
    document = (row.warehouse, row.document)
    counted = bulk.select_by_key(connection, tables.document_progress, [document], columns_count=2)
    size = len(ProgressKey._fields)
    ways = {ProgressKey(*one[:size]): int(one[9]) for one in counted}
    shared = shared_documents(connection, row.warehouse, {row.document})
    return ExcessFacts(row, ways, is_shared=row.document in shared)


def shared_documents(
    connection: Connection, warehouse: str, documents: Collection[str]
) -> frozenset[str]:
    """Return those of documents whose lines share what names none of them: not picks of orders."""
    keys = [(warehouse, document) for document in sorted(documents)]
    heads = bulk.select_by_key(connection, tables.documents, keys, columns_count=2)
    return frozenset(head[1] for head in heads if head[2] not in PICKED_KINDS or head[4] == FILE)
