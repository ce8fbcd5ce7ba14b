"""What settling and its proof read does not grow with all that a warehouse ever settled."""

from fractions import Fraction

import pytest
from sqlalchemy import event

from central.orders.settling.roundings import Way
from central.orders.settling.settlement_rests import roundings_of
from central.storage import bulk
from central.storage.settlement_tables import settlement_rests

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
