"""A serial number is at one place of all warehouses, in whatever order their facts come."""

from itertools import permutations

import pytest
from psycopg import RawCursor
from sqlalchemy import text

from central.ledger.unit_reading import BOOKS
from central.storage import array_sql, bulk, tables
from tests.central.orders.settling import Settling

OUT = {"source": "BIN-1", "target": "in_transit", "business_step": "shipping"}
IN = {"source": "in_transit"}
UNDER_WAY = {"document": "TR-1", "document_line": 1}
HOUSES, NUMBERS = 40, 500


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def say(gateway, **fields):
    gateway.move(serial="S9", **fields)


def twice(site):
    """(warehouse, state, detail, why it is settled) of what is said of the number, if anything."""
    rows = site.get("/discrepancies?kind=serial_twice")["discrepancies"]
    return [(row["warehouse"], row["state"], row["detail"], row["settlement"]) for row in rows]


def test_a_number_that_stands_in_another_warehouse_is_found(site):
    say(site.dock)
    say(site.other, target="BIN-2")
    site.send(site.dock, site.other)
    assert twice(site) == [("BJ1", "open", "it is at BIN-2, SH1/BIN-1", "")]
    # Another one of that item, or another item's of that name, is another thing.
    site.other.move(serial="S8")
    site.other.move("NUT", serial="S9")
    site.send(site.other)
    assert len(twice(site)) == 1


def test_what_is_under_way_is_at_no_place(site):
    say(site.dock)
    say(site.dock, **OUT, **UNDER_WAY)
    site.send()
    say(site.other, **IN, **UNDER_WAY)
    site.send(site.other)
    assert twice(site) == []


@pytest.mark.parametrize("known", [True, False], ids=["the source had it", "the source says all"])
def test_a_receipt_before_the_facts_of_the_source_is_settled_by_them(site, known):
    say(site.dock)
    if known:
        site.send()
    say(site.other, **IN, **UNDER_WAY)
    site.send(site.other)
    assert [one[:2] for one in twice(site)] == [("BJ1", "open")] * known
    say(site.dock, **OUT, **UNDER_WAY)
    site.send()
    why = "record 3 left it at BJ1/BIN-1 alone"
    if known:
        assert twice(site) == [("BJ1", "settled", "it is at BIN-1, SH1/BIN-1", why)]
    else:
        assert twice(site) == [("SH1", "settled", "it is at BIN-1, BJ1/BIN-1", why)]


def test_the_other_number_of_a_transfer_stays_open(site):
    say(site.dock)
    site.dock.move(serial="S7")
    site.dock.move(serial="S7", **OUT, **UNDER_WAY)
    site.send()
    say(site.other, **IN, **UNDER_WAY)
    site.send(site.other)
    assert twice(site) == [("BJ1", "open", "it is at BIN-1, SH1/BIN-1", "")]


def test_of_two_that_came_and_one_that_was_sold_nobody_knows_which_it_is(site):
    say(site.dock)
    say(site.other)
    site.send(site.dock, site.other)
    say(site.dock, source="BIN-1", target="customer")
    site.send()
    assert [one[1] for one in twice(site)] == ["open"]


def test_a_second_piece_that_is_written_off_never_came(site):
    say(site.dock)
    say(site.other)
    site.send(site.dock, site.other)
    say(site.other, source="BIN-1", target="adjustment")
    site.send(site.other)
    ((_, state, _, why),) = twice(site)
    assert (state, why) == ("settled", "record 3 left it at SH1/BIN-1 alone")


@pytest.mark.parametrize("went", ["customer", "scrap", "production"])
def test_of_three_that_came_a_written_off_one_leaves_two_of_which_one_went(site, went):
    say(site.dock)
    say(site.other)
    say(site.other, target="BIN-2")
    site.send(site.dock, site.other)
    say(site.dock, source="BIN-1", target=went)
    say(site.other, source="BIN-2", target="adjustment")
    site.send(site.dock, site.other)
    assert {one[1] for one in twice(site)} == {"open"}


@pytest.mark.parametrize("back", ["reversed", "sent back"])
def test_what_came_by_mistake_and_goes_back_is_settled(site, back):
    say(site.dock)
    say(site.other)
    site.send(site.dock, site.other)
    if back == "reversed":
        site.other.reverse(1)
    else:
        say(site.other, source="BIN-1", target="supplier")
    site.send(site.other)
    ((_, state, _, why),) = twice(site)
    assert (state, why) == ("settled", "record 3 left it at SH1/BIN-1 alone")


def test_a_number_that_comes_twice_again_in_the_same_call_stays_open(site):
    say(site.dock)
    say(site.other, **IN, **UNDER_WAY)
    site.send(site.dock, site.other)
    say(site.dock, **OUT, **UNDER_WAY)
    say(site.dock)
    site.send()
    assert {one[:2] for one in twice(site)} == {("BJ1", "open"), ("SH1", "open")}


STORY = [
    ("dock", {}),
    ("dock", {"source": "BIN-1", "target": "BIN-2"}),
    ("dock", OUT | UNDER_WAY | {"source": "BIN-2"}),
    ("other", IN | UNDER_WAY),
    ("other", {"source": "BIN-1", "target": "BIN-3"}),
]


@pytest.mark.parametrize("order", [*permutations(range(len(STORY)))][::7])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_true_story_leaves_nothing_open_in_whatever_order_it_is_told(site, order):
    speaking = {"dock": site.dock, "other": site.other}
    for number in order:
        # Each in an epoch of its own: what one tells is posted in the order of its numbers.
        who, fields = STORY[number]
        epoch = speaking[who] = speaking[who].next_epoch()
        epoch.move(serial="S9", **fields)
        site.send(epoch)
    assert site.on_hand(warehouse="BJ1")["BIN-3", ""] == 1
    assert [one[1] for one in twice(site) if one[1] == "open"] == []


def filled(database):
    """Fill the books of many warehouses with numbers of one item."""
    numbers = (
        (f"W{house}", "BIN-1", "ITEM", "", f"S{number}", "", "C62", "available", 1, 1, 0)
        for house in range(HOUSES)
        for number in range(NUMBERS)
    )
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, list(numbers))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_a_number_is_found_by_one_look_into_the_index_of_each_book(own_database):
    filled(own_database)
    said = []

    with own_database.read() as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + BOOKS).all()
        assert all("SCAN balances" not in row[-1] for row in plan), plan
        raw = connection.connection.driver_connection
        raw.set_trace_callback(said.append)
        keys = [(f"W{house}", "ITEM", "S1") for house in range(HOUSES)]
        by = ("warehouse", "item", "serial")
        found = bulk.select_by_columns(
            connection,
            tables.balances,
            keys,
            columns=by,
            index="balances_serial",
            where="serial <> ''",
        )
        assert len(list(found)) == HOUSES
        raw.set_trace_callback(None)
        (statement,) = said
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
    told = "\n".join(row[-1] for row in plan)
    assert "balances_serial (warehouse=? AND item=? AND serial=?)" in told, told


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_on_postgresql_a_number_is_found_by_one_look_into_the_index_of_each_book(own_database):
    filled(own_database)
    by = ("warehouse", "item", "serial")
    sql = array_sql.select_sql(tables.balances, by, 0, "serial <> ''")
    arrays = [[f"W{house}" for house in range(HOUSES)], ["ITEM"] * HOUSES, ["S1"] * HOUSES]
    with own_database.write() as connection:
        server = RawCursor(connection.connection.driver_connection)
        for analyzed in (False, True):
            if analyzed:
                connection.exec_driver_sql("ANALYZE balances")
            plan = server.execute("EXPLAIN " + sql, arrays).fetchall()
            told = "\n".join(line for (line,) in plan)
            assert "balances_serial" in told, told
            plan = server.execute("EXPLAIN " + BOOKS).fetchall()
            told = "\n".join(line for (line,) in plan)
            assert "Seq Scan on balances" not in told, told
