"""Corrects the event times of facts whose clock was not set, a few at a time. Edge of the database.

    facts_unsynced (index) -> unsynced_facts -> offset of the boot -> facts.event_time_ms

The bodies keep what was said, and numbers and order stay as they are: time is a label. A fact of a
set clock costs nothing here: neither this index nor this table knows it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, false, func, literal_column, or_, select, update

from central.clock import Clock
from central.contract.errors import ContractError
from central.contract.facts import Fact, decode_fact
from central.inbox.boots import BootKey, known_offsets, note_offsets
from central.inbox.clocks import (
    ClockOffset,
    applied_range,
    arrival_offset,
    corrected_ms,
    stated_offset,
)
from central.ledger.entries import FactKey
from central.storage import bulk
from central.storage.database import Database
from central.storage.tables import facts, positions, unsynced_facts

FACTS_PER_TICK_MAX = 500
BOOTS_PER_TICK_MAX = 500  # After a start all boots are looked through; facts come in between.
NANOSECONDS_PER_MS = 1_000_000
Found = dict[BootKey, list[ClockOffset]]

SET_TIME = (
    update(facts)
    .where(
        facts.c.warehouse == bindparam("b_warehouse"),
        facts.c.gateway == bindparam("b_gateway"),
        facts.c.epoch == bindparam("b_epoch"),
        facts.c.seq == bindparam("b_seq"),
    )
    .values(event_time_ms=bindparam("b_time"))
)
SET_OFFSET = (
    update(unsynced_facts)
    .where(unsynced_facts.c.record_no == bindparam("b_record_no"))
    .values(offset_ms=bindparam("b_offset"))
)


class Unsynced(NamedTuple):
    """A fact of a clock that was not set, as `unsynced_facts` has it."""

    record_no: int
    warehouse: str
    gateway: str
    epoch: str
    seq: int
    boot_id: str
    monotonic_ms: int
    offset_ms: int | None

    @property
    def boot(self) -> BootKey:
        """Return which boot of which gateway it is of."""
        return (self.gateway, self.boot_id)

    def neighbour(self, step: int) -> FactKey:
        """Return the identity of the fact `step` numbers further in the epoch."""
        return FactKey(self.warehouse, self.gateway, self.epoch, self.seq + step)


class TimeCorrection:
    """Call `tick` every second or so, in one process. One thread uses it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._record_no: int | None = None
        # Of each gateway the last such fact of its newest boot: there a better offset may still
        # come. Earlier boots are complete, because gateways send in order.
        self._open: dict[str, Unsynced] = {}
        self._applied: dict[BootKey, ClockOffset] = {}
        self._stale: dict[BootKey, ClockOffset] = {}
        self._corrected: list[int] = []

    def take_corrected(self) -> list[int]:
        """Return the record numbers of what was corrected since this was asked last."""
        corrected, self._corrected = self._corrected, []
        return corrected

    def tick(self) -> int:
        """Take up new facts, look for better offsets, correct; return how many were corrected.

        At most FACTS_PER_TICK_MAX of each. Raises LedgerUnavailable; the next tick goes on.
        """
        with self._database.read() as connection:
            if self._record_no is None:
                self._begin(connection)
            new, found, last_no = _new_facts(connection, after=self._record_no or 0)
            opened = self._open | {one.gateway: one for one in new}
            _add_synced(connection, {*self._open.values(), *_ends(new)}, found)
            known = known_offsets(connection, [one.boot for one in opened.values()])
        stale = self._stale | {key: one for key, one in known.items() if self._is_news(key, one)}
        corrected_count = 0
        if new or found or stale:
            with self._database.write() as connection:
                bulk.insert_missing_rows(connection, unsynced_facts, new)
                best = note_offsets(connection, found, now_ms=self._clock.now_ms())
                known |= best
                new_boots = {one.boot for one in new}
                stale |= {
                    key: one
                    for key, one in best.items()
                    if key in new_boots or self._is_news(key, one)
                }
                done, corrected = _correct(connection, stale)
            self._corrected += corrected
            corrected_count = len(corrected)
            # Only now, after the commit: a tick that failed is done again as it was.
            self._applied |= done
            self._stale = {key: one for key, one in stale.items() if key not in done}
        self._open = {
            gateway: one
            for gateway, one in opened.items()
            if one.boot not in known or known[one.boot].source != "synced_fact"
        }
        boots = {one.boot for one in self._open.values()}
        self._applied = {key: one for key, one in self._applied.items() if key in boots}
        self._record_no = last_no
        return corrected_count

    def _begin(self, connection: Connection) -> None:
        """Find out after a start what is taken up; then all boots are looked through once."""
        table = unsynced_facts.c
        newest = select(func.max(table.record_no)).group_by(table.gateway)
        rows = connection.execute(select(unsynced_facts).where(table.record_no.in_(newest)))
        self._open = {row.gateway: Unsynced(*row) for row in rows}
        self._record_no = max((one.record_no for one in self._open.values()), default=0)
        every = connection.execute(select(table.gateway, table.boot_id).distinct())
        self._stale = known_offsets(connection, [(row[0], row[1]) for row in every])

    def _is_news(self, key: BootKey, offset: ClockOffset) -> bool:
        """Return whether facts of a boot have to be corrected again."""
        applied = self._applied.get(key)
        low, high = applied_range(offset)
        return applied is None or not low <= applied.offset_ms <= high


def _ends(new: Sequence[Unsynced]) -> set[Unsynced]:
    """Return the first and the last one of each epoch."""
    firsts = {(one.gateway, one.epoch): one for one in reversed(new)}
    lasts = {(one.gateway, one.epoch): one for one in new}
    return {*firsts.values(), *lasts.values()}


def _new_facts(connection: Connection, *, after: int) -> tuple[list[Unsynced], Found, int]:
    """Return further facts of clocks that were not set, offsets from their arrival, the last no."""
    query = (
        select(facts)
        # In the words of the index, so that both databases use it.
        .where(
            facts.c.clock_synced == false(),
            facts.c.kind != literal_column("'unreadable'"),
            facts.c.record_no > after,
        )
        .order_by(facts.c.record_no)
        .limit(FACTS_PER_TICK_MAX)
    )
    new: list[Unsynced] = []
    found: Found = {}
    last_no = after
    for row in connection.execute(query):
        last_no = row.record_no
        fact = _readable(row.body)
        if fact is None or not fact.boot_id or not fact.monotonic_ns:
            continue  # It cannot be corrected, and is shown as not set.
        monotonic_ms = fact.monotonic_ns // NANOSECONDS_PER_MS
        boot_id = _storable(fact.boot_id)
        one = Unsynced(
            last_no, row.warehouse, row.gateway, row.epoch, row.seq, boot_id, monotonic_ms, None
        )
        new.append(one)
        offset = arrival_offset(received_ms=row.record_ms, monotonic_ms=monotonic_ms)
        found.setdefault(one.boot, []).append(offset)
    return new, found, last_no


def _add_synced(connection: Connection, around: Set[Unsynced], found: Found) -> None:
    """Add what the facts before and after these say, if their clock was set in the same boot.

    The fact after may be the first of a later start of the program.
    """
    boots = {one.boot for one in around}
    keys = {one.neighbour(step) for one in around for step in (-1, 1)}
    keys |= set(_next_epochs(connection, around))
    for fact_key, fact in _facts_at(connection, sorted(keys)):
        boot = (fact_key.gateway, _storable(fact.boot_id))
        if fact.clock_synced and boot in boots and fact.monotonic_ns:
            offset = stated_offset(
                time_ms=fact.event_time_ms,
                monotonic_ms=fact.monotonic_ns // NANOSECONDS_PER_MS,
                source="synced_fact",
            )
            found.setdefault(boot, []).append(offset)


def _next_epochs(connection: Connection, around: Iterable[Unsynced]) -> Iterator[FactKey]:
    for one in around:
        later = (
            select(func.min(positions.c.epoch))
            .where(positions.c.gateway == one.gateway, positions.c.epoch > one.epoch)
            .where(positions.c.acked_seq > 0)
        )
        epoch = connection.execute(later).scalar()
        if epoch is not None:
            yield FactKey(one.warehouse, one.gateway, epoch, 1)


def _facts_at(connection: Connection, keys: Sequence[FactKey]) -> Iterator[tuple[FactKey, Fact]]:
    body_index = list(facts.columns.keys()).index("body")
    for row in bulk.select_by_key(connection, facts, keys, columns_count=4):
        fact = _readable(row[body_index])
        if fact is not None:
            yield FactKey(*row[:4]), fact


def _correct(
    connection: Connection, stale: Mapping[BootKey, ClockOffset]
) -> tuple[dict[BootKey, ClockOffset], list[int]]:
    """Correct facts of these boots; return the boots that are done, and the facts' records."""
    done: dict[BootKey, ClockOffset] = {}
    corrected: list[int] = []
    for key, offset in islice(stale.items(), BOOTS_PER_TICK_MAX):
        rows = _to_correct(connection, key, offset, limit=FACTS_PER_TICK_MAX - len(corrected))
        _apply(connection, rows, offset)
        corrected += [row.record_no for row in rows]
        if len(corrected) >= FACTS_PER_TICK_MAX:
            break
        done[key] = offset
    return done, corrected


def _to_correct(
    connection: Connection, key: BootKey, offset: ClockOffset, *, limit: int
) -> list[Unsynced]:
    table = unsynced_facts.c
    low, high = applied_range(offset)
    query = (
        select(unsynced_facts)
        .where(
            table.gateway == key[0],
            table.boot_id == key[1],
            or_(table.offset_ms.is_(None), table.offset_ms < low, table.offset_ms > high),
        )
        .limit(limit)
    )
    return sorted(Unsynced(*row) for row in connection.execute(query))


def _apply(connection: Connection, rows: Sequence[Unsynced], offset: ClockOffset) -> None:
    if not rows:
        return
    connection.execute(
        SET_TIME,
        [
            {
                "b_warehouse": row.warehouse,
                "b_gateway": row.gateway,
                "b_epoch": row.epoch,
                "b_seq": row.seq,
                "b_time": corrected_ms(monotonic_ms=row.monotonic_ms, offset_ms=offset.offset_ms),
            }
            for row in rows
        ],
    )
    connection.execute(
        SET_OFFSET,
        [{"b_record_no": row.record_no, "b_offset": offset.offset_ms} for row in rows],
    )


def _readable(body: bytes) -> Fact | None:
    try:
        return decode_fact(body)
    except ContractError:
        return None


def _storable(text: str) -> str:
    return text.replace("\0", "\\0")  # PostgreSQL cannot store U+0000 in text.
