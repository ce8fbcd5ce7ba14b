"""Whatever is scanned or typed finds what it names, and nothing breaks the search."""

from itertools import product

import pytest

from central.contract.gs1 import check_digit
from central.inbox.inbox import Inbox
from central.stock.feed_search import MovementQuery, find_movements
from central.stock.finding import HITS_MAX, find
from central.stock.rows import FeedFilter
from central.stock.scanned_text import meant_by
from central.storage import bulk, tables, transfer_tables
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, furnished, load, sscc

GTIN = "0061414100001" + check_digit("0061414100001")
SSCC = sscc(7)


@pytest.fixture
def ledger(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(lot="L1", quantity="3")
    gateway.move(lot="L1", serial="S-1", sscc=SSCC, target="BIN-2")
    gateway.move(item="GHOST")
    inbox.accept([gateway.offer()])
    columns = transfer_tables.transfers.columns
    empty = {one.name: {int: 0, str: "", bool: False}[one.type.python_type] for one in columns}
    row = empty | {"transfer": "TR-1", "state": "draft"}
    with database.write() as connection:
        bulk.insert_rows(connection, transfer_tables.transfers, [tuple(row.values())])
        bulk.insert_rows(connection, tables.item_barcodes, [(GTIN, "BOLT", 1, "file")])
        bulk.insert_rows(connection, tables.operators, [("op-7", "Li Wei", "file", "")])
    database.fact_id = f"{gateway.code}/{gateway.epoch}/1"
    return database


ASKED = [
    pytest.param("BOLT", [("item", "BOLT")], id="code of an item"),
    pytest.param("bolt", [("item", "BOLT")], id="its code in small letters"),
    pytest.param("螺栓", [], id="its whole name is like it, not it"),
    pytest.param(GTIN, [("item", "BOLT")], id="GTIN-14"),
    pytest.param(GTIN[1:], [("item", "BOLT")], id="the same as EAN-13"),
    pytest.param(f"01{GTIN}10L1", [("lot", "L1")], id="GS1 element string"),
    pytest.param(f"]d201{GTIN}21S-1\x1d10L1", [("serial", "S-1")], id="with serial and lot"),
    pytest.param(f"(01){GTIN}(10)L1", [("lot", "L1")], id="as printed below the code"),
    pytest.param(f"https://id.gs1.org/01/{GTIN}/10/L1", [("lot", "L1")], id="as a web address"),
    pytest.param(f"00{SSCC}", [("sscc", SSCC)], id="pallet label"),
    pytest.param(SSCC, [("sscc", SSCC)], id="SSCC alone"),
    pytest.param("L1", [("lot", "L1")], id="lot"),
    pytest.param("S-1", [("serial", "S-1")], id="serial number"),
    pytest.param("BIN-2", [("place", "BIN-2")], id="place"),
    pytest.param("SH1/bin-2", [("place", "BIN-2")], id="place of a warehouse"),
    pytest.param("TR-1", [("transfer", "TR-1")], id="document of the desk"),
    pytest.param("PO-1", [("document", "PO-1")], id="document of a gateway"),
    pytest.param("SH1", [("warehouse", "SH1")], id="warehouse"),
    pytest.param("sh1-dock-1", [("gateway", "sh1-dock-1")], id="gateway"),
    pytest.param("op-7", [("operator", "op-7")], id="operator"),
    pytest.param("GHOST", [("item", "GHOST")], id="item that nobody knows"),
    pytest.param("'; DROP TABLE items; --", [], id="SQL"),
    pytest.param("%", [], id="a sign that means anything"),
    pytest.param("\x00\x1d\u202e", [], id="signs that cannot be seen"),
    pytest.param("x" * 5000, [], id="very long"),
    pytest.param("  ", [], id="nothing"),
]


def test_what_is_scanned_or_typed_is_found(ledger):
    # One ledger for the whole table: making it takes longer than all of the questions.
    for one in ASKED:
        typed, expected = one.values
        with ledger.read() as connection:
            hits = find(connection, typed)
        assert [(hit.kind, hit.code) for hit in hits if hit.exact] == expected, one.id


def test_a_part_of_a_name_finds_items_in_both_languages(ledger):
    with ledger.read() as connection:
        assert [hit.code for hit in find(connection, "螺")] == ["BOLT", "NUT"]
        assert [hit.code for hit in find(connection, "ice")] == ["RICE"]


def test_a_place_of_two_warehouses_is_two_hits_and_a_fact_is_one(ledger):
    with ledger.read() as connection:
        assert [hit.warehouse for hit in find(connection, "BIN-1")] == ["BJ1", "SH1"]
        (hit,) = find(connection, ledger.fact_id)
    assert (hit.kind, hit.exact) == ("fact", True)


def test_no_kind_has_more_hits_than_people_read(database):
    load(database)
    names = [(f"X{number:03d}", "Thing", "", "C62", "piece", False, "file") for number in range(50)]
    with database.write() as connection:
        bulk.insert_rows(connection, tables.items, names)
    with database.read() as connection:
        assert len(find(connection, "thing")) == len(find(connection, "X0")) == HITS_MAX


def test_an_element_string_is_nothing_else():
    meant = meant_by(f"01{GTIN}10A/B")
    assert (meant.certain, meant.lot, meant.gtins) == (True, "A/B", (GTIN,))
    assert not meant_by("(01)123").certain


def movements(database):
    """Facts 1 to 6, a minute apart, by two operators and for two documents."""
    gateway = Gateway()
    load(database)
    enrol(database, gateway)
    clock = FixedClock()
    inbox = Inbox(database, clock=clock)
    for number in range(6):
        clock.time_ms = NOW_MS + number * 60_000
        gateway.move(
            operator="op-1" if number % 2 else "op-10",
            document="PO-1" if number < 3 else "PO-11",
            event_time_ms=clock.time_ms,
        )
        inbox.accept([gateway.offer(number + 1, number + 1)])


FILTERS = [
    pytest.param({}, [6, 5, 4, 3, 2, 1], id="all"),
    pytest.param({"operator": "op-1"}, [6, 4, 2], id="operator"),
    pytest.param({"document": "PO-1"}, [3, 2, 1], id="document"),
    pytest.param({"document": "PO-1", "operator": "op-10"}, [3, 1], id="both"),
    pytest.param({"since_ms": NOW_MS + 120_000}, [6, 5, 4, 3], id="since"),
    pytest.param({"until_ms": NOW_MS + 120_000}, [2, 1], id="until"),
    pytest.param({"feed": FeedFilter(item="NUT")}, [], id="other item"),
    pytest.param({"feed": FeedFilter(item="BOLT", warehouse="SH1")}, [6, 5, 4, 3, 2, 1], id="item"),
]


def test_movements_are_found_page_by_page(database):
    movements(database)
    for one, limit, scanned_max in product(FILTERS, [1, 2, 10], [2, 100]):
        wanted, expected = one.values
        query = MovementQuery(**({"feed": FeedFilter()} | wanted))
        assert page_by_page(database, query, limit, scanned_max) == expected, one.id


def page_by_page(database, query, limit, scanned_max):
    found, before_no = [], None
    with database.read() as connection:
        for _ in range(20):
            page = find_movements(
                connection, query, before_no=before_no, limit=limit, scanned_max=scanned_max
            )
            assert len(page.rows) <= limit
            found += [row.record_no for row in page.rows]
            before_no = page.next_no
            if not before_no:
                break
    return found
