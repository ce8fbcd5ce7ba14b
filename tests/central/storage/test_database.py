"""What PostgreSQL does to a connection is named, and text is UTF-8 whatever stands around it."""

import psycopg
import pytest
from sqlalchemy import make_url, text

from central.errors import DatabaseUnusable, LedgerUnavailable
from central.storage import bulk, tables
from central.storage.database import open_database
from central.storage.line_pairs import insert_line_pairs
from tests.central.scenery import rows
from tests.waiting import wait_for

pytestmark = pytest.mark.postgresql
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
ISOLATION = "SHOW transaction_isolation"
BALANCE = ("SH1", "BIN-é", "BOLT", "螺", "", "", "C62", "available", 1, 1, 0)
WORK = [
    pytest.param(lambda c: c.execute(text("SELECT 1")), id="a statement"),
    pytest.param(lambda c: bulk.upsert_rows(c, tables.balances, [BALANCE]), id="an upsert"),
    pytest.param(lambda c: bulk.insert_rows(c, tables.balances, [BALANCE]), id="a copy"),
    pytest.param(lambda c: None, id="the commit"),
]


@ON_POSTGRESQL
@pytest.mark.parametrize("work", WORK)
def test_a_transaction_that_the_server_ended_is_named_and_the_next_one_works(database, work):
    def stopped_for_long():
        with database.write() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '5ms'"))
            pid = connection.connection.driver_connection.info.backend_pid
            wait_for(lambda: not serves(database, pid), what="the end of the transaction")
            work(connection)

    with pytest.raises(LedgerUnavailable) as caught:
        stopped_for_long()
    assert caught.value.hint
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, [BALANCE])
    assert rows(database, tables.balances) == [BALANCE]


def serves(database, pid):
    with database.read() as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
        return connection.execute(query, {"pid": pid}).scalar_one()


@ON_POSTGRESQL
@pytest.mark.parametrize("write", [bulk.upsert_rows, bulk.insert_rows])
def test_a_server_that_has_become_a_standby_is_named(database, write):
    def write_there():
        with database.write() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            write(connection, tables.balances, [BALANCE])

    with pytest.raises(LedgerUnavailable):
        write_there()


def test_the_client_encoding_of_the_surroundings_changes_no_text(
    own_database, database_url, monkeypatch
):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    database = open_database(database_url)
    with database.write() as connection:
        pair = (1, "SH1", "supplier", "BIN-é", "BOLT", "螺", "", "", "C62", "", 1)
        insert_line_pairs(connection, [pair])
        bulk.upsert_rows(connection, tables.balances, [BALANCE])
    assert rows(database, tables.lines, "location", "lot")[0] == ("BIN-é", "螺")
    assert rows(database, tables.balances) == [BALANCE]
    database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("usual", ["serializable", "repeatable read"])
def test_what_the_server_isolates_by_itself_changes_nothing(own_database, database_url, usual):
    name = make_url(database_url).database
    with own_database.write() as connection:
        connection.execute(
            text(f"ALTER DATABASE {name} SET default_transaction_isolation = '{usual}'")
        )
    database = open_database(database_url)
    with database.write() as connection:
        # A snapshot of before the lock would be what it was before others have changed it.
        assert bulk.select_rows(connection, ISOLATION) == [("read committed",)]
    with database.read() as connection:
        assert bulk.select_rows(connection, ISOLATION) == [("repeatable read",)]
    database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_bytes_are_read_as_they_are_whatever_the_server_writes_them_in(own_database, database_url):
    name = make_url(database_url).database
    with own_database.write() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET bytea_output = 'escape'"))
    database = open_database(database_url)
    with database.write() as connection:
        assert bulk.select_rows(connection, r"SELECT '\x5c61ff'::bytea") == [(b"\\a\xff",)]
    database.close()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text_is_refused(postgresql_url, encoding):
    name = f"in_{encoding.lower()}"
    with psycopg.connect(f"{postgresql_url}/postgres", autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
            " TEMPLATE template0"
        )
        with pytest.raises(DatabaseUnusable, match=encoding) as caught:
            open_database(f"{postgresql_url}/{name}")
        assert "UTF8" in caught.value.hint
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
