"""The ledger's own few values, and the lock of everything that posts. Edge of the database."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, select, update

from central.storage.tables import ledger_state

# Built once: for a single fact, building them costs as much as running them.
READ_STATE = select(ledger_state.c.key, ledger_state.c.value)
LOCK_STATE = READ_STATE.order_by(ledger_state.c.key).with_for_update()
SET_STATE = (
    update(ledger_state)
    .where(ledger_state.c.key == bindparam("b_key"))
    .values(value=bindparam("b_value"))
)

StateKey = Literal[
    "generation",
    "record_no",
    "reference_revision",
    "quarantine_dropped_count",
    "reversals_waiting_count",
]


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the ledger says of itself.

    generation: names this life of the ledger. record_no: of the last fact. reversals_waiting_count:
    reversals whose movement has not come yet. closed_through_ms: end of the last closed period, 0
    for none.
    """

    generation: str
    record_no: int
    reference_revision: int
    quarantine_dropped_count: int
    reversals_waiting_count: int
    closed_through_ms: int = 0


def lock_ledger(connection: Connection) -> LedgerState:
    """Return the state, locked until the transaction ends: one writer posts at a time.

    So record numbers have no gaps and are committed in their order, and balances cannot deadlock.
    """
    return _state(dict(tuple(row) for row in connection.execute(LOCK_STATE)))


def read_state(connection: Connection) -> LedgerState:
    """Return the state as this transaction sees it."""
    return _state(dict(tuple(row) for row in connection.execute(READ_STATE)))


def set_state(connection: Connection, key: StateKey, value: str) -> None:
    """Change one value; the caller holds the lock."""
    connection.execute(SET_STATE, {"b_key": key, "b_value": value})


def _state(values: dict[str, str]) -> LedgerState:
    return LedgerState(
        generation=values["generation"],
        record_no=int(values["record_no"]),
        reference_revision=int(values["reference_revision"]),
        quarantine_dropped_count=int(values["quarantine_dropped_count"]),
        reversals_waiting_count=int(values["reversals_waiting_count"]),
        closed_through_ms=int(values.get("closed_through_ms", "0")),
    )
