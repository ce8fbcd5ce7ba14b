"""Which statements a transaction of PostgreSQL hands to its driver. Edge of psycopg."""

from contextlib import contextmanager

import psycopg


@contextmanager
def statements_of(connection):
    """Yield a list that gets each statement of a connection, those of SQLAlchemy too."""
    raw, said = connection.connection.driver_connection, []
    execute = psycopg.RawCursor.execute

    class Listening(psycopg.Cursor):
        def execute(self, query, *args, **options):
            said.append(query)
            return super().execute(query, *args, **options)

    def listening(cursor, query, *args, **options):
        if cursor.connection is raw:
            said.append(query)
        return execute(cursor, query, *args, **options)

    before, raw.cursor_factory = raw.cursor_factory, Listening
    psycopg.RawCursor.execute = listening
    try:
        yield said
    finally:
        raw.cursor_factory, psycopg.RawCursor.execute = before, execute
