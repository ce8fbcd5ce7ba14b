"""What goes to the server together is done in order, whole or not at all, and prepared once."""

import signal
import threading

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from central.errors import LedgerUnavailable
from central.storage import bulk, round_trips, tables
from central.storage.gathering import gathering_of
from tests.central.scenery import rows
from tests.central.storage.counting import statements_of
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]
CONNECTIONS_MAX = 12  # More than a pool has.
NUMBERS = tables.object_numbers


def number_of(connection, code):
    ((_, number),) = bulk.select_by_key(connection, NUMBERS, [(code,)], columns_count=1)
    return number


def pid_of(connection):
    return connection.connection.driver_connection.info.backend_pid


def waits_for_a_lock(database, pid):
    waits = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    with database.read() as connection:
        return connection.exec_driver_sql(waits, (pid,)).scalar_one()


def prepared_count(connection, names="%%"):
    """How many statements of such names are prepared; the driver prepares some of its own."""
    counted = f"SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '{names}'"
    return connection.exec_driver_sql(counted).scalar_one()


def prepared_names(connection):
    """Names of the prepared statements that write numbers; a full connection forgets others."""
    asked = "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%%object_numbers%%'"
    return {name for (name,) in connection.exec_driver_sql(asked)}


@pytest.mark.parametrize("fails", ["with the commit", "before it"])
def test_a_commit_behind_a_statement_that_fails_commits_nothing(database, fails):
    def write_twice():
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [("A", 1)])
            gathering_of(connection).write()  # It is there already when the next one fails.
            bulk.insert_rows(connection, tables.ledger_state, [("generation", "is there")])
            if fails == "before it":
                gathering_of(connection).write()

    with pytest.raises(psycopg.errors.UniqueViolation):
        write_twice()
    assert rows(database, NUMBERS) == []


def divide(connection):
    bulk.select_rows(connection, "SELECT 1 / 0")


def divide_by_sqlalchemy(connection):
    connection.execute(text("SELECT 1 / 0"))


def write_what_is_there(connection):
    bulk.insert_rows(connection, tables.ledger_state, [("generation", "is there")])
    gathering_of(connection).write()


def write_what_the_server_would_cut(connection):
    bulk.insert_rows(connection, NUMBERS, [("B\0", 1)])
    gathering_of(connection).write()


FAILING = [divide, divide_by_sqlalchemy, write_what_is_there, write_what_the_server_would_cut]


@pytest.mark.parametrize("fail", FAILING)
@pytest.mark.parametrize("opens", [False, True], ids=["", "behind a lock"])
def test_whoever_takes_no_notice_of_a_failure_commits_nothing(database, fail, opens):
    def write_on():
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [("A", 1)])
            if opens:
                bulk.open_with(connection, f"SELECT * FROM {NUMBERS.name} FOR UPDATE")
            with pytest.raises((psycopg.Error, DBAPIError)):
                fail(connection)

    with pytest.raises(psycopg.Error):
        write_on()
    assert rows(database, NUMBERS) == []
    with database.write() as connection:
        bulk.upsert_rows(connection, NUMBERS, [("A", 2)])
    assert rows(database, NUMBERS) == [("A", 2)]


def test_nothing_is_written_without_the_lock_that_goes_ahead(database):
    with database.write() as connection:
        bulk.insert_rows(connection, NUMBERS, [("A", 1)])

    def write_behind():
        with database.write() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '10ms'"))
            lock = bulk.open_with(connection, f"SELECT * FROM {NUMBERS.name} FOR UPDATE")
            bulk.upsert_rows(connection, tables.workers, [("worker", True, "[]", "1", 1)])
            with pytest.raises(psycopg.errors.LockNotAvailable):
                lock()
            bulk.upsert_rows(connection, NUMBERS, [("B", 1)])

    with database.write() as first:
        bulk.select_rows(first, f"SELECT * FROM {NUMBERS.name} FOR UPDATE")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            write_behind()
    assert rows(database, NUMBERS) == [("A", 1)]
    assert rows(database, tables.workers) == []


def test_what_is_asked_behind_a_lock_is_read_under_it(database):
    with database.write() as connection:
        bulk.insert_rows(connection, NUMBERS, [("A", 1)])
    found, waiter = [], []

    def read_behind():
        with database.write() as connection:
            waiter.append(pid_of(connection))
            lock = bulk.open_with(connection, f"SELECT * FROM {NUMBERS.name} FOR UPDATE")
            found.append((number_of(connection, "A"), lock()))

    with database.write() as first:
        bulk.select_rows(first, f"SELECT * FROM {NUMBERS.name} FOR UPDATE")
        thread = threading.Thread(target=read_behind)
        thread.start()
        wait_for(lambda: waiter and waits_for_a_lock(database, waiter[0]), what="the second lock")
        bulk.upsert_rows(first, NUMBERS, [("A", 2)])
    thread.join()
    assert found == [(2, [("A", 2)])]


def test_what_goes_ahead_goes_before_anything_of_sqlalchemy_and_once(database):
    with database.write() as connection, statements_of(connection) as said:
        opened = bulk.open_with(connection, "SELECT 41 + 1")
        assert len(said) == 0
        connection.execute(text("SELECT 'second'"))
        assert [one[:11] for one in said] == ["SELECT 41 +", "SELECT 'sec"]
        assert opened() == opened() == [(42,)]
        connection.execute(text("SELECT 'third'"))
        assert len(said) == 3


def look_at(connection, code):
    bulk.look_ahead(connection, [bulk.Look(NUMBERS, [(code,)], 1)])


NUMBERED = f"SELECT last_number, prefix FROM {NUMBERS.name} WHERE prefix = ?"


def joining(connection, code):
    return bulk.open_with(connection, NUMBERED, [code], columns=("last_number", "prefix"))


def test_what_may_join_a_look_is_a_part_of_the_next_one(database):
    with database.write() as connection:
        bulk.insert_rows(connection, NUMBERS, [("A", 1), ('B"\\', 2)])
    with database.write() as connection, statements_of(connection) as said:
        lock = bulk.open_with(connection, f"SELECT * FROM {NUMBERS.name} FOR UPDATE")
        opened = (
            joining(connection, "A"),
            joining(connection, "nothing"),
            joining(connection, 'B"\\'),
        )
        assert len(said) == 0
        look_at(connection, "A")
        assert len(said) == 2
        assert [rows() for rows in opened] == [[(1, "A")], [], [(2, 'B"\\')]]
        assert sorted(lock()) == [("A", 1), ('B"\\', 2)]
        assert number_of(connection, "A") == 1
        assert len(said) == 2


def write_other(connection):
    bulk.upsert_rows(connection, NUMBERS, [("A", 2)])
    gathering_of(connection).write()


BEFORE_A_LOOK = [
    pytest.param(lambda connection: None, id="asked for at once"),
    pytest.param(lambda connection: number_of(connection, "B"), id="another is asked"),
    pytest.param(write_other, id="it is written"),
    pytest.param(
        lambda connection: bulk.open_with(connection, "SELECT 1"), id="another goes ahead"
    ),
    pytest.param(lambda connection: connection.execute(text("SELECT 1")), id="sqlalchemy asks"),
    pytest.param(
        lambda connection: bulk.upsert_rows(connection, NUMBERS, [("A", 2)]), id="it waits"
    ),
]


@pytest.mark.parametrize("happens", BEFORE_A_LOOK)
def test_what_joins_no_look_goes_by_itself_and_sees_what_was_written_before(database, happens):
    with database.write() as connection:
        bulk.insert_rows(connection, NUMBERS, [("A", 0), ("B", 5)])
    with database.write() as connection:
        bulk.upsert_rows(connection, NUMBERS, [("A", 1)])
        opened = joining(connection, "A")
        happens(connection)
        assert opened() == opened() == [(1, "A")]


def test_a_look_whose_rows_wait_to_be_written_lets_what_joins_go_before(database):
    with database.write() as connection:
        opened = joining(connection, "A")
        bulk.upsert_rows(connection, NUMBERS, [("A", 1)])
        look_at(connection, "A")
        assert number_of(connection, "A") == 1
        assert opened() == []


def test_a_roll_back_leaves_what_is_prepared(database):
    prepared = {}

    def fail():
        with database.write() as connection:
            for number in range(9):
                bulk.upsert_rows(connection, NUMBERS, [("A", number)])
                connection.execute(text("SELECT 1"))  # The driver prepares what comes often.
            prepared[pid_of(connection)] = prepared_names(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert all(prepared.values())
    for _ in range(CONNECTIONS_MAX):  # Any of the pool's; one of them it was.
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [("A", 9)])
            assert prepared.pop(pid_of(connection), set()) <= prepared_names(connection)
    assert not prepared
    assert rows(database, NUMBERS) == [("A", 9)]


@pytest.mark.parametrize("first", ["bulk", "sqlalchemy"])
def test_statements_that_the_server_has_forgotten_are_prepared_anew(database, first):
    def write_where_nothing_is_prepared():
        with database.write() as connection:
            for _ in range(9):  # The driver prepares what comes often.
                connection.execute(text("SELECT 1"))
            bulk.upsert_rows(connection, NUMBERS, [("A", 1)])
            gathering_of(connection).write()
            connection.connection.driver_connection.pgconn.exec_(b"DEALLOCATE ALL")
            if first == "sqlalchemy":
                connection.execute(text("SELECT 1"))
            bulk.upsert_rows(connection, NUMBERS, [("B", 2)])

    with pytest.raises(LedgerUnavailable, match="prepared") as caught:
        write_where_nothing_is_prepared()
    assert "pooler" in caught.value.hint
    assert rows(database, NUMBERS) == []
    for _ in range(CONNECTIONS_MAX):
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [("A", 2)])
            connection.execute(text("SELECT 1"))
    assert rows(database, NUMBERS) == [("A", 2)]


def test_a_table_that_has_other_columns_now_fails_once(database):
    asked = f"SELECT * FROM {NUMBERS.name}"

    def ask_after_the_change(change):
        with database.write() as connection:
            bulk.select_rows(connection, asked)
            connection.connection.driver_connection.pgconn.exec_(change)
            found.append(bulk.select_rows(connection, asked))

    found = []
    with pytest.raises(psycopg.Error, match="result type"):
        ask_after_the_change(b"ALTER TABLE object_numbers ADD COLUMN more bigint")
    ask_after_the_change(b"SELECT 1")
    assert found == [[]]


def test_words_of_the_server_to_a_connection_that_waits_leave_what_is_prepared(database):
    for number in range(CONNECTIONS_MAX):
        with database.write() as connection:
            connection.execute(text("LISTEN words"))
            for _ in range(9):  # The driver prepares what comes often.
                connection.execute(text("SELECT 1"))
            bulk.upsert_rows(connection, NUMBERS, [("A", number)])
    with database.write() as connection:
        connection.execute(text("NOTIFY words"))
    for number in range(CONNECTIONS_MAX):
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [("A", number)])
    assert rows(database, NUMBERS) == [("A", CONNECTIONS_MAX - 1)]


def test_of_many_statements_the_oldest_make_room(database):
    kept = round_trips.PREPARED_MAX
    for first in (0, kept // 2):
        with database.write() as connection:
            for number in range(first, first + kept + 20):
                assert bulk.select_rows(connection, f"SELECT {number}") == [(number,)]
            assert kept // 2 < prepared_count(connection, "dockledger%%") <= kept

    def fail():
        with database.write() as connection:
            for number in range(kept + 20):
                bulk.select_rows(connection, f"SELECT {number}")
            connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError, match="zero"):
        fail()


def test_values_beyond_what_a_socket_holds_come_and_go(database):
    long = "x" * 20_000_000
    with database.write() as connection:
        ((found,),) = bulk.select_rows(connection, "SELECT ?::text", [long])
        assert found == long
        names = [number for (number,) in bulk.select_rows(connection, "SELECT ?::text", [None])]
        assert names == [None]


def test_who_is_interrupted_leaves_no_answer_to_the_next_question(database):
    def interrupt(*_):
        raise InterruptedError

    def ask_behind_the_lock():
        with database.write() as second:
            waiter.append(pid_of(second))
            bulk.select_rows(second, f"SELECT * FROM {tables.ledger_state.name} FOR UPDATE")

    def interrupt_who_waits():
        wait_for(lambda: waiter and waits_for_a_lock(database, waiter[0]), what="the second lock")
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    waiter = []
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with database.write() as first:
            bulk.select_rows(first, f"SELECT * FROM {tables.ledger_state.name} FOR UPDATE")
            thread = threading.Thread(target=interrupt_who_waits)
            thread.start()
            with pytest.raises((InterruptedError, LedgerUnavailable)):
                ask_behind_the_lock()
            thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    for number in range(CONNECTIONS_MAX):
        with database.write() as connection:
            assert pid_of(connection) != waiter[0]
            assert bulk.select_rows(connection, f"SELECT {number}") == [(number,)]


def test_text_that_the_server_would_cut_is_refused(database):
    with database.write() as connection:
        with pytest.raises(psycopg.DataError, match="NUL"):
            bulk.select_rows(connection, "SELECT ?::text", ["a\0b"])
        assert bulk.select_rows(connection, "SELECT 1") == [(1,)]


def test_a_connection_that_ends_in_a_change_is_named_and_nothing_is_committed(database):
    def write_on_an_ended_connection():
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [("A", 1)])
            gathering_of(connection).write()
            with database.read() as other:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid_of(connection),))
            bulk.upsert_rows(connection, NUMBERS, [("A", 2)])

    with pytest.raises(LedgerUnavailable):
        write_on_an_ended_connection()
    assert rows(database, NUMBERS) == []
    with database.write() as connection:
        bulk.upsert_rows(connection, NUMBERS, [("A", 3)])
    assert rows(database, NUMBERS) == [("A", 3)]


def test_a_server_that_goes_while_it_commits_is_named_once_and_left_to_nobody(database, caplog):
    def write_without_server():
        with database.write() as connection:
            bulk.insert_rows(connection, NUMBERS, [("A", 1)])
            with database.write() as other:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid_of(connection),))

    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            write_without_server()
    assert [record.name for record in caplog.records] == []
    with database.write() as connection:
        bulk.insert_rows(connection, NUMBERS, [("A", 1)])
    assert rows(database, NUMBERS) == [("A", 1)]
