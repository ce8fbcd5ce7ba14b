"""Writes facts, on PostgreSQL by COPY made of few parts a row. Edge of the database.

Warehouse, gateway, epoch and kind are the same for most facts of a call, and stand first in what is
copied; after the body comes all that has one length. The driver's own way makes eleven fields a
row, which costs 1 us more.
"""

import struct
from collections.abc import Sequence

from sqlalchemy import Connection

from central.storage import bulk
from central.storage.copy_form import HEADER, TRAILER, four_bytes, text_field, two_bytes
from central.storage.tables import facts

Blob = bytes | bytearray
# warehouse, gateway, epoch, seq, kind, body, digest, event_time_ms, clock_synced, record_ms,
# record_no
FactRow = tuple[str, str, str, int, str, Blob, Blob, int, int, int, int]
COLUMNS = (
    "warehouse, gateway, epoch, kind, body, seq, digest, event_time_ms, clock_synced, record_ms,"
    " record_no"
)
FIELDS_COUNT = two_bytes(COLUMNS.count(",") + 1)
DIGEST_BYTES = 32  # SHA-256
# Each with its length before it.
_rest = struct.Struct(f">iqi{DIGEST_BYTES}siqibiqiq").pack


def insert_facts(connection: Connection, rows: Sequence[FactRow]) -> None:
    """Insert facts that are not there yet."""
    if connection.dialect.name == "sqlite" or len(rows) < bulk.COPIED_ROWS_MIN:
        bulk.insert_rows(connection, facts, rows)
        return
    bulk.copy_binary(connection, facts, COLUMNS, _copied(rows))


def _copied(rows: Sequence[FactRow]) -> bytes:
    starts: dict[tuple[str, str, str, str], bytes] = {}
    parts: list[Blob] = [HEADER]
    for row in rows:
        warehouse, gateway, epoch, seq, kind, body, digest, event_ms, synced, record_ms, no = row
        shared = (warehouse, gateway, epoch, kind)
        start = starts.get(shared)
        if start is None:
            start = starts[shared] = FIELDS_COUNT + b"".join(map(text_field, shared))
        assert len(digest) == DIGEST_BYTES
        rest = _rest(8, seq, DIGEST_BYTES, digest, 8, event_ms, 1, synced, 8, record_ms, 8, no)
        parts += (start, four_bytes(len(body)), body, rest)
    parts.append(TRAILER)
    return b"".join(parts)
