"""What is gone of the journal's facts, and the chain where the rest begins. Edge of SQLite."""

import sqlite3
from dataclasses import dataclass

SELECT_PRUNED = "SELECT number, digest FROM pruned"
SET_PRUNED = "UPDATE pruned SET number = ?, digest = ?"
SELECT_FOLLOWING_HEAD = """
    SELECT first_number, previous_epoch_head FROM epochs
    WHERE first_number > ? ORDER BY start_count LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Facts up to `number` are gone, 0 for none; digest: the chain there."""

    number: int
    digest: bytes


def load_pruned(connection: sqlite3.Connection) -> Pruned:
    """Return how far the facts are gone."""
    number, digest = connection.execute(SELECT_PRUNED).fetchone()
    return Pruned(number, digest)


def pruned_digest(connection: sqlite3.Connection, pruned: Pruned, number: int) -> bytes | None:
    """Return the chain after a fact that is gone, where it is still known: at the end of what is
    gone and at the end of each epoch; None elsewhere."""
    if number == pruned.number:
        return pruned.digest
    row = connection.execute(SELECT_FOLLOWING_HEAD, (number,)).fetchone()
    return row[1] if row is not None and row[0] == number + 1 else None
