"""Which facts the ledger has, and the runs of those it has not. Edge of SQLite.

The outbox is the table of facts itself and one acknowledged position an epoch: nothing is copied.
Positions are kept in memory and written with a pause (`write_acks`): one that is lost in a crash
costs some facts sent twice, which the ledger knows; a write for each would cost the card a commit.
"""

import sqlite3
from dataclasses import dataclass, replace

from central.contract.facts import NO_HEAD, chain_start
from central.contract.identifiers import Epoch
from gateway.journal.append import Head
from gateway.journal.pruned import load_pruned, pruned_digest
from gateway.journal.records import EpochProgress, StoredRun

SELECT_UNACKED = """
    SELECT start_count, nonce, first_number, previous_epoch_head, head_seq, acked_seq FROM epochs
    WHERE head_seq IS NOT NULL AND acked_seq < head_seq ORDER BY start_count
"""
SELECT_KEPT = """
    SELECT start_count, nonce, first_number, previous_epoch_head, head_seq, acked_seq FROM epochs
    WHERE head_seq IS NULL OR head_seq > 0 ORDER BY start_count
"""
SELECT_EPOCH = """
    SELECT start_count, nonce, first_number, previous_epoch_head, head_seq, acked_seq FROM epochs
    WHERE start_count = ? AND nonce = ?
"""
SELECT_RUN = "SELECT data FROM facts WHERE number BETWEEN ? AND ? ORDER BY number LIMIT ?"
SELECT_DIGEST = "SELECT digest FROM facts WHERE number = ?"
SET_ACKED = "UPDATE epochs SET acked_seq = ? WHERE start_count = ? AND acked_seq < ?"
SET_STABLE = "UPDATE epochs SET stable_seq = ? WHERE start_count = ? AND stable_seq < ?"
# How many epochs' stable positions are remembered, so that only news are written.
STABLE_EPOCHS_MAX = 256


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch. head_seq is None in the current one: its head is the journal's."""

    epoch: Epoch
    first_number: int
    previous_epoch_head: bytes
    head_seq: int | None
    acked_seq: int


class Outbox:
    """The unacknowledged epochs of one journal; the journal's lock guards it.

    Memory: one entry an epoch that is not acknowledged whole, hence one a start without central.
    """

    def __init__(self, connection: sqlite3.Connection, *, gateway: str, current: Epoch) -> None:
        self._connection = connection
        self._gateway = gateway
        self._current = current
        self._unacked: dict[Epoch, EpochRow] = {
            row.epoch: row for row in map(_epoch_row, connection.execute(SELECT_UNACKED))
        }
        row = find_epoch(connection, current)
        assert row is not None
        self._unacked[current] = row
        self._unwritten: dict[Epoch, int] = {}
        self._stable: dict[Epoch, int] = {}
        self._unwritten_stable: dict[Epoch, int] = {}
        self.pruned = load_pruned(connection)

    @property
    def unwritten_count(self) -> int:
        """Return how many epochs have a position that is not yet on disk."""
        return len(self._unwritten) + len(self._unwritten_stable)

    def epochs(self, head: Head) -> list[EpochProgress]:
        """Return the epochs with unacknowledged facts and the current one, oldest first."""
        return [
            EpochProgress(row.epoch, head_seq=_head_seq(row, head), acked_seq=row.acked_seq)
            for row in self._unacked.values()
        ]

    def kept_epochs(self, head: Head) -> list[EpochProgress]:
        """Return every epoch that the journal still has facts of, oldest first."""
        rows = [_epoch_row(row) for row in self._connection.execute(SELECT_KEPT)]
        return [
            EpochProgress(row.epoch, head_seq=_head_seq(row, head), acked_seq=row.acked_seq)
            for row in (self._unacked.get(row.epoch, row) for row in rows)
            if _head_seq(row, head) > 0
        ]

    def progress(self, head: Head, epoch: Epoch) -> EpochProgress | None:
        """Return how far any epoch of this journal is, also one that is acknowledged whole."""
        row = self._unacked.get(epoch) or find_epoch(self._connection, epoch)
        if row is None:
            return None
        return EpochProgress(row.epoch, head_seq=_head_seq(row, head), acked_seq=row.acked_seq)

    def unsent_count(self, head: Head) -> int:
        """Return how many facts the ledger has not acknowledged."""
        return sum(_head_seq(row, head) - row.acked_seq for row in self._unacked.values())

    def record_ack(self, head: Head, epoch: Epoch, *, acked: int) -> None:
        """Raise the acknowledged position of an epoch; a lower or unknown one changes nothing."""
        row = self._unacked.get(epoch)
        if row is None:
            return
        acked = min(acked, _head_seq(row, head))
        if acked <= row.acked_seq:
            return
        self._unacked[epoch] = replace(row, acked_seq=acked)
        self._unwritten[epoch] = acked
        if row.head_seq is not None and acked == row.head_seq:
            del self._unacked[epoch]

    def record_stable(self, head: Head, epoch: Epoch, *, stable: int) -> None:
        """Raise the position up to which the ledger holds an epoch safely; never goes down."""
        if stable <= self._stable.get(epoch, 0):
            return
        row = self._unacked.get(epoch) or find_epoch(self._connection, epoch)
        if row is None:
            return
        if len(self._stable) >= STABLE_EPOCHS_MAX:
            self._stable.clear()  # Costs a write that changes nothing, at most.
        self._stable[epoch] = self._unwritten_stable[epoch] = min(stable, _head_seq(row, head))

    def write_acks(self) -> None:
        """Write the acknowledged positions, inside the caller's transaction."""
        self._connection.executemany(
            SET_ACKED,
            [(acked, epoch.start_count, acked) for epoch, acked in self._unwritten.items()],
        )
        self._connection.executemany(
            SET_STABLE,
            [(seq, epoch.start_count, seq) for epoch, seq in self._unwritten_stable.items()],
        )

    def acks_written(self) -> None:
        """Take note that the transaction of `write_acks` is committed."""
        self._unwritten.clear()
        self._unwritten_stable.clear()

    def read_run(
        self, head: Head, epoch: Epoch, *, first_seq: int, facts_max: int, bytes_max: int
    ) -> StoredRun | None:
        """Return facts from `first_seq` on, at least one; None if there is none, or none more."""
        assert first_seq >= 1 and facts_max >= 1
        row = self._unacked.get(epoch) or find_epoch(self._connection, epoch)
        if row is None or first_seq > _head_seq(row, head):
            return None
        first = row.first_number + first_seq - 1
        previous_digest = self._digest_before(row, first_seq)
        if first <= self.pruned.number or previous_digest is None:
            return None
        facts: list[bytes] = []
        bytes_count = 0
        last = row.first_number + _head_seq(row, head) - 1
        for (data,) in self._connection.execute(SELECT_RUN, (first, last, facts_max)):
            bytes_count += len(data)
            if facts and bytes_count > bytes_max:
                break
            facts.append(data)
        return StoredRun(
            epoch=epoch,
            first_seq=first_seq,
            previous_epoch_head=row.previous_epoch_head if first_seq == 1 else NO_HEAD,
            previous_digest=previous_digest,
            facts=tuple(facts),
        )

    def digest_at(self, head: Head, epoch: Epoch, seq: int) -> bytes | None:
        """Return the chain after fact `seq`, NO_HEAD for 0; None if it is not known here."""
        row = self._unacked.get(epoch) or find_epoch(self._connection, epoch)
        if row is None or not 0 <= seq <= _head_seq(row, head):
            return None
        return NO_HEAD if seq == 0 else self._digest(row.first_number + seq - 1)

    def _digest_before(self, row: EpochRow, seq: int) -> bytes | None:
        if seq > 1:
            return self._digest(row.first_number + seq - 2)
        return chain_start(
            gateway=self._gateway,
            epoch=row.epoch,
            previous_epoch_head=row.previous_epoch_head,
        )

    def _digest(self, number: int) -> bytes | None:
        if number <= self.pruned.number:
            return pruned_digest(self._connection, self.pruned, number)
        digest: bytes = self._connection.execute(SELECT_DIGEST, (number,)).fetchone()[0]
        return digest


def find_epoch(connection: sqlite3.Connection, epoch: Epoch) -> EpochRow | None:
    """Return an epoch of this journal, None if it is another's."""
    row = connection.execute(SELECT_EPOCH, (epoch.start_count, f"{epoch.nonce:016x}")).fetchone()
    return None if row is None else _epoch_row(row)


def _epoch_row(row: tuple[int, str, int, bytes, int | None, int]) -> EpochRow:
    start_count, nonce, first_number, previous_epoch_head, head_seq, acked_seq = row
    return EpochRow(
        epoch=Epoch(start_count=start_count, nonce=int(nonce, 16)),
        first_number=first_number,
        previous_epoch_head=previous_epoch_head,
        head_seq=head_seq,
        acked_seq=acked_seq,
    )


def _head_seq(row: EpochRow, head: Head) -> int:
    return head.seq if row.head_seq is None else row.head_seq
