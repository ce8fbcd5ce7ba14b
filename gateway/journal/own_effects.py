"""What runs of own facts change in stock, summed aside in bounded steps. Edge of SQLite.

The sums stand in a temporary table, so that a million facts cost neither memory nor, since they are
read before the transaction that needs them, the time of anyone who scans.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from central.contract.facts import Movement, Reversal, decode_fact
from central.contract.identifiers import Epoch, parse_epoch
from gateway.journal.append import KIND_TAGS, SELECT_EPOCH_NUMBERS, SELECT_FACT
from gateway.journal.local_stock import Changes, add_movement

FACTS_PER_STEP_MAX = 2000
KEY = "location, item, lot, serial, sscc, unit"

MAKE_TABLE = """
    CREATE TEMP TABLE IF NOT EXISTS own_effects (
        location TEXT NOT NULL,
        item TEXT NOT NULL,
        lot TEXT NOT NULL,
        serial TEXT NOT NULL,
        sscc TEXT NOT NULL,
        unit TEXT NOT NULL,
        on_hand_micro INTEGER NOT NULL,
        PRIMARY KEY (location, item, lot, serial, sscc, unit)
    ) STRICT, WITHOUT ROWID
"""
EMPTY_TABLE = "DELETE FROM temp.own_effects"
ADD_EFFECT = """
    INSERT INTO temp.own_effects (location, item, lot, serial, sscc, unit, on_hand_micro)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE
    SET on_hand_micro = CAST(on_hand_micro + excluded.on_hand_micro AS INTEGER)
"""
SELECT_MOVING = f"""
    SELECT number, kind, data FROM facts WHERE number BETWEEN ? AND ?
    AND kind IN ({KIND_TAGS[Movement]}, {KIND_TAGS[Reversal]}) ORDER BY number LIMIT ?
"""  # noqa: S608 - two numbers of the contract
SELECT_EPOCHS = """
    SELECT start_count, nonce, first_number,
        coalesce(
            head_seq,
            max(0, (SELECT coalesce(max(number), 0) FROM facts) - first_number + 1)
        )
    FROM epochs ORDER BY start_count
"""
SELECT_LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM facts"

Positions = Mapping[Epoch, int]  # Of own facts; an epoch that is not in it: none of them.


@dataclass(frozen=True, slots=True)
class OwnRange:
    """A run of own facts by their numbers. sign: 1 adds what they change, -1 takes it back."""

    first_number: int
    last_number: int
    sign: int


@dataclass(frozen=True, slots=True)
class OwnEpoch:
    """An epoch of this journal. head_seq: its last fact, 0 if none."""

    epoch: Epoch
    first_number: int
    head_seq: int


def own_epochs(connection: sqlite3.Connection) -> list[OwnEpoch]:
    """Return all epochs of the journal, oldest first."""
    return [
        OwnEpoch(Epoch(start_count=row[0], nonce=int(row[1], 16)), row[2], row[3])
        for row in connection.execute(SELECT_EPOCHS)
    ]


def last_number(connection: sqlite3.Connection) -> int:
    """Return the number of the newest fact, 0 if there is none."""
    number: int = connection.execute(SELECT_LAST_NUMBER).fetchone()[0]
    return number


def ranges_between(
    epochs: Sequence[OwnEpoch], *, before: Positions, after: Positions
) -> list[OwnRange]:
    """Return the own facts that `after` holds and `before` does not, and the other way with -1."""
    ranges = []
    for one in epochs:
        old = min(before.get(one.epoch, 0), one.head_seq)
        new = min(after.get(one.epoch, 0), one.head_seq)
        if old != new:
            sign = 1 if new > old else -1
            first, last = min(old, new) + 1, max(old, new)
            offset = one.first_number - 1
            ranges.append(OwnRange(offset + first, offset + last, sign))
    return ranges


def clear_effects(connection: sqlite3.Connection) -> None:
    """Begin anew: no effect is summed yet."""
    connection.execute(MAKE_TABLE)
    connection.execute(EMPTY_TABLE)


def read_step(
    connection: sqlite3.Connection, run: OwnRange
) -> tuple[list[tuple[bytes, int]], OwnRange | None]:
    """Return the next movements of a run with their sign, and what is left of it.

    A reversal is the movement that it takes back, with the other sign.
    """
    rows = connection.execute(
        SELECT_MOVING, (run.first_number, run.last_number, FACTS_PER_STEP_MAX)
    ).fetchall()
    moves = list(_moves(connection, rows, run.sign))
    if len(rows) < FACTS_PER_STEP_MAX or rows[-1][0] >= run.last_number:
        return moves, None
    return moves, OwnRange(rows[-1][0] + 1, run.last_number, run.sign)


def sum_moves(moves: Sequence[tuple[bytes, int]]) -> Changes:
    """Return what movements change together; needs no lock."""
    changes = Changes()
    for data, sign in moves:
        fact = decode_fact(data)
        assert isinstance(fact, Movement)
        add_movement(changes, fact, sign=sign)
    return changes


def store_step(connection: sqlite3.Connection, changes: Changes) -> None:
    """Add to the sums."""
    rows = [(*key, micro) for key, micro in changes.stock.items() if micro]
    connection.executemany(ADD_EFFECT, rows)


def _moves(
    connection: sqlite3.Connection, rows: Sequence[tuple[int, int, bytes]], sign: int
) -> Iterator[tuple[bytes, int]]:
    for _number, kind, data in rows:
        if kind == KIND_TAGS[Movement]:
            yield data, sign
            continue
        reversal = decode_fact(data)
        assert isinstance(reversal, Reversal)
        target = _reversed_data(connection, reversal)
        if target is not None:  # Both are forgotten together; the two of them change nothing.
            yield target, -sign


def _reversed_data(connection: sqlite3.Connection, reversal: Reversal) -> bytes | None:
    epoch = parse_epoch(reversal.reverses_epoch)
    row = connection.execute(
        SELECT_EPOCH_NUMBERS, (epoch.start_count, f"{epoch.nonce:016x}")
    ).fetchone()
    number = row[0] + reversal.reverses_seq - 1 if row else 0
    found = connection.execute(SELECT_FACT, (number,)).fetchone()
    return found[0] if found else None
