"""What the journal is asked, besides its outbox and print jobs. Edge of SQLite."""

import sqlite3
from decimal import Decimal

from central.contract.facts import Fact, Movement, Packing, decode_fact
from central.contract.identifiers import Epoch, FactId
from central.contract.quantities import from_micro
from gateway.journal.append import FACTS_PER_APPEND_MAX, MOVEMENT_TAG, Head
from gateway.journal.records import StockRow
from gateway.station.book import Reversible

SELECT_STOCK = """
    SELECT location, item, lot, serial, sscc, unit, on_hand_micro FROM stock
    WHERE on_hand_micro <> 0
    AND (?1 = '' OR location = ?1) AND (?2 = '' OR item = ?2) AND (?3 = '' OR sscc = ?3)
    ORDER BY location, item, lot, serial, sscc, unit
"""
# By a location alone the table's key finds the rows; this is what a screen asks for.
SELECT_STOCK_AT = """
    SELECT location, item, lot, serial, sscc, unit, on_hand_micro FROM stock
    WHERE on_hand_micro <> 0 AND location = ?1
    AND (?2 = '' OR item = ?2) AND (?3 = '' OR sscc = ?3)
    ORDER BY location, item, lot, serial, sscc, unit
"""
SELECT_RECEIVED = """
    SELECT document_line, received_micro FROM document_progress WHERE document = ?1
    UNION ALL SELECT document_line, received_micro FROM others_progress WHERE document = ?1
    ORDER BY document_line
"""
UNITS_DEEP_MAX = 8  # The ledger packs no deeper.
SELECT_INSIDE = """
    WITH RECURSIVE inside (sscc, depth) AS (
        VALUES (?1, 0)
        UNION
        SELECT packing.sscc, inside.depth + 1 FROM inside
        JOIN packing ON packing.parent = inside.sscc WHERE inside.depth < ?2
    )
    SELECT sscc FROM inside ORDER BY depth, sscc
"""
SELECT_NEWEST = "SELECT number, data FROM facts ORDER BY number DESC LIMIT ?"
SELECT_NEWEST_MOVEMENTS = """
    SELECT number, data FROM facts
    WHERE kind = ? AND number NOT IN (SELECT number FROM reversed_facts)
    ORDER BY number DESC LIMIT ?
"""
SELECT_AFTER = "SELECT data FROM facts WHERE number > ? ORDER BY number LIMIT ?"
UNDO_SEARCHED_MAX = 1000  # Movements of other stations since the one that is to be undone.
SELECT_EPOCH_OF = """
    SELECT start_count, nonce, first_number FROM epochs
    WHERE first_number <= ? ORDER BY start_count DESC LIMIT 1
"""
NEXT_SSCC = "UPDATE identity SET sscc_reference = sscc_reference + 1 RETURNING sscc_reference"


def stock_rows(
    connection: sqlite3.Connection, *, location: str, item: str, sscc: str
) -> list[StockRow]:
    """Return local stock that is not zero, in the order of its key; "" filters nothing."""
    statement = SELECT_STOCK_AT if location else SELECT_STOCK
    return [
        StockRow(
            location=row[0],
            item=row[1],
            lot=row[2],
            serial=row[3],
            sscc=row[4],
            unit=row[5],
            on_hand=from_micro(row[6]),
        )
        for row in connection.execute(statement, (location, item, sscc))
    ]


def units_inside(connection: sqlite3.Connection, sscc: str) -> list[str]:
    """Return a unit and all that is in it, at any depth, the outer ones first."""
    rows = connection.execute(SELECT_INSIDE, (sscc, UNITS_DEEP_MAX))
    return list(dict.fromkeys(row[0] for row in rows))  # Once each, if one were in itself.


def received_by_line(connection: sqlite3.Connection, document: str) -> dict[int, Decimal]:
    """Return what this gateway did of each line of a document, and others by central's word."""
    received: dict[int, Decimal] = {}
    for line, micro in connection.execute(SELECT_RECEIVED, (document,)):
        received[line] = received.get(line, Decimal(0)) + from_micro(micro)
    return received


def newest_facts(
    connection: sqlite3.Connection, gateway: str, limit: int
) -> list[tuple[FactId, Fact]]:
    """Return the newest facts, newest first."""
    return [
        (fact_id(connection, gateway, number), decode_fact(data))
        for number, data in connection.execute(SELECT_NEWEST, (limit,)).fetchall()
    ]


def newest_reversible(
    connection: sqlite3.Connection, gateway: str, *, station: str
) -> Reversible | None:
    """Return the newest movement of a station that is not taken back, None if there is none near.

    With it the packings that its scan recorded: the facts of a scan follow each other.
    station: "" for any.
    """
    rows = connection.execute(SELECT_NEWEST_MOVEMENTS, (MOVEMENT_TAG, UNDO_SEARCHED_MAX))
    for number, data in rows:
        fact = decode_fact(data)
        assert isinstance(fact, Movement)
        if station in {"", fact.station}:
            rows.close()
            packings = tuple(_packed_with(connection, number, fact))
            return Reversible(fact_id(connection, gateway, number), fact, packings)
    return None


def _packed_with(connection: sqlite3.Connection, number: int, movement: Movement) -> list[Packing]:
    scanned, found = _scan_of(movement), []
    # What one scan records is in one append.
    rows = connection.execute(SELECT_AFTER, (number, FACTS_PER_APPEND_MAX))
    for (data,) in rows:
        fact = decode_fact(data)
        if _scan_of(fact) != scanned:
            break
        if isinstance(fact, Packing):
            found.append(fact)
    rows.close()
    return found


def _scan_of(fact: Fact) -> tuple[object, ...]:
    return fact.boot_id, fact.monotonic_ns, fact.station, fact.evidence


def fact_id(connection: sqlite3.Connection, gateway: str, number: int) -> FactId:
    """Return the identity of the journal's fact `number`."""
    start_count, nonce, first_number = connection.execute(SELECT_EPOCH_OF, (number,)).fetchone()
    epoch = Epoch(start_count=start_count, nonce=int(nonce, 16))
    return FactId(gateway=gateway, epoch=epoch, seq=number - first_number + 1)


def next_sscc_reference(connection: sqlite3.Connection) -> int:
    """Return the next serial reference for an SSCC, inside the caller's transaction."""
    reference: int = connection.execute(NEXT_SSCC).fetchone()[0]
    return reference


def current_fact_id(head: Head, gateway: str, seq: int) -> FactId:
    """Return the identity of fact `seq` of the current epoch."""
    return FactId(gateway=gateway, epoch=head.epoch, seq=seq)
