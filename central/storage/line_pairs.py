"""Writes both lines of a movement from one row. Edge of the database.

A movement's lines differ in number, place and sign alone. What is not available, or weighed beside
being counted, is not written here: status and weight have their defaults. On SQLite one statement
makes both from one set of values, which costs two thirds of two rows. PostgreSQL gets both by COPY,
made of parts that most movements have in common.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from central.storage import bulk
from central.storage.copy_form import (
    HEADER,
    LENGTH_8,
    TRAILER,
    eight_bytes,
    four_bytes,
    text_field,
    two_bytes,
)
from central.storage.tables import lines

AVAILABLE = "available"  # What the column says of itself.

COLUMNS = (
    "warehouse, record_no, line_no, location, item, lot, serial, sscc, expiry_date, unit,"
    " quantity_micro"
)
# record_no, warehouse, from and to location, item, lot, serial, sscc, unit, expiry_date, quantity
PairRow = tuple[int, str, str, str, str, str, str, str, str, str, int]
INSERT_PAIR = (
    "INSERT INTO lines (record_no, warehouse, line_no, location, item, lot, serial, sscc,"
    " expiry_date, unit, quantity_micro)"
    " VALUES (?1, ?2, 1, ?3, ?5, ?6, ?7, ?8, ?10, ?9, -?11),"
    " (?1, ?2, 2, ?4, ?5, ?6, ?7, ?8, ?10, ?9, ?11)"
)
FIELDS_COUNT = two_bytes(COLUMNS.count(",") + 1)
LINE_1 = four_bytes(4) + four_bytes(1)
LINE_2 = four_bytes(4) + four_bytes(2)


def insert_line_pairs(connection: Connection, pairs: Sequence[PairRow]) -> None:
    """Insert two lines a row: 1 takes the quantity from the one place, 2 gives it to the other."""
    if not pairs:
        return
    if connection.dialect.name == "sqlite":
        bulk.write_many(connection, INSERT_PAIR, pairs)
        return
    if len(pairs) < bulk.COPIED_ROWS_MIN:
        bulk.insert_rows(connection, lines, [line for pair in pairs for line in _lines(pair)])
        return
    bulk.copy_binary(connection, lines, COLUMNS, _copied(pairs))


def _lines(pair: PairRow) -> tuple[bulk.Row, bulk.Row]:
    number, warehouse, from_location, to_location, *what, unit, expiry_date, micro = pair
    rest = (*what, expiry_date, unit)
    return (
        (warehouse, number, 1, from_location, *rest, -micro, AVAILABLE, 0),
        (warehouse, number, 2, to_location, *rest, micro, AVAILABLE, 0),
    )


def _copied(pairs: Sequence[PairRow]) -> bytes:
    ends: dict[tuple[str | int, ...], tuple[bytes, bytes, bytes]] = {}
    parts = [HEADER]
    for pair in pairs:
        what = pair[1:-1]
        known = ends.get(what)
        if known is None:
            known = ends[what] = _shared_parts(pair)
        start, given, taken = known
        number, micro = eight_bytes(pair[0]), pair[-1]
        parts += (start, number, given, eight_bytes(-micro))
        parts += (start, number, taken, eight_bytes(micro))
    parts.append(TRAILER)
    return b"".join(parts)


def _shared_parts(pair: PairRow) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the record_no, and between it and the quantity in either line."""
    _, warehouse, from_location, to_location, item, lot, serial, sscc, unit, expiry_date, _ = pair
    start = FIELDS_COUNT + text_field(warehouse) + LENGTH_8
    rest = b"".join(map(text_field, (item, lot, serial, sscc, expiry_date, unit))) + LENGTH_8
    return start, LINE_1 + text_field(from_location) + rest, LINE_2 + text_field(to_location) + rest
