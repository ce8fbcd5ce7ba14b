"""A handling unit is at one place of all warehouses, and who brings it to another is told."""

import pytest
from sqlalchemy import text

from central.ledger.desk import Desk
from central.ledger.unit_reading import UNITS_AT_ONCE_MAX, _sql
from central.storage import bulk, tables
from tests.central.ledger.test_statements import said_by
from tests.central.orders.settling import Settling
from tests.central.scenery import FixedClock, load, sscc
from tests.central.storage.counting import statements_of

UNIT, OTHER = sscc(1), sscc(2)
UNDER_WAY = {"document": "TR-1", "document_line": 1}
OUT = {"source": "BIN-1", "target": "in_transit", "business_step": "shipping"} | UNDER_WAY
IN = {"source": "in_transit"} | UNDER_WAY
HOUSES, NUMBERS = 40, 500


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def twice(site):
    """(warehouse, subject, state, detail, why it is settled) of what is said of units."""
    rows = site.get("/discrepancies?kind=unit_twice")["discrepancies"]
    names = ("warehouse", "subject", "state", "detail", "settlement")
    return [tuple(row[name] for name in names) for row in rows]


def test_a_unit_that_stands_elsewhere_is_told_when_it_comes_in_once_more(site):
    site.dock.move(quantity="5", sscc=UNIT)
    site.dock.move("NUT", "5", sscc=UNIT)  # On the same pallet.
    site.dock.move(quantity="5", sscc=OTHER, target="BIN-2")
    site.send()
    assert twice(site) == []
    site.dock.move("NUT", "2", sscc=UNIT, target="BIN-3")
    site.send()
    assert twice(site) == [("SH1", UNIT, "open", "it is at BIN-1, BIN-3", "")]


def test_a_unit_that_stands_in_another_warehouse_is_told(site):
    site.dock.move(quantity="5", sscc=UNIT)
    site.other.move(quantity="5", sscc=UNIT, document="X", document_line=1, target="BIN-2")
    site.send(site.dock, site.other)
    assert twice(site) == [("BJ1", UNIT, "open", "it is at BIN-2, SH1/BIN-1", "")]
    found = site.found("unit_twice")
    assert [one["body"]["action"] for one in found["proposals"]] == ["reverse", "accept", "adjust"]
    assert found["proposals"][2]["body"] | {"reason": ""} == {
        "action": "adjust",
        "location": "BIN-1",
        "warehouse": "SH1",
        "reason": "",
    }
    assert "the book of SH1/BIN-1: it was seen at BIN-2 last" in found["proposals"][2]["why"]


def test_parts_that_are_moved_sent_or_come_back_are_no_other_units(site):
    site.dock.move(quantity="9", sscc=UNIT)
    site.dock.move(quantity="2", sscc=UNIT, source="BIN-1", target="BIN-2")
    site.dock.move(quantity="2", sscc=UNIT, **OUT)
    site.dock.move(quantity="2", sscc=UNIT, source="BIN-1", target="customer")
    site.dock.move(quantity="1", sscc=UNIT, source="customer", target="BIN-3")
    sold = site.dock.move(quantity="1", sscc=UNIT, source="BIN-1", target="customer")
    site.dock.reverse(sold)
    site.other.move(quantity="2", sscc=UNIT, **IN)
    site.send(site.dock, site.other)
    assert twice(site) == []
    site.dock.move(quantity="2", sscc=UNIT, source="customer", target="BIN-3")  # Of 1 that is out.
    site.send()
    ((_, subject, state, _, _),) = twice(site)
    assert (subject, state) == (UNIT, "open")


@pytest.mark.parametrize("cut", [True, False], ids=["one by one", "at once"])
def test_a_receipt_that_is_taken_back_settles_it(site, cut):
    site.dock.move(quantity="5", sscc=UNIT)
    wrong = site.dock.move(quantity="5", sscc=UNIT, target="BIN-2")
    if cut:
        site.send()
        assert [one[2] for one in twice(site)] == ["open"]
    site.dock.reverse(wrong)
    site.send()
    why = "record 3 left it at SH1/BIN-1 alone"
    assert twice(site) == [("SH1", UNIT, "settled", "it is at BIN-1, BIN-2", why)]


@pytest.mark.parametrize("cut", [True, False], ids=["one by one", "at once"])
def test_a_move_that_is_taken_back_leaves_it_open(site, cut):
    site.dock.move(quantity="5", sscc=UNIT)
    site.other.move(quantity="5", sscc=UNIT, document="X", document_line=1, target="BIN-2")
    site.send(site.dock, site.other)
    moved = site.dock.move(quantity="5", sscc=UNIT, source="BIN-1", target="BIN-2")
    if cut:
        site.send()
    site.dock.reverse(moved)
    site.send()
    assert twice(site) == [("BJ1", UNIT, "open", "it is at BIN-2, SH1/BIN-1", "")]


def test_what_a_count_misses_settles_it_and_what_is_sold_does_not(site):
    for unit in (UNIT, OTHER):
        site.dock.move(quantity="5", sscc=unit)
        site.dock.move(quantity="5", sscc=unit, target="BIN-2")
    site.send()
    site.dock.move(quantity="5", sscc=UNIT, source="BIN-1", target="adjustment")
    site.dock.move(quantity="5", sscc=OTHER, source="BIN-1", target="customer")
    site.send()
    why = "record 5 left it at SH1/BIN-2 alone"
    assert [(one[1], one[2], one[4]) for one in sorted(twice(site))] == [
        (UNIT, "settled", why),
        (OTHER, "open", ""),
    ]


def test_the_desk_takes_a_unit_out_of_a_book_with_all_that_is_in_it(site):
    site.dock.move(quantity="5", sscc=UNIT)
    site.dock.move("NUT", "3", sscc=UNIT)
    site.dock.move(quantity="5", sscc=UNIT, target="BIN-2")
    site.send()
    body = {"action": "adjust", "location": "BIN-9"}
    assert site.settle("unit_twice", body).status_code == 409
    body = {"action": "adjust", "location": "BIN-1"}
    assert site.settle("unit_twice", body).json()["state"] == "settled"
    assert site.on_hand()["BIN-2", ""] == 5
    assert ("BIN-1", "") not in site.on_hand() | site.on_hand("NUT")


def test_a_settlement_takes_back_all_that_came_in_the_unit_since(site):
    site.dock.move("NUT", "3", sscc=UNIT)
    site.dock.move(quantity="5", sscc=UNIT, target="BIN-2")
    site.dock.move("NUT", "2", sscc=UNIT, target="BIN-2")
    site.dock.move("NUT", "1", sscc=UNIT, source="BIN-2", target="BIN-3")
    site.send()
    assert site.settle("unit_twice", {"action": "reverse"}).json()["state"] == "settled"
    assert site.on_hand() == {}
    left = site.on_hand("NUT")
    assert (left["BIN-1", ""], left["supplier", ""]) == (3, -3)


def test_many_units_of_a_call_are_looked_up_together(site):
    units = [sscc(number) for number in range(1, UNITS_AT_ONCE_MAX + 3)]
    for unit in units:
        site.other.move(quantity="1", sscc=unit)
        site.dock.move(quantity="1", sscc=unit)
    site.send(site.other, site.dock)
    assert {one[:3] for one in twice(site)} == {("SH1", unit, "open") for unit in units[:100]}


def told(database, units):
    """Fill many books with units; return what the database plans for a look for some of them."""
    numbers = (
        (f"W{house}", "BIN-1", "ITEM", "", "", sscc(number), "C62", "available", 1, 1, 0)
        for house in range(HOUSES)
        for number in range(NUMBERS)
    )
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, list(numbers))
    with database.read() as connection:
        kind = connection.dialect.name
        sql = _sql(kind, len(units))
        if kind == "sqlite":
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, tuple(units)).all()
        else:
            connection.exec_driver_sql("ANALYZE balances")
            for unit in units:
                sql = sql.replace("?", f"'{unit}'", 1)
            plan = connection.execute(text("EXPLAIN " + sql)).all()
        return "\n".join(str(row[-1]) for row in plan)


def test_units_are_found_by_one_look_into_the_index_of_each_book(own_database):
    said = told(own_database, (UNIT, OTHER))
    assert "balances_sscc" in said, said
    assert "Seq Scan on balances t" not in said, said


def posted(desk, **fields):
    """How many statements PostgreSQL runs for a movement at the desk, beside the lock."""
    with desk.change(actor="li.na") as change:
        values = {
            "business_step": "storing",
            "from_location": "supplier",
            "to_location": "BIN-1",
            "item": "BOLT",
            "unit": "C62",
            "quantity_micro": 1_000,
        }
        drafts = [change.movement(warehouse="SH1", **(values | fields))]
        with statements_of(change.connection) as statements:
            change.post(drafts)
            return len(statements)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_on_postgresql_units_are_looked_up_with_all_the_rest(own_database):
    load(own_database)
    desk = Desk(own_database, clock=FixedClock())
    posted(desk)
    for document in ("", "PO-1"):
        plain = posted(desk, document=document)
        assert posted(desk, document=document, sscc=UNIT) == plain


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_what_brings_a_unit_in_costs_a_statement(database):
    load(database)
    desk = Desk(database, clock=FixedClock())
    inside = {"from_location": "BIN-1", "to_location": "BIN-2"}
    said_by(desk, 1)
    said_by(desk, 1, **inside)
    plain = len(said_by(desk, 1))
    assert len(said_by(desk, 1, sscc=UNIT)) == plain + 1
    assert len(said_by(desk, 1, sscc=UNIT, **inside)) == len(said_by(desk, 1, **inside))
