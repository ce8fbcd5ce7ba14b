"""Places tell how full they are and what differs; discrepancies are paged, the oldest first."""

import pytest
from sqlalchemy import insert, update

from central.inbox.inbox import Inbox
from central.stock.discrepancy_pages import InboxFilter, by_groups, owners, page_of
from central.stock.places import read_places
from central.stock.states import find_gateway
from central.storage import catalogue_tables, tables
from central.web.app import create_app
from tests.central.orders.purchasing import row
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished
from tests.central.web.test_weights_of_stock import shown

MICRO = 1_000_000
DAY_MS = 86_400_000


@pytest.fixture
def warehouse(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    detail = {"warehouse": "SH1", "location": "BIN-1", "version": 1, "zone": "A", "walk_order": 5}
    with database.write() as connection:
        table = catalogue_tables.location_details
        values = row(table, **detail, capacity_micro=20 * MICRO, blocked=True)
        connection.execute(insert(table), [values])
    gateway.move("BOLT", "20")
    gateway.move("NUT", "5")
    gateway.move("NUT", "2", source="BIN-2", target="customer", business_step="shipping")
    gateway.move("RICE", "1", target="BIN-9", unit="KGM")
    gateway.move("GHOST", "1", target="BIN-3")
    inbox.accept([gateway.offer()])
    return gateway


def places(database, code="SH1"):
    with database.read() as connection:
        return {one.code: one for one in read_places(connection, code)}


def test_a_place_is_as_full_as_its_capacity_says(database, warehouse):
    found = places(database)
    full = found["BIN-1"]
    assert (full.zone, full.blocked, full.kinds_count) == ("A", True, 2)
    assert (full.fill, full.amounts) == (25 / 20, (("C62", 25 * MICRO),))
    assert found["STAGE-1"].fill is None and found["STAGE-1"].kinds_count == 0
    assert places(database, "BJ1").keys() == {"BIN-1"}


def test_pieces_and_grams_at_a_place_have_no_sum_and_do_not_fill_it(database, warehouse):
    warehouse.move("RICE", "5000", target="BIN-1", unit="GRM")
    warehouse.move("RICE", "0.5", target="BIN-1", unit="KGM")
    (outcome,) = Inbox(database, clock=FixedClock()).accept([warehouse.offer(6)])
    assert outcome.kind == "accepted"
    found = places(database)["BIN-1"]
    amounts = dict(found.amounts)
    assert amounts.pop("C62") == 25 * MICRO and len(amounts) == 1
    assert (found.fill, found.kinds_count) == (None, 3)
    page = shown(create_app(database=database, clock=FixedClock(), site="demo"), "/warehouses/SH1")
    assert "|25 pcs + 5.5 kg · items: 3|" in page
    assert "too full" not in page


def test_a_place_tells_what_differs_there_and_an_unknown_one_is_shown(database, warehouse):
    found = places(database)
    assert (found["BIN-2"].below_count, found["BIN-2"].differing_count) == (1, 1)
    assert not found["BIN-9"].known and found["BIN-9"].kinds_count == 1
    assert "customer" not in found and "supplier" not in found
    assert found["DOCK-1"].known and found["DOCK-1"].kind == "dock_door"


def pages(database, *, order=(), descending=False, offset=0, limit=10, **wanted):
    with database.read() as connection:
        rows, total = page_of(
            connection,
            InboxFilter(**wanted),
            order=order,
            descending=descending,
            offset=offset,
            limit=limit,
        )
    return [row.kind for row in rows], total


def test_discrepancies_are_paged_counted_and_grouped(database, warehouse):
    table = tables.discrepancies.c
    with database.write() as connection:
        for days, kind in ((9, "unknown_item"), (5, "unknown_location"), (1, "negative_balance")):
            connection.execute(
                update(tables.discrepancies)
                .where(table.kind == kind)
                .values(opened_ms=NOW_MS - days * DAY_MS, owner="li" if days == 5 else "")
            )
    oldest_first = ["unknown_item", "unknown_location", "negative_balance"]
    assert pages(database) == (oldest_first, 3)
    assert pages(database, descending=True)[0] == oldest_first[::-1]
    assert pages(database, offset=1, limit=1) == (["unknown_location"], 3)
    goods_first = [by_groups([["negative_balance"], ["unknown_item", "unknown_location"]])]
    assert pages(database, order=goods_first)[0] == ["negative_balance", *oldest_first[:2]]
    with database.read() as connection:
        assert owners(connection) == ["li"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({"kinds": ("unknown_item",)}, ["unknown_item"], id="kinds"),
        pytest.param({"state": "settled"}, [], id="settled"),
        pytest.param({"warehouse": "BJ1"}, [], id="another warehouse"),
        pytest.param({"owner": "nobody-known"}, [], id="of somebody else"),
        pytest.param({"search": "gho"}, ["unknown_item"], id="part of an item"),
        pytest.param({"search": "%"}, [], id="a percent sign is a percent sign"),
        pytest.param({"location": "BIN-2"}, ["negative_balance"], id="at a place"),
        pytest.param({"opened_before_ms": NOW_MS - DAY_MS}, [], id="older than a day"),
        pytest.param({"overdue_ms": NOW_MS}, [], id="past their day"),
    ],
)
def test_discrepancies_are_narrowed(database, warehouse, wanted, found):
    assert pages(database, **wanted) == (found, len(found))


def test_one_gateway_is_found_by_its_code(database, warehouse):
    with database.read() as connection:
        found = find_gateway(connection, "sh1-dock-1")
        assert found is not None and found.code == "sh1-dock-1"
        assert find_gateway(connection, "sh1-dock-10") is None
