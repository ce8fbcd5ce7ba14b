"""Reads what others did of document lines, for one gateway. Edge of the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, exists, select

from central.contract.notices import DocumentShare
from central.ledger.entries import BALANCE_MICRO_MAX
from central.storage import bulk
from central.storage.outbox_tables import document_shares
from central.storage.tables import documents

_shares = document_shares.c
# warehouse, document, line, gateway, picked_micro, done_micro, record_no
Rows = Sequence[bulk.Row]


def read_changed_lines(connection: Connection, warehouse: str, *, after_record_no: int) -> Rows:
    """Return the shares of all gateways in the lines that any of them moved on since then."""
    changed = (
        select(_shares.warehouse, _shares.document, _shares.line)
        .where(_shares.warehouse == warehouse, _shares.record_no > after_record_no)
        .distinct()
    )
    keys = [tuple(row) for row in connection.execute(changed)]
    return list(bulk.select_by_key(connection, document_shares, keys, columns_count=3))


def read_expected_lines(connection: Connection, warehouse: str) -> Rows:
    """Return the shares of all gateways in the documents that the warehouse expects."""
    known = exists().where(
        and_(documents.c.warehouse == _shares.warehouse, documents.c.document == _shares.document)
    )
    rows = connection.execute(select(document_shares).where(_shares.warehouse == warehouse, known))
    return [tuple(row) for row in rows]


def shares_for(gateway: str, rows: Rows, *, after_record_no: int = -1) -> tuple[DocumentShare, ...]:
    """Return what all but this gateway did, of lines in which another moved on since then."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    fresh = set()
    for _, document, line, other, picked, done, record_no in rows:
        if other == gateway:
            continue
        before = sums.get((document, line), (0, 0))
        # Below zero: something was taken back that was done before shares were counted.
        sums[document, line] = (before[0] + max(0, picked), before[1] + max(0, done))
        if record_no > after_record_no:
            fresh.add((document, line))
    # No more than a balance can be: a sum that the wire cannot carry would hold up all notices.
    return tuple(
        DocumentShare(*key, *(min(micro, BALANCE_MICRO_MAX) for micro in sums[key]))
        for key in sorted(fresh)
    )
