"""Posts facts with all that follows from them, in one transaction. Edge of the database."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from central.contract.facts import Count, Movement
from central.ledger.bookkeeping import Bookkeeper, Noted, TakenBack
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import (
    BalanceKey,
    CountPosted,
    Finding,
    GoodsKey,
    Known,
    PostedFact,
    ProgressKey,
)
from central.ledger.expected import ReferenceChange
from central.ledger.goods_rules import LotKey
from central.ledger.handling_units import write_packing
from central.ledger.line_counts import Relieved
from central.ledger.locations import is_virtual
from central.ledger.lot_dates import restate_taken_back
from central.ledger.opening import (
    Apart,
    DocumentKey,
    Expected,
    apart_of,
    documents_of,
    goods_of,
    looks_of,
    open_books,
)
from central.ledger.posting import PostedMovement
from central.ledger.reference_book import ReferenceBook
from central.ledger.reversals import find_targets, write_reversals
from central.ledger.running import RunningBooks
from central.ledger.runs import Route, Run, Told
from central.ledger.serials import Single
from central.ledger.state import LedgerState, set_state
from central.ledger.unit_places import SingleUnit
from central.ledger.unit_reading import NO_UNITS, UnitsAsked, UnitsSoon, units_judged, units_soon
from central.ledger.weight_rests import Reweighed
from central.storage import bulk, tables
from central.storage.fact_rows import insert_facts
from central.storage.line_pairs import insert_line_pairs

# Facts whose rows are kept in memory before they are written. Each COPY begins on new pages of the
# indexes' ends and of the heap: with 1000 a movement costs PostgreSQL a tenth more.
FACTS_AT_ONCE_MAX = 8000
FORESEEN_MAX = 200  # Documents and routes of a call that are worth reading ahead.


class Posted(msgspec.Struct, frozen=True):
    """What a call of `Ledger.post` has written, for those who follow what is posted.

    Its facts have the record numbers first_record_no to last_record_no. progress: every document
    line that moved on, in order. findings: in the order of their facts. runs: the facts themselves.
    recovered: balances that were below zero, before or on the way, and no longer are. fallen: those
    of available stock in a warehouse that are less now, with what they are. apart: facts that name
    a document or goods that are not available, in order. counts: what was counted, in order.
    taken_back: movements that reversals among them took back. dated: lots of items that ask for an
    expiry date, of which one is known since. redated: lots with another date, or none, as the fact
    that stated it was taken back. singles: serial numbers that were at several places, before or
    on the way, and are at one now; single_units: handling units. relieved: document lines that had
    too much, and have not any more. returning: documents for which less counts than before, and
    those of returns. returned: progress that became less, and by which fact. reweighed: places
    whose pieces had no weight left, and have one again. state: as it was before.
    """

    first_record_no: int
    last_record_no: int
    now_ms: int
    progress: tuple[ProgressKey, ...]
    findings: tuple[Finding, ...]
    runs: Sequence[Run]
    recovered: tuple[BalanceKey, ...]
    fallen: tuple[tuple[BalanceKey, int], ...]
    apart: tuple[PostedFact, ...]
    counts: tuple[CountPosted, ...]
    taken_back: Sequence[TakenBack]
    singles: tuple[Single, ...]
    single_units: tuple[SingleUnit, ...]
    dated: tuple[LotKey, ...]
    redated: Sequence[LotKey]
    relieved: Sequence[Relieved]
    returning: Set[DocumentKey]
    returned: Sequence[tuple[ProgressKey, int]]
    reweighed: Sequence[Reweighed]
    state: LedgerState


# Reads what was posted and writes what follows from it, in the same transaction; it posts nothing.
# It is called for every posting, so it costs nothing where nothing concerns it.
Follower = Callable[[Connection, Posted], None]


@dataclass(frozen=True, slots=True)
class ForeseeingFollower:
    """A follower that says what it will look up of facts, so that it is read with the rest.

    looks: of these documents, each with the warehouse that names it, and of these goods.
    """

    follow: Follower
    looks: Callable[[Sequence[DocumentKey], Sequence[GoodsKey]], Sequence[bulk.Look | bulk.Led]]

    def __call__(self, connection: Connection, posted: Posted) -> None:
        """Follow what was posted."""
        self.follow(connection, posted)


class Ledger:
    """The books. One thread at a time uses it, under the lock that `lock_ledger` takes.

    followers: are called in this order at the end of each posting.
    """

    def __init__(self, followers: Sequence[Follower] = ()) -> None:
        self._book = ReferenceBook()
        self._followers = tuple(followers)
        self._units: UnitsSoon | None = None

    def forget(self, changes: Iterable[ReferenceChange]) -> None:
        """Forget entries of the reference data that this transaction has changed."""
        self._book.forget(changes)

    def look_ahead(self, connection: Connection, told: Sequence[Told]) -> None:
        """Read what posting these facts will look up, if they are few.

        It goes with the lock, if that is taken by `lock_soon`. Forgetting it costs time alone.
        """
        self._units = None  # What a call that failed has read is none of this one's.
        if _are_few(told):
            routes, apart = _routes(told), apart_of(told)
            judged = units_judged(routes, apart)
            self._units = units_soon(connection, judged) if judged else None
            bulk.look_ahead(connection, self._looks(routes, apart))

    def foresee(
        self, connection: Connection, state: LedgerState, movements: Sequence[Movement]
    ) -> None:
        """Read what posting these under their documents will look up, if they are few.

        state: as locked in this transaction; what is known already is not read again.
        """
        self._units = None
        apart = [(one.warehouse, one) for one in movements]
        bulk.look_ahead(connection, self._looks((), apart, revision=state.reference_revision))

    def post(
        self,
        connection: Connection,
        state: LedgerState,
        runs: Sequence[Run],
        *,
        now_ms: int,
        foreseen: bool = False,
    ) -> int:
        """Store and post facts in the order given; return how many discrepancies were opened.

        state: as locked in this transaction; the facts are numbered from its record_no + 1 on.
        foreseen: `look_ahead` or `foresee` was asked for them.
        Durable with the caller's commit, with everything else of its transaction or not at all.
        """
        if not runs:
            return 0
        told = [(run.warehouse, run.read) for run in runs]
        routes, apart = _routes(told), apart_of(told)
        units, self._units = self._units, None
        judged = units_judged(routes, apart)
        if not (foreseen and _are_few(told)) and (judged or documents_of(apart)):
            units = units_soon(connection, judged)
            bulk.look_ahead(connection, self._looks(routes, apart))
        targets = find_targets(connection, state, runs, self._followers)
        taken_back = [one for one in targets.stored.values() if one.lines]
        known = self._look_up(connection, state, routes, apart, taken_back=taken_back)
        if state.lots_on_hold:
            known = replace(known, lots_on_hold=state.lots_on_hold)
        asked = UnitsAsked(judged, units) if judged else NO_UNITS
        opened = open_books(
            connection, known, runs, routes=routes, apart=apart, targets=targets, units=asked
        )
        books, goods = opened.books, opened.goods
        blob = bytearray if connection.dialect.name == "sqlite" else bytes
        keeper = Bookkeeper(known, books, routes, targets, goods, now_ms=now_ms, blob=blob)
        record_no = state.record_no
        for run in runs:
            assert run.first_record_no == record_no + 1
            record_no += len(run.bodies)
            keeper.post(run)
            if len(keeper.noted.facts) >= FACTS_AT_ONCE_MAX:
                _write_rows(connection, keeper.noted)
        _write_rows(connection, keeper.noted)
        _write_books(connection, books, opened.expected)
        bulk.insert_rows(connection, tables.lots, keeper.noted.lots)
        write_packing(connection, goods.packing)
        set_state(connection, "record_no", str(record_no))
        opened_count = open_discrepancies(connection, keeper.noted.findings, now_ms=now_ms)
        write_reversals(connection, state, keeper.noted, now_ms=now_ms)
        redated: Sequence[LotKey] = ()
        if back := keeper.noted.taken_back:
            redated = restate_taken_back(connection, back, record_no=record_no, now_ms=now_ms)
        if self._followers:
            posted = _posted(
                state, known, books, keeper.noted, runs, redated=redated, now_ms=now_ms
            )
            for follow in self._followers:
                follow(connection, posted)
        return opened_count

    def _looks(
        self, routes: Sequence[Route], apart: Apart, *, revision: int | None = None
    ) -> list[bulk.Look | bulk.Led]:
        """Return what facts need, most of all those under documents; nothing if it is much."""
        documents = documents_of(apart)
        if len(documents) + len(routes) > FORESEEN_MAX:
            return []
        goods = goods_of(routes, apart)
        if not documents:
            return [*looks_of(documents, goods)]
        looks = posting_looks(self._followers, documents, goods)
        return [*looks, *self._book.looks((key[2] for key in goods), revision=revision)]

    def _look_up(
        self,
        connection: Connection,
        state: LedgerState,
        routes: Sequence[Route],
        apart: Apart,
        *,
        taken_back: Sequence[PostedMovement],
    ) -> Known:
        items = {one.lines[0].item for one in taken_back}
        locations: set[tuple[str, str]] = set()
        documents = {one.progress[0][:2] for one in taken_back if one.progress}
        for warehouse, from_location, to_location, item, _, _, _, _ in routes:
            items.add(item)
            locations.add((warehouse, from_location))
            locations.add((warehouse, to_location))
        for warehouse, fact in apart:
            if isinstance(fact, Movement):
                items.add(fact.item)
                locations.add((warehouse, fact.from_location))
                locations.add((warehouse, fact.to_location))
                if fact.document:
                    documents.add((warehouse, fact.document))
            elif isinstance(fact, Count):
                items.add(fact.item)
        return self._book.look_up(
            connection,
            revision=state.reference_revision,
            items=items,
            locations={place for place in locations if not is_virtual(place[1])},
            documents=documents,
        )


def posting_looks(
    followers: Sequence[Follower], documents: Sequence[DocumentKey], goods: Sequence[GoodsKey]
) -> list[bulk.Look | bulk.Led]:
    """Return what posting movements of these goods under documents will look up of both."""
    looks: list[bulk.Look | bulk.Led] = [*looks_of(documents, goods)]
    for follow in followers:
        if isinstance(follow, ForeseeingFollower):
            looks += follow.looks(documents, goods)
    return looks


def _are_few(told: Sequence[Told]) -> bool:
    return sum(len(read.facts) for _, read in told) <= FORESEEN_MAX


def _routes(told: Sequence[Told]) -> list[Route]:
    """Return every route that plain movements go, once."""
    # Equal routes are mostly one object already, which is found sooner by what it is.
    objects = {id(route): route for _, read in told for route in read.routes}
    return [route for route in set(objects.values()) if route is not None]


def _dated(known: Known, noted: Noted) -> tuple[LotKey, ...]:
    rules = known.goods_rules
    lots = [row[:3] for row in noted.lots] if rules else []
    return tuple(lot for lot in lots if (rule := rules.get(lot[1])) and rule.expiry_date)


def _posted(
    state: LedgerState,
    known: Known,
    books: RunningBooks,
    noted: Noted,
    runs: Sequence[Run],
    *,
    redated: Sequence[LotKey],
    now_ms: int,
) -> Posted:
    return Posted(
        first_record_no=state.record_no + 1,
        last_record_no=state.record_no + sum(len(run.bodies) for run in runs),
        now_ms=now_ms,
        progress=tuple(sorted(books.progress_numbers)),
        findings=tuple(noted.findings),
        runs=runs,
        recovered=books.recovered(),
        fallen=books.fallen(),
        apart=tuple(noted.apart),
        counts=tuple(noted.counts),
        taken_back=noted.taken_back,
        singles=books.serials.singles(),
        single_units=books.units.singles(),
        dated=_dated(known, noted),
        redated=redated,
        relieved=books.relieved,
        returning=books.returning,
        returned=books.returned,
        reweighed=books.reweighed,
        state=state,
    )


def _write_rows(connection: Connection, noted: Noted) -> None:
    insert_facts(connection, noted.facts)
    insert_line_pairs(connection, noted.pairs)
    bulk.insert_rows(connection, tables.lines, noted.further_lines)
    for written in (noted.facts, noted.pairs, noted.further_lines):
        written.clear()


def _write_books(
    connection: Connection, books: RunningBooks, expected: dict[ProgressKey, Expected]
) -> None:
    # Sorted, so that no two writers can ever wait for each other's rows.
    bulk.upsert_rows(
        connection,
        tables.balances,
        [(*key, *values) for key, *values in books.changed()],
    )
    bulk.upsert_rows(
        connection,
        tables.document_progress,
        [
            (*key, *expected.get(key, (0, 0)), counted.done_micro, number, counted.way)
            for key, number in sorted(books.progress_numbers.items())
            for counted in (books.progress[key],)
        ],
    )
