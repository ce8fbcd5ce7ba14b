"""The stock table adds up, finds every item with stock, and stays quick to page."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from central.stock.feed import items_changed, list_movements_after, stock_change
from central.stock.rows import MatrixQuery, StockFilter
from central.stock.strays import StrayItems
from central.stock.times import utc_text
from central.stock.views import ROWS_PER_PAGE, list_stock, list_warehouses, matrix_page
from tests.central.scenery import NOW_MS, REFERENCE, Gateway, enrol, furnished, load


@pytest.fixture
def docks(database):
    shanghai, beijing = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, shanghai, beijing)
    shanghai.move("BOLT", "12", lot="L1")
    shanghai.move("BOLT", "30", lot="L2", target="BIN-2")
    shanghai.move("BOLT", "2", source="BIN-2", target="in_transit", lot="L2")
    beijing.move("BOLT", "0.5", unit="MTR")
    beijing.move("6900%_", "1")
    beijing.move("RICE", "250", unit="GRM")
    inbox.accept([shanghai.offer(), beijing.offer()])
    return shanghai, beijing


def matrix(database, strays=None, **wanted):
    with database.read() as connection:
        return matrix_page(connection, MatrixQuery(**wanted), strays or StrayItems())


def test_the_table_adds_places_up_and_never_adds_units(database, docks):
    rows = {(row.item, row.unit): row for row in matrix(database).rows}
    pieces = rows[("BOLT", "C62")]
    assert pieces.on_hand == {"SH1": Decimal(40)}
    assert (pieces.total, pieces.in_transit) == (Decimal(40), Decimal(2))
    assert rows[("BOLT", "MTR")].on_hand == {"BJ1": Decimal("0.5")}
    assert rows[("RICE", "KGM")].total == Decimal("0.25")
    assert rows[("NUT", "C62")].on_hand == {}
    assert rows[("6900%_", "C62")].name == ""


@pytest.mark.parametrize(
    ("wanted", "items"),
    [
        pytest.param({}, ["6900%_", "BOLT", "NUT", "RICE"], id="everything"),
        pytest.param({"stocked": True}, ["6900%_", "BOLT", "RICE"], id="stocked"),
        pytest.param({"warehouse": "SH1"}, ["BOLT"], id="held by a warehouse"),
        pytest.param({"warehouse": "none"}, [], id="no such warehouse"),
        pytest.param({"search": "bol"}, ["BOLT"], id="part of a code, any case"),
        pytest.param({"search": "大米"}, ["RICE"], id="Chinese name"),
        pytest.param({"search": "%"}, ["6900%_"], id="a percent sign is a percent sign"),
        pytest.param({"search": "\\"}, [], id="a backslash is a backslash"),
        pytest.param({"search": "' OR 1=1 --"}, [], id="a quote is a quote"),
        pytest.param({"page_index": 10**6}, ["6900%_", "BOLT", "NUT", "RICE"], id="past the end"),
    ],
)
def test_the_table_can_be_narrowed(database, docks, wanted, items):
    page = matrix(database, **wanted)
    assert sorted({row.item for row in page.rows}) == items
    assert page.item_count == len(items)


def test_an_item_that_the_reference_data_drops_stays_in_the_table(database, docks):
    strays = StrayItems()
    assert matrix(database, strays).item_count == 4
    start, end = REFERENCE.index(b'[[items]]\ncode = "RICE"'), REFERENCE.index(b"[[documents]]")
    smaller = REFERENCE[:start] + REFERENCE[end:].split(b"  { line = 2")[0] + b"]\n"
    load(database, smaller.replace(b"revision = 1", b"revision = 2"))
    page = matrix(database, strays)
    assert {row.item: row.total for row in page.rows}["RICE"] == Decimal("0.25")


def test_pages_hold_every_item_once(database):
    lines = [
        f'[[items]]\ncode = "I{n:03d}"\nname = "n"\nname_zh = "n"\nunit = "C62"\n'
        for n in range(2 * ROWS_PER_PAGE + 1)
    ]
    load(database, REFERENCE + "".join(lines).encode())
    pages = [matrix(database, page_index=index) for index in range(3)]
    assert pages[0].page_count == 3
    codes = [row.item for page in pages for row in page.rows]
    assert len(codes) == len(set(codes)) == pages[0].item_count == 2 * ROWS_PER_PAGE + 4


def test_a_warehouse_that_only_a_gateway_names_has_a_column(database):
    enrol(database, Gateway("xx-1", warehouse="XX9"))
    load(database)
    with database.read() as connection:
        rows = {row.code: row.name_zh for row in list_warehouses(connection)}
    assert rows == {"BJ1": "北京一仓", "SH1": "上海一仓", "XX9": ""}


def test_what_changed_since_a_number_is_found(database, docks):
    with database.read() as connection:
        assert sorted(items_changed(connection, record_no=4)) == ["6900%_", "RICE"]
        assert items_changed(connection, record_no=6) == []
        assert [
            row.record_no for row in list_movements_after(connection, record_no=3, limit=2)
        ] == [6, 5]


def test_marks_change_exactly_when_something_was_written(database, docks):
    shanghai, _ = docks
    with database.read() as connection:
        before = stock_change(connection, now_ms=NOW_MS)
    with database.read() as connection:
        assert stock_change(connection, now_ms=NOW_MS) == before
    shanghai.move("NUT", "1")
    furnished(database, shanghai).accept([shanghai.offer(4)])
    with database.read() as connection:
        assert stock_change(connection, now_ms=NOW_MS).record_no == before.record_no + 1


def test_the_read_side_cannot_write(database, docks):
    with pytest.raises(Exception, match=r"read.?only"), database.read() as connection:
        connection.execute(text("DELETE FROM balances"))


@pytest.mark.parametrize(
    ("time_ms", "expected"),
    [
        pytest.param(0, "1970-01-01T00:00:00.000Z", id="epoch"),
        pytest.param(1_780_000_000_007, "2026-05-28T20:26:40.007Z", id="milliseconds"),
        pytest.param(253_402_300_799_999, "9999-12-31T23:59:59.999Z", id="last"),
        pytest.param(253_402_300_800_000, None, id="beyond"),
        pytest.param(2**63 - 1, None, id="anything"),
    ],
)
def test_times_are_utc_text_or_none(time_ms, expected):
    assert utc_text(time_ms) == expected


SHOWN = [
    pytest.param(
        {"item": "BOLT"},
        [("BIN-1", "available", 12), ("BIN-2", "available", 27), ("BIN-2", "held", 1)],
        id="every status, places of the warehouse",
    ),
    pytest.param({"status": "held"}, [("BIN-2", "held", 1)], id="of one status"),
    pytest.param(
        {"item": "BOLT", "location": "in_transit/TR-1", "include_in_transit": True},
        [("in_transit/TR-1", "available", 2)],
        id="under way",
    ),
    pytest.param({"item": "BOLT", "location": "in_transit/TR-1"}, [], id="not under way"),
]


@pytest.mark.parametrize(("wanted", "expected"), SHOWN)
def test_stock_is_listed_by_status_and_what_is_under_way_apart(database, wanted, expected):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move("BOLT", "12", lot="L1")
    gateway.move("BOLT", "30", lot="L2", target="BIN-2")
    gateway.move("BOLT", "2", source="BIN-2", target="in_transit", lot="L2", document="TR-1")
    gateway.move(
        source="BIN-2", target="BIN-2", lot="L2", from_status="available", to_status="held"
    )
    inbox.accept([gateway.offer()])
    with database.read() as connection:
        found = list_stock(connection, StockFilter(warehouse="SH1", **wanted), after=None, limit=9)
    assert [(row.key.location, row.key.status, int(row.on_hand)) for row in found] == expected
    (bolts,) = matrix(database, search="BOLT").rows
    assert (bolts.on_hand, bolts.in_transit) == ({"SH1": Decimal(40)}, Decimal(2))
