"""Posts facts with all that follows from them, in one transaction. Edge of the database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.ledger.bookkeeping import Bookkeeper, Noted, Targets
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import BalanceKey, Finding, Known, ProgressKey, Route, Run
from central.ledger.expected import ReferenceChange
from central.ledger.locations import is_virtual
from central.ledger.reading import route_of
from central.ledger.reference_book import ReferenceBook
from central.ledger.reversals import find_targets, write_reversals
from central.ledger.running import RunningBooks
from central.ledger.state import LedgerState, set_state
from central.storage import bulk, tables
from central.storage.line_pairs import insert_line_pairs

# Facts whose rows are kept in memory before they are written. Each COPY begins on new pages of the
# indexes' ends and of the heap: with 1000 a movement costs PostgreSQL a tenth more.
FACTS_AT_ONCE_MAX = 8000
Expected = tuple[int, int]  # expected_micro, tolerance_percent_micro


@dataclass(frozen=True, slots=True)
class Posted:
    """What a call of `Ledger.post` has written, for those who follow what is posted.

    Its facts have the record numbers first_record_no to last_record_no. progress: every document
    line that moved on, in order. findings: in the order of their facts.
    """

    first_record_no: int
    last_record_no: int
    now_ms: int
    progress: tuple[ProgressKey, ...]
    findings: tuple[Finding, ...]


# Reads what was posted and writes what follows from it, in the same transaction; it posts nothing.
# It is called for every posting, so it costs nothing where nothing concerns it.
Follower = Callable[[Connection, Posted], None]


class Ledger:
    """The books. One thread at a time uses it, under the lock that `lock_ledger` takes.

    followers: are called in this order at the end of each posting.
    """

    def __init__(self, followers: Sequence[Follower] = ()) -> None:
        self._book = ReferenceBook()
        self._followers = tuple(followers)

    def forget(self, changes: Iterable[ReferenceChange]) -> None:
        """Forget entries of the reference data that this transaction has changed."""
        self._book.forget(changes)

    def post(
        self, connection: Connection, state: LedgerState, runs: Sequence[Run], *, now_ms: int
    ) -> int:
        """Store and post facts in the order given; return how many discrepancies were opened.

        state: as locked in this transaction; the facts are numbered from its record_no + 1 on.
        Durable with the caller's commit, with everything else of its transaction or not at all.
        """
        if not runs:
            return 0
        routes = _routes(runs)
        known = self._look_up(connection, state, runs, routes)
        targets = find_targets(connection, state, runs)
        books, expected = _open_books(connection, known, runs, routes, targets)
        blob = bytearray if connection.dialect.name == "sqlite" else bytes
        keeper = Bookkeeper(known, books, routes, targets, now_ms=now_ms, blob=blob)
        record_no = state.record_no
        for run in runs:
            assert run.first_record_no == record_no + 1
            record_no += len(run.bodies)
            keeper.post(run)
            if len(keeper.noted.facts) >= FACTS_AT_ONCE_MAX:
                _write_rows(connection, keeper.noted)
        _write_rows(connection, keeper.noted)
        _write_books(connection, books, expected)
        set_state(connection, "record_no", str(record_no))
        opened_count = open_discrepancies(connection, keeper.noted.findings, now_ms=now_ms)
        write_reversals(connection, state, keeper.noted, now_ms=now_ms)
        if self._followers:
            posted = Posted(
                first_record_no=state.record_no + 1,
                last_record_no=record_no,
                now_ms=now_ms,
                progress=tuple(sorted(books.progress_numbers)),
                findings=tuple(keeper.noted.findings),
            )
            for follow in self._followers:
                follow(connection, posted)
        return opened_count

    def _look_up(
        self,
        connection: Connection,
        state: LedgerState,
        runs: Sequence[Run],
        routes: Sequence[Route],
    ) -> Known:
        items: set[str] = set()
        locations: set[tuple[str, str]] = set()
        documents: set[tuple[str, str]] = set()
        for warehouse, from_location, to_location, item, _, _, _, _ in routes:
            items.add(item)
            locations.add((warehouse, from_location))
            locations.add((warehouse, to_location))
        for run in runs:
            for fact in _with_documents(run):
                items.add(fact.item)
                locations.add((run.warehouse, fact.from_location))
                locations.add((run.warehouse, fact.to_location))
                documents.add((run.warehouse, fact.document))
        return self._book.look_up(
            connection,
            revision=state.reference_revision,
            items=items,
            locations={place for place in locations if not is_virtual(place[1])},
            documents=documents,
        )


def _routes(runs: Sequence[Run]) -> list[Route]:
    """Return every route that plain movements go, once."""
    # Equal routes are mostly one object already, which is found sooner by what it is.
    objects = {id(route): route for run in runs for route in run.read.routes}
    return [route for route in set(objects.values()) if route is not None]


def _with_documents(run: Run) -> list[Movement]:
    if None not in run.read.movements:
        return []
    return [fact for fact in run.read.facts if isinstance(fact, Movement) and fact.document]


def _open_books(
    connection: Connection,
    known: Known,
    runs: Sequence[Run],
    routes: Sequence[Route],
    targets: Targets,
) -> tuple[RunningBooks, dict[ProgressKey, Expected]]:
    """Return the books at every key that may be touched, and what is expected of the progress."""
    balance_keys: set[BalanceKey] = set()
    progress_keys: set[ProgressKey] = set()
    for route in routes:
        balance_keys.update(_balance_keys(known, route))
    for run in runs:
        for fact in _with_documents(run):
            balance_keys.update(_balance_keys(known, route_of(fact)))
            progress_keys.update(
                ProgressKey(run.warehouse, fact.document, fact.document_line, fact.item, unit)
                for unit in _units(known, fact.item, fact.unit)
            )
    for target in targets.stored.values():
        balance_keys.update(line.balance_key for line in target.lines)
        if target.progress is not None:
            progress_keys.add(target.progress[0])
    balances: dict[BalanceKey, int] = {}
    for row in bulk.select_by_key(connection, tables.balances, list(balance_keys), columns_count=7):
        balances[BalanceKey(*row[:7])] = row[7]
    progress: dict[ProgressKey, int] = {}
    expected: dict[ProgressKey, Expected] = {}
    for row in bulk.select_by_key(
        connection, tables.document_progress, list(progress_keys), columns_count=5
    ):
        key = ProgressKey(*row[:5])
        progress[key] = row[7]
        expected[key] = (row[5], row[6])
    return RunningBooks(known, balances=balances, progress=progress), expected


def _balance_keys(known: Known, route: Route) -> Iterator[BalanceKey]:
    warehouse, from_location, to_location, item, lot, serial, sscc, stated_unit = route
    for unit in _units(known, item, stated_unit):
        yield BalanceKey(warehouse, from_location, item, lot, serial, sscc, unit)
        yield BalanceKey(warehouse, to_location, item, lot, serial, sscc, unit)


def _units(known: Known, item: str, stated_unit: str) -> set[str]:
    """Return the units in one of which a movement will be posted."""
    return {stated_unit, known.item_units.get(item, stated_unit)}


def _write_rows(connection: Connection, noted: Noted) -> None:
    bulk.insert_rows(connection, tables.facts, noted.facts)
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
        [(*key, amount, number) for key, amount, number in books.changed()],
    )
    bulk.upsert_rows(
        connection,
        tables.document_progress,
        [
            (*key, *expected.get(key, (0, 0)), books.progress[key], books.progress_numbers[key])
            for key in sorted(books.progress_numbers)
        ],
    )
