"""Catch weights, expiry dates of lots, serial numbers and counts, as movements are posted."""

from datetime import date

import pytest
from psycopg import RawCursor
from sqlalchemy import text

from central.ledger.ledger import Ledger
from central.ledger.verify import verify_ledger
from central.storage import array_sql, tables
from tests.central.ledger.test_posting_property import post
from tests.central.scenery import (
    Gateway,
    discrepancies,
    furnished,
    lines_of,
    load,
    rows,
    set_policy,
)

M = 1_000_000
ON_POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgresql)]
WEIGHED = [
    pytest.param("", "2.5", "KGM", 2_500_000, [], id="kilograms"),
    pytest.param("", "2500", "GRM", 2_500_000, [], id="grams, kept in kilograms"),
    pytest.param("GRM", "2.5", "KGM", 2_500_000_000, [], id="an item weighed in grams"),
    pytest.param("LBR", "2", "LBR", 2_000_000, [], id="an item weighed in pounds"),
    pytest.param("", "2", "LBR", 907_185, [], id="pounds, rounded"),
    pytest.param("", "2", "C62", 0, [("unit_differs", "BOLT/C62", 1)], id="no weight at all"),
]


@pytest.mark.parametrize(("kept", "weight", "unit", "expected", "found"), WEIGHED)
def test_a_weight_is_kept_in_the_unit_of_the_item(database, kept, weight, unit, expected, found):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_policy(database, "BOLT", weight_unit=kept)
    gateway.move(quantity="3", net_weight=weight, weight_unit=unit)
    inbox.accept([gateway.offer()])
    assert lines_of(database, 1) == [
        (1, "supplier", "available", -3 * M, -expected),
        (2, "BIN-1", "available", 3 * M, expected),
    ]
    weights = rows(database, tables.balances, "location", "weight_micro")
    assert weights == [("BIN-1", expected), ("supplier", -expected)]
    assert discrepancies(database) == found
    assert verify_ledger(database).faults == ()


def test_weights_add_up_over_movements_with_and_without_them(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="3", net_weight="2.5", weight_unit="KGM")
    gateway.move(quantity="1", net_weight="0.75", weight_unit="KGM")
    gateway.move(quantity="1")
    gateway.move(quantity="2", source="BIN-1", target="BIN-2", net_weight="1.6", weight_unit="KGM")
    gateway.reverse(2)
    for first, last in ((1, 1), (2, 4), (5, 5)):
        inbox.accept([gateway.offer(first, last)])
    assert rows(database, tables.balances, "location", "on_hand_micro", "weight_micro") == [
        ("BIN-1", 2 * M, 900_000),
        ("BIN-2", 2 * M, 1_600_000),
        ("supplier", -4 * M, -2_500_000),
    ]
    assert verify_ledger(database).faults == ()


def dated(gateway, lot, day, **fields):
    gateway.move(lot=lot, expiry_date=day and str(date(2027, 1, day)), **fields)


def test_a_lot_keeps_the_date_that_was_stated_first(database):
    gateway, other = Gateway(), Gateway("gw-2")
    inbox = furnished(database, gateway, other)
    dated(gateway, "L1", 0)
    dated(gateway, "L1", 5)
    dated(gateway, "L1", 5)
    dated(gateway, "", 5)
    dated(gateway, "L2", 6, document="PO-1", document_line=1)
    dated(gateway, "L1", 7)
    dated(gateway, "L1", 8, warehouse="BJ1")
    dated(other, "L1", 7)
    dated(other, "L3", 9, item="NUT")
    inbox.accept([gateway.offer()])
    inbox.accept([other.offer()])
    assert rows(database, tables.lots) == [
        ("SH1", "BOLT", "L1", "2027-01-05", 2),
        ("SH1", "BOLT", "L2", "2027-01-06", 5),
        ("SH1", "NUT", "L3", "2027-01-09", 9),
    ]
    found = [one for one in discrepancies(database) if one[0] == "expiry_differs"]
    assert found == [("expiry_differs", "BOLT/L1", 2)]
    assert verify_ledger(database).faults == ()


SERIALS = [
    pytest.param([("supplier", "BIN-1", "1")], [], id="comes once"),
    pytest.param(
        [("supplier", "BIN-1", "1"), ("BIN-1", "BIN-2", "1"), ("BIN-2", "customer", "1")],
        [],
        id="moves on",
    ),
    pytest.param([("supplier", "BIN-1", "1")] * 2, ["serial_twice"], id="comes to one place twice"),
    pytest.param(
        [("supplier", "BIN-1", "1"), ("supplier", "BIN-2", "1")],
        ["serial_twice"],
        id="is at two places",
    ),
    pytest.param([("supplier", "BIN-1", "2")], ["serial_twice"], id="two pieces of it"),
    pytest.param(
        [("supplier", "BIN-1", "1"), ("BIN-2", "BIN-3", "1")],
        ["negative_balance", "serial_twice"],
        id="moves where it was not",
    ),
    pytest.param(
        [("supplier", "BIN-1", "1"), ("BIN-1", "customer", "1"), ("customer", "BIN-2", "1")],
        [],
        id="comes back",
    ),
    pytest.param([("supplier", "customer", "1")] * 2, [], id="never here"),
]


@pytest.mark.parametrize(("moves", "found"), SERIALS)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_serial_number_is_at_one_place(database, moves, found, at_once):
    gateway, twin = Gateway(), Gateway("bj", warehouse="BJ1")
    inbox = furnished(database, gateway, twin)
    twin.move("NUT", serial="S1")  # Of another item it is another thing, wherever that is.
    gateway.move(serial="S2", target="BIN-2", lot="L1")
    for source, target, quantity in moves:
        gateway.move(serial="S1", source=source, target=target, quantity=quantity)
    inbox.accept([twin.offer()])
    calls = [(1, None)] if at_once else [(number, number) for number in range(1, len(moves) + 2)]
    for first, last in calls:
        inbox.accept([gateway.offer(first, last)])
    assert [one[0] for one in discrepancies(database)] == found
    assert verify_ledger(database).faults == ()


def test_weighed_goods_of_one_serial_number_may_be_more_than_one(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move("RICE", "12.5", unit="KGM", serial="DRUM-1")
    inbox.accept([gateway.offer()])
    assert discrepancies(database) == []
    gateway.move("RICE", "0.5", unit="KGM", serial="DRUM-1", target="BIN-2")
    inbox.accept([gateway.offer(2)])
    ((kind, *_),) = discrepancies(database)
    assert kind == "serial_twice"


def test_counts_are_told_with_what_the_books_had_at_that_moment(database):
    load(database)
    set_policy(database, "NUT", inspected=True)
    gateway = Gateway()
    gateway.move(quantity="5", lot="L1")
    gateway.count("4", lot="L1")
    gateway.move(quantity="2", lot="L1", source="BIN-1", target="BIN-2")
    gateway.count("4", lot="L1", operator="li.na")
    gateway.count("1", lot="L2", unit="KGM")
    gateway.move("NUT", quantity="3")
    gateway.count("0", item="NUT")
    gateway.count("1500", item="RICE", unit="GRM", location="BIN-2")
    gateway.count("7", warehouse="BJ1")
    told = []
    ledger = Ledger(followers=[lambda connection, posted: told.extend(posted.counts)])
    post(database, ledger, [gateway], [(0, seq) for seq in range(1, 10)])
    assert [
        (one.record_no, one.fact.item, one.unit, one.quantity_micro, one.book_micro) for one in told
    ] == [
        (2, "BOLT", "C62", 4 * M, 5 * M),
        (4, "BOLT", "C62", 4 * M, 3 * M),
        (5, "BOLT", "KGM", 1 * M, 0),
        (7, "NUT", "C62", 0, 3 * M),
        (8, "RICE", "KGM", 1_500_000, 0),
    ]
    assert [one.key.seq for one in told] == [2, 4, 5, 7, 8]
    assert told[1].fact.operator == "li.na"
    kinds = rows(database, tables.facts, "record_no", "kind")
    assert [kind for _, kind in kinds[:3]] == ["movement", "count", "movement"]
    assert [one[0] for one in discrepancies(database)] == ["wrong_warehouse"]
    assert verify_ledger(database).faults == ()


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_where_a_serial_number_is_is_found_by_its_own_index(own_database):
    database = own_database  # What autovacuum counted in another's would decide the plan.
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO balances SELECT 'W', 'L', 'ITEM', '', 'S' || n, '', 'C62',"
                " 'available', 1, n, 0 FROM generate_series(1, 20000) AS n"
            )
        )
        columns = ("warehouse", "item", "serial")
        sql = array_sql.select_sql(tables.balances, columns, 0, "serial <> ''")
        server = RawCursor(connection.connection.driver_connection)
        arrays = [["W"] * 100, ["ITEM"] * 100, [f"S{number}" for number in range(100)]]
        for analyzed in (False, True):
            if analyzed:
                connection.exec_driver_sql("ANALYZE balances")
            plan = server.execute("EXPLAIN " + sql, arrays).fetchall()
            told = "\n".join(line for (line,) in plan)
            assert "balances_serial" in told, told
