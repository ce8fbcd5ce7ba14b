"""Reads from the journal what its copy has not yet, in short runs under the journal's lock. Edge.

No second connection: the journal's own, lent for a millisecond or so at a time.
"""

import sqlite3
from dataclasses import dataclass

from gateway.journal.copy_file import Changes, FactRow, TableRows
from gateway.journal.journal import Journal
from gateway.journal.pruned import Pruned, load_pruned, pruned_digest

FACTS_PER_RUN_MAX = 500
BYTES_PER_RUN_MAX = 256 * 1024
RECORDS_PER_RUN_MAX = 500

SELECT_FACTS = """
    SELECT number, kind, digest, data FROM facts WHERE number > ? ORDER BY number LIMIT ?
"""
SELECT_DIGEST = "SELECT digest FROM facts WHERE number = ?"
SELECT_RECORDS = """
    SELECT * FROM alibi_records WHERE number > ? AND number <= ? ORDER BY number LIMIT ?
"""
SELECT_OLDEST_RECORD = """
    SELECT coalesce(min(number), (SELECT number + 1 FROM pruned)) FROM alibi_records
"""


@dataclass(frozen=True, slots=True)
class SmallTable:
    """A table that is copied whole when what `sign` selects is another than before.

    sign: must change with every change that counts. select: the rows to copy.
    """

    name: str
    sign: str
    select: str


# At once: what a printer is about to do.
PRINT_JOBS = SmallTable(
    "print_jobs",
    "SELECT count(*), total(number), total(claimed_by), (SELECT max(number) FROM print_jobs)"
    " FROM print_jobs WHERE state <> 'over'",
    "SELECT * FROM print_jobs WHERE state <> 'over'"
    " OR number = (SELECT max(number) FROM print_jobs)",
)
# With a pause: positions and counters that may be some seconds old.
SLOW_TABLES = (
    SmallTable("identity", "SELECT sscc_reference FROM identity", "SELECT * FROM identity"),
    SmallTable(
        "epochs",
        "SELECT count(*), max(start_count), total(acked_seq), total(stable_seq) FROM epochs",
        "SELECT * FROM epochs",
    ),
    SmallTable(
        "reference_data", "SELECT revision FROM reference_data", "SELECT * FROM reference_data"
    ),
    SmallTable(
        "running_hours", "SELECT max(hour) FROM running_hours", "SELECT * FROM running_hours"
    ),
    SmallTable("alibi_gaps", "SELECT count(*) FROM alibi_gaps", "SELECT * FROM alibi_gaps"),
)
# Together with what is forgotten, never apart from it.
PRUNED_TABLES = ("pruned", "pruned_stock", "pruned_progress", "alibi_forgotten")
PRUNED_SIGN = "SELECT number, (SELECT total(alibi_number) FROM alibi_forgotten) FROM pruned"


class CopySource:
    """Remembers what the copy has; forgets it when the copy is opened anew. One thread uses it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._signs: dict[str, tuple[object, ...] | None] = {}

    def begin(self, newest: Pruned) -> bool:
        """Take up a copy with this newest fact; return False if it has another history."""
        self._signs.clear()
        with self._journal.exclusive() as (connection, head):
            pruned = load_pruned(connection)
            if newest.number > head.first_number + head.seq - 1:
                return False
            if newest.number > pruned.number:
                row = connection.execute(SELECT_DIGEST, (newest.number,)).fetchone()
                return row is not None and row[0] == newest.digest
            known = pruned_digest(connection, pruned, newest.number)
            return known in (None, newest.digest) or newest.number == 0

    def facts(self, after: int) -> tuple[list[FactRow], int]:
        """Return the next facts, and how many there are after `after` in all.

        If facts have been forgotten meanwhile the first of them is not the next one.
        """
        with self._journal.exclusive() as (connection, head):
            found: list[FactRow] = []
            bytes_count = 0
            for row in connection.execute(SELECT_FACTS, (after, FACTS_PER_RUN_MAX)):
                bytes_count += len(row[3])
                if found and bytes_count > BYTES_PER_RUN_MAX:
                    break
                found.append(row)
            return found, max(0, head.first_number + head.seq - 1 - after)

    def tables(self, *, slow_too: bool) -> list[TableRows]:
        """Return the small tables that have changed."""
        wanted = (PRINT_JOBS, *SLOW_TABLES) if slow_too else (PRINT_JOBS,)
        with self._journal.exclusive() as (connection, _):
            return [
                _rows(connection, one.name, one.select)
                for one in wanted
                if self._has_changed(connection, one.name, one.sign)
            ]

    def forgotten(self, *, newest_record: int) -> Changes | None:
        """Return what the copy is to forget and what stays of it, None if nothing has changed.

        Weighings of the alibi memory come first, a run at a time, beyond `newest_record`.
        """
        with self._journal.exclusive() as (connection, _):
            pruned = load_pruned(connection)
            records = connection.execute(
                SELECT_RECORDS, (newest_record, pruned.number, RECORDS_PER_RUN_MAX)
            ).fetchall()
            if len(records) == RECORDS_PER_RUN_MAX:
                return Changes(records=records)
            if not self._has_changed(connection, "pruned", PRUNED_SIGN):
                return None
            (oldest,) = connection.execute(SELECT_OLDEST_RECORD).fetchone()
            tables = [
                _rows(connection, name, f"SELECT * FROM {name}")  # noqa: S608 - our own names
                for name in PRUNED_TABLES
            ]
            return Changes(
                records=records, tables=tables, forget_to=pruned.number, oldest_record=oldest
            )

    def _has_changed(self, connection: sqlite3.Connection, name: str, sign: str) -> bool:
        found = connection.execute(sign).fetchone()
        if name in self._signs and self._signs[name] == found:
            return False
        self._signs[name] = found
        return True


def _rows(connection: sqlite3.Connection, name: str, select: str) -> TableRows:
    cursor = connection.execute(select)
    columns = tuple(column[0] for column in cursor.description)
    return TableRows(name, columns, tuple(cursor.fetchall()))
