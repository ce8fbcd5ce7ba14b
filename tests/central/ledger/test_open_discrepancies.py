"""What is open already is found by a look into an index, however much is open beside it."""

import pytest

from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import Entry, finding_of
from central.storage import tables
from tests.central.scenery import NOW_MS, rows

OPEN_COUNT = 2000
STEPS_AT_ONCE = 100  # Of SQLite's machine.


def finding(number, *, seq):
    entry = Entry("SH1", "sh1-dock-1", "1", seq, b"", b"", seq)
    return finding_of(entry, "negative_balance", f"BIN-{number}/BOLT")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_open_costs_the_same_among_many(database):
    steps = []
    with database.write() as connection:
        raw = connection.connection.driver_connection
        many = [finding(number, seq=number + 1) for number in range(OPEN_COUNT)]
        assert open_discrepancies(connection, many, now_ms=NOW_MS) == OPEN_COUNT
        raw.set_progress_handler(lambda: steps.append(1) and 0, STEPS_AT_ONCE)
        again = [finding(number, seq=OPEN_COUNT + number) for number in (5, 1700, OPEN_COUNT)]
        assert open_discrepancies(connection, again, now_ms=NOW_MS) == 1
        raw.set_progress_handler(None, 0)
    assert len(steps) * STEPS_AT_ONCE < OPEN_COUNT


def test_a_subject_is_open_once_and_counts_its_facts(database):
    with database.write() as connection:
        for seq in (1, 2, 3):
            opened = [finding(number, seq=seq * 10 + number) for number in range(seq)]
            assert open_discrepancies(connection, opened, now_ms=NOW_MS) == 1
    found = rows(database, tables.discrepancies, "subject", "facts_count")
    assert sorted(found) == [("BIN-0/BOLT", 3), ("BIN-1/BOLT", 2), ("BIN-2/BOLT", 1)]
