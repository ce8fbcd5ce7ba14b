"""Connections and transactions of the central database. Edge of SQLAlchemy.

SQLite, the embedded default: one writer connection in this process, which alone checkpoints (two
connections that write and checkpoint at one moment can corrupt a WAL database before SQLite
3.51.3, sqlite.org/wal.html#walresetbug); readers are read-only, no mmap. PostgreSQL: ordinary
connections, readers in read-only snapshots.
"""

import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    InvalidatePoolError,
)

from central.errors import DatabaseUnusable, LedgerUnavailable
from central.storage.database_errors import errors_with_names, psycopg_errors, raise_named
from central.storage.gathering import (
    after_failure,
    before_commit,
    before_reset,
    before_rollback,
    before_statement,
)
from central.storage.within import narrow
from central.storage.writers import WRITERS_KEPT_MAX, Writers

if TYPE_CHECKING:  # SQLAlchemy loads it where a PostgreSQL is asked for; it takes 10 MB.
    import psycopg

BUSY_TIMEOUT_S = 10
READER_COUNT_MAX = 8  # Connections at once; a request beyond waits POOL_TIMEOUT_S.
POOL_TIMEOUT_S = 15
CACHE_KIB = 16 * 1024
CHECKPOINT_PAGES = 4000  # 16 MiB of WAL
# A server that vanishes without a word is given up after some 25 s, not after the kernel's 2 hours
# (postgresql.org/docs/15/libpq-connect.html, 34.1.2).
POSTGRESQL_KEEPALIVES = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# What is read behind the ledger's lock has to be what its last holder has committed, whatever the
# server's own default says (postgresql.org/docs/15/transaction-iso.html, 13.2.1).
POSTGRESQL_OPTIONS = (
    "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    r" -c default_transaction_isolation=read\ committed"
    " -c bytea_output=hex"  # In which `round_trips` and `looks` read it.
    # To compile a statement of many parts, in each process that takes part, costs more than to run
    # it: 0.3 s of CPU for a page of the past (postgresql.org/docs/15/jit-decision.html).
    " -c jit=off"
)
# Who writes looks up by keys. What the server has planned for a small table it keeps while that
# grows, until it takes its statistics anew: a look through the whole of each (20.7.1). Nor is there
# a better plan for some values than for others, for which it would plan each time anew (20.7.4).
WRITER_OPTIONS = (
    f"{POSTGRESQL_OPTIONS} -c enable_seqscan=off -c enable_bitmapscan=off"
    " -c plan_cache_mode=force_generic_plan"
)


class Database:
    """An open database: `write()` for whoever changes it, `read()` for everyone else.

    dialect: "sqlite" or "postgresql".
    """

    def __init__(self, url: URL, *, checkpoints: bool, busy_timeout_s: float) -> None:
        self.dialect = url.get_backend_name()
        self.place = url.render_as_string(hide_password=True)
        self._writers: Writers | None = None
        if self.dialect == "sqlite":
            self._writer = _sqlite_engine(url, busy_timeout_s, writes=True, checkpoints=checkpoints)
            self._beginning: Callable[[], AbstractContextManager[Connection]] = self._writer.begin
            self._reader = _sqlite_engine(url, busy_timeout_s, writes=False, checkpoints=False)
        else:
            self._writer = _postgresql_engine(url, WRITER_OPTIONS)
            self._reader = _postgresql_engine(url, POSTGRESQL_OPTIONS).execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._writers = Writers(self._writer, is_silent=_is_silent)
            self._beginning = self._writers.begin

    def write(self) -> AbstractContextManager[Connection]:
        """Return a connection in a transaction that commits at the end, durably, or not at all.

        On SQLite it is the only writer of the database from its beginning on.
        Raises LedgerUnavailable if the database does not take part; then nothing is committed,
        or all of it, if the connection broke when only the answer to the commit was missing.
        """
        return _Transaction(self.place, self._beginning())

    @contextmanager
    def read(self, *, within: str = "") -> Iterator[Connection]:
        """Yield a connection on which all statements see one state; it cannot change anything.

        within: the only warehouse that it knows, "" for all.
        Raises LedgerUnavailable if the database does not take part.
        """
        with _Transaction(self.place, self._reader.begin()) as connection:
            narrow(connection, within)
            yield connection

    def close(self) -> None:
        """Close every connection."""
        if self._writers is not None:
            self._writers.close()
        self._reader.dispose()
        self._writer.dispose()


class _Transaction(AbstractContextManager[Connection]):
    """One transaction; what the database fails of is named. No generator: see `Writing`."""

    __slots__ = ("_place", "_transaction")

    def __init__(self, place: str, transaction: AbstractContextManager[Connection]) -> None:
        self._place = place
        self._transaction = transaction

    def __enter__(self) -> Connection:
        try:
            return self._transaction.__enter__()
        except errors_with_names() as error:
            raise_named(self._place, error)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._transaction.__exit__(kind, error, trace)
        except errors_with_names() as other:
            raise_named(self._place, other)
            raise
        if error is not None:
            raise_named(self._place, error)


def open_database(
    url: str, *, checkpoints: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> Database:
    """Return the database at an SQLAlchemy URL ("sqlite:////path" or "postgresql+psycopg://...").

    checkpoints: True in the one service that owns an SQLite file; commands beside it leave its
    write-ahead log alone. busy_timeout_s: how long a writer of SQLite waits for another's commit.
    Raises DatabaseUnusable if nothing can be opened there.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError as error:
        raise DatabaseUnusable(
            "the database URL cannot be read", hint='Write e.g. url = "sqlite:////var/lib/x.db".'
        ) from error
    if backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    elif backend != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise DatabaseUnusable(
            f"no database of kind {backend!r} can hold the ledger",
            hint='Give "sqlite:////absolute/path" or "postgresql+psycopg://user@host/database".',
        )
    elif not Path(str(parsed.database)).parent.is_dir():
        raise DatabaseUnusable(
            f"the folder of {parsed.database} does not exist",
            hint="Create the folder, or correct the url under [database].",
        )
    database = Database(parsed, checkpoints=checkpoints, busy_timeout_s=busy_timeout_s)
    try:
        with database.read() as connection:
            encoding = _text_encoding(connection)
    except LedgerUnavailable as error:
        database.close()
        raise DatabaseUnusable(str(error), hint=error.hint) from error
    if encoding != "UTF8":
        database.close()
        raise DatabaseUnusable(
            f"database {database.place} keeps text in {encoding}, which cannot hold every code",
            hint="Create it anew: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
        )
    return database


def _text_encoding(connection: Connection) -> str:
    """Return "UTF8", in which SQLite hands out all text, or what else a server keeps it in."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("SELECT 1"))
        return "UTF8"
    return str(connection.execute(text("SHOW server_encoding")).scalar_one())


def _sqlite_engine(url: URL, busy_timeout_s: float, *, writes: bool, checkpoints: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
        pool_size=1 if writes else READER_COUNT_MAX,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
    )

    def connected(raw: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        # The driver's own BEGIN comes too late and is never IMMEDIATE: we write it ourselves.
        raw.isolation_level = None
        pragmas = [
            "PRAGMA foreign_keys = ON",
            f"PRAGMA cache_size = -{CACHE_KIB if writes else CACHE_KIB // 8}",
            "PRAGMA trusted_schema = OFF",
            f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if checkpoints else 0}",
        ]
        if writes:
            pragmas += ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"]
        else:
            pragmas += ["PRAGMA query_only = ON"]
        for pragma in pragmas:
            raw.execute(pragma).close()

    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _postgresql_engine(url: URL, options: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": BUSY_TIMEOUT_S,
            "options": options,
            # Not what PGCLIENTENCODING or the server says: `copy_form` writes UTF-8.
            "client_encoding": "utf8",
            **POSTGRESQL_KEEPALIVES,
        },
        pool_size=READER_COUNT_MAX,
        max_overflow=2 + WRITERS_KEPT_MAX,
        pool_timeout=POOL_TIMEOUT_S,
    )

    def checked_out(raw: Any, _record: object, _fairy: object) -> None:  # noqa: ANN401
        if not _is_silent(raw) and not _answers(raw):
            raise InvalidatePoolError

    def will_execute(connection: Connection, _cursor: object, sql: str, *_: object) -> None:
        before_statement(connection, sql)

    def failed(failure: ExceptionContext) -> None:
        error = failure.original_exception
        if failure.connection is not None and isinstance(error, psycopg_errors("Error")):
            after_failure(failure.connection, error)

    def goes_back(_raw: object, record: Any, _state: object) -> None:  # noqa: ANN401
        before_reset(record.info)

    event.listen(engine, "checkout", checked_out)
    event.listen(engine, "handle_error", failed)
    event.listen(engine, "reset", goes_back)
    event.listen(engine, "before_cursor_execute", will_execute)
    event.listen(engine, "commit", before_commit)
    event.listen(engine, "rollback", before_rollback)
    return engine


def _is_silent(raw: "psycopg.Connection[Any]") -> bool:
    """Return whether nothing has come on a connection that waits: so its server has not ended it.

    To ask the server costs as much as another statement, and it may be gone a moment later. What
    then fails is named LedgerUnavailable, and nothing is committed.
    """
    if raw.closed:
        return False
    waiting = select.poll()
    waiting.register(raw.pgconn.socket, select.POLLIN)
    return not waiting.poll(0)


def _answers(raw: "psycopg.Connection[Any]") -> bool:
    # Not by the driver's own way: after its roll back the server forgets all that is prepared.
    try:
        return raw.pgconn.exec_(b"SELECT 1").ntuples == 1
    except psycopg_errors("Error"):
        return False
