"""Proves the ledger from its facts, and rebuilds balances from lines. Edge of the database.

    facts     chain of digests, numbers without gaps, positions at their ends
    lines     computed again from each fact
    shares    of weights that unweighed goods took along, from what stood there then
    balances  sum of their lines; over all places of anything: zero
    progress  of document lines, computed again from facts and lines
    lots      their expiry dates, from the lines that state them first
    units     what is packed in what, from the packings
    waiting   reversals whose movements are not here, counted
    numbers   record numbers 1 .. the last one given out

Everything streams: memory does not grow with the number of facts.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, Table, func, select

from central.ledger import handling_units, lots, sums
from central.ledger.checkpoints import forget_checkpoints
from central.ledger.entries import ProgressKey
from central.ledger.fact_check import FactCheck, Fault
from central.ledger.progress import BORDER_NUMBERS, counts, sign_of
from central.ledger.share_check import share_faults
from central.ledger.state import lock_ledger, read_state
from central.storage import tables
from central.storage.database import Database

# Yields what is off in one state of the database; it streams and writes nothing.
Proof = Callable[[Connection], Iterator[Fault]]

FAULTS_LISTED_MAX = 1000
# Progress rows summed at once; beyond it the facts are read once more for each further part.
PROGRESS_ROWS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at and what is off. faults: the first FAULTS_LISTED_MAX of faults_count."""

    facts_count: int
    lines_count: int
    balances_count: int
    faults_count: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """Which balances a rebuild changed. changes: the first FAULTS_LISTED_MAX of changes_count."""

    balances_count: int
    changes_count: int
    changes: tuple[sums.Difference, ...]


def verify_ledger(
    database: Database,
    *,
    proofs: Sequence[Proof] = (),
    progress_rows_max: int = PROGRESS_ROWS_MAX,
) -> VerifyReport:
    """Return what is off in one state of the ledger; work goes on meanwhile.

    proofs: of what others keep beside the books, each of that same state.
    Raises LedgerUnavailable if the database does not take part.
    """
    faults: list[Fault] = []
    faults_count = 0
    with database.read() as connection:
        check = FactCheck(connection)
        own = _all_faults(connection, check, progress_rows_max)
        for fault in chain(own, *(proof(connection) for proof in proofs)):
            faults_count += 1
            if len(faults) < FAULTS_LISTED_MAX:
                faults.append(fault)
        balances_count = _count(connection, tables.balances)
    return VerifyReport(
        facts_count=check.facts_count,
        lines_count=check.lines_count,
        balances_count=balances_count,
        faults_count=faults_count,
        faults=tuple(faults),
    )


def rebuild_balances(database: Database) -> RebuildReport:
    """Make every balance the sum of its lines, in one transaction, and return what changed.

    Nothing is posted meanwhile. Raises LedgerUnavailable, and then nothing is changed.
    """
    changes: list[sums.Difference] = []
    changes_count = 0
    with database.write() as connection:
        lock_ledger(connection)
        for difference in sums.differing_balances(connection):
            changes_count += 1
            if len(changes) < FAULTS_LISTED_MAX:
                changes.append(difference)
        sums.replace_balances(connection)
        if changes_count:
            forget_checkpoints(connection)  # They were copied from balances that were wrong.
        balances_count = _count(connection, tables.balances)
    return RebuildReport(balances_count, changes_count, tuple(changes))


def _all_faults(
    connection: Connection, check: FactCheck, progress_rows_max: int
) -> Iterator[Fault]:
    rows_count = _count(connection, tables.document_progress)
    parts_count = 1 + rows_count // progress_rows_max
    for part in range(parts_count):
        received: dict[tuple[ProgressKey, str], int] = {}  # By border, less what went out.
        for fault, progress in check.run():
            if fault is not None and part == 0:
                yield fault
            if progress is not None and _part_of(progress.key.document, parts_count) == part:
                crossed = (progress.key, progress.border)
                received[crossed] = received.get(crossed, 0) + progress.brought_in_micro
        yield from _progress_faults(connection, received, part=part, parts_count=parts_count)
    yield from _record_number_faults(connection, check.facts_count)
    for difference in sums.differing_balances(connection):
        detail = (
            f"balance {difference.actual_micro}, lines {difference.expected_micro} (micro);"
            f" weight {difference.actual_weight_micro}, lines {difference.expected_weight_micro}"
        )
        yield Fault("balance", "/".join(difference.key), detail)
    for difference in sums.unconserved_items(connection):
        detail = (
            f"the places sum to {difference.actual_micro} and weigh"
            f" {difference.actual_weight_micro} (micro), not zero"
        )
        yield Fault("conservation", "/".join(difference.key), detail)
    yield from share_faults(connection)
    yield from _waiting_faults(connection)
    yield from lots.faults(connection)
    yield from handling_units.faults(connection)


def _progress_faults(
    connection: Connection,
    received: dict[tuple[ProgressKey, str], int],
    *,
    part: int,
    parts_count: int,
) -> Iterator[Fault]:
    table = tables.document_progress
    for row in connection.execute(select(table), execution_options={"yield_per": 500}):
        key = ProgressKey(row.warehouse, row.document, row.line, row.item, row.unit)
        if _part_of(key.document, parts_count) != part:
            continue
        crossed = {border: received.pop((key, border), 0) for border in BORDER_NUMBERS}
        counting = (micro for border, micro in crossed.items() if counts(row.direction, border))
        expected = sign_of(row.direction) * sum(counting)
        if row.received_micro != expected:
            yield _progress_fault(key, stored=row.received_micro, expected=expected)
    missing: dict[ProgressKey, int] = {}
    for (key, _), brought_in in sorted(received.items()):
        missing[key] = missing.get(key, 0) + brought_in
    for key, expected in missing.items():
        if expected:
            yield _progress_fault(key, stored=0, expected=expected)


def _progress_fault(key: ProgressKey, *, stored: int, expected: int) -> Fault:
    subject = "/".join(map(str, key))
    return Fault("progress", subject, f"received {stored}, facts say {expected} (micro)")


def _record_number_faults(connection: Connection, facts_count: int) -> Iterator[Fault]:
    column = tables.facts.c.record_no
    lowest, highest = connection.execute(select(func.min(column), func.max(column))).one()
    last = read_state(connection).record_no
    if (highest or 0) != last or (facts_count and lowest != 1) or facts_count != last:
        detail = f"{facts_count} facts from {lowest} to {highest}, the ledger counts {last}"
        yield Fault("record_number", "facts", detail)


def _waiting_faults(connection: Connection) -> Iterator[Fault]:
    """A reversal waits while the fact that it names is not stored; the state counts them."""
    facts, reversals = tables.facts.c, tables.reversals.c
    is_here = select(facts.seq).where(
        facts.warehouse == reversals.warehouse,
        facts.gateway == reversals.gateway,
        facts.epoch == reversals.epoch,
        facts.seq == reversals.seq,
    )
    query = select(func.count()).select_from(tables.reversals).where(~is_here.exists())
    waiting_count = connection.execute(query).scalar_one()
    counted = read_state(connection).reversals_waiting_count
    if waiting_count != counted:
        detail = f"{waiting_count} reversals wait for their movements, the ledger counts {counted}"
        yield Fault("waiting", "reversals", detail)


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _part_of(document: str, parts_count: int) -> int:
    return zlib.crc32(document.encode()) % parts_count
