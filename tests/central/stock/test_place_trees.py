"""What stands in an area and in all that is below it, now and then, page by page."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import event, insert

from central.stock.as_of import list_stock_as_of
from central.stock.item_reading import BalanceQuery, list_balances
from central.stock.moments import moment_at
from central.stock.rows import StockFilter
from central.stock.stock_totals import list_totals
from central.stock.views import list_stock
from central.storage import catalogue_tables, tables
from tests.central.api.test_openapi import prepared
from tests.central.clients import call
from tests.central.orders.purchasing import row
from tests.central.scenery import NOW_MS, Gateway, furnished

TREE = {"Z1": "", "Z2": "Z1", "BIN-1": "Z2", "BIN-2": "BIN-1", "Z3": "", "BIN-9": "Z3"}
WITHIN = [
    pytest.param("Z1", {"BIN-1", "BIN-2"}, id="two levels down"),
    pytest.param("BIN-1", {"BIN-1", "BIN-2"}, id="a place with what is in it"),
    pytest.param("BIN-2", {"BIN-2"}, id="a leaf"),
    pytest.param("BIN-3", {"BIN-3"}, id="of no tree"),
    pytest.param("Z3", set(), id="empty"),
    pytest.param("NOWHERE", set(), id="not there"),
]


def tree(database, parents=TREE, warehouse="SH1"):
    """Put places into each other."""
    table = catalogue_tables.location_details
    values = [
        row(table, warehouse=warehouse, location=code, parent=parent, version=1)
        for code, parent in parents.items()
    ]
    with database.write() as connection:
        connection.execute(insert(table), values)


@pytest.fixture
def area(database):
    shanghai, beijing = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, shanghai, beijing)
    tree(database)
    for item in ("BOLT", "NUT"):
        for place in ("BIN-1", "BIN-2", "BIN-3"):
            for lot in ("L1", "L2"):
                shanghai.move(item, "4", lot=lot, target=place)
    beijing.move("BOLT", "9")
    inbox.accept([shanghai.offer(), beijing.offer()])
    return database


def paged(read, limit=2):
    """All rows of a listing by keys, page by page, in order."""
    found = []
    while True:
        page = read(found[-1] if found else None, limit)
        found += [one.key for one in page]
        if len(page) < limit:
            assert found == sorted(set(found))
            return found


@pytest.mark.parametrize(("place", "expected"), WITHIN)
def test_stock_is_that_of_a_place_and_all_below_it(area, place, expected):
    wanted = StockFilter(warehouse="SH1", within=place)
    with area.read() as connection:
        now = paged(lambda after, n: list_stock(connection, wanted, after=after, limit=n))
        moment = moment_at(connection, NOW_MS * 2, kind="event", warehouse="SH1")
        then = paged(
            lambda after, n: list_stock_as_of(connection, wanted, moment, after=after, limit=n)
        )
        query = BalanceQuery(warehouse="SH1", within=place)
        shown = list_balances(connection, query, offset=0, limit=100)
    assert {key.location for key in now} == expected
    assert now == then == [one.key for one in shown]
    assert len(now) == 4 * len(expected)


@pytest.mark.parametrize(("place", "expected"), WITHIN)
def test_totals_are_of_a_place_and_all_below_it(area, place, expected):
    with area.read() as connection:
        query = BalanceQuery(warehouse="SH1", within=place)
        found = list_totals(connection, query, limit=9)
    of_each = 8 * len(expected)
    assert [(one.key.item, int(one.on_hand), one.places_count) for one in found] == [
        (item, of_each, len(expected)) for item in ("BOLT", "NUT") if expected
    ]


def test_totals_tell_statuses_and_units_apart_and_go_on_after_any_of_them(area):
    names = [one.name for one in tables.balances.columns][:11]

    def put(place, item, status, micro, unit="C62", warehouse="SH1"):
        row = (warehouse, place, item, "L9", "", "", unit, status, micro, 1, micro // 2)
        with area.write() as connection:
            connection.execute(insert(tables.balances).values(dict(zip(names, row, strict=True))))

    put("BIN-1", "BOLT", "held", 500_000)
    put("BIN-2", "BOLT", "held", -1_500_000)
    put("BIN-2", "NUT", "available", 2_000_000, unit="KGM")
    put("BIN-1", "NUT", "rejected", 9_000_000_000_000_000_000)
    put("BIN-2", "NUT", "rejected", 9_000_000_000_000_000_000)
    put("BIN-1", "BOLT", "held", 7_000_000, warehouse="BJ1")
    expected = [
        ("BOLT", "C62", "available", 2, 16, 0),
        ("BOLT", "C62", "held", 2, -1, Decimal("-0.5")),
        ("NUT", "C62", "available", 2, 16, 0),
        ("NUT", "C62", "rejected", 2, 18_000_000_000_000, 9_000_000_000_000),
        ("NUT", "KGM", "available", 1, 2, 1),
    ]
    query = BalanceQuery(warehouse="SH1", within="Z1")
    found, after = [], None
    with area.read() as connection:
        while some := list_totals(connection, query, after=after, limit=2):
            found += some
            after = some[-1].key
        assert found == list_totals(connection, query, limit=99)
        held = replace(query, status="held", lot="L9", item="BOLT")
        assert [one.on_hand for one in list_totals(connection, held, limit=9)] == [-1]
        everywhere = list_totals(connection, BalanceQuery(status="held"), limit=9)
    assert [(*one.key[1:], one.places_count, one.on_hand, one.weight) for one in found] == expected
    assert [(one.key.warehouse, one.on_hand) for one in everywhere] == [("BJ1", 7), ("SH1", -1)]


def test_totals_are_answered_and_shown_page_by_page(database):
    walk = prepared(database)
    tree(database, {"Z1": "", "BIN-2": "Z1", "BIN-3": "Z1"})
    for place in ("BIN-2", "BIN-3"):
        for item, quantity in (("BOLT", "5"), ("NUT", "2")):
            walk.move(item, quantity, "supplier", place)
    path, found = "/api/v1/stock/totals?warehouse=SH1&within=Z1&limit=1", []
    answer = call(walk.app, "GET", path).json()
    found += answer["totals"]
    answer = call(walk.app, "GET", f"{path}&cursor={answer['next_cursor']}").json()
    found += answer["totals"]
    assert answer["next_cursor"] is None
    assert [(one["item"], one["places_count"], one["on_hand"]) for one in found] == [
        ("BOLT", 2, "10"),
        ("NUT", 2, "4"),
    ]
    for wrong in ("within=Z1", "warehouse=NO", "as_of=2026-05-01", "cursor=x"):
        assert call(walk.app, "GET", f"/api/v1/stock/totals?{wrong}").status_code == 422
    listed = call(walk.app, "GET", "/stock?warehouse=SH1&within=Z1&sscc=1").text
    assert 'href="/stock/totals?warehouse=SH1&amp;within=Z1"' in listed
    shown = call(walk.app, "GET", "/stock/totals?warehouse=SH1&within=Z1").text
    assert 'href="/stock?warehouse=SH1&amp;within=Z1"' in shown
    assert ">10 <small>" in shown and ">4 <small>" in shown


def test_a_place_is_of_its_own_warehouse(area):
    tree(area, {"Z1": "", "BIN-1": "Z1"}, warehouse="BJ1")
    with area.read() as connection:
        wanted = StockFilter(warehouse="BJ1", within="Z1")
        (found,) = list_stock(connection, wanted, after=None, limit=100)
        every = list_balances(connection, BalanceQuery(within="Z1"), offset=0, limit=100)
    assert (found.key.warehouse, int(found.on_hand)) == ("BJ1", 9)
    assert [one.key.warehouse for one in every] == ["BJ1"] + ["SH1"] * 8


def test_a_page_of_an_area_looks_at_few_places_and_sorts_none_of_the_others(own_database):
    database, gateway = own_database, Gateway()
    inbox = furnished(database, gateway)
    tree(database, {"Z1": ""} | {f"B{number:04d}": "Z1" for number in range(3000)})
    for number in range(0, 200, 10):
        gateway.move("BOLT", "1", target=f"B{number:04d}")
    inbox.accept([gateway.offer()])
    statements = []
    wanted = StockFilter(warehouse="SH1", within="Z1")
    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *said: statements.append(said))
        first = list_stock(connection, wanted, after=None, limit=2)
        assert len([one for one in statements if "balances" in one[2]]) == 1
        plan = [str(one) for one in _plan(connection, statements[-1])]
        statements.clear()
        rest = list_stock(connection, wanted, after=first[-1].key, limit=1000)
        assert len([one for one in statements if "balances" in one[2]]) <= 5
    assert [one.key.location for one in first + rest] == [f"B{n:04d}" for n in range(0, 200, 10)]
    if database.dialect == "sqlite":
        assert not any("TEMP B-TREE" in line or "SCAN balances" in line for line in plan), plan


def _plan(connection, said):
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[connection.dialect.name]
    return connection.exec_driver_sql(explain + said[2], said[3]).all()


def test_within_needs_its_warehouse(database):
    walk = prepared(database)
    tree(database)
    for place in ("BIN-2", "BIN-3"):
        walk.move("BOLT", "5", "supplier", place)
    answer = call(walk.app, "GET", "/api/v1/stock?within=Z1")
    assert answer.status_code == 422 and "warehouse" in answer.json()["hint"]
    answer = call(walk.app, "GET", "/api/v1/stock?warehouse=SH1&within=Z1")
    assert [one["location"] for one in answer.json()["stock"]] == ["BIN-2"]
