"""Statements that go to PostgreSQL together, and come back together. Edge of psycopg.

    BEGIN  lock  look-up  ->  server  ->  rows        one way there and back
    INSERT ...  COMMIT    ->  server                  another

libpq's pipeline mode (postgresql.org/docs/15/libpq-pipeline-mode.html): the server runs them one
after another, each sees what the one before has done, and after one that fails none is run. So what
is sent behind a lock is read under that lock, and a COMMIT behind a failed INSERT does not happen.
The driver's own way to send a statement costs four times as much as this one. This module loads the
driver, 10 MB: it is imported where a PostgreSQL is asked for.
"""

import select
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import compress, count, repeat
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection, DataError, Error, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import InFailedSqlTransaction, error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from central.storage.array_sql import Statement

PREPARED_MAX = 200  # Statements of one connection; the one used longest ago makes room.
BEGIN, COMMIT, ROLLBACK = "BEGIN", "COMMIT", "ROLLBACK"
DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
# What is prepared is there no longer, is somebody else's, or its tables have other columns now.
STALE = frozenset({"26000", "42P05", "0A000"})
# A type of the server's (pg_type.dat). A select of one such column says that each row of it is an
# array, as those of `looks` and of the ledger's lock are; no other may select one alone.
JSON = 114
Rows = list[tuple[Any, ...]]
_Values = tuple[list[Any], list[int] | None]  # Formats: 0 for text, 1 for binary; None: all text.


class _Awaited(NamedTuple):
    """What an answer is to. sql, name: what is prepared by then. is_asked: its rows are wanted."""

    sql: str = ""
    name: bytes = b""
    is_asked: bool = False


_ASKED = _Awaited(is_asked=True)


class RoundTrips:
    """Sends statements on one connection of the driver, and knows which are prepared there."""

    def __init__(self, driver: Connection[Any]) -> None:
        self.driver = driver
        self._pgconn = driver.pgconn
        self._transformer = Transformer()
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._named_count = 0
        self._poll: select.poll | None = None  # Of the connection's only socket.
        self._is_stale = False

    def ask(self, *statements: Statement) -> list[Rows]:
        """Run statements in the transaction, begun if there is none; return the rows of each.

        Raises the driver's error of the first that fails; those after it are not run.
        """
        if self._is_idle():
            return self._run([Statement(BEGIN), *statements])[1:]
        return self._run(statements)

    def commit(self, *statements: Statement) -> None:
        """Run statements and commit; nothing is committed if one fails. Raises as `ask` does.

        Raises InFailedSqlTransaction if one has failed before, whoever took no notice of that.
        """
        if self._pgconn.transaction_status == TransactionStatus.INERROR:
            # The server takes this COMMIT for a ROLLBACK, and calls that done.
            raise InFailedSqlTransaction("nothing is committed: a statement before has failed")
        if statements or not self._is_idle():
            self.ask(*statements, Statement(COMMIT))

    def roll_back(self) -> None:
        """Roll back before the driver does it, who has the server forget all that is prepared."""
        if self._is_stale:  # It shall, and prepare anew what is its own.
            self._is_stale = False
            return
        if self._pgconn.status == ConnStatus.OK and not self._is_idle():
            # Of a connection that breaks now the driver says so itself.
            with suppress(OperationalError):
                # Not prepared: nothing can make room for it in a transaction that has failed.
                self._pgconn.exec_(ROLLBACK.encode())

    def forget(self) -> None:
        """Prepare everything anew, since the server may have forgotten it."""
        self._names.clear()

    def look_at(self, error: Error) -> None:
        """Forget, at the next roll back the driver too, if an error says that it is no good."""
        if error.sqlstate in STALE:
            self._is_stale = True
            self.forget()

    def _is_idle(self) -> bool:
        return self._pgconn.transaction_status == TransactionStatus.IDLE

    def _run(self, statements: Sequence[Statement]) -> list[Rows]:
        values = [_encoded(statement.values) for statement in statements]
        self._pgconn.enter_pipeline_mode()
        answered = False
        try:
            awaited = self._sent([statement.sql for statement in statements], values)
            results = self._results(len(awaited))
            self._pgconn.exit_pipeline_mode()
            answered = True
        finally:
            if not answered:  # What comes next on it would be the answer to something else.
                self._pgconn.finish()
        return self._rows(awaited, results)

    def _sent(self, sqls: Sequence[str], values: Sequence[_Values]) -> list[_Awaited]:
        """Send statements, each prepared before if it is new; return what answers to await."""
        pgconn, awaited = self._pgconn, []
        for sql, (encoded, formats) in zip(sqls, values, strict=True):
            name = self._names.get(sql)
            if name is None:
                if len(self._names) >= PREPARED_MAX:
                    _, oldest = self._names.popitem(last=False)
                    pgconn.send_query_params(b"DEALLOCATE " + oldest, None)
                    awaited.append(_Awaited())
                self._named_count += 1
                name = b"dockledger_%d" % self._named_count
                pgconn.send_prepare(name, sql.encode())
                awaited.append(_Awaited(sql, name))
            else:
                self._names.move_to_end(sql)
            pgconn.send_query_prepared(name, encoded, formats)
            awaited.append(_ASKED)
        pgconn.pipeline_sync()
        while pgconn.flush():  # The server may wait for us to read before it reads on.
            if self._waited(select.POLLIN | select.POLLOUT) & select.POLLIN:
                pgconn.consume_input()
        return awaited

    def _results(self, count: int) -> list[PGresult]:
        """Return the answers to so many; each ends with a None, all with that to the sync."""
        pgconn = self._pgconn
        is_busy, get_result = pgconn.is_busy, pgconn.get_result
        results = []
        for _ in range(count):
            if is_busy():
                self._wait_for_answer()
            result = get_result()
            if is_busy():
                self._wait_for_answer()
            if result is None or get_result() is not None:
                raise OperationalError("the server has not answered one by one")
            results.append(result)
        if is_busy():
            self._wait_for_answer()
        synced = get_result()
        if synced is None or synced.status != ExecStatus.PIPELINE_SYNC:
            raise OperationalError("the server has not answered to the end")
        return results

    def _wait_for_answer(self) -> None:
        pgconn = self._pgconn
        while pgconn.is_busy():
            self._waited(select.POLLIN)
            pgconn.consume_input()

    def _waited(self, what: int) -> int:
        """Wait without a limit: a server that is gone breaks the connection (`database`)."""
        if self._poll is None:
            self._poll = select.poll()
        self._poll.register(self._pgconn.socket, what)
        ((_, ready),) = self._poll.poll()
        return ready

    def _rows(self, awaited: Sequence[_Awaited], results: Sequence[PGresult]) -> list[Rows]:
        found: list[Rows] = []
        for one, result in zip(awaited, results, strict=True):
            if result.status not in DONE:
                error = error_from_result(result)
                self.look_at(error)
                raise error
            if one.sql:
                self._names[one.sql] = one.name
            if one.is_asked:
                found.append(self._loaded(result) if result.ntuples else [])
        return found

    def _loaded(self, result: PGresult) -> Rows:
        if result.ftype(0) == JSON and result.nfields == 1:
            arrays: Any = map(result.get_value, range(result.ntuples), repeat(0))
            return _arrays_of(b"[" + b",".join(arrays) + b"]")
        loaders = [_LOADERS.get(result.ftype(column)) for column in range(result.nfields)]
        if None in loaders:
            self._transformer.set_pgresult(result)
            return self._transformer.load_rows(0, result.ntuples, tuple)
        get = result.get_value
        numbered = [(number, load) for number, load in enumerate(loaders) if load is not None]
        return [
            tuple(
                [
                    None if (value := get(row, column)) is None else load(value)
                    for column, load in numbered
                ]
            )
            for row in range(result.ntuples)
        ]


# Rows that are JSON arrays, all at once.
_arrays_of = msgspec.json.Decoder(Rows).decode


def _encoded(values: Sequence[object]) -> _Values:
    """Return values as the server takes them: all texts at once, parted by what none may have."""
    if not values:
        return [], None
    # A loop of Python's own over all of them would be the dearest of a transaction.
    apart = list(compress(count(), map(_NO_TEXTS.__contains__, map(type, values))))
    texts = list(values)
    for number in apart:
        texts[number] = ""
    encoded: list[Any] = "\0".join(map(str, texts)).encode().split(b"\0")
    if len(encoded) != len(values):  # The rest of a text would be left out.
        raise DataError("PostgreSQL keeps no text with a NUL character in it")
    if not apart:
        return encoded, None
    formats = [0] * len(values)
    for number in apart:
        encoded[number] = value = values[number]
        formats[number] = int(value is not None)
    return encoded, formats


_NO_TEXTS = frozenset({bytes, bytearray, type(None)})
# How columns are read, by the number of their type (pg_type.dat): boolean, bytea, whole numbers,
# text. The driver looks for it anew for each answer, which takes longer than to read a few rows.
_LOADERS: dict[int, Callable[[bytes], Any]] = {
    16: b"t".__eq__,
    17: lambda value: bytes.fromhex(value[2:].decode()),  # After "\\x".
    20: int,
    21: int,
    23: int,
    25: bytes.decode,
}
