"""Epochs are locked by a look for their gateways, however many others there are."""

import pytest

from central.inbox import positions
from central.storage import bulk, tables

ON_POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgresql)]
GATEWAYS, EPOCHS = 400, 5
FETCHED = "SELECT pg_stat_get_xact_tuples_fetched('positions_pkey'::regclass)"
KEYS = [(f"gw-{number}", f"e-{epoch}") for number in range(GATEWAYS) for epoch in range(EPOCHS)]


@pytest.mark.parametrize("database_url", ON_POSTGRESQL, indirect=True)
@pytest.mark.parametrize("count", [1, 2, 3, 16])
@pytest.mark.parametrize("lock", [positions.lock_positions, positions.lock_with_ledger])
def test_whoever_locks_some_epochs_does_not_read_all_of_them(own_database, lock, count):
    with own_database.write() as connection:
        rows = [(*key, "SH1", 1, b"h", b"p", 1, 1) for key in KEYS]
        bulk.insert_rows(connection, tables.positions, rows)
    with own_database.write() as connection:
        connection.exec_driver_sql("ANALYZE positions")
    wanted = KEYS[3 :: len(KEYS) // count - 1][:count]
    with own_database.write() as connection:
        found = lock(connection, wanted)
        asked = found if callable(found) else found[0]
        assert [tuple(row[:2]) for row in asked()] == sorted(wanted)
        assert connection.exec_driver_sql(FETCHED).scalar_one() <= EPOCHS * count
