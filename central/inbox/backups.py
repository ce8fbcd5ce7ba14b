"""Follows a backup that was taken, and one that was restored. Edge of the database.

A gateway keeps what is committed until the ledger says that it is stable: in a backup, or on a
second machine. A ledger that was restored begins a new generation, by which gateways see that they
have to offer again what it no longer has.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from central.ledger.state import lock_ledger, set_state
from central.storage.database import Database
from central.storage.tables import facts, positions

# Times are taken before the wait for the ledger's lock, so a fact may be committed this much after
# its record_ms; and the clocks of workers may differ.
MARGIN_MS = 120_000

LOCK_UNSTABLE = (
    select(positions)
    .where(positions.c.stable_seq < positions.c.acked_seq)
    .order_by(positions.c.gateway, positions.c.epoch)
    .with_for_update()
)
FIRST_AFTER = select(func.min(facts.c.seq)).where(
    facts.c.warehouse == bindparam("b_warehouse"),
    facts.c.gateway == bindparam("b_gateway"),
    facts.c.epoch == bindparam("b_epoch"),
    facts.c.seq > bindparam("b_stable"),
    facts.c.record_ms > bindparam("b_until"),
)
SET_STABLE = (
    update(positions)
    .where(positions.c.gateway == bindparam("b_gateway"), positions.c.epoch == bindparam("b_epoch"))
    .values(stable_seq=bindparam("b_stable"))
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a backup confirmed: epochs that became more stable, and by how many facts."""

    epochs_count: int
    facts_count: int


@dataclass(frozen=True, slots=True)
class Generations:
    """The ledger's generation before and after."""

    old: str
    new: str


def confirm_backup(database: Database, *, taken_ms: int) -> Confirmed:
    """Let gateways forget what was recorded MARGIN_MS before the backup was begun, or earlier.

    taken_ms: when it was begun. Doing it again, or for an older backup, changes nothing more.
    Raises LedgerUnavailable.
    """
    with database.write() as connection:
        rows = connection.execute(LOCK_UNSTABLE).all()
        changes: list[dict[str, object]] = []
        facts_count = 0
        for row in rows:
            first_after = _first_after(
                connection,
                warehouse=row.warehouse,
                gateway=row.gateway,
                epoch=row.epoch,
                stable=row.stable_seq,
                until_ms=taken_ms - MARGIN_MS,
            )
            stable = row.acked_seq if first_after is None else first_after - 1
            if stable > row.stable_seq:
                facts_count += stable - row.stable_seq
                changes.append({"b_gateway": row.gateway, "b_epoch": row.epoch, "b_stable": stable})
        if changes:
            connection.execute(SET_STABLE, changes)
    return Confirmed(len(changes), facts_count)


def begin_generation(database: Database, *, generation: str) -> Generations:
    """Give the ledger's life a new name; for after a restore. Raises LedgerUnavailable."""
    with database.write() as connection:
        old = lock_ledger(connection).generation
        set_state(connection, "generation", generation)
    return Generations(old, generation)


def _first_after(
    connection: Connection,
    *,
    warehouse: str,
    gateway: str,
    epoch: str,
    stable: int,
    until_ms: int,
) -> int | None:
    values = {
        "b_warehouse": warehouse,
        "b_gateway": gateway,
        "b_epoch": epoch,
        "b_stable": stable,
        "b_until": until_ms,
    }
    return connection.execute(FIRST_AFTER, values).scalar_one_or_none()
