"""Makes a whole new journal from the facts of another file; derived tables anew. Edge of SQLite.

Every fact is checked against the chain on its way. The new file is written beside the journal and
of no worth until `swap.declare_ready`; the source is only read.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from central.contract.errors import ContractError
from central.contract.facts import NO_HEAD, Fact, decode_fact
from central.contract.identifiers import Epoch
from gateway.errors import JournalDamaged
from gateway.journal.append import (
    ADD_RECEIVED,
    ADD_STOCK,
    INSERT_FACT,
    INSERT_REVERSED,
    SELECT_FACT,
)
from gateway.journal.chain_check import check_chain
from gateway.journal.files import build_file
from gateway.journal.pruned import Pruned, load_pruned
from gateway.journal.recompute import Recomputed, Rules, take_fact
from gateway.journal.transactions import reading, transaction

FACTS_PER_STEP = 2000
# What follows from the facts, and what is of no worth in another file.
DERIVED_TABLES = frozenset({"stock", "document_progress", "scales", "reversed_facts"})
OWN_TABLES = DERIVED_TABLES | {"facts", "log_reserve", "_sqlite_migrations"}

SELECT_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
SELECT_IDENTITY = "SELECT gateway, warehouse FROM identity"
SELECT_FACTS = """
    SELECT number, kind, digest, data FROM facts WHERE number > ? ORDER BY number LIMIT ?
"""
SELECT_EPOCHS = "SELECT start_count, nonce, first_number FROM epochs ORDER BY start_count"
SELECT_KNOWLEDGE = "SELECT count(*) FROM ledger_knowledge"
SELECT_POSITIONS = "SELECT start_count, nonce, seq FROM base_positions"
BEGIN_STOCK_WITH_BASE = "INSERT INTO stock SELECT * FROM base_stock WHERE on_hand_micro <> 0"
BEGIN_STOCK_WITHOUT = "INSERT INTO stock SELECT * FROM pruned_stock"
BEGIN_PROGRESS = "INSERT INTO document_progress SELECT * FROM pruned_progress"
SELECT_ALIBI_FLOOR = """
    SELECT scale, max(number) FROM (
        SELECT scale, max(alibi_number) AS number FROM alibi_records GROUP BY scale
        UNION ALL SELECT scale, alibi_number FROM alibi_forgotten
        UNION ALL SELECT scale, max(last_number) FROM alibi_gaps GROUP BY scale
    ) GROUP BY scale
"""
RAISE_ALIBI = """
    INSERT INTO scales (scale, alibi_number) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET alibi_number = max(alibi_number, excluded.alibi_number)
"""
DELETE_ZERO_STOCK = "DELETE FROM stock WHERE on_hand_micro = 0"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the new file holds. last_number: of its newest fact, 0 if none."""

    facts_count: int
    last_number: int


@dataclass(frozen=True, slots=True)
class _Epochs:
    """Where the epochs begin, oldest first."""

    begins: list[tuple[int, Epoch]] = field(default_factory=list)

    def at(self, number: int) -> Epoch:
        for first_number, epoch in reversed(self.begins):
            if first_number <= number:
                return epoch
        raise JournalDamaged(f"fact number {number} belongs to no epoch", hint="Call support.")


def rebuild(source: sqlite3.Connection, building: Path) -> Rebuilt:
    """Write a new journal from the readable facts of another; checked, not yet in place.

    Raises JournalDamaged if not every fact of the source can be read and proven, JournalFull if
    the disk has no room for a second file.
    """
    with reading():
        gateway, warehouse = source.execute(SELECT_IDENTITY).fetchone() or ("", "")
        if not gateway:
            raise JournalDamaged("the file does not say whose it is", hint="Call support.")
        _prove_facts(source, gateway=gateway)  # Before a failing card is written to.
        build_file(building, gateway=gateway, warehouse=warehouse)
        with closing(sqlite3.connect(building, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous = OFF")  # `declare_ready` syncs the whole file.
            with transaction(target):
                _copy_tables(source, target)
            rebuilt = _copy_facts(source, target, gateway=gateway)
            findings = [row[0] for row in target.execute("PRAGMA quick_check(3)")]
            if findings != ["ok"]:
                raise JournalDamaged(
                    f"what was written is not what is read: {findings[0]}",
                    hint="Replace the card or disk of this gateway.",
                )
    return rebuilt


def _prove_facts(source: sqlite3.Connection, *, gateway: str) -> None:
    tables = {row[0] for row in source.execute(SELECT_TABLES)}
    # A journal of an older version has forgotten nothing.
    at = load_pruned(source) if "pruned" in tables else Pruned(0, NO_HEAD)
    while True:
        last = check_chain(source, gateway=gateway, after=at, facts_max=FACTS_PER_STEP)
        if last == at:
            return
        at = last


def _copy_tables(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy what does not follow from facts; what an older source lacks stays as in a new file."""
    present = {row[0] for row in source.execute(SELECT_TABLES)}
    for (table,) in target.execute(SELECT_TABLES).fetchall():
        if table in OWN_TABLES or table not in present:
            continue
        known = set(_columns(source, table))
        columns = [column for column in _columns(target, table) if column in known]
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        rows = source.execute(f"SELECT {names} FROM {table}")  # noqa: S608 - names of our schema
        target.execute(f"DELETE FROM {table}")  # noqa: S608
        target.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


def _columns(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)):
        yield row[0]


def _copy_facts(source: sqlite3.Connection, target: sqlite3.Connection, *, gateway: str) -> Rebuilt:
    checked = load_pruned(target)
    recomputed = Recomputed(load_rules(target))
    epochs = _Epochs([(number, one) for one, number in recomputed.rules.first_numbers.items()])
    with transaction(target):
        has_base = recomputed.rules.positions is not None
        target.execute(BEGIN_STOCK_WITH_BASE if has_base else BEGIN_STOCK_WITHOUT)
        target.execute(BEGIN_PROGRESS)
        target.executemany(RAISE_ALIBI, target.execute(SELECT_ALIBI_FLOOR).fetchall())
    count = 0
    while rows := source.execute(SELECT_FACTS, (checked.number, FACTS_PER_STEP)).fetchall():
        with transaction(target):
            target.executemany(INSERT_FACT, rows)
            last = check_chain(target, gateway=gateway, after=checked, facts_max=FACTS_PER_STEP)
            for number, _kind, _digest, data in rows:
                _take(target, recomputed, data, epoch=epochs.at(number), number=number)
            _store(target, recomputed)
        count += len(rows)
        checked = last
    with transaction(target):
        target.executemany(INSERT_REVERSED, list(recomputed.reversed_numbers.items()))
        target.execute(DELETE_ZERO_STOCK)
    return Rebuilt(facts_count=count, last_number=checked.number)


def load_rules(connection: sqlite3.Connection) -> Rules:
    """Return what a journal says beside its facts."""
    positions = None
    if connection.execute(SELECT_KNOWLEDGE).fetchone()[0]:
        positions = {
            Epoch(start_count=row[0], nonce=int(row[1], 16)): row[2]
            for row in connection.execute(SELECT_POSITIONS)
        }
    first_numbers = {
        Epoch(start_count=row[0], nonce=int(row[1], 16)): row[2]
        for row in connection.execute(SELECT_EPOCHS)
    }
    return Rules(positions, first_numbers, load_pruned(connection).number)


def _take(
    target: sqlite3.Connection, recomputed: Recomputed, data: bytes, *, epoch: Epoch, number: int
) -> None:
    def fact_at(wanted: int) -> Fact | None:
        row = target.execute(SELECT_FACT, (wanted,)).fetchone()
        return decode_fact(row[0]) if row else None

    try:
        take_fact(recomputed, decode_fact(data), epoch=epoch, number=number, fact_at=fact_at)
    except ContractError as error:
        raise JournalDamaged(
            f"fact number {number} cannot be: {error}", hint="Keep the file and call support."
        ) from error


def _store(target: sqlite3.Connection, recomputed: Recomputed) -> None:
    """Add the sums so far to the tables and begin new ones: a long journal costs no memory."""
    changes = recomputed.changes
    target.executemany(ADD_STOCK, [(*key, micro) for key, micro in changes.stock.items() if micro])
    received = [(*key, micro) for key, micro in changes.received.items()]
    target.executemany(ADD_RECEIVED, received)
    target.executemany(RAISE_ALIBI, list(recomputed.alibi_numbers.items()))
    changes.stock.clear()
    changes.received.clear()
    recomputed.alibi_numbers.clear()
