"""Writers who change the same balances never wait for each other in a circle."""

import threading

import pytest

from central.errors import LedgerUnavailable
from central.storage import bulk, tables
from central.storage.database import open_database

# SQLite has one writer at a time.
ON_POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgresql)]
ROUNDS = 60
ROWS = [
    ("SH1", f"BIN-{place}", f"P{item:03d}", "", "", "", "C62", "available", 1, 1, 0)
    for place in range(4)
    for item in range(100)
]


@pytest.fixture
def two_writers(own_database, database_url):
    """Two connections to one PostgreSQL database that look for deadlocks soon."""
    other = open_database(database_url)
    yield own_database, other
    other.close()


def deadlocks(writers, orders):
    """Both writers write all rows again and again, each in its order; how often one was a victim.

    They stop at the first one.
    """
    begin, victims = threading.Barrier(2, timeout=60), []

    def work(database, order):
        for _ in range(ROUNDS):
            begin.wait()
            if victims:
                return
            try:
                with database.write() as connection:
                    connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
                    for start in range(0, len(order), 50):
                        rows = order[start : start + 50]
                        bulk.upsert_rows(connection, tables.balances, rows)
            except LedgerUnavailable as error:
                victims.append(str(error))
            begin.wait()

    threads = [
        threading.Thread(target=work, args=(database, order))
        for database, order in zip(writers, orders, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return victims


@pytest.mark.parametrize("database_url", ON_POSTGRESQL, indirect=True)
def test_rows_in_the_order_of_their_keys_cannot_deadlock(two_writers):
    backwards = deadlocks(two_writers, [ROWS, ROWS[::-1]])
    assert backwards and "deadlock" in backwards[0]
    assert deadlocks(two_writers, [sorted(ROWS), sorted(ROWS)]) == []
