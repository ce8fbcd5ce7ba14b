"""What changed since a record number is found without reading the warehouse. Edge of SQLite."""

import pytest
from sqlalchemy import event

from central.outbox.changes import read_levels
from central.storage import bulk, tables


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_changed_levels_are_found_by_their_number(database):
    rows = [("W1", f"A-{n}", "ITEM", "", "", "", "C62", n * 10**6, n) for n in range(1, 201)]
    rows += [("W2", "A-1", "ITEM", "", "", "", "C62", 5 * 10**6, 300)]
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, rows)
    with database.read() as connection:
        said = []
        event.listen(
            connection, "before_cursor_execute", lambda *given: said.append((given[2], given[3]))
        )
        found = read_levels(connection, "W1", after_record_no=198)
        assert [(level.location, level.on_hand_micro) for level in found] == [
            ("A-199", 199 * 10**6),
            ("A-200", 200 * 10**6),
        ]
        (statement, values), *_ = said
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        assert any("balances_changed (record_no>?" in str(row[3]) for row in plan), plan
