"""Follows the chain of digests through the stored facts, a run at a time. Edge of SQLite."""

import sqlite3

from central.contract.facts import chain_next, chain_start
from central.contract.identifiers import Epoch
from gateway.errors import JournalDamaged
from gateway.journal.pruned import Pruned, load_pruned

SELECT_FACTS = "SELECT number, digest, data FROM facts WHERE number > ? ORDER BY number LIMIT ?"
SELECT_STARTS = """
    SELECT first_number, start_count, nonce, previous_epoch_head FROM epochs
    WHERE first_number BETWEEN ? AND ? ORDER BY start_count
"""
SELECT_DIGEST = "SELECT digest FROM facts WHERE number = ?"
VERIFY_HINT = "Keep the journal's files, call support, run `dockledger-gateway journal verify`."


def check_chain(
    connection: sqlite3.Connection, *, gateway: str, after: Pruned, facts_max: int
) -> Pruned:
    """Return the last of the facts after `after` that were checked; `after` if there is none.

    Raises JournalDamaged where the chain is broken or a fact is missing.
    """
    rows = connection.execute(SELECT_FACTS, (after.number, facts_max)).fetchall()
    last = after.number + len(rows)
    starts = _starts(connection, gateway=gateway, first=after.number + 1, last=last)
    number, previous = after.number, after.digest
    for found, digest, data in rows:
        number += 1
        if found != number:
            raise JournalDamaged(
                f"the journal's facts {number} to {found - 1} are missing", hint=VERIFY_HINT
            )
        if number in starts:
            start, previous_epoch_head = starts[number]
            if previous_epoch_head != previous:
                raise broken_at(number)
            previous = start
        if chain_next(previous, data) != digest:
            raise broken_at(number)
        previous = digest
    return Pruned(number, previous)


def chain_before(connection: sqlite3.Connection, number: int) -> Pruned:
    """Return the chain before the fact `number`, to check from there on."""
    pruned = load_pruned(connection)
    if number - 1 <= pruned.number:
        return pruned
    row = connection.execute(SELECT_DIGEST, (number - 1,)).fetchone()
    if row is None:
        raise JournalDamaged(f"the journal's fact {number - 1} is missing", hint=VERIFY_HINT)
    return Pruned(number - 1, row[0])


def broken_at(number: int) -> JournalDamaged:
    """Return the error for a fact that does not continue the chain."""
    return JournalDamaged(
        f"the journal's chain of digests is broken at fact number {number}", hint=VERIFY_HINT
    )


def _starts(
    connection: sqlite3.Connection, *, gateway: str, first: int, last: int
) -> dict[int, tuple[bytes, bytes]]:
    """Return the chain before each epoch that begins there, and the head that it continues."""
    starts = {}
    for number, start_count, nonce, head in connection.execute(SELECT_STARTS, (first, last)):
        epoch = Epoch(start_count=start_count, nonce=int(nonce, 16))
        start = chain_start(gateway=gateway, epoch=epoch, previous_epoch_head=head)
        starts[number] = (start, head)
    return starts
