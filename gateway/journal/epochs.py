"""Mints an epoch at each start and checks where the one before ended. Edge of SQLite."""

import sqlite3

from central.contract.facts import NO_HEAD, chain_next, chain_start
from central.contract.identifiers import Epoch
from gateway.errors import JournalDamaged
from gateway.journal.append import Head
from gateway.journal.transactions import transaction

SELECT_LAST_FACTS = "SELECT number, digest, data FROM facts ORDER BY number DESC LIMIT 2"
SELECT_LAST_EPOCH = """
    SELECT start_count, nonce, first_number, previous_epoch_head FROM epochs
    ORDER BY start_count DESC LIMIT 1
"""
CLOSE_EPOCHS = "UPDATE epochs SET head_seq = ? - first_number WHERE head_seq IS NULL"
# A start that recorded nothing leaves no trace but the counter.
DELETE_EMPTY_EPOCHS = "DELETE FROM epochs WHERE head_seq = 0"
INSERT_EPOCH = """
    INSERT INTO epochs (start_count, nonce, first_number, previous_epoch_head) VALUES (?, ?, ?, ?)
"""


def mint_epoch(connection: sqlite3.Connection, *, gateway: str, nonce: int) -> Head:
    """Return the head of a new epoch, durable; the epoch before is closed where its facts end.

    Raises JournalDamaged if the last fact does not continue the chain.
    """
    with transaction(connection):
        newest = connection.execute(SELECT_LAST_FACTS).fetchall()
        last = connection.execute(SELECT_LAST_EPOCH).fetchone()
        if newest:
            _check_last_fact(newest, last, gateway=gateway)
        next_number = newest[0][0] + 1 if newest else 1
        previous_head = newest[0][1] if newest else NO_HEAD
        epoch = Epoch(start_count=(last[0] if last else 0) + 1, nonce=nonce)
        connection.execute(CLOSE_EPOCHS, (next_number,))
        connection.execute(DELETE_EMPTY_EPOCHS)
        connection.execute(
            INSERT_EPOCH, (epoch.start_count, f"{nonce:016x}", next_number, previous_head)
        )
    digest = chain_start(gateway=gateway, epoch=epoch, previous_epoch_head=previous_head)
    return Head(epoch, first_number=next_number, seq=0, digest=digest)


def _check_last_fact(
    newest: list[tuple[int, bytes, bytes]],
    last: tuple[int, str, int, bytes] | None,
    *,
    gateway: str,
) -> None:
    number, digest, data = newest[0]
    if last is None:
        raise _damaged(number)
    start_count, nonce, first_number, previous_epoch_head = last
    if number < first_number:
        return  # The last start recorded nothing; an earlier one checked this fact.
    before = (
        newest[1][1]
        if number > first_number
        else chain_start(
            gateway=gateway,
            epoch=Epoch(start_count=start_count, nonce=int(nonce, 16)),
            previous_epoch_head=previous_epoch_head,
        )
    )
    if chain_next(before, data) != digest:
        raise _damaged(number)


def _damaged(number: int) -> JournalDamaged:
    return JournalDamaged(
        f"the journal's chain of digests is broken at its last fact, number {number}",
        hint="Keep the journal's files, call support, run `dockledger-gateway journal verify`.",
    )
