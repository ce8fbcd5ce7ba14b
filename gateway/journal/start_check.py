"""What is looked at before a journal is used, and how thoroughly after what end. Edge of SQLite.

SQLite deletes the log at a clean end; a log with something in it says that there was none, or that
a reader had the file open. The checks take some seconds at most, also on a slow card:

    end       the file as a whole (quick_check)    the chain of digests
    clean     up to 64 MiB                         the newest 1 000 facts
    unclean   up to 256 MiB, about a million       what is not acknowledged, the newest 100 000
    beyond    all tables but that of the facts     as above

What is not looked at here is followed by `upkeep`, a little each second, once after each start.
"""

import sqlite3
from dataclasses import dataclass

from gateway.errors import JournalDamaged
from gateway.journal.chain_check import chain_before, check_chain
from gateway.journal.transactions import journal_error

CLEAN_CHECK_BYTES_MAX = 64 * 1024 * 1024
UNCLEAN_CHECK_BYTES_MAX = 256 * 1024 * 1024
CLEAN_FACTS_MAX = 1_000
UNCLEAN_FACTS_MAX = 100_000
FACTS_PER_STEP = 1_000
FINDINGS_MAX = 3

SELECT_TABLES = """
    SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'facts' ORDER BY name
"""
SELECT_NEWEST = "SELECT coalesce(max(number), 0) FROM facts"
SELECT_OLDEST_UNACKED = """
    SELECT min(first_number + acked_seq) FROM epochs WHERE head_seq IS NULL OR acked_seq < head_seq
"""


@dataclass(frozen=True, slots=True)
class EarlierEnd:
    """How a journal's file was left. file_bytes: with its log."""

    is_clean: bool
    file_bytes: int


def file_findings(connection: sqlite3.Connection, end: EarlierEnd) -> list[str]:
    """Return what is broken in the file, in SQLite's words; empty if nothing was found."""
    bytes_max = CLEAN_CHECK_BYTES_MAX if end.is_clean else UNCLEAN_CHECK_BYTES_MAX
    if end.file_bytes <= bytes_max:
        return _quick_check(connection, str(FINDINGS_MAX))
    findings: list[str] = []
    for (table,) in connection.execute(SELECT_TABLES).fetchall():
        findings += _quick_check(connection, f"'{table}'")
    return findings[:FINDINGS_MAX]


def check_newest(connection: sqlite3.Connection, end: EarlierEnd, *, gateway: str) -> None:
    """Follow the chain through the newest facts. Raises JournalDamaged where it is broken."""
    (newest,) = connection.execute(SELECT_NEWEST).fetchone()
    first = newest - CLEAN_FACTS_MAX + 1
    if not end.is_clean:
        (unacked,) = connection.execute(SELECT_OLDEST_UNACKED).fetchone()
        first = max(min(first, unacked or first), newest - UNCLEAN_FACTS_MAX + 1)
    at = chain_before(connection, max(first, 1))
    while at.number < newest:
        at = check_chain(connection, gateway=gateway, after=at, facts_max=FACTS_PER_STEP)


def _quick_check(connection: sqlite3.Connection, argument: str) -> list[str]:
    try:
        found = [row[0] for row in connection.execute(f"PRAGMA quick_check({argument})")]
    except sqlite3.DatabaseError as error:
        if isinstance(journal_error(error), JournalDamaged):
            return [str(error)]
        raise
    return [] if found == ["ok"] else found
