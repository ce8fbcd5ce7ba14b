"""In what logistic units are packed, by own facts and by central's word. Edge of SQLite.

The later word counts: an own packing at once, central's when it comes, which has all own facts by
then or is followed by a word that has. All functions run inside the caller's transaction.
"""

import sqlite3
from collections.abc import Iterable

from central.contract.facts import Fact, Packing
from central.contract.notices import PackedUnit

UNITS_KEPT_MAX = 20_000  # Beyond that those go that have nothing here and nothing in them.

SET_PARENT = "INSERT OR REPLACE INTO packing (sscc, parent) VALUES (?, ?)"
TAKE_OUT = "DELETE FROM packing WHERE sscc = ?"
EMPTY = "DELETE FROM packing"
FORGET_GONE = """
    DELETE FROM packing WHERE (SELECT count(*) FROM packing) > ?
    AND sscc NOT IN (SELECT sscc FROM stock) AND sscc NOT IN (SELECT parent FROM packing)
"""


def pack_own(connection: sqlite3.Connection, facts: Iterable[Fact]) -> None:
    """Pack and unpack what own facts say."""
    for fact in facts:
        if isinstance(fact, Packing):
            parent = fact.parent if fact.action == "pack" else ""
            _keep(connection, ((child, parent) for child in fact.children))


def keep_packing(connection: sqlite3.Connection, units: Iterable[PackedUnit]) -> None:
    """Keep what central says of units; each replaces what was known of it."""
    told = [(one.sscc, one.parent) for one in units]
    if told:
        _keep(connection, told)
        connection.execute(FORGET_GONE, (UNITS_KEPT_MAX,))


def replace_packing(connection: sqlite3.Connection, units: Iterable[PackedUnit]) -> None:
    """Keep what central says of these units and of no other."""
    connection.execute(EMPTY)
    keep_packing(connection, units)


def _keep(connection: sqlite3.Connection, units: Iterable[tuple[str, str]]) -> None:
    for sscc, parent in units:
        if parent and parent != sscc:
            connection.execute(SET_PARENT, (sscc, parent))
        else:
            connection.execute(TAKE_OUT, (sscc,))
