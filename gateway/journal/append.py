"""Gives facts their numbers and writes them with all that follows from them. Edge of SQLite.

All functions run inside the caller's transaction and change no memory of their own, so that a
failed commit leaves nothing behind.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import (
    Count,
    Fact,
    Movement,
    Reversal,
    Weighing,
    chain_next,
    decode_fact,
    encode_fact,
)
from central.contract.identifiers import Epoch, parse_epoch
from gateway.journal.local_stock import Changes, add_count, add_movement
from gateway.journal.packed_units import pack_own
from gateway.station.effects import UNNUMBERED, WEIGHING_BEFORE

FACTS_PER_APPEND_MAX = 1000
# The tags of the contract's facts, as in the column `kind`.
KIND_TAGS: dict[type[Fact], int] = {
    fact_type: fact_type.__struct_config__.tag for fact_type in Fact.__args__
}
MOVEMENT_TAG = KIND_TAGS[Movement]

INSERT_FACT = "INSERT INTO facts (number, kind, digest, data) VALUES (?, ?, ?, ?)"
INSERT_REVERSED = "INSERT INTO reversed_facts (number, by_number) VALUES (?, ?)"
# An overflowing sum is a REAL to SQLite; the cast brings it back to the end of the range.
ADD_STOCK = """
    INSERT INTO stock (location, item, lot, serial, sscc, unit, on_hand_micro)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE
    SET on_hand_micro = CAST(on_hand_micro + excluded.on_hand_micro AS INTEGER)
"""
DELETE_EMPTY_STOCK = """
    DELETE FROM stock WHERE location = ? AND item = ? AND lot = ? AND serial = ? AND sscc = ?
    AND unit = ? AND on_hand_micro = 0
"""
ADD_RECEIVED = """
    INSERT INTO document_progress (document, document_line, received_micro) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE
    SET received_micro = CAST(received_micro + excluded.received_micro AS INTEGER)
"""
SELECT_ALIBI = "SELECT alibi_number FROM scales WHERE scale = ?"
SET_ALIBI = "INSERT OR REPLACE INTO scales (scale, alibi_number) VALUES (?, ?)"
SELECT_EPOCH_NUMBERS = """
    SELECT first_number, head_seq FROM epochs WHERE start_count = ? AND nonce = ?
"""
SELECT_FACT = "SELECT data FROM facts WHERE number = ?"
SELECT_REVERSED = "SELECT by_number FROM reversed_facts WHERE number = ?"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the current epoch is. seq: its last fact, 0 if none. digest: the chain there."""

    epoch: Epoch
    first_number: int
    seq: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Pending:
    """What one append is about to write."""

    head: Head
    rows: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    alibi_numbers: dict[str, int] = field(default_factory=dict)
    reversed_numbers: dict[int, int] = field(default_factory=dict)


def append_facts(
    connection: sqlite3.Connection, head: Head, drafts: Sequence[Fact]
) -> tuple[Head, list[Fact]]:
    """Write `drafts` as the next facts after `head`; return the new head and the numbered facts.

    Raises ContractError for a fact that cannot be true, such as the second reversal of a movement.
    """
    assert len(drafts) <= FACTS_PER_APPEND_MAX
    pending = _Pending(head)
    weighing_seq = 0
    seq, digest = head.seq, head.digest
    for draft in drafts:
        seq += 1
        fact = _numbered(connection, pending, draft, seq=seq, weighing_seq=weighing_seq)
        if isinstance(fact, Weighing):
            weighing_seq = seq
        data = encode_fact(fact)
        digest = chain_next(digest, data)
        number = head.first_number + seq - 1
        pending.rows.append((number, KIND_TAGS[type(fact)], digest, data))
        pending.facts.append(fact)
        _collect_changes(connection, pending, fact, number=number)
    _write(connection, pending)
    return Head(head.epoch, head.first_number, seq, digest), pending.facts


def _numbered(
    connection: sqlite3.Connection, pending: _Pending, draft: Fact, *, seq: int, weighing_seq: int
) -> Fact:
    assert draft.seq == UNNUMBERED, "the journal numbers facts, nobody else"
    if isinstance(draft, Weighing):
        assert draft.alibi_number == UNNUMBERED, "the journal numbers weighings, nobody else"
        last = pending.alibi_numbers.get(draft.scale)
        if last is None:
            row = connection.execute(SELECT_ALIBI, (draft.scale,)).fetchone()
            last = row[0] if row else 0
        pending.alibi_numbers[draft.scale] = last + 1
        return msgspec.structs.replace(draft, seq=seq, alibi_number=last + 1)
    if isinstance(draft, Movement) and draft.weighing_seq == WEIGHING_BEFORE:
        assert weighing_seq, "no weighing was drafted before this movement"
        return msgspec.structs.replace(draft, seq=seq, weighing_seq=weighing_seq)
    return msgspec.structs.replace(draft, seq=seq)


def _collect_changes(
    connection: sqlite3.Connection, pending: _Pending, fact: Fact, *, number: int
) -> None:
    if isinstance(fact, Movement):
        add_movement(pending.changes, fact)
    elif isinstance(fact, Count):
        add_count(pending.changes, fact)
    elif isinstance(fact, Reversal):
        target = _reversed_number(connection, pending, fact)
        add_movement(pending.changes, _movement_at(connection, pending, target), sign=-1)
        pending.reversed_numbers[target] = number


def _reversed_number(connection: sqlite3.Connection, pending: _Pending, fact: Reversal) -> int:
    epoch = parse_epoch(fact.reverses_epoch)
    row = connection.execute(
        SELECT_EPOCH_NUMBERS, (epoch.start_count, f"{epoch.nonce:016x}")
    ).fetchone()
    if row is None or (row[1] is not None and fact.reverses_seq > row[1]):
        raise ContractError(
            f"{fact.reverses_epoch}/{fact.reverses_seq} is no fact of this journal",
            hint="Reverse only movements of this gateway.",
        )
    number: int = row[0] + fact.reverses_seq - 1
    earlier = connection.execute(SELECT_REVERSED, (number,)).fetchone()
    if earlier is not None or number in pending.reversed_numbers:
        raise ContractError(
            f"{fact.reverses_epoch}/{fact.reverses_seq} is already reversed",
            hint="Scan what really happened as a new movement.",
        )
    return number


def _movement_at(connection: sqlite3.Connection, pending: _Pending, number: int) -> Movement:
    row = connection.execute(SELECT_FACT, (number,)).fetchone()
    before = [data for other, _kind, _digest, data in pending.rows if other == number]
    data = row[0] if row else before[0] if before else b""
    fact = decode_fact(data)
    if not isinstance(fact, Movement):
        raise ContractError(
            f"fact {number} of the journal is no movement", hint="Reverse only movements."
        )
    return fact


def _write(connection: sqlite3.Connection, pending: _Pending) -> None:
    connection.executemany(INSERT_FACT, pending.rows)
    pack_own(connection, pending.facts)
    stock = pending.changes.stock
    if stock:
        connection.executemany(ADD_STOCK, [(*key, micro) for key, micro in stock.items()])
        connection.executemany(DELETE_EMPTY_STOCK, list(stock))
    received = pending.changes.received
    if received:
        connection.executemany(ADD_RECEIVED, [(*key, micro) for key, micro in received.items()])
    if pending.alibi_numbers:
        connection.executemany(SET_ALIBI, list(pending.alibi_numbers.items()))
    if pending.reversed_numbers:
        connection.executemany(INSERT_REVERSED, list(pending.reversed_numbers.items()))
