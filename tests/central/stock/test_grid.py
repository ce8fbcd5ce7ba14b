"""The stock table in any order, in groups and as of a moment has the same figures."""

from collections import Counter

import pytest

from central.ledger.checkpoints import Checkpoints
from central.stock.as_of import list_stock_as_of
from central.stock.grid import grid_as_of, grid_page, grid_rows
from central.stock.item_reading import (
    BalanceQuery,
    list_balances,
    list_item_discrepancies,
    list_open_lines,
)
from central.stock.moments import moment_at
from central.stock.rows import MatrixQuery, StockFilter
from central.stock.strays import StrayItems
from central.storage import bulk
from central.storage.catalogue_tables import item_policies
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished
from tests.central.stock.test_as_of import history, recorded, truth

DAY_MS = 86_400_000


def stocked(database):
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, here, there)
    here.move("BOLT", "5", lot="L1", expiry_date="2030-01-31")
    here.move("NUT", "7")
    here.move("NUT", "2", source="BIN-1", target="in_transit/TR-1")
    here.move("GHOST", "1")
    there.move("RICE", "9", unit="KGM")
    inbox.accept([here.offer(), there.offer()])
    empty = [{str: "", int: 0, bool: False}[one.type.python_type] for one in item_policies.columns]
    names = [one.name for one in item_policies.columns]
    rows = []
    for item, abc in (("BOLT", "B"), ("RICE", "A")):
        row = dict(zip(names, empty, strict=True)) | {"item": item, "version": 1, "abc": abc}
        rows.append(tuple(row.values()))
    with database.write() as connection:
        bulk.insert_rows(connection, item_policies, rows)


ORDERS = [
    pytest.param({}, "BOLT GHOST NUT RICE", id="by code"),
    pytest.param({"descending": True}, "RICE NUT GHOST BOLT", id="by code, from the end"),
    pytest.param({"sort": "total", "descending": True}, "RICE BOLT NUT GHOST", id="most first"),
    pytest.param({"sort": "total"}, "GHOST BOLT NUT RICE", id="least first"),
    pytest.param({"sort": "transit", "descending": True}, "NUT BOLT GHOST RICE", id="transit"),
    pytest.param({"sort": "w:BJ1", "descending": True}, "RICE BOLT GHOST NUT", id="a warehouse"),
    pytest.param({"group": "abc"}, "RICE BOLT GHOST NUT", id="by class, none last"),
    pytest.param({"group": "abc", "search": "o"}, "BOLT GHOST", id="searched"),
    pytest.param({"sort": "total", "page_index": 9}, "GHOST BOLT NUT RICE", id="past the end"),
]


def test_the_table_comes_in_the_order_that_is_asked_for(database):
    stocked(database)
    for one in ORDERS:
        wanted, expected = one.values
        with database.read() as connection:
            page = grid_page(connection, MatrixQuery(**wanted), StrayItems())
        assert [row.item for row in page.rows] == expected.split(), one.id
        assert page.item_count == len(expected.split()), one.id
    with database.read() as connection:
        grouped = grid_page(connection, MatrixQuery(group="abc"), StrayItems())
        rows = grid_rows(connection, MatrixQuery(), StrayItems(), moment=None, limit=3)
    assert grouped.groups == ("A", "B", "", "")
    assert [row.item for row in rows] == ["BOLT", "GHOST", "NUT"]


def test_a_past_table_has_what_stood_then_by_either_time(database):
    clock = FixedClock()
    heard = history(database, 3, clock=clock)
    for kind in ("event", "record"):
        for time_ms in heard[::8]:
            with database.read() as connection:
                moment = moment_at(connection, time_ms, kind=kind, warehouse="")
                page = grid_as_of(connection, MatrixQuery(), StrayItems(), moment)
                whole = grid_rows(connection, MatrixQuery(), StrayItems(), moment=moment, limit=100)
                expected = Counter()
                for item in ("BOLT", "NUT"):
                    rows = list_stock_as_of(
                        connection, StockFilter(item=item), moment, after=None, limit=100
                    )
                    for row in rows:
                        expected[item, row.key.warehouse] += row.on_hand
            found = {(r.item, w): v for r in page.rows for w, v in r.on_hand.items()}
            assert found == {key: value for key, value in expected.items() if value}
            assert tuple(whole) == page.rows


def figures(row):
    there = {code: amount for code, amount in row.on_hand.items() if amount}
    return row.item, row.unit, row.name, row.name_zh, there, row.in_transit


@pytest.mark.parametrize("kind", ["event", "record"])
def test_the_table_as_of_now_is_the_table_of_now_in_any_order(database, kind):
    stocked(database)
    for one in ORDERS:
        wanted = MatrixQuery(**one.values[0])
        with database.read() as connection:
            moment = moment_at(connection, NOW_MS + DAY_MS, kind=kind, warehouse="")
            past = grid_as_of(connection, wanted, StrayItems(), moment)
            live = grid_page(connection, wanted, StrayItems())
        assert [figures(row) for row in past.rows] == [figures(row) for row in live.rows], one.id
        assert (past.item_count, past.groups) == (live.item_count, live.groups), one.id


@pytest.mark.parametrize("copies", [False, True])
def test_a_past_table_is_sorted_and_left_to_what_stood_then(database, copies):
    clock = FixedClock()
    keeping = Checkpoints(database, clock=clock, facts_min=20, facts_per_row=0)
    heard = history(database, 5, clock=clock, between=lambda _: copies and keeping.tick())
    read = recorded(database)
    for time_ms, kind in ((heard[6], "record"), (heard[6], "event"), (heard[17], "event")):
        stood = Counter()
        for (warehouse, _, item, _), amount in truth(read, time_ms, kind).items():
            stood[item] += amount
            stood[item, warehouse] += amount
        for sort in ("total", "w:BJ1"):
            wanted = MatrixQuery(sort=sort, descending=True, stocked=True)
            with database.read() as connection:
                moment = moment_at(connection, time_ms, kind=kind, warehouse="")
                page = grid_as_of(connection, wanted, StrayItems(), moment)
            rest = "BJ1" if sort == "w:BJ1" else None
            by = {item: stood[item, rest] if rest else stood[item] for item in ("BOLT", "NUT")}
            expected = sorted(by, key=lambda item: (-by[item], item))
            assert [row.item for row in page.rows] == expected
            assert [row.total for row in page.rows] == [stood[item] for item in expected]
            assert page.item_count == len(expected)  # The others had nothing anywhere.


def test_a_past_table_is_searched_and_of_one_warehouse(database):
    stocked(database)
    with database.read() as connection:
        moment = moment_at(connection, NOW_MS + DAY_MS, kind="record", warehouse="")
        named = grid_as_of(connection, MatrixQuery(search="米"), StrayItems(), moment)
        here = grid_as_of(connection, MatrixQuery(warehouse="SH1"), StrayItems(), moment)
        nothing = grid_as_of(connection, MatrixQuery(search="%"), StrayItems(), moment)
    assert [row.item for row in named.rows] == ["RICE"]
    assert [row.item for row in here.rows] == ["BOLT", "GHOST", "NUT"]
    assert [str(row.in_transit) for row in here.rows] == ["0", "0", "2"]
    assert (nothing.rows, nothing.item_count) == ((), 0)


TOLD = [
    pytest.param("", {}, "1 5", id="everything"),
    pytest.param("SH1", {}, "1 0", id="the source"),
    pytest.param("BJ1", {}, "1 5", id="the destination, which sends goods elsewhere too"),
    pytest.param("SH1", {"sort": "transit", "descending": True}, "1 0", id="sorted"),
    pytest.param("BJ1", {"sort": "transit"}, "1 5", id="sorted, least first"),
]


@pytest.mark.parametrize(("within", "asked", "told"), TOLD)
def test_what_is_under_way_is_what_has_not_arrived_whoever_looks(database, within, asked, told):
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, here, there)
    # Each end has a book of it: 3 in that of the source, -2 in that of the destination.
    here.move("BOLT", "3", source="BIN-1", target="in_transit/TR-1")
    there.move("BOLT", "2", source="in_transit/TR-1", target="BIN-9")
    there.move("NUT", "5", source="BIN-9", target="in_transit/TR-2")
    inbox.accept([here.offer(), there.offer()])
    wanted = MatrixQuery(**asked)
    with database.read(within=within) as connection:
        pages = [
            grid_page(connection, wanted, StrayItems()),
            *(
                grid_as_of(
                    connection,
                    wanted,
                    StrayItems(),
                    moment_at(connection, NOW_MS + DAY_MS, kind=kind, warehouse=""),
                )
                for kind in ("event", "record")
            ),
        ]
    for page in pages:
        rows = {row.item: row.in_transit for row in page.rows}
        assert f"{rows['BOLT']:f} {rows['NUT']:f}" == told
    items = [row.item for row in pages[0].rows if row.item in {"BOLT", "NUT"}]
    if asked:
        amounts = {row.item: row.in_transit for row in pages[0].rows}
        least_first = sorted(items, key=amounts.__getitem__)
        assert items == (least_first[::-1] if asked.get("descending") else least_first)


def test_balances_documents_and_discrepancies_of_an_item_are_listed(database):
    stocked(database)
    with database.read() as connection:
        bolts = list_balances(connection, BalanceQuery(item="BOLT"), offset=0, limit=9)
        found = list_balances(connection, BalanceQuery(search="米"), offset=0, limit=9)
        lines = list_open_lines(connection, "BOLT", offset=0, limit=9)
        ghosts = list_item_discrepancies(connection, "GHOST", offset=0, limit=9)
    assert [(row.key.lot, row.expiry_date, row.on_hand) for row in bolts] == [
        ("L1", "2030-01-31", 5)
    ]
    assert [row.key.item for row in found] == ["RICE"]
    assert [(one.document, one.expected, one.done) for one in lines] == [("PO-1", 100, 0)]
    assert [row.kind for row in ghosts] == ["unknown_item"]
