"""What settling and its proof read does not grow with all that a warehouse ever settled."""

from fractions import Fraction

import pytest
from sqlalchemy import event

from central.orders.settling.roundings import Way
from central.orders.settling.settlement_proof import faults
from central.orders.settling.settlement_rests import roundings_of
from central.storage import bulk
from central.storage.settlement_tables import settlement_facts, settlement_rests

HOUSES, NUMBERS = 10, 2000
ITEMS, RESTS = 200, 20
SQLITE_ONLY = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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
