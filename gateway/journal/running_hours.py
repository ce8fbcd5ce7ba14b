"""The hours that this gateway has run: how old facts are, and what it wrote. Edge of SQLite.

Age is counted in hours of running and not by the wall clock, which may be wrong by years: what is
so many running days old is at least as old by the calendar.
"""

import sqlite3

HOUR_NS = 3_600_000_000_000
HOURS_PER_DAY = 24

SELECT_HOUR = "SELECT coalesce(max(hour), 0) FROM running_hours"
INSERT_HOUR = "INSERT INTO running_hours VALUES (?, ?, ?)"
SELECT_NUMBER_AT = """
    SELECT last_number FROM running_hours WHERE hour <= ? ORDER BY hour DESC LIMIT 1
"""
SELECT_WRITTEN = "SELECT coalesce(sum(written_bytes), 0) FROM running_hours WHERE hour > ?"
DELETE_HOURS = "DELETE FROM running_hours WHERE hour < ?"


def note_hour(connection: sqlite3.Connection, *, last_number: int, written_bytes: int) -> None:
    """Note that another hour has passed, inside the caller's transaction.

    last_number: the newest fact, 0 if none. written_bytes: what was written in that hour.
    """
    hour = _newest_hour(connection) + 1
    connection.execute(INSERT_HOUR, (hour, last_number, written_bytes))


def newest_number_before(connection: sqlite3.Connection, *, days: int) -> int:
    """Return the newest fact that is so many days of running old, 0 if there is none."""
    hour = _newest_hour(connection) - days * HOURS_PER_DAY
    row = connection.execute(SELECT_NUMBER_AT, (hour,)).fetchone()
    return row[0] if row else 0


def written_in_hours(connection: sqlite3.Connection, *, hours_count: int) -> int:
    """Return how many bytes were written in the last whole hours."""
    hour = _newest_hour(connection) - hours_count
    written: int = connection.execute(SELECT_WRITTEN, (hour,)).fetchone()[0]
    return written


def forget_hours(connection: sqlite3.Connection, *, days: int) -> None:
    """Forget the hours that nobody asks for, inside the caller's transaction."""
    oldest = _newest_hour(connection) - days * HOURS_PER_DAY - 1
    connection.execute(DELETE_HOURS, (oldest,))


def _newest_hour(connection: sqlite3.Connection) -> int:
    hour: int = connection.execute(SELECT_HOUR).fetchone()[0]
    return hour
