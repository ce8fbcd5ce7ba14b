"""Forgets facts that the ledger holds safely, oldest first, a few at a time. Edge of SQLite.

A fact goes only if ALL of this holds: acknowledged; stable by the ledger's word; in the base
stock's positions, if there is a base stock; old enough in hours that this gateway has RUN, so that
no wrong clock can make it old; and it is not among the newest, which undo and the next start need.
What it put into derived tables stays as a sum; a weighing stays whole, in the alibi memory.

A movement that is taken back goes only when its reversal may go, too. Together they add nothing to
the sums: so a kept reversal whose movement is gone changes nothing.
"""

import sqlite3
from dataclasses import dataclass, field, replace

from central.contract.facts import Count, Movement, Weighing, chain_start, decode_fact
from central.contract.identifiers import Epoch
from gateway.journal.append import Head
from gateway.journal.local_stock import Changes, add_count, add_movement
from gateway.journal.pruned import SET_PRUNED, Pruned, load_pruned
from gateway.journal.running_hours import forget_hours, newest_number_before
from gateway.journal.transactions import transaction

FACTS_PER_SLICE_MAX = 200
RECORDS_PER_SLICE_MAX = 200
NEWEST_FACTS_KEPT = 1000
PRINT_JOBS_KEPT = 1000
EPOCHS_KEPT = 1000
KEEP_DAYS_MIN = 14
ALIBI_KEEP_DAYS_MIN = 90  # WELMEC 7.2, extension L: at least three months.

# Up to where each epoch may be forgotten. The current one (head_seq NULL) has no end yet.
SELECT_SAFE_EPOCHS = """
    SELECT epochs.first_number, head_seq,
        min(acked_seq, stable_seq, CASE WHEN ?1 THEN coalesce(seq, 0) ELSE acked_seq END)
    FROM epochs LEFT JOIN base_positions USING (start_count, nonce)
    WHERE head_seq IS NULL OR epochs.first_number + head_seq > ?2 + 1
    ORDER BY start_count
"""
SELECT_HAS_BASE = "SELECT count(*) FROM ledger_knowledge"
SELECT_OPEN_REVERSAL = "SELECT min(number) FROM reversed_facts WHERE number <= ? AND by_number > ?"
SELECT_REVERSED = "SELECT number FROM reversed_facts WHERE number <= ?"
SELECT_SLICE = "SELECT number, digest, data FROM facts WHERE number <= ? ORDER BY number"
SELECT_EPOCH_OF = """
    SELECT start_count, nonce, first_number, previous_epoch_head FROM epochs
    WHERE first_number <= ? ORDER BY start_count DESC LIMIT 1
"""
INSERT_RECORD = "INSERT INTO alibi_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
DELETE_FACTS = "DELETE FROM facts WHERE number <= ?"
DELETE_REVERSED = "DELETE FROM reversed_facts WHERE number <= ?"
ADD_PRUNED_STOCK = """
    INSERT INTO pruned_stock VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET on_hand_micro = CAST(on_hand_micro + excluded.on_hand_micro AS INTEGER)
"""
EMPTY_PRUNED_STOCK = "DELETE FROM pruned_stock"
ADD_PRUNED_PROGRESS = """
    INSERT INTO pruned_progress VALUES (?, ?, ?) ON CONFLICT DO UPDATE
    SET received_micro = CAST(received_micro + excluded.received_micro AS INTEGER)
"""
SELECT_OLD_RECORDS = """
    SELECT number, scale, alibi_number FROM alibi_records WHERE number <= ? ORDER BY number LIMIT ?
"""
SET_FORGOTTEN = "INSERT OR REPLACE INTO alibi_forgotten VALUES (?, ?)"
DELETE_RECORDS = "DELETE FROM alibi_records WHERE number <= ?"
DELETE_PRINT_JOBS = f"""
    DELETE FROM print_jobs WHERE number IN (
        SELECT number FROM print_jobs
        WHERE state = 'over' AND number <= (SELECT max(number) FROM print_jobs) - {PRINT_JOBS_KEPT}
        ORDER BY number LIMIT {RECORDS_PER_SLICE_MAX}
    )
"""  # noqa: S608 - constants of this file
DELETE_EPOCHS = f"""
    DELETE FROM epochs WHERE head_seq IS NOT NULL AND acked_seq >= head_seq
    AND first_number + head_seq <= ?1 + 1
    AND start_count <= (SELECT max(start_count) FROM epochs) - {EPOCHS_KEPT}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long facts and weighings stay, in days that the gateway has run."""

    keep_days: int = KEEP_DAYS_MIN
    alibi_keep_days: int = ALIBI_KEEP_DAYS_MIN


@dataclass(frozen=True, slots=True)
class _Slice:
    """What one step forgets."""

    last: Pruned
    changes: Changes = field(default_factory=Changes)
    records: list[tuple[object, ...]] = field(default_factory=list)


def prune_slice(
    connection: sqlite3.Connection, head: Head, keeping: Keeping, *, gateway: str
) -> Pruned:
    """Forget the next few facts, if any may be; return how far they are gone now, durably."""
    pruned = load_pruned(connection)
    last_number = _last_to_forget(connection, head, pruned, keeping)
    if last_number <= pruned.number:
        return pruned
    found = _read_slice(connection, pruned, last_number, gateway=gateway)
    with transaction(connection):
        connection.executemany(INSERT_RECORD, found.records)
        if _has_base(connection):
            connection.execute(EMPTY_PRUNED_STOCK)
        else:
            rows = [(*key, micro) for key, micro in found.changes.stock.items() if micro]
            connection.executemany(ADD_PRUNED_STOCK, rows)
        received = [(*key, micro) for key, micro in found.changes.received.items() if micro]
        connection.executemany(ADD_PRUNED_PROGRESS, received)
        connection.execute(DELETE_FACTS, (last_number,))
        connection.execute(DELETE_REVERSED, (last_number,))
        connection.execute(SET_PRUNED, (found.last.number, found.last.digest))
    return found.last


def forget_old(connection: sqlite3.Connection, keeping: Keeping) -> None:
    """Forget a few of the weighings, print jobs, epochs and hours that are kept no longer."""
    pruned = load_pruned(connection)
    number = min(newest_number_before(connection, days=keeping.alibi_keep_days), pruned.number)
    records = connection.execute(SELECT_OLD_RECORDS, (number, RECORDS_PER_SLICE_MAX)).fetchall()
    with transaction(connection):
        connection.executemany(SET_FORGOTTEN, [row[1:] for row in records])
        if records:
            connection.execute(DELETE_RECORDS, (records[-1][0],))
        connection.execute(DELETE_PRINT_JOBS)
        connection.execute(DELETE_EPOCHS, (pruned.number,))
        forget_hours(connection, days=max(keeping.keep_days, keeping.alibi_keep_days))


def _last_to_forget(
    connection: sqlite3.Connection, head: Head, pruned: Pruned, keeping: Keeping
) -> int:
    newest = head.first_number + head.seq - 1
    safe = min(newest - NEWEST_FACTS_KEPT, newest_number_before(connection, days=keeping.keep_days))
    if safe <= pruned.number:
        return safe
    for first_number, head_seq, safe_seq in connection.execute(
        SELECT_SAFE_EPOCHS, (_has_base(connection), pruned.number)
    ):
        if head_seq is None or safe_seq < head_seq:
            safe = min(safe, first_number + safe_seq - 1)
            break
        if first_number + head_seq > safe:
            break
    limit = min(safe, pruned.number + FACTS_PER_SLICE_MAX)
    (reversed_number,) = connection.execute(SELECT_OPEN_REVERSAL, (limit, safe)).fetchone()
    return limit if reversed_number is None else reversed_number - 1


def _has_base(connection: sqlite3.Connection) -> bool:
    count: int = connection.execute(SELECT_HAS_BASE).fetchone()[0]
    return count > 0


def _read_slice(
    connection: sqlite3.Connection, pruned: Pruned, last_number: int, *, gateway: str
) -> _Slice:
    found = _Slice(Pruned(last_number, pruned.digest))
    reversed_numbers = {row[0] for row in connection.execute(SELECT_REVERSED, (last_number,))}
    previous = pruned.digest
    for number, digest, data in connection.execute(SELECT_SLICE, (last_number,)):
        fact = decode_fact(data)
        if isinstance(fact, Movement) and number not in reversed_numbers:
            add_movement(found.changes, fact)
        elif isinstance(fact, Count):
            add_count(found.changes, fact)
        elif isinstance(fact, Weighing):
            link = _link(connection, number, previous, gateway=gateway)
            found.records.append((number, fact.scale, fact.alibi_number, *link, digest, data))
        previous = digest
    return replace(found, last=Pruned(last_number, previous))


def _link(
    connection: sqlite3.Connection, number: int, previous: bytes, *, gateway: str
) -> tuple[int, str, int, bytes]:
    """Return start count, nonce and number in its epoch of a fact, and the chain before it."""
    row = connection.execute(SELECT_EPOCH_OF, (number,)).fetchone()
    start_count, nonce, first_number, previous_epoch_head = row
    if number == first_number:
        epoch = Epoch(start_count=start_count, nonce=int(nonce, 16))
        previous = chain_start(
            gateway=gateway, epoch=epoch, previous_epoch_head=previous_epoch_head
        )
    return start_count, nonce, number - first_number + 1, previous
