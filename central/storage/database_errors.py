"""Errors of the databases, by the names that callers know. Edge of SQLAlchemy."""

import sqlite3
import sys

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    ResourceClosedError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from central.errors import DatabaseUnusable, LedgerUnavailable

# The server has become a standby, or ended a transaction that lasted too long (a stopped process):
# the driver calls that an internal error (postgresql.org/docs/15/errcodes-appendix.html, class 25).
TAKES_NO_PART = frozenset({"25006", "25P03", "25P04"})
# Who shares a session with others, as behind a pooler, finds no statement of a name that it has
# prepared, or somebody else's (classes 26 and 42).
SHARES_A_SESSION = frozenset({"26000", "42P05"})


def errors_with_names() -> tuple[type[Exception], ...]:
    """Return the errors for which `raise_named` may know a name."""
    return (NotImplementedError, *_silences(), *_faults())


def raise_named(place: str, error: BaseException) -> None:
    """Raise an error of the database by its name; return if it is none, or a mistake of ours.

    place: which database. Raises LedgerUnavailable, DatabaseUnusable.
    """
    if isinstance(error, NotImplementedError):
        # SQLAlchemy cannot give up a connection that broke while it got to know the server, and
        # says so instead; its cause is what the driver said.
        if isinstance(error.__cause__, _silences()):
            raise _silent(place, error.__cause__) from error
        return
    if isinstance(error, _silences()):
        raise _silent(place, error) from error
    if not isinstance(error, _faults()):
        return
    if _is_not_a_database(error):
        raise DatabaseUnusable(
            f"database {place}: {_first_line(error)}",
            hint="Name the ledger's own database file under [database].",
        ) from error
    if _state_of(error) in TAKES_NO_PART:
        raise LedgerUnavailable(
            f"database {place}: {_first_line(error)}",
            hint="Check that the primary answers and that nothing stops this program for long.",
        ) from error
    if _state_of(error) in SHARES_A_SESSION:
        raise LedgerUnavailable(
            f"database {place}: {_first_line(error)}",
            hint="Connect to PostgreSQL itself, or to a pooler that keeps whole sessions.",
        ) from error


def _silent(place: str, error: Exception) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"database {place}: {_first_line(error)}",
        hint="Check that the database runs, has disk space and lets this user in.",
    )


def _silences() -> tuple[type[Exception], ...]:
    # A server that ends while SQLAlchemy gets to know it (`Dialect.initialize`) leaves a closed
    # connection that it asks on, or one that it cannot give up: the driver's error is the cause.
    closed = (ResourceClosedError, InterfaceError)
    own = (OperationalError, *closed, PoolTimeout, sqlite3.OperationalError)
    return (*own, *psycopg_errors("OperationalError"))


def _faults() -> tuple[type[Exception], ...]:
    return (DBAPIError, sqlite3.DatabaseError, *psycopg_errors("Error"))


def psycopg_errors(name: str) -> tuple[type[Exception], ...]:
    """Return an error of the driver for PostgreSQL, nothing where it is not loaded."""
    driver = sys.modules.get("psycopg")
    return () if driver is None else (getattr(driver, name),)


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:300]


def _state_of(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    is_of_postgresql = isinstance(cause, psycopg_errors("Error"))
    return getattr(cause, "sqlstate", None) if is_of_postgresql else None


def _is_not_a_database(error: Exception) -> bool:
    return "file is not a database" in str(error) or "malformed" in str(error)
