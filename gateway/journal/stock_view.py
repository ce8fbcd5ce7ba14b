"""The stock that is shown, with what it stands on, to be compared at central. Edge of SQLite."""

import sqlite3

from central.contract.wire_types import EpochSeq
from gateway.journal.base_stock import base_positions
from gateway.journal.own_effects import KEY, own_epochs
from gateway.journal.records import Known, StockReport

HEADS_MAX = 1000  # As in the contract's StockDigests.

SELECT_LAST_PLACE = """
    SELECT max(location) FROM (
        SELECT DISTINCT location FROM stock WHERE location > ? ORDER BY location LIMIT ?
    )
"""
SELECT_PLACES_LEFT = "SELECT 1 FROM stock WHERE location > ? LIMIT 1"
SELECT_LEVELS = f"""
    SELECT {KEY}, on_hand_micro FROM stock
    WHERE location > ?1 AND (?2 = '' OR location <= ?2) AND on_hand_micro <> 0
    ORDER BY {KEY}
"""  # noqa: S608 - a constant of this package, not input


def stock_report(
    connection: sqlite3.Connection, known: Known, *, after: str, places_max: int
) -> StockReport | None:
    """Return at most `places_max` places after `after`; None if too many epochs are unheld."""
    heads = _heads(connection)
    if len(heads) > HEADS_MAX:
        return None
    to = connection.execute(SELECT_LAST_PLACE, (after, places_max)).fetchone()[0] or ""
    if to and connection.execute(SELECT_PLACES_LEFT, (to,)).fetchone() is None:
        to = ""  # All that is left: also what central has there and we have not.
    rows = connection.execute(SELECT_LEVELS, (after, to))
    return StockReport(
        stream=known.standing.stream,
        revision=known.revision,
        heads=heads,
        levels=tuple(((row[0], row[1], row[2], row[3], row[4], row[5]), row[6]) for row in rows),
        after=after,
        to=to,
    )


def _heads(connection: sqlite3.Connection) -> tuple[EpochSeq, ...]:
    positions = base_positions(connection)
    return tuple(
        EpochSeq(start_count=one.epoch.start_count, nonce=one.epoch.nonce, seq=one.head_seq)
        for one in own_epochs(connection)
        if one.head_seq > positions.get(one.epoch, 0)
    )
