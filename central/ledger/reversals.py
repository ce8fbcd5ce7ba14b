"""What reversals name: stored movements, and reversals that wait for one. Edge of the database.

A reversal that comes before its movement (of an earlier epoch that is late) has its row in
`reversals` already: a row whose fact is not stored is one that waits. The ledger's state counts
them, so that nobody looks for them while there are none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, delete, select

from central.contract.facts import Movement
from central.ledger.bookkeeping import Noted, ReversedBy, Settled, Targets
from central.ledger.changed_reading import with_changes
from central.ledger.decided_goods import Became, came_to_place
from central.ledger.discrepancies import discrepancy_id, settle_discrepancies
from central.ledger.entries import Entry, FactKey, Line
from central.ledger.pairs import own_lines, taken_micro
from central.ledger.posting import PostedMovement, unmatched
from central.ledger.progress import progress_of
from central.ledger.reading import read_fact
from central.ledger.runs import Run
from central.ledger.state import LedgerState, set_state
from central.storage import bulk, tables

_reversals = tables.reversals.c
WAITING_IN_RUN = select(_reversals.seq, _reversals.by_epoch, _reversals.by_seq).where(
    _reversals.warehouse == bindparam("b_warehouse"),
    _reversals.gateway == bindparam("b_gateway"),
    _reversals.epoch == bindparam("b_epoch"),
    _reversals.seq.between(bindparam("b_first"), bindparam("b_last")),
)
FORGET_REVERSAL = delete(tables.reversals).where(
    _reversals.warehouse == bindparam("b_warehouse"),
    _reversals.gateway == bindparam("b_gateway"),
    _reversals.epoch == bindparam("b_epoch"),
    _reversals.seq == bindparam("b_seq"),
)


P = TypeVar("P")  # What was posted, which the ledger says.
# What became of goods that came to places, by the movements that brought them; what facts decided
# that are taken back with those is no decision.
Outcomes = Callable[
    [Connection, Mapping[FactKey, PostedMovement], AbstractSet[FactKey]],
    Mapping[FactKey, tuple[Became, ...]],
]


@dataclass(frozen=True, slots=True)
class DecidingFollower(Generic[P]):
    """A follower that knows what became of goods since they came, by what it was told of.

    became: of the movements asked for, in parts; those that it knows no decision on are left out.
    """

    follow: Callable[[Connection, P], None]
    became: Outcomes

    def __call__(self, connection: Connection, posted: P) -> None:
        """Follow what was posted."""
        self.follow(connection, posted)


def find_targets(
    connection: Connection,
    state: LedgerState,
    runs: Sequence[Run],
    followers: Iterable[object],
) -> Targets:
    """Return what reversals have to do with the facts of a call.

    followers: of the ledger, of whom some say what became of goods that are taken back.
    """
    named = frozenset(
        FactKey(run.warehouse, run.gateway, fact.reverses_epoch, fact.reverses_seq)
        for run in runs
        for fact in run.read.reversals
    )
    stored = dict(stored_movements(connection, sorted(named))) if named else {}
    waiting: dict[FactKey, ReversedBy] = {}
    if state.reversals_waiting_count:
        waiting = {key: by for run in runs for key, by in _waiting_for(connection, run)}
    found = Targets(named, stored, waiting)
    return _with_outcomes(connection, found, followers) if stored else found


def write_reversals(
    connection: Connection, state: LedgerState, noted: Noted, *, now_ms: int
) -> None:
    """Write what takes back what, and settle what waited; discrepancies are open by now."""
    rows = [(*target, *by) for target, by in noted.reversals]
    bulk.insert_rows(connection, tables.reversals, rows)
    for settled in noted.settled:
        if settled.back:
            _settle(connection, settled, now_ms=now_ms)
        else:
            _forget(connection, settled.target)
    if noted.waiting_count:
        waiting_count = state.reversals_waiting_count + noted.waiting_count
        set_state(connection, "reversals_waiting_count", str(waiting_count))


def stored_movements(
    connection: Connection, keys: Sequence[FactKey]
) -> Iterator[tuple[FactKey, PostedMovement]]:
    """Yield what is stored of facts; of one that is not here, that a reversal waits for it."""
    named = {
        FactKey(*row[:4])
        for row in bulk.select_by_key(connection, tables.reversals, keys, columns_count=4)
    }
    yield from ((key, PostedMovement((), None, reversed=True)) for key in named)
    rows = list(bulk.select_by_key(connection, tables.facts, keys, columns_count=4))
    lines: dict[int, list[Line]] = {}
    numbers = sorted((row[0], row[10]) for row in rows if row[4] == "movement")
    for line in bulk.select_by_key(connection, tables.lines, numbers, columns_count=2):
        lines.setdefault(line[1], []).append(Line(*line))
    for row in rows:
        key = FactKey(*row[:4])
        moved = tuple(sorted(lines.get(row[10], ())))
        if not moved:
            yield key, PostedMovement((), None, reversed=False)
            continue
        movement = read_fact(row[5], seq=key.seq)
        assert isinstance(movement, Movement)
        progress = progress_of(
            movement,
            warehouse=key.warehouse,
            unit=moved[0].unit,
            quantity_micro=taken_micro(own_lines(moved)),
        )
        yield key, PostedMovement(moved, progress, reversed=key in named, movement=movement)


def _with_outcomes(
    connection: Connection, targets: Targets, followers: Iterable[object]
) -> Targets:
    """Return what reversals have to do with stored facts, with what became of their goods."""
    back = {
        key: one
        for key, one in targets.stored.items()
        if key in targets.named and one.lines and not one.reversed
    }
    asked = {key: one for key, one in back.items() if came_to_place(one.lines)}
    if not asked:
        return targets
    decided: dict[FactKey, tuple[Became, ...]] = {}
    for follower in followers:
        if isinstance(follower, DecidingFollower):
            decided |= follower.became(connection, asked, back.keys())
    record_nos = {one.lines[0].record_no for one in back.values()}
    found = with_changes(connection, asked, decided, taken_back=record_nos)
    stored = {**targets.stored}
    for key, became in found.items():
        stored[key] = replace(stored[key], became=became)
    return replace(targets, stored=stored)


def _waiting_for(connection: Connection, run: Run) -> Iterator[tuple[FactKey, ReversedBy]]:
    found = connection.execute(
        WAITING_IN_RUN,
        {
            "b_warehouse": run.warehouse,
            "b_gateway": run.gateway,
            "b_epoch": run.epoch,
            "b_first": run.first_seq,
            "b_last": run.first_seq + len(run.bodies) - 1,
        },
    )
    for seq, by_epoch, by_seq in found:
        key = FactKey(run.warehouse, run.gateway, run.epoch, seq)
        yield key, ReversedBy(by_epoch, by_seq)


def _settle(connection: Connection, settled: Settled, *, now_ms: int) -> None:
    target, by = settled.target, settled.by
    reversal = Entry(target.warehouse, target.gateway, by.epoch, by.seq, b"", b"", 0)
    settle_discrepancies(
        connection,
        [discrepancy_id(unmatched(reversal, target, "came"))],
        settlement=f"its movement came as record {settled.record_no} and is taken back",
        now_ms=now_ms,
    )


def _forget(connection: Connection, target: FactKey) -> None:
    """What came there moved nothing: the reversal stays unmatched, and waits no longer."""
    connection.execute(
        FORGET_REVERSAL,
        {
            "b_warehouse": target.warehouse,
            "b_gateway": target.gateway,
            "b_epoch": target.epoch,
            "b_seq": target.seq,
        },
    )
