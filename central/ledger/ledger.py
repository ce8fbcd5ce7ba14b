"""Posts facts with all that follows from them, in one transaction. Edge of the database."""

from collections.abc import Sequence

from sqlalchemy import Connection

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, Reversal, kind_of
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import (
    BalanceKey,
    Entry,
    FactKey,
    Finding,
    Known,
    Line,
    ProgressKey,
    finding_of,
)
from central.ledger.locations import is_virtual
from central.ledger.posting import PostedMovement, Posting, post, progress_of, read_fact
from central.ledger.reference_book import ReferenceBook
from central.ledger.running import RunningBooks
from central.ledger.state import LedgerState, set_state
from central.storage import bulk, tables

Read = tuple[Entry, Fact | None, str]  # the fact, or None and why it could not be read


class Ledger:
    """The books. One thread at a time uses it, under the lock that `lock_ledger` takes."""

    def __init__(self) -> None:
        self._book = ReferenceBook()

    def post(
        self, connection: Connection, state: LedgerState, entries: Sequence[Entry], *, now_ms: int
    ) -> int:
        """Store and post facts in the order given; return how many discrepancies were opened.

        state: as locked in this transaction; the entries are numbered from its record_no + 1 on.
        Durable with the caller's commit, with everything else of its transaction or not at all.
        """
        if not entries:
            return 0
        assert entries[0].record_no == state.record_no + 1
        assert entries[-1].record_no == state.record_no + len(entries)
        facts = [_read(entry) for entry in entries]
        known = self._look_up(connection, state, facts)
        postings = _postings(facts, known, _stored_targets(connection, facts))
        books, expected = _open_books(connection, known, postings)
        done = [
            books.apply(entry, posting)
            for (entry, _, _), posting in zip(facts, postings, strict=True)
        ]
        bulk.insert_rows(connection, tables.facts, [_fact_row(read, now_ms) for read in facts])
        lines = [line for posting in done for line in posting.lines]
        bulk.insert_rows(connection, tables.lines, lines)
        _write_books(connection, books, expected)
        _write_reversals(connection, entries, done)
        set_state(connection, "record_no", str(entries[-1].record_no))
        findings: list[Finding] = [finding for posting in done for finding in posting.findings]
        return open_discrepancies(connection, findings, now_ms=now_ms)

    def _look_up(self, connection: Connection, state: LedgerState, facts: Sequence[Read]) -> Known:
        items: set[str] = set()
        locations: set[tuple[str, str]] = set()
        documents: set[tuple[str, str]] = set()
        for entry, fact, _ in facts:
            if isinstance(fact, Movement):
                items.add(fact.item)
                locations.add((entry.warehouse, fact.from_location))
                locations.add((entry.warehouse, fact.to_location))
                if fact.document:
                    documents.add((entry.warehouse, fact.document))
        return self._book.look_up(
            connection,
            revision=state.reference_revision,
            items=items,
            locations={place for place in locations if not is_virtual(place[1])},
            documents=documents,
        )


def _read(entry: Entry) -> Read:
    try:
        return entry, read_fact(entry), ""
    except ContractError as error:
        return entry, None, str(error).replace("\0", "\\0")


def _fact_row(read: Read, now_ms: int) -> bulk.Row:
    entry, fact, _ = read
    return (
        entry.warehouse,
        entry.gateway,
        entry.epoch,
        entry.seq,
        "unreadable" if fact is None else kind_of(fact),
        entry.body,
        entry.digest,
        0 if fact is None else fact.event_time_ms,
        False if fact is None else fact.clock_synced,
        now_ms,
        entry.record_no,
    )


def _postings(
    facts: Sequence[Read], known: Known, targets: dict[FactKey, PostedMovement]
) -> list[Posting]:
    """Return the posting of each fact; a reversal finds its movement also among these facts."""
    has_reversals = any(isinstance(fact, Reversal) for _, fact, _ in facts)
    postings: list[Posting] = []
    for entry, fact, problem in facts:
        if fact is None:
            finding = finding_of(entry, "unreadable_fact", str(entry), detail=problem[:500])
            postings.append(Posting(findings=(finding,)))
            continue
        posting = post(entry, fact, known, targets.get)
        postings.append(posting)
        if not has_reversals:
            continue
        if posting.takes_back is not None:
            taken = targets[posting.takes_back]
            targets[posting.takes_back] = PostedMovement(taken.lines, taken.progress, reversed=True)
        elif isinstance(fact, Movement):
            key = FactKey(entry.warehouse, entry.gateway, entry.epoch, entry.seq)
            targets[key] = PostedMovement(posting.lines, posting.progress, reversed=False)
    return postings


def _stored_targets(connection: Connection, facts: Sequence[Read]) -> dict[FactKey, PostedMovement]:
    """Return the stored movements that reversals among `facts` name."""
    keys = sorted(
        {
            FactKey(entry.warehouse, entry.gateway, fact.reverses_epoch, fact.reverses_seq)
            for entry, fact, _ in facts
            if isinstance(fact, Reversal)
        }
    )
    if not keys:
        return {}
    reversed_keys = {
        FactKey(*row[:4])
        for row in bulk.select_by_key(connection, tables.reversals, keys, columns_count=4)
    }
    lines: dict[FactKey, list[Line]] = {}
    for row in bulk.select_by_key(connection, tables.lines, keys, columns_count=4):
        lines.setdefault(FactKey(*row[:4]), []).append(Line(*row))
    targets = {}
    for row in bulk.select_by_key(connection, tables.facts, keys, columns_count=4):
        key = FactKey(*row[:4])
        if row[4] != "movement" or key not in lines:
            continue
        pair = tuple(sorted(lines[key], key=lambda line: line.line_no))
        entry = Entry(*key, body=row[5], digest=row[6], record_no=row[10])
        movement = read_fact(entry)
        assert isinstance(movement, Movement)
        progress = progress_of(
            movement,
            warehouse=key.warehouse,
            unit=pair[1].unit,
            quantity_micro=pair[1].quantity_micro,
        )
        targets[key] = PostedMovement(pair, progress, reversed=key in reversed_keys)
    return targets


def _open_books(
    connection: Connection, known: Known, postings: Sequence[Posting]
) -> tuple[RunningBooks, dict[bulk.Row, bulk.Row]]:
    """Return the books at every key that is touched, and what is expected of the progress."""
    balance_keys = {line.balance_key for posting in postings for line in posting.lines}
    progress_keys = {posting.progress[0] for posting in postings if posting.progress is not None}
    balances: dict[BalanceKey, int] = {}
    for row in bulk.select_by_key(connection, tables.balances, list(balance_keys), columns_count=7):
        balances[BalanceKey(*row[:7])] = row[7]
    progress: dict[ProgressKey, int] = {}
    expected: dict[bulk.Row, bulk.Row] = {}
    for row in bulk.select_by_key(
        connection, tables.document_progress, list(progress_keys), columns_count=5
    ):
        progress[ProgressKey(*row[:5])] = row[7]
        expected[row[:5]] = row[5:7]
    return RunningBooks(known, balances=balances, progress=progress), expected


def _write_books(
    connection: Connection, books: RunningBooks, expected: dict[bulk.Row, bulk.Row]
) -> None:
    # Sorted, so that no two writers can ever wait for each other's rows.
    bulk.upsert_rows(
        connection,
        tables.balances,
        [
            (*key, books.balances[key], books.balance_numbers[key])
            for key in sorted(books.balance_numbers)
        ],
    )
    bulk.upsert_rows(
        connection,
        tables.document_progress,
        [
            (*key, *expected.get(key, (0, 0)), books.progress[key], books.progress_numbers[key])
            for key in sorted(books.progress_numbers)
        ],
    )


def _write_reversals(
    connection: Connection, entries: Sequence[Entry], done: Sequence[Posting]
) -> None:
    bulk.insert_rows(
        connection,
        tables.reversals,
        [
            (*posting.takes_back, entry.epoch, entry.seq)
            for entry, posting in zip(entries, done, strict=True)
            if posting.takes_back is not None
        ],
    )
