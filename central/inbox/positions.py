"""How far each epoch is committed, while one call takes batches. Edge of the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from central.contract.envelope import Batch
from central.contract.facts import NO_HEAD
from central.storage import bulk, tables

EpochKey = tuple[str, str]  # gateway, epoch


@dataclass(frozen=True, slots=True)
class Position:
    """What the ledger has of one epoch. acked: 0 for an epoch that it has nothing of."""

    gateway: str
    epoch: str
    warehouse: str
    acked: int
    head_digest: bytes
    previous_epoch_head: bytes


class Positions:
    """The positions that a call works on: read once, moved on by it, written once."""

    def __init__(self, connection: Connection, keys: Iterable[EpochKey]) -> None:
        self._connection = connection
        self._changed: set[EpochKey] = set()
        self._taken: dict[EpochKey, list[Batch]] = {}
        self._positions: dict[EpochKey, Position] = {}
        rows = bulk.select_by_key(connection, tables.positions, sorted(set(keys)), columns_count=2)
        for gateway, epoch, warehouse, acked, head_digest, previous, _updated_ms in rows:
            self._positions[(gateway, epoch)] = Position(
                gateway, epoch, warehouse, acked, head_digest, previous
            )

    def at(self, key: EpochKey, *, warehouse: str) -> Position:
        """Return the position of an epoch; `warehouse` is that of an epoch that begins."""
        return self._positions.get(key) or Position(*key, warehouse, 0, NO_HEAD, NO_HEAD)

    def digest_at(self, position: Position, seq: int | None) -> bytes | None:
        """Return the chain after a fact that the ledger has, also of this call."""
        if seq is None or seq == position.acked:
            return position.head_digest
        for batch in self._taken.get((position.gateway, position.epoch), ()):
            if batch.first_seq <= seq <= batch.last_seq:
                return batch.digests[seq - batch.first_seq]
        facts = tables.facts
        return self._connection.execute(
            select(facts.c.digest).where(
                facts.c.warehouse == position.warehouse,
                facts.c.gateway == position.gateway,
                facts.c.epoch == position.epoch,
                facts.c.seq == seq,
            )
        ).scalar_one_or_none()

    def advance(self, position: Position, batch: Batch) -> None:
        """Note that the batch is taken to its end."""
        key = (position.gateway, position.epoch)
        previous = position.previous_epoch_head if position.acked else batch.previous_epoch_head
        self._positions[key] = replace(
            position,
            acked=batch.last_seq,
            head_digest=batch.digests[-1],
            previous_epoch_head=previous,
        )
        self._changed.add(key)
        self._taken.setdefault(key, []).append(batch)

    def links_to_known_head(self, batch: Batch) -> bool:
        """Return whether a batch that begins an epoch follows on what the ledger has."""
        table = tables.positions
        rows = self._connection.execute(
            select(table.c.head_digest).where(table.c.gateway == batch.gateway)
        )
        heads = {bytes(row.head_digest) for row in rows}
        heads |= {
            one.head_digest for one in self._positions.values() if one.gateway == batch.gateway
        }
        return batch.previous_epoch_head in (heads or {NO_HEAD})

    def write(self, *, now_ms: int) -> None:
        """Write what has moved on."""
        changed: Sequence[Position] = [self._positions[key] for key in sorted(self._changed)]
        bulk.upsert_rows(
            self._connection,
            tables.positions,
            [
                (
                    one.gateway,
                    one.epoch,
                    one.warehouse,
                    one.acked,
                    one.head_digest,
                    one.previous_epoch_head,
                    now_ms,
                )
                for one in changed
            ],
        )
