"""A blocked area blocks all that is in it, for whoever plans, until nothing above blocks it."""

from dataclasses import replace

import pytest

from central.orders.catalogue.catalogue_lists import PlaceFilter, list_places
from central.orders.catalogue.places import (
    create_place,
    put_places,
    read_places,
    replace_place,
    require_place,
)
from central.orders.sales.putaway_reading import PutawayAsked, suggest_putaway
from central.orders.sales.replenishment_reading import list_replenishments
from central.orders.sales.sales_book import reserve_order
from central.stock import places as stock_places
from central.storage import bulk, catalogue_tables
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.central.orders.catalogue import place
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.scenery import NOW_MS
from tests.central.storage.test_as_of_migration import fill
from tests.central.storage.test_liveness_migration import upgraded

pytestmark = pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index"
)


@pytest.fixture
def scene(database):
    """COLD > AISLE > BIN-1, BIN-2; BIN-3 is in nothing. There are 20, 10 and 5 BOLT."""
    scene = Scene(database, stock=[("BIN-1", 20), ("BIN-2", 10), ("BIN-3", 5)])
    scene.change(create_place, place("COLD", kind="area"))
    scene.change(create_place, place("AISLE", kind="area", parent="COLD"))
    for code in ("BIN-1", "BIN-2"):
        put(scene, code, parent="AISLE")
    return scene


def put(scene, code, **fields):
    """Change a place at the desk."""
    with scene.database.read() as connection:
        card = require_place(connection, "SH1", code).card
    return scene.change(replace_place, replace(card, **fields), version=None)


def blocked_by(scene, *codes):
    with scene.database.read() as connection:
        found = read_places(connection, [("SH1", code) for code in codes])
    return [found["SH1", code].blocked_by for code in codes]


def planned(scene):
    """What everybody who plans thinks of places: to put, to bring, to set aside; listed, shown."""
    code = scene.order(50, backorders=True)
    held = {location for _, location, *_ in scene.held(code)}
    with scene.database.write() as connection:
        table = catalogue_tables.item_places
        bulk.upsert_rows(connection, table, [("SH1", "BOLT", "BIN-1", 30 * ONE, 90 * ONE)])
    with scene.database.read() as connection:
        to_put = suggest_putaway(connection, PutawayAsked("SH1", "BOLT", ONE))
        brought, _ = list_replenishments(connection, "SH1", after="", limit=9, now_ms=NOW_MS)
        listed = list_places(connection, PlaceFilter("SH1", blocked=True), after=("", ""), limit=9)
        shown = stock_places.read_places(connection, "SH1")
    return {
        "held": held,
        "put": {one.location for one in to_put},
        "brought": {one.replenishment.face.location for one in brought},
        "blocked": {one.card.code for one in listed},
        "shown": {one.code for one in shown if one.blocked},
    }


def test_whoever_plans_leaves_what_is_in_a_blocked_area(scene):
    put(scene, "COLD", blocked=True)
    found = planned(scene)
    assert found["held"] == {"BIN-3"}
    assert found["put"] == {"BIN-3"}
    assert found["brought"] == set()
    assert found["blocked"] == {"COLD", "AISLE", "BIN-1", "BIN-2"}
    assert found["shown"] == {"BIN-1", "BIN-2"}
    scene.check()


def test_what_is_set_aside_in_an_area_that_is_blocked_since_is_set_aside_elsewhere(scene):
    code = scene.order(5)
    ((_, first, *_),) = scene.held(code)
    assert first in {"BIN-1", "BIN-2"}
    put(scene, "COLD", blocked=True)
    scene.change(reserve_order, code)
    assert scene.held(code) == [(1, "BIN-3", "", 5)]
    scene.check()


def test_a_place_says_what_blocks_it_and_its_own_word_outlives_the_areas(scene):
    every = ("COLD", "AISLE", "BIN-1", "BIN-2", "BIN-3")
    assert put(scene, "COLD", blocked=True).blocked_by == "COLD"
    assert blocked_by(scene, *every) == ["COLD"] * 4 + [""]
    assert put(scene, "BIN-1", blocked=True).card.blocked
    put(scene, "AISLE", blocked=True)
    assert blocked_by(scene, *every) == ["COLD", "AISLE", "BIN-1", "AISLE", ""]
    put(scene, "COLD", blocked=False)
    assert blocked_by(scene, *every) == ["", "AISLE", "BIN-1", "AISLE", ""]
    stored = put(scene, "BIN-2", name="What is said of it leaves it blocked")
    assert (stored.blocked_by, stored.card.blocked) == ("AISLE", False)
    put(scene, "AISLE", blocked=False)
    assert blocked_by(scene, *every) == ["", "", "BIN-1", "", ""]
    put(scene, "BIN-1", blocked=False)
    assert planned(scene)["blocked"] == set()


def test_what_is_moved_into_and_out_of_a_blocked_area_is_blocked_and_free(scene):
    scene.change(create_place, place("DAMP", kind="area", blocked=True))
    put(scene, "AISLE", parent="DAMP")
    assert blocked_by(scene, "COLD", "AISLE", "BIN-1") == ["", "DAMP", "DAMP"]
    put(scene, "BIN-1", parent="COLD")
    assert blocked_by(scene, "AISLE", "BIN-1", "BIN-2") == ["DAMP", "", "DAMP"]
    assert scene.change(create_place, place("BIN-7", parent="AISLE")).blocked_by == "DAMP"
    sheet = [place("BIN-8", parent="ROW"), place("ROW", kind="area", parent="DAMP")]
    scene.change(put_places, sheet, {})
    assert blocked_by(scene, "BIN-8", "ROW") == ["DAMP", "DAMP"]
    assert planned(scene)["held"] == {"BIN-1", "BIN-3"}


def test_other_warehouses_stay_as_they_are(scene):
    for code, parent in (("COLD", ""), ("AISLE", "COLD")):
        card = place(code, kind="area", parent=parent, warehouse="BJ1")
        scene.change(create_place, card)
    put(scene, "COLD", blocked=True)
    with scene.database.read() as connection:
        assert not require_place(connection, "BJ1", "AISLE").blocked_by


def test_a_ledger_of_before_blocks_what_is_in_its_blocked_areas(database_url):
    tree = {"COLD": ("", True), "AISLE": ("COLD", False), "BIN-1": ("AISLE", False)}
    tree |= {"BIN-2": ("AISLE", True), "BIN-3": ("BIN-2", False), "BIN-4": ("", False)}
    database = open_database(database_url)
    try:
        with database.write() as connection:
            upgraded(connection, "0037")
            places = {
                code: {"warehouse": "SH1", "location": code, "parent": parent, "blocked": blocked}
                for code, (parent, blocked) in tree.items()
            }
            other = places["AISLE"] | {"warehouse": "BJ1"}
            fill(connection, [("location_details", one) for one in [*places.values(), other]])
        migrate(database, generation="g")
        with database.read() as connection:
            table = catalogue_tables.location_details.c
            query = catalogue_tables.location_details.select().order_by(table.warehouse)
            found = {
                (row.warehouse, row.location): (row.blocked, row.blocked_by)
                for row in connection.execute(query)
            }
    finally:
        database.close()
    assert found == {
        ("BJ1", "AISLE"): (False, ""),
        ("SH1", "COLD"): (True, "COLD"),
        ("SH1", "AISLE"): (True, "COLD"),
        ("SH1", "BIN-1"): (True, "COLD"),
        ("SH1", "BIN-2"): (True, "BIN-2"),
        ("SH1", "BIN-3"): (True, "BIN-2"),
        ("SH1", "BIN-4"): (False, ""),
    }
