"""How far each epoch is committed, while one call takes batches. Edge of the database.

On PostgreSQL the rows are locked in the order of their keys, so that of several workers that hear
one gateway only one at a time moves an epoch on. An epoch that begins has no row to lock:
`overtaken` says, under the ledger's own lock, that another worker has begun it meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from central.contract.envelope import Batch
from central.contract.facts import NO_HEAD
from central.inbox.receiver import NOTHING, Standing, advanced
from central.ledger.state import LOCK_ROWS, LedgerState, lock_soon, state_of
from central.storage import bulk, tables

EpochKey = tuple[str, str]  # gateway, epoch
Asked = Callable[[], Sequence[bulk.Row]]  # Gives the rows of what was asked.

# Bound one by one: of an array the server learns each time anew how short it is, and plans anew.
_IS_WANTED = "gateway = ? AND epoch = ?"
_LOCK_POSITIONS = """
SELECT gateway, epoch, warehouse, acked_seq, head_digest, previous_epoch_head, updated_ms,
       stable_seq
FROM positions WHERE {wanted} ORDER BY gateway, epoch FOR UPDATE
"""
# Each part is run to its end before the next one is begun. The last row is the ledger's state.
_LOCK_BOTH = """
SELECT * FROM ({positions}) places
UNION ALL
SELECT json_object_agg(key, value)::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM ({state}) state
"""


class Position(msgspec.Struct, frozen=True):
    """What the ledger has of one epoch."""

    gateway: str
    epoch: str
    warehouse: str
    standing: Standing
    previous_epoch_head: bytes


def lock_positions(connection: Connection, keys: Iterable[EpochKey]) -> Asked:
    """Lock the positions of epochs before whatever is asked next, and with it; return the rows."""
    wanted = sorted(set(keys))
    if connection.dialect.name == "sqlite":  # Its only writer has locked everything.
        found = list(bulk.select_by_key(connection, tables.positions, wanted, columns_count=2))
        return lambda: found
    if not wanted:
        return lambda: ()
    return bulk.open_with(connection, *_lock(wanted, with_ledger=False))


def lock_with_ledger(
    connection: Connection, keys: Iterable[EpochKey]
) -> tuple[Asked, Callable[[], LedgerState]]:
    """Lock the positions of epochs, then the ledger, by one statement; return what gives both.

    As `lock_positions` and `lock_soon` one after the other.
    """
    wanted = sorted(set(keys))
    if connection.dialect.name == "sqlite" or not wanted:
        return lock_positions(connection, wanted), lock_soon(connection)
    rows = bulk.open_with(connection, *_lock(wanted, with_ledger=True))
    return lambda: rows()[:-1], lambda: state_of(_values_of(rows()[-1][0]))


class Positions:
    """The positions that a call works on: read and locked once, moved on by it, written once.

    rows: what `lock_positions` gives. stable_at_commit: what is committed is replicated already.
    """

    def __init__(
        self, connection: Connection, rows: Iterable[bulk.Row], *, stable_at_commit: bool
    ) -> None:
        self._connection = connection
        self._stable_at_commit = stable_at_commit
        self._changed: set[EpochKey] = set()
        self._taken: dict[EpochKey, list[Batch]] = {}
        self._positions: dict[EpochKey, Position] = {}
        for row in rows:
            gateway, epoch, warehouse, acked, head_digest, previous, _updated_ms, stable = row
            standing = Standing(acked, head_digest, acked if stable_at_commit else stable)
            self._positions[gateway, epoch] = Position(
                gateway, epoch, warehouse, standing, previous
            )
        self._stored = frozenset(self._positions)

    def at(self, key: EpochKey, *, warehouse: str) -> Position:
        """Return the position of an epoch; `warehouse` is that of an epoch that begins."""
        return self._positions.get(key) or Position(*key, warehouse, NOTHING, NO_HEAD)

    def newest(self, position: Position) -> Position:
        """Return the position as the call has moved it on."""
        return self._positions.get((position.gateway, position.epoch), position)

    def digest_at(self, position: Position, seq: int) -> bytes | None:
        """Return the chain after a fact that the ledger has, also of this call."""
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

    def advance(self, position: Position, batch: Batch) -> Position:
        """Note that the batch is taken to its end; return the position after it."""
        key = (position.gateway, position.epoch)
        begins = position.standing.acked == 0
        after = replace(
            position,
            standing=advanced(position.standing, batch, stable_at_commit=self._stable_at_commit),
            previous_epoch_head=batch.previous_epoch_head
            if begins
            else position.previous_epoch_head,
        )
        self._positions[key] = after
        self._changed.add(key)
        self._taken.setdefault(key, []).append(batch)
        return after

    def overtaken(self) -> bool:
        """Return whether another worker has begun an epoch that this call begins."""
        begun = sorted(self._changed - self._stored)
        found = bulk.select_by_key(self._connection, tables.positions, begun, columns_count=2)
        return any(True for _ in found)

    def links_to_known_head(self, batch: Batch) -> bool:
        """Return whether a batch that begins an epoch follows on what the ledger has."""
        table = tables.positions
        rows = self._connection.execute(
            select(table.c.head_digest).where(table.c.gateway == batch.gateway)
        )
        heads = {bytes(row.head_digest) for row in rows}
        heads |= {
            one.standing.head_digest
            for one in self._positions.values()
            if one.gateway == batch.gateway and one.epoch < str(batch.epoch)
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
                    one.standing.acked,
                    one.standing.head_digest,
                    one.previous_epoch_head,
                    now_ms,
                    one.standing.stable,
                )
                for one in changed
            ],
        )


def _lock(keys: Sequence[EpochKey], *, with_ledger: bool) -> tuple[str, list[str]]:
    """Return the statement that locks these epochs, and its values."""
    # Padded to a power of two, so that few different statements are prepared.
    slots_count = 1 << (len(keys) - 1).bit_length()
    padded = [*keys, *[keys[0]] * (slots_count - len(keys))]
    values = [value for key in padded for value in key]
    if slots_count > 1:
        values = [*(gateway for gateway, _ in padded), *values]
    return _lock_sql(slots_count, with_ledger=with_ledger), values


_values_of = msgspec.json.Decoder(dict[str, str]).decode


@cache
def _lock_sql(slots_count: int, *, with_ledger: bool) -> str:
    wanted = " OR ".join([f"({_IS_WANTED})"] * slots_count)
    if slots_count > 1:
        # Of conditions joined by OR no index is used by who writes (`WRITER_OPTIONS`).
        wanted = f"gateway IN ({', '.join('?' * slots_count)}) AND ({wanted})"
    positions = _LOCK_POSITIONS.format(wanted=wanted)
    if not with_ledger:
        return positions
    return _LOCK_BOTH.format(positions=positions, state=LOCK_ROWS)
