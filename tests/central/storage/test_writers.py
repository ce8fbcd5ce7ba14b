"""A connection to write with is kept from one transaction to the next, as long as it is good."""

import threading

import pytest
from sqlalchemy import text

from central.storage import bulk, tables
from tests.central.scenery import rows
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]
NUMBERS = tables.object_numbers
WAIT_S = 30


def pid_of(connection):
    return connection.connection.driver_connection.info.backend_pid


def written(database, number, *, by_sqlalchemy=False):
    """Write a number; return who served that."""
    with database.write() as connection:
        bulk.upsert_rows(connection, NUMBERS, [("A", number)])
        if by_sqlalchemy:
            connection.execute(text("SELECT 1"))
        return pid_of(connection)


@pytest.mark.parametrize("by_sqlalchemy", [False, True], ids=["bulk alone", "with SQLAlchemy"])
def test_one_after_another_write_on_one_connection(database, by_sqlalchemy):
    first = written(database, 1, by_sqlalchemy=by_sqlalchemy)
    assert written(database, 2, by_sqlalchemy=by_sqlalchemy) == first
    assert rows(database, NUMBERS) == [("A", 2)]


def test_only_who_writes_is_kept_from_looking_through_whole_tables(database):
    with database.write() as writer, database.read() as reader:
        looks = [
            connection.execute(text(f"SHOW enable_{way}")).scalar_one()
            for connection in (writer, reader)
            for way in ("seqscan", "bitmapscan")
        ]
    assert looks == ["off", "off", "on", "on"]


def test_what_is_written_is_planned_once_for_any_number_of_rows(database):
    """How short an array is the server would learn anew each time, and plan anew for that."""
    for first in range(4):
        with database.write() as connection:
            numbers = [(f"N{number}", first) for number in range(6)]
            bulk.upsert_rows(connection, NUMBERS, numbers)
    with database.write() as connection:
        asked = "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
        about = "statement LIKE 'INSERT INTO object_numbers%%unnest%%'"
        plans = connection.exec_driver_sql(f"{asked} WHERE {about}").all()
    assert [tuple(one) for one in plans] == [(4, 0)]


def fail(database, *, by_sqlalchemy):
    with database.write() as connection:
        bulk.upsert_rows(connection, NUMBERS, [("A", 9)])
        if by_sqlalchemy:
            connection.execute(text("SELECT 1"))
        raise ZeroDivisionError


@pytest.mark.parametrize("by_sqlalchemy", [False, True], ids=["bulk alone", "with SQLAlchemy"])
def test_what_a_failed_transaction_has_done_is_not_there_for_the_next(database, by_sqlalchemy):
    written(database, 1)
    with pytest.raises(ZeroDivisionError):
        fail(database, by_sqlalchemy=by_sqlalchemy)
    with database.write() as connection:
        found = list(bulk.select_by_key(connection, NUMBERS, [("A",)], columns_count=1))
    assert found == [("A", 1)] == rows(database, NUMBERS)[0:1]


def asked(database, sql, pid):
    with database.read() as connection:
        return connection.execute(text(sql), {"pid": pid}).scalar_one()


def test_a_connection_that_the_server_has_ended_is_not_used_again(database):
    ended = written(database, 1)
    assert asked(database, "SELECT pg_terminate_backend(:pid)", ended)
    gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = :pid"
    wait_for(lambda: asked(database, gone, ended))
    assert written(database, 2) != ended
    assert rows(database, NUMBERS) == [("A", 2)]


def test_two_who_write_at_once_have_a_connection_each(database):
    together, served = threading.Barrier(2, timeout=WAIT_S), []

    def write(code):
        with database.write() as connection:
            bulk.upsert_rows(connection, NUMBERS, [(code, 1)])
            served.append(pid_of(connection))
            together.wait()

    threads = [threading.Thread(target=write, args=(code,)) for code in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(served)) == 2
    assert rows(database, NUMBERS) == [("A", 1), ("B", 1)]


def test_what_goes_ahead_sees_what_waits_to_be_written(database):
    with database.write() as connection:
        bulk.upsert_rows(connection, NUMBERS, [("A", 7)])
        opened = bulk.open_with(connection, "SELECT last_number FROM object_numbers")
        assert opened() == [(7,)]
