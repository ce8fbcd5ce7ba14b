"""Transactions of PostgreSQL that write, on connections that are kept for them. Edge of SQLAlchemy.

    pool -> connection -> transaction -> transaction -> ...     one at a time

What SQLAlchemy does to take a connection from its pool, begin, commit and give it back costs
0.1 ms, where nothing of it is needed: the server begins and commits with what is said anyway
(`gathering`). So who has ended leaves the connection to who comes next. SQLAlchemy's transaction is
there only where one of its own statements was run, or something failed.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

from central.storage.gathering import before_commit, gather, gather_no_more, trips_of

if TYPE_CHECKING:  # It loads the driver, 10 MB that a ledger on SQLite does not need.
    from central.storage.round_trips import RoundTrips

WRITERS_KEPT_MAX = 1  # The ledger has one writer at a time; who comes beside it asks the pool.


class Writers:
    """Gives connections to write with. For several threads.

    is_silent: returns whether a connection of the driver is as it was left.
    """

    def __init__(self, engine: Engine, *, is_silent: Callable[[Any], bool]) -> None:
        self._engine = engine
        self._is_silent = is_silent
        self._kept: deque[tuple[Connection, RoundTrips]] = deque()

    def begin(self) -> "Writing":
        """Return a transaction that commits at the end, or is rolled back."""
        return Writing(self)

    def close(self) -> None:
        """Give back what is kept."""
        while self._kept:
            self._kept.pop()[0].close()

    def take(self) -> "tuple[Connection, RoundTrips]":
        """Return a connection to write with, and its round trips."""
        try:
            connection, trips = self._kept.pop()
        except IndexError:
            connection = self._engine.connect()
            return connection, trips_of(connection)
        if not self._is_silent(trips.driver):
            # Its server has ended it, or says something that nobody listens to.
            connection.invalidate()
            connection.close()
            connection = self._engine.connect()
            trips = trips_of(connection)
        return connection, trips

    def give_back(self, connection: Connection, trips: "RoundTrips", *, is_sound: bool) -> None:
        """Keep a connection for the next one; the pool looks at any that may be broken."""
        is_sound = is_sound and not connection.invalidated and not connection.closed
        if is_sound and not trips.driver.closed and len(self._kept) < WRITERS_KEPT_MAX:
            self._kept.append((connection, trips))
        else:
            connection.close()


class Writing:
    """One transaction that writes. No generator: each change pays for what that takes."""

    __slots__ = ("_connection", "_trips", "_writers")

    def __init__(self, writers: Writers) -> None:
        self._writers = writers

    def __enter__(self) -> Connection:
        self._connection, self._trips = self._writers.take()
        gather(self._connection, self._trips)
        return self._connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        connection = self._connection
        committed = sound = False
        try:
            if error is None:
                if connection.in_transaction():
                    connection.commit()
                else:
                    before_commit(connection)
                committed = True
        finally:
            try:
                sound = committed or _rolled_back(connection)
            finally:
                gather_no_more(connection)
                self._writers.give_back(connection, self._trips, is_sound=sound)


def _rolled_back(connection: Connection) -> bool:
    """Undo what was begun; return whether the connection is sound afterwards."""
    transaction = connection.get_transaction()
    if transaction is None:
        if connection.invalidated:
            return False  # What is gone is undone; to begin anew would connect for that.
        transaction = connection.begin()
    is_active = transaction.is_active  # After a COMMIT that failed SQLAlchemy asks nothing.
    transaction.rollback()
    return is_active
