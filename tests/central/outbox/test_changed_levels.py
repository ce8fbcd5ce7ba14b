"""What changed since a record number is found by its lines. Edge of the database."""

import pytest
from sqlalchemy import event

from central.ledger.desk import Desk
from central.ledger.state import read_state
from central.ledger.verify import rebuild_balances
from central.outbox.changes import NEAR_FACTS_MAX, read_levels
from central.storage import bulk, tables
from tests.central.scenery import FixedClock, Gateway, furnished


def levels(connection, warehouse, **asked):
    found = read_levels(connection, warehouse, **asked)
    return [(one.location, one.on_hand_micro // 10**6) for one in found]


def moved(database):
    """Nine facts in SH1, and one in BJ1."""
    gateway, other = Gateway(), Gateway("bj1-dock", warehouse="BJ1")
    for _ in range(7):
        gateway.move("BOLT", "5")
    gateway.move("NUT", "2", target="BIN-2")
    gateway.move("BOLT", "35", source="BIN-1", target="customer")
    other.move("BOLT", "4")
    inbox = furnished(database, gateway, other)
    for one in (gateway, other):
        (outcome,) = inbox.accept([one.offer()])
        assert outcome.kind == "accepted"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_changed_levels_are_found_by_the_lines_of_new_facts(database):
    moved(database)
    with database.read() as connection:
        said = []
        event.listen(
            connection, "before_cursor_execute", lambda *given: said.append((given[2], given[3]))
        )
        assert levels(connection, "SH1", after_record_no=7) == [("BIN-1", 0), ("BIN-2", 2)]
        (statement, values) = next(one for one in said if "FROM lines" in one[0])
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        wanted = "SEARCH lines USING PRIMARY KEY (warehouse=? AND record_no>?)"
        assert any(wanted in str(row[3]) for row in plan), plan


@pytest.mark.parametrize("behind", [0, NEAR_FACTS_MAX], ids=["near", "far behind"])
def test_whoever_is_far_behind_is_told_the_same(database, behind):
    moved(database)
    with database.write() as connection:
        number = str(10 + behind)
        bulk.upsert_rows(connection, tables.ledger_state, [("record_no", number)])
    with database.read() as connection:
        told = [levels(connection, "SH1", after_record_no=after) for after in (0, 7, 8, 10)]
        assert levels(connection, "BJ1", after_record_no=0) == [("BIN-1", 4)]
    both = [("BIN-1", 0), ("BIN-2", 2)]
    assert told == [both, both, [("BIN-1", 0)], []]


def of_every_kind(database):
    """Stock that statuses, weights, reversals early and late, units, counts and a desk moved."""
    gateway, other = Gateway(), Gateway("bj1-dock", warehouse="BJ1")
    gateway.move("BOLT", "5")
    gateway.move("BOLT", "9", to_status="held", business_step="receiving")
    freed = {"from_status": "held", "to_status": "available"}
    gateway.move("BOLT", "2", source="BIN-1", target="BIN-1", **freed)
    gateway.move("BOLT", "12", source="BIN-1", target="BIN-2")  # Of several statuses.
    gateway.reverse(1)
    gateway.reverse(4)
    gateway.move("RICE", "7", unit="KGM", target="BIN-3")
    gateway.move("RICE", "7", unit="C62", target="BIN-3")
    gateway.move("NUT", "3", serial="S-1", lot="L-1")
    gateway.move("NUT", "3", source="BIN-1", target="in_transit", serial="S-1", lot="L-1")
    gateway.move("NUT", "4", target="BIN-9")  # Nobody knows that place.
    gateway.count("3", location="BIN-2")
    gateway.move("NUT", "6", target="STAGE-1", document="PO-1", document_line=1)
    late = gateway.move("BOLT", "8", target="BIN-3")
    after = gateway.next_epoch()
    after.reverse(late, epoch=gateway.epoch)
    after.move("NUT", "1", source="STAGE-1", target="customer")
    other.move("BOLT", "4")
    inbox = furnished(database, gateway, other, after)
    for offer in (
        gateway.offer(1, 3),
        after.offer(),  # Its reversal waits for a movement.
        gateway.offer(4, 5),
        other.offer(),
        gateway.offer(6),
    ):
        (outcome,) = inbox.accept([offer])
        assert outcome.kind == "accepted"
    with Desk(database, clock=FixedClock()).change(actor="li.na") as change:
        draft = change.movement(
            warehouse="SH1",
            business_step="cycle_counting",
            from_location="adjustment",
            to_location="BIN-2",
            item="NUT",
            quantity_micro=10**6,
            unit="C62",
        )
        change.post([draft])
    rebuild_balances(database)


def test_lines_tell_every_balance_that_any_fact_has_changed(database):
    of_every_kind(database)
    with database.read() as connection:
        last = read_state(connection).record_no
        near = told_after_each(connection, last)
    with database.write() as connection:
        number = str(last + NEAR_FACTS_MAX + 1)
        bulk.upsert_rows(connection, tables.ledger_state, [("record_no", number)])
    with database.read() as connection:
        assert told_after_each(connection, last) == near
    assert len(near["SH1"][0]) > 8 and near["SH1"][last] == []


def told_after_each(connection, last):
    return {
        warehouse: [
            read_levels(connection, warehouse, after_record_no=number) for number in range(last + 1)
        ]
        for warehouse in ("SH1", "BJ1")
    }


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
        lines = [
            (*row[:1], row[9], number, *row[1:6], "", row[6], row[8], row[7], 0)
            for number, row in enumerate(rows, 1)
        ]
        bulk.insert_rows(connection, tables.lines, lines)
    with database.read() as connection:
        found = [levels(connection, warehouse) for warehouse in ("W1", "W2")]
        changed = [levels(connection, "W1", after_record_no=number) for number in (0, 6, 9)]
    assert found == [[("A-1", 5), ("in_transit.2", 4)], []]
    assert changed == [
        [("A-1", 5), ("A-2", 0), ("in_transit.2", 4)],
        [("A-1", 5), ("in_transit.2", 4)],
        [],
    ]
