"""Which statements a transaction of PostgreSQL has run, as libpq traces it. Edge of psycopg."""

import re
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg.pq import Trace

# DEALLOCATE: a connection that other tests have filled makes room for what is new to it.
NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "DEALLOCATE")
# postgresql.org/docs/15/protocol-message-formats.html: what the client (F) sends to have a
# statement run by itself, prepared, or run as it was prepared.
SENT = re.compile(
    r"^F\t\d+\t(?:Query\t \"(?P<query>[^\n]*)|Parse\t \"(?P<name>\w*)\" \"(?P<sql>[^\n]*)"
    r"|Bind\t \"\" \"(?P<bound>\w*)\")",
    re.MULTILINE,
)


class Statements(Sequence):
    """The first lines of statements in the order in which they were run.

    Without those that only begin or end a transaction, or forget what was prepared.
    """

    def __init__(self, pgconn):
        self._pgconn = pgconn
        self._file = tempfile.NamedTemporaryFile()  # noqa: SIM115 - `stop` closes it.
        # How a transaction begins and ends is prepared by the first one, maybe before this.
        self._begins = _names_of(pgconn)
        pgconn.trace(self._file.fileno())
        pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)

    def stop(self):
        """Listen no more."""
        self._pgconn.untrace()
        self._file.close()

    def __len__(self):
        return len(self._run())

    def __getitem__(self, index):
        return self._run()[index]

    def _run(self):
        with Path(self._file.name).open(encoding="utf-8", errors="replace") as traced:
            found = list(SENT.finditer(traced.read()))
        prepared = dict(self._begins)
        run = []
        for one in found:
            if one["sql"] is not None:
                prepared[one["name"]] = one["sql"].rstrip('" 0')
            else:
                query = one["query"]
                text = prepared.get(one["bound"], "") if query is None else query.rstrip('"')
                run.append(text)
        return [text for text in run if not text.startswith(NOT_COUNTED)]


def _names_of(pgconn):
    answer = pgconn.exec_(b"SELECT name, statement FROM pg_prepared_statements")
    rows = range(answer.ntuples)
    return {answer.get_value(row, 0).decode(): answer.get_value(row, 1).decode() for row in rows}


@contextmanager
def statements_of(connection):
    """Yield what tells each statement of a connection, those of SQLAlchemy and copies too."""
    statements = Statements(connection.connection.driver_connection.pgconn)
    try:
        yield statements
    finally:
        statements.stop()
