"""The ledger's own few values, and the lock of everything that posts. Edge of the database."""

from collections.abc import Callable, Mapping, Sequence, Set
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from central.ledger.entries import HeldLot
from central.storage import bulk
from central.storage.tables import ledger_state, object_events

READ_STATE = "SELECT key, value FROM ledger_state"
LOCK_ROWS = f"{READ_STATE} ORDER BY key FOR UPDATE"
# SQLite's only writer has locked everything. Arrays of JSON are read all at once (`round_trips`).
LOCK_STATE = {
    "sqlite": READ_STATE,
    "postgresql": LOCK_ROWS.replace("key, value", "json_build_array(key, value)", 1),
}

StateKey = Literal[
    "generation",
    "record_no",
    "reference_revision",
    "quarantine_dropped_count",
    "reversals_waiting_count",
    "own_facts_count",
    "last_event_no",
    "lots_on_hold",
]


class LedgerState(msgspec.Struct, frozen=True):
    """What the ledger says of itself.

    generation: names this life of the ledger. record_no: of the last fact. reversals_waiting_count:
    reversals whose movement has not come yet. closed_through_ms: end of the last closed period, 0
    for none. own_facts_count: how many the ledger itself has posted; by it whoever remembers
    their heads sees whether others have since. last_event_no: of the last event. Both None in a
    ledger of before: there the tables are asked. lots_on_hold: what comes in of them is held.
    """

    generation: str
    record_no: int
    reference_revision: int
    quarantine_dropped_count: int
    reversals_waiting_count: int
    closed_through_ms: int = 0
    own_facts_count: int | None = None
    last_event_no: int | None = None
    lots_on_hold: frozenset[HeldLot] = frozenset()


def lock_ledger(connection: Connection) -> LedgerState:
    """Return the state, locked until the transaction ends: one writer posts at a time.

    So record numbers have no gaps and are committed in their order, and balances cannot deadlock.
    """
    return lock_soon(connection)()


def lock_soon(connection: Connection) -> Callable[[], LedgerState]:
    """Lock the ledger before whatever the transaction says next; return what gives its state.

    What is said next is asked in the same round trip, and sees what others have done before.
    """
    rows = bulk.open_with(connection, LOCK_STATE[connection.dialect.name])
    return lambda: state_of(dict(rows()))


def read_state(connection: Connection) -> LedgerState:
    """Return the state as this transaction sees it."""
    return state_of(dict(bulk.select_rows(connection, READ_STATE)))


def set_state(connection: Connection, key: StateKey, value: str) -> None:
    """Change one value; the caller holds the lock."""
    bulk.upsert_rows(connection, ledger_state, [(key, value)])


def last_event_no(connection: Connection, state: LedgerState) -> int:
    """Return the number of the last event, 0 for none; `state` as locked in this transaction."""
    if state.last_event_no is not None:
        return state.last_event_no
    ((number,),) = bulk.select_rows(connection, "SELECT MAX(event_no) FROM object_events")
    return number or 0


def set_last_event_no(connection: Connection, state: LedgerState, number: int) -> LedgerState:
    """Note the number of the last event; return the state with it.

    A row that is not there is not added: who waits for the lock would not wait for that row.
    """
    if state.last_event_no is None:
        return state
    set_state(connection, "last_event_no", str(number))
    return replace(state, last_event_no=number)


def set_lots_on_hold(connection: Connection, state: LedgerState, lots: Set[HeldLot]) -> LedgerState:
    """Note which lots are on hold; return the state with them. The caller holds the lock."""
    set_state(connection, "lots_on_hold", msgspec.json.encode(sorted(lots)).decode())
    return replace(state, lots_on_hold=frozenset(lots))


def append_events(connection: Connection, rows: Sequence[bulk.Row]) -> None:
    """Write events that followers note, of whom no other knows. rows: without their numbers.

    The state counts them, so whoever writes events otherwise has to tell it.
    """
    ((last,),) = bulk.select_rows(connection, "SELECT MAX(event_no) FROM object_events")
    numbered = [(number, *row) for number, row in enumerate(rows, (last or 0) + 1)]
    bulk.insert_rows(connection, object_events, numbered)
    told = ("last_event_no", str((last or 0) + len(rows)))
    bulk.update_rows(connection, ledger_state, ("key", "value"), [told])


def state_of(values: Mapping[str, str]) -> LedgerState:
    """Return what the rows of the state say, by their keys."""
    return LedgerState(
        generation=values["generation"],
        record_no=int(values["record_no"]),
        reference_revision=int(values["reference_revision"]),
        quarantine_dropped_count=int(values["quarantine_dropped_count"]),
        reversals_waiting_count=int(values["reversals_waiting_count"]),
        closed_through_ms=int(values.get("closed_through_ms", "0")),
        own_facts_count=_number(values, "own_facts_count"),
        last_event_no=_number(values, "last_event_no"),
        lots_on_hold=_lots_of(values.get("lots_on_hold", "[]")),
    )


@lru_cache(maxsize=2)
def _lots_of(text: str) -> frozenset[HeldLot]:
    return frozenset(msgspec.json.decode(text, type=list[HeldLot]))


def _number(values: Mapping[str, str], key: StateKey) -> int | None:
    return int(values[key]) if key in values else None
