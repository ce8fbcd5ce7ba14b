"""One change at the ledger's desk: durable as a whole, or not at all. Edge of the database.

    with desk.change(actor="li.na") as change:
        approve_transfer(change, "TR-1", version=3)    # a book's function: reads, decides, writes

A change holds the ledger's lock from its beginning on, as a posting does: changes and postings
happen one after another, so nothing is reserved twice and no two of them can deadlock. It ends
within milliseconds: a book reads by keys, and asks nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from central.clock import Clock
from central.contract.facts import Fact, Movement
from central.contract.quantities import canonical_text, from_micro
from central.errors import Outdated
from central.ledger.closing import refuse_backdated
from central.ledger.entries import FactKey
from central.ledger.expected import ReferenceChange, note_changes
from central.ledger.ledger import Follower, Ledger, posting_looks
from central.ledger.own_facts import OWN_BOOT, Heads, post_own_facts
from central.ledger.state import (
    LedgerState,
    last_event_no,
    lock_soon,
    set_last_event_no,
    set_state,
)
from central.storage import bulk, tables
from central.storage.database import Database

DESK_STATION = "desk"
LIKELY_GOODS_MAX = 10_000  # Items of a warehouse of which it is remembered where they last left.
# Warehouse and item: the place, and what the item's goods there are called beside.
LikelyGoods = dict[tuple[str, str], tuple[str, ...]]


class ObjectNote(msgspec.Struct, frozen=True):
    """What is noted of one object. warehouse: "" where it concerns none. fields: JSON-ready.

    action: what was done to it, "" for what is said of all that is noted with it.
    """

    code: str
    warehouse: str
    fields: Mapping[str, object]
    action: str = ""


class Change:
    """What one change works with. Only inside `Desk.change`.

    connection: of its transaction. actor: who asked. What is asked first on the connection goes
    together with the lock, unless `state` or `now_ms` is looked at before, which the lock gives.
    """

    def __init__(
        self,
        connection: Connection,
        hold: Callable[[], "Held"],
        *,
        actor: str,
        followers: Sequence[Follower],
        numbers: dict[str, int],
        likely_goods: LikelyGoods,
    ) -> None:
        """Work on a connection. numbers: the last ones given, by prefix, as far as is known.

        followers: who will be told of what is posted.
        """
        self.connection = connection
        self.actor = actor
        self._hold = hold
        self._followers = followers
        self._numbers = numbers
        self._likely_goods = likely_goods
        self._held: Held | None = None
        self._touched: set[ReferenceChange] = set()

    @property
    def held(self) -> "Held":
        """What the lock gives, waited for."""
        # No `cached_property`: up to Python 3.11 it has one lock for all changes, and whoever waits
        # for the ledger under it keeps out who holds the ledger.
        if self._held is None:
            self._held = self._hold()
        return self._held

    @property
    def state(self) -> LedgerState:
        """The ledger's state, as this change has moved it on."""
        return self.held.state

    @state.setter
    def state(self, state: LedgerState) -> None:
        self.held.state = state

    @property
    def now_ms(self) -> int:
        """One moment for all of it."""
        return self.held.now_ms

    def foresee(self, drafts: Sequence[Movement]) -> None:
        """Read what posting these will look up, before other things are written that wait."""
        self.held.memory.ledger.foresee(self.connection, self.state, drafts)

    def likely_looks(
        self, *, document: str, warehouse: str, to_location: str, items: Iterable[str]
    ) -> list[bulk.Look | bulk.Led]:
        """Return what will probably be looked up to post how goods leave under a document.

        The goods of each item that were remembered last: they mostly come from one place until
        nothing is left there. `foresee` reads what is wanted beside.
        """
        found = [self._likely_goods.get((warehouse, item)) for item in items]
        goods = [
            (warehouse, place, *what)
            for one in found
            if one is not None
            for from_location, *what in (one,)
            for place in (from_location, to_location)
        ]
        return posting_looks(self._followers, [(warehouse, document)], sorted(goods))

    def remember_goods(self, drafts: Sequence[Movement]) -> None:
        """Note from where goods leave, for `likely_looks` of the next change."""
        likely = self._likely_goods
        if len(likely) + len(drafts) > LIKELY_GOODS_MAX:
            likely.clear()
        for one in drafts[:LIKELY_GOODS_MAX]:
            what = (one.item, one.lot, one.serial, one.sscc, one.unit)
            likely[one.warehouse, one.item] = (one.from_location, *what)

    def post(self, drafts: Sequence[Fact], *, foreseen: bool = False) -> list[FactKey]:
        """Post facts of the ledger's own, all of one warehouse; return their identities in order.

        foreseen: `foresee` was asked for them. Raises ContractError for a draft that cannot be
        true, Unusable for one in a closed period.
        """
        refuse_backdated(self.connection, self.state, drafts)
        held = self.held
        keys, held.state = post_own_facts(
            self.connection,
            held.memory.ledger,
            held.memory.heads,
            held.state,
            drafts,
            now_ms=held.now_ms,
            foreseen=foreseen,
        )
        return keys

    def movement(
        self,
        *,
        warehouse: str,
        business_step: str,
        from_location: str,
        to_location: str,
        item: str,
        quantity_micro: int,
        unit: str,
        **fields: Any,  # noqa: ANN401 - further fields of a Movement, checked when it is posted.
    ) -> Movement:
        """Return the draft of a movement that this change decides, for `post`."""
        return Movement(
            seq=1,
            event_time_ms=self.now_ms,
            clock_synced=True,
            boot_id=OWN_BOOT,
            monotonic_ns=0,
            warehouse=warehouse,
            station=DESK_STATION,
            operator=self.actor,
            business_step=business_step,
            from_location=from_location,
            to_location=to_location,
            item=item,
            quantity=canonical_text(from_micro(quantity_micro)),
            unit=unit,
            **fields,
        )

    def note(
        self, kind: str, code: str, action: str, *, warehouse: str = "", **fields: object
    ) -> int:
        """Note what was done to an object, for its history and for subscribers; return its number.

        kind: e.g. "transfer". action: what, in the past, e.g. "approved". fields: JSON-ready.
        """
        return self.note_all(kind, action, [ObjectNote(code, warehouse, fields)])

    def note_all(self, kind: str, action: str, notes: Sequence[ObjectNote]) -> int:
        """Note several things, in their order; return the last one's number.

        action: of notes that do not say one themselves.
        """
        last_no = last_event_no(self.connection, self.state)
        rows = [
            (
                number,
                kind,
                one.code,
                one.action or action,
                one.warehouse,
                self.actor,
                self.now_ms,
                _told(one.fields).decode(),
            )
            for number, one in enumerate(notes, last_no + 1)
        ]
        bulk.insert_rows(self.connection, tables.object_events, rows)
        last_no += len(rows)
        self.state = set_last_event_no(self.connection, self.state, last_no)
        return last_no

    def next_code(self, prefix: str) -> str:
        """Return a code that no object has yet, e.g. "TR-000012"."""
        table = tables.object_numbers
        rows = list(bulk.select_by_key(self.connection, table, [(prefix,)], columns_count=1))
        number = (rows[0][1] if rows else 0) + 1
        bulk.upsert_rows(self.connection, table, [(prefix, number)])
        self._numbers[prefix] = number
        return _code(prefix, number)

    def likely_code(self, prefix: str) -> str:
        """Return the code that `next_code` will probably give, "" if nobody has asked it yet.

        To read ahead by: another process may have given it meanwhile.
        """
        last = self._numbers.get(prefix)
        return "" if last is None else _code(prefix, last + 1)

    def touch(self, *changes: ReferenceChange) -> None:
        """Note that reference data was changed, so that gateways and caches learn of it.

        All that one change touches is one revision, before which the ledger must not post.
        """
        if not self._touched:
            revision = self.state.reference_revision + 1
            set_state(self.connection, "reference_revision", str(revision))
            self.state = replace(self.state, reference_revision=revision)
        fresh = set(changes) - self._touched
        note_changes(self.connection, fresh, revision=self.state.reference_revision)
        self._touched |= fresh
        self.held.memory.ledger.forget(fresh)


class Memory:
    """What a desk remembers between its changes: reference data, and its own heads."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self.ledger = Ledger(followers)
        self.heads = Heads()


class Held:
    """What a change has under the lock; `state` moves on with it."""

    __slots__ = ("memory", "now_ms", "state")

    def __init__(self, memory: Memory, state: LedgerState, now_ms: int) -> None:
        self.memory = memory
        self.state = state
        self.now_ms = now_ms


class Desk:
    """Where orders, transfers, counts and settlements are worked on. For several threads.

    followers: are told of each posting, as those of the intake are. told: called after each commit.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        followers: Sequence[Follower] = (),
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._followers = tuple(followers)
        self._told = told
        self._memory: Memory | None = None
        self._numbers: dict[str, int] = {}
        self._likely_goods: LikelyGoods = {}

    @contextmanager
    def change(self, *, actor: str) -> Iterator[Change]:
        """Yield a change that is durable at the end, or undone whole if anything is raised.

        Raises LedgerUnavailable if the database does not take part.
        """
        with self._database.write() as connection:
            locked = lock_soon(connection)

            def hold() -> Held:
                state = locked()
                # In a change that fails it remembers what never was: only under the lock is it
                # taken, and only what was committed is given back. Meanwhile others have none.
                memory, self._memory = self._memory, None
                return Held(memory or Memory(self._followers), state, self._clock.now_ms())

            change = Change(
                connection,
                hold,
                actor=actor,
                followers=self._followers,
                numbers=self._numbers,
                likely_goods=self._likely_goods,
            )
            yield change
            memory = change.held.memory
        self._memory = memory
        self._told()


def require_version(present: int, expected: int | None, *, what: str) -> None:
    """Return if an object has the version that the caller has seen, or the caller does not say.

    Raises Outdated, with the present version.
    """
    if expected is not None and expected != present:
        raise Outdated(
            f"{what} has version {present}, not {expected}: somebody else has changed it",
            hint="Load it again, look at what has changed, and decide again.",
            fields={"version": present},
        )


_told = msgspec.json.Encoder(order="sorted").encode


def _code(prefix: str, number: int) -> str:
    return f"{prefix}-{number:06d}"
