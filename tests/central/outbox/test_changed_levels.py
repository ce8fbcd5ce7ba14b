"""What changed since a record number is found without reading the warehouse. Edge of SQLite."""

import pytest
from sqlalchemy import event

from central.outbox.changes import read_levels
from central.storage import bulk, tables


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_changed_levels_are_found_by_their_number(database):
    rows = [
        ("W1", f"A-{n}", "ITEM", "", "", "", "C62", "available", n * 10**6, n, 0)
        for n in range(1, 201)
    ]
    rows += [("W2", "A-1", "ITEM", "", "", "", "C62", "available", 5 * 10**6, 300, 0)]
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


def test_a_level_is_the_sum_over_all_statuses_at_physical_places(database):
    held = [("available", 3, 1), ("held", 2, 7), ("rejected", 0, 7)]
    rows = [
        ("W1", "A-1", "ITEM", "", "", "", "C62", status, pieces * 10**6, number, 0)
        for status, pieces, number in held
    ]
    rows += [
        ("W1", "A-2", "ITEM", "", "", "", "C62", "available", -(10**6), 2, 0),
        ("W1", "A-2", "ITEM", "", "", "", "C62", "held", 10**6, 2, 0),
        ("W1", "in_transit", "ITEM", "", "", "", "C62", "available", 10**6, 9, 0),
        ("W1", "in_transit/TR-1", "ITEM", "", "", "", "C62", "available", 10**6, 9, 0),
        ("W1", "in_transit.2", "ITEM", "", "", "", "C62", "available", 4 * 10**6, 9, 0),
    ]
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, rows)
    with database.read() as connection:
        found = [
            [(one.location, one.on_hand_micro // 10**6) for one in read_levels(connection, *asked)]
            for asked in (("W1",), ("W2",))
        ]
        changed = [
            [
                (one.location, one.on_hand_micro // 10**6)
                for one in read_levels(connection, "W1", after_record_no=number)
            ]
            for number in (0, 6, 9)
        ]
    assert found == [[("A-1", 5), ("in_transit.2", 4)], []]
    assert changed == [
        [("A-1", 5), ("A-2", 0), ("in_transit.2", 4)],
        [("A-1", 5), ("in_transit.2", 4)],
        [],
    ]
