"""Writes of a transaction that wait for each other, to be one statement. Edge of the database.

    INSERT INTO facts ...                      WITH w0 AS (INSERT INTO facts ...),
    INSERT INTO balances ... ON CONFLICT ...        w1 AS (INSERT INTO balances ...)
    INSERT INTO positions ... ON CONFLICT ...  INSERT INTO positions ...

On PostgreSQL a statement costs 60 to 100 us however little it writes, half of it here. What waits
is written before anything reads its table, before any statement of SQLAlchemy, before a COPY, and
before the commit: nobody can see that it waited. Each table is in a statement once, since its parts
do not see each other's rows (postgresql.org/docs/15/queries-with.html, 7.8.4).
"""

from collections.abc import Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Table

from central.storage.array_sql import (
    Statement,
    bind_rows,
    key_getter,
    key_indices,
    names,
    numbered,
    write_sql,
)
from central.storage.foresight import Foresight, Kind, Row

if TYPE_CHECKING:  # It loads the driver, 10 MB that a ledger on SQLite does not need.
    from central.storage.round_trips import RoundTrips

_TRIPS = "round_trips"  # Among what SQLAlchemy keeps of a connection until it is closed.


class Joining(NamedTuple):
    """A statement with slots that may be a part of another one. columns: what its rows have."""

    sql: str
    columns: tuple[str, ...]
    values: Sequence[object]


# What waits for a table: how it is written, of which columns, which rows.
Waiting = tuple[Kind, tuple[str, ...], list[Row]]
ROWS_MAX = 200  # So many of one table wait; more are better written at once.


class Gathering:
    """What waits in one transaction. foresight: what it has read ahead."""

    def __init__(self, trips: "RoundTrips") -> None:
        self._trips = trips
        self._opening: list[Statement] = []
        self._joining: list[Joining] = []  # Those that go last, if no look takes them along.
        self._opened: list[list[Row]] = []
        self._waiting: dict[Table, Waiting] = {}
        self.foresight = Foresight(key_getter)

    def open_with(self, sql: str, values: Sequence[object] = ()) -> Callable[[], list[Row]]:
        """Have a statement go ahead of what is said here next, in one round trip; return its rows.

        Whoever asks for them before has it go by itself.
        """
        self.write()
        self._join_no_more()
        number = len(self._opened) + len(self._opening)
        self._opening.append(Statement(sql, values))
        return self._opened_at(number)

    def open_joined(self, joining: Joining) -> Callable[[], list[Row]]:
        """Do the same with a statement that may be a part of the next look (`looks`)."""
        self.write()
        number = len(self._opened) + len(self._opening) + len(self._joining)
        self._joining.append(joining)
        return self._opened_at(number)

    @property
    def joining(self) -> Sequence[Joining]:
        """Return what a look may take along."""
        return self._joining

    def told(self, rows: Sequence[list[Row]]) -> None:
        """Take the rows of all that a look has taken along, in the order of `joining`."""
        self._joining = []
        self._opened += rows

    @property
    def is_waiting(self) -> bool:
        """Return whether anything waits to be written."""
        return bool(self._waiting)

    def open(self) -> None:
        """Have done what goes ahead."""
        self._join_no_more()
        if self._opening:
            self._ask()

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a statement."""
        self._join_no_more()
        return self.ask_joined(sql, values)

    def ask_joined(self, sql: str, values: Sequence[object]) -> list[Row]:
        """Do the same with one that has taken along what is `joining`."""
        return self._ask(Statement(sql, values))[0]

    def add(self, table: Table, kind: Kind, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Let rows of these columns wait; what waits for the table is written if it has to be."""
        rows = list(rows)  # Kept until it is written, and known.
        self.foresight.write(table, kind, rows)
        there = self._waiting.get(table)
        if there is not None:
            if there[:2] == (kind, columns) and len(there[2]) + len(rows) <= ROWS_MAX:
                rows = _merged(table, kind, [*there[2], *rows])
            elif not _leaves_nothing_of(table, there, kind, rows):
                self.write()
        self._waiting[table] = (kind, columns, rows)

    def write_before(self, table: Table, columns: tuple[str, ...], keys: Sequence[Row]) -> None:
        """Write all if a row waits of which these columns are, or may be, one of `keys`."""
        there = self._waiting.get(table)
        if there is None:
            return
        kind, _, rows = there
        if kind in {"delete", "update"} or columns != names(table)[: len(columns)]:
            self.write()
            return
        wanted = {tuple(key) for key in keys}
        if any(row[: len(columns)] in wanted for row in rows):
            self.write()

    def write_of(self, table: Table) -> None:
        """Write all if a row of a table waits."""
        if table in self._waiting:
            self.write()

    def write(self) -> None:
        """Write all that waits."""
        if self._waiting:
            self._join_no_more()
            self._ask(self._written())
            self._waiting = {}

    def commit(self) -> None:
        """Write all that waits, and commit."""
        if self._waiting:
            self._trips.commit(*self._opening, self._written())
        else:  # What goes ahead is asked by nobody.
            self._trips.commit()

    @property
    def is_cut_off(self) -> bool:
        """Return whether the connection is closed."""
        return self._trips.driver.closed

    def _opened_at(self, number: int) -> Callable[[], list[Row]]:
        def rows() -> list[Row]:
            if number >= len(self._opened):
                self.open()
            return self._opened[number]

        return rows

    def _join_no_more(self) -> None:
        """Let what no look has taken along go by itself."""
        self._opening += [Statement(numbered(one.sql), one.values) for one in self._joining]
        self._joining = []

    def _ask(self, *statements: Statement) -> list[list[Row]]:
        # What fails still waits: whoever takes no notice of that cannot commit without it.
        count = len(self._opening)
        rows = self._trips.ask(*self._opening, *statements)
        self._opening = []
        self._opened += rows[:count]
        return rows[count:]

    def _written(self) -> Statement:
        """Return the statement that writes all that waits."""
        values: list[object] = []
        writes = []
        for table, (kind, columns, rows) in self._waiting.items():
            writes.append((table, kind, columns, bind_rows(values, table, rows, columns)))
        return Statement(write_sql(tuple(writes)), values)


_gatherings: dict[Connection, Gathering] = {}


def gather(connection: Connection, trips: "RoundTrips") -> None:
    """Gather the writes of a transaction of PostgreSQL; they are written with its commit.

    trips: of the connection. Until `gather_no_more`, which has to come.
    """
    _gatherings[connection] = Gathering(trips)


def gather_no_more(connection: Connection) -> None:
    """Forget what was gathered: the transaction has ended."""
    del _gatherings[connection]


def gathering_of(connection: Connection) -> Gathering | None:
    """Return what waits in the transaction of a connection, None if nothing is gathered there."""
    return _gatherings.get(connection)


def before_statement(connection: Connection, sql: str) -> None:
    """Write all that waits before a statement that is not of `bulk`, and forget what it changes."""
    gathering = _gatherings.get(connection)
    if gathering is not None:
        gathering.open()
        gathering.write()
        begins = sql.lstrip()
        if not begins.startswith("SELECT"):
            gathering.foresight.forget_all()
            if begins.startswith(("DROP", "ALTER")):  # The driver has the server forget, too.
                trips_of(connection).forget()


def before_commit(connection: Connection) -> None:
    """Write what waits, and commit in the same round trip: SQLAlchemy finds nothing to commit."""
    gathering = _gatherings.get(connection)
    if gathering is None:
        return
    committed = False
    try:
        gathering.commit()
        committed = True
    finally:
        if not committed and gathering.is_cut_off:  # The pool is not to roll back what is gone.
            connection.invalidate()


def before_rollback(connection: Connection) -> None:
    """Keep what is prepared on a connection of PostgreSQL that rolls back."""
    if not connection.invalidated:
        before_reset(connection.info)


def after_failure(connection: Connection, error: Any) -> None:  # noqa: ANN401 - of the driver
    """Have everything prepared anew if an error of the driver says so."""
    trips = None if connection.invalidated else connection.info.get(_TRIPS)
    if trips is not None:
        trips.look_at(error)


def before_reset(kept: MutableMapping[Any, Any]) -> None:
    """Do the same for one that goes back into the pool. kept: what SQLAlchemy keeps with it."""
    trips = kept.get(_TRIPS)
    if trips is not None:
        trips.roll_back()


def trips_of(connection: Connection) -> "RoundTrips":
    """Return the round trips of the driver's connection, the same as long as it is open."""
    from central.storage.round_trips import RoundTrips  # noqa: PLC0415 - see above

    trips: RoundTrips | None = connection.info.get(_TRIPS)
    if trips is None:
        driver: Any = connection.connection.driver_connection
        trips = connection.info[_TRIPS] = RoundTrips(driver)
    return trips


def _leaves_nothing_of(table: Table, there: Waiting, kind: Kind, rows: Sequence[Row]) -> bool:
    """Return whether all rows that wait are deleted by what comes now: then they need not come."""
    if kind != "delete" or there[0] not in {"insert", "upsert"}:
        return False
    gone = {tuple(row) for row in rows}
    key_of = key_getter(table)
    return all(key_of(row) in gone for row in there[2])


def _merged(table: Table, kind: Kind, rows: list[Row]) -> list[Row]:
    """Return rows of which no two have one key, as if they were written one after another."""
    if kind == "insert":
        return rows
    if kind == "delete":
        return list(dict.fromkeys(rows))
    if kind == "update":  # Their key comes first. The server takes any one of two of a key.
        size = len(key_indices(table))
        return list({row[:size]: row for row in rows}.values())
    merged: dict[Row, Row] = {}
    key_of = key_getter(table)
    for row in rows:
        key = key_of(row)
        if kind == "upsert" or key not in merged:
            merged[key] = row
    return list(merged.values())
