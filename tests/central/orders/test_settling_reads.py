"""What settling and its proof read does not grow with all that a warehouse ever settled."""

from fractions import Fraction

import pytest
from sqlalchemy import event, select

from central.errors import Conflict
from central.orders.settling.roundings import Way
from central.orders.settling.serial_places import case_of_twice
from central.orders.settling.settlement_book import reopen
from central.orders.settling.settlement_proof import faults
from central.orders.settling.settlement_rests import roundings_of
from central.orders.settling.twice_decisions import Seen
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies, settlement_facts, settlement_rests
from tests.central.orders.settling import Settling

HOUSES, NUMBERS = 10, 2000
ITEMS, RESTS = 200, 20
SQLITE_ONLY = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def number(house, serial, micro=1_000_000, location="BIN-1", record_no=9):
    """A row of the balances of NUT."""
    key = (house, location, "NUT", "", serial, "", "C62", "available")
    return (*key, micro, record_no, 0)


def twice(database):
    """What is said of the one serial number that is at two places."""
    query = select(discrepancies).where(discrepancies.c.kind == "serial_twice")
    with database.read() as connection:
        return connection.execute(query).one()


def told_twice(database):
    """Have the number S9 of bolts at two places, and many numbers of nuts beside it."""
    site = Settling(database)
    site.dock.move(serial="S9")
    site.other.move(serial="S9", target="BIN-2")
    site.send(site.dock, site.other)
    houses = ("SH1", "BJ1", *(f"W{house}" for house in range(HOUSES)))
    made = [number(house, f"S{one}") for house in houses for one in range(NUMBERS // 10)]
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, made)
    return twice(database)


@SQLITE_ONLY
def test_where_a_number_is_is_found_by_one_look_into_the_index_of_each_book(own_database):
    row = told_twice(own_database)
    said = []
    with own_database.read() as connection:
        raw = connection.connection.driver_connection
        raw.set_trace_callback(said.append)
        assert case_of_twice(connection, row).is_twice
        raw.set_trace_callback(None)
        explained = (
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}") for statement in said
        )
        plans = [step[-1] for steps in explained for step in steps]
    read = [step for step in plans if "balances" in step or " t " in step]
    assert any("balances_serial (warehouse=? AND item=? AND serial=?)" in one for one in read), read
    assert all("(warehouse=?)" not in one and "SCAN balances" not in one for one in read), read


def test_a_number_is_found_wherever_it_is_where_it_came_last_first(database):
    row = told_twice(database)
    there = [
        number("W3", "S9", record_no=70),
        number("W4", "S9", 0, record_no=80),  # It was there.
        number("W5", "S9", location="customer", record_no=90),
        number("W5", "S8", record_no=90),
    ]
    bolts = [(*one[:2], "BOLT", *one[3:]) for one in there]
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, bolts)
        seen = case_of_twice(connection, row).seen
    assert seen == (Seen("W3", "BIN-1"), Seen("BJ1", "BIN-2"), Seen("SH1", "BIN-1"))


def rest(seq, item="I7", more="1/3"):
    way = ("BIN-1", "BIN-2", "", "", "", "", 0)
    return ("SH1", "E1", seq, item, "C62", *way, more)


def test_the_rests_of_an_item_are_read_by_its_index(own_database):
    made = [rest(seq, f"I{seq % ITEMS}", f"-1/{3 * RESTS}") for seq in range(ITEMS * RESTS)]
    said = []
    with own_database.write() as connection:
        bulk.insert_rows(connection, settlement_rests, made)
    with own_database.write() as connection:
        event.listen(connection, "before_cursor_execute", lambda *what: said.append(what[2:4]))
        left = roundings_of(connection, "SH1", "I7", "C62")
        assert left.whole(Way("BIN-1", "BIN-2"), Fraction(1, 3)) == 1  # A third was too little.
        ((statement, values),) = said
        explain = "EXPLAIN "
        if connection.dialect.name == "sqlite":
            explain = "EXPLAIN QUERY PLAN "
        for analyzed in (False, True):
            if analyzed:
                connection.exec_driver_sql("ANALYZE settlement_rests")
            plan = connection.exec_driver_sql(explain + statement, values).all()
            told = "\n".join(step[-1] for step in plan)
            assert "settlement_rests_item" in told, told


def reopen_traced(site, identity, said):
    """Open a discrepancy again; note the statements."""
    with site.desk.change(actor="li.na") as change:
        raw = change.connection.connection.driver_connection
        raw.set_trace_callback(said.append)
        try:
            reopen(change, identity, reason="no", take_back=True)
        finally:
            raw.set_trace_callback(None)


@SQLITE_ONLY
def test_who_opens_again_does_not_look_through_all_that_was_ever_settled(own_database):
    site = Settling(own_database)
    site.dock.weigh()
    site.dock.move("NUT", "2", unit="XCT", warehouse="BJ1")
    site.send()
    site.settle("wrong_warehouse", {"action": "reassign", "warehouse": "BJ1"})
    site.settle("unit_differs", {"action": "reassign", "factor": "40"})
    settled, elsewhere = (
        site.found(kind, "settled")["id"] for kind in ("wrong_warehouse", "unit_differs")
    )
    said = []
    with pytest.raises(Conflict, match=elsewhere):
        reopen_traced(site, settled, said)
    with own_database.read() as connection:
        explain = connection.connection.driver_connection.execute
        asked = [one for one in said if one.startswith("SELECT") and "settlement_facts" in one]
        plans = [step[-1] for one in asked for step in explain(f"EXPLAIN QUERY PLAN {one}")]
    assert any("settlement_facts USING PRIMARY KEY (discrepancy=?" in one for one in plans), plans
    assert all("SCAN settlement_facts" not in one for one in plans), plans


def fact(seq, gateway="central"):
    return ("D", 1, "SH1", gateway, "E1", seq, "", "", 0)


def test_each_rest_of_no_settlement_is_a_fault(database):
    facts = [fact(1), fact(2, gateway="sh1-dock-1"), fact(4)]
    with database.write() as connection:
        bulk.insert_rows(connection, settlement_facts, facts)
        made = [rest(1), rest(2), rest(3), rest(3, item="I8", more="-1/7")]
        bulk.insert_rows(connection, settlement_rests, made)
        found = [(one.subject, one.detail) for one in faults(connection) if "rounded" in one.detail]
    assert sorted(found) == [
        ("SH1/I7", "fact E1/2 was rounded by 1/3, and settled nothing"),
        ("SH1/I7", "fact E1/3 was rounded by 1/3, and settled nothing"),
        ("SH1/I8", "fact E1/3 was rounded by -1/7, and settled nothing"),
    ]


@SQLITE_ONLY
def test_four_times_the_rests_are_proved_in_four_times_the_steps(own_database):
    steps, first = [], 0
    for last in (500, 2000):
        with own_database.write() as connection:
            bulk.insert_rows(connection, settlement_facts, [*map(fact, range(first, last))])
            bulk.insert_rows(connection, settlement_rests, [*map(rest, range(first, last))])
        with own_database.read() as connection:
            raw, count = connection.connection.driver_connection, []
            raw.set_progress_handler(lambda count=count: count.append(1), 100)
            assert len(list(faults(connection))) == last  # None of these facts is stored.
            raw.set_progress_handler(None, 0)
        steps.append(len(count))
        first = last
    assert steps[1] < 6 * steps[0], steps
