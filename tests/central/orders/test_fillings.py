"""What is taken back of a filling, whoever takes it, and what that says of others."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_filled_twice import HOUR_MS, KIND, SOLD, open_kinds, taken_back
from tests.central.orders.test_settlement_proposals import DOCUMENT
from tests.central.scenery import NOW_MS

NEGATIVE = "negative_balance"


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    yield made
    made.proved()


def later(site):
    site.clock.time_ms += HOUR_MS
    return site.clock.time_ms - 1000


def moved(site, quantity, **fields):
    """A station tells of it just now; the number of its fact."""
    number = site.dock.move(quantity=quantity, **{"event_time_ms": later(site), **fields})
    site.send()
    return number


def sold(site, quantity, source):
    return moved(site, quantity, **{**SOLD, "source": source})


def undone(site, number):
    site.dock.reverse(number, event_time_ms=later(site))
    site.send()


def filled_from_there(site, quantity="2"):
    """A sale of BIN-1 by mistake is filled from BIN-2, whose goods then go; it is undone."""
    moved(site, quantity, target="BIN-2")
    mistake = sold(site, quantity, "BIN-1")
    assert site.settle(NEGATIVE).status_code == 200
    sold(site, quantity, "BIN-2")
    undone(site, mistake)
    assert open_kinds(site) == [KIND, NEGATIVE]


def test_what_a_filling_took_is_given_back_by_what_fills_that_again(site):
    filled_from_there(site)
    moved(site, "4")
    assert site.settle(NEGATIVE).json()["state"] == "settled"
    assert open_kinds(site) == []
    assert site.on_hand() == {("BIN-1", ""): 4, ("customer", ""): 2, ("supplier", ""): -6}


def test_the_filling_taken_back_first_leaves_nothing_below_zero(site):
    filled_from_there(site)
    moved(site, "4")
    taken_back(site, "2")
    assert open_kinds(site) == []
    assert site.on_hand()["BIN-1", ""] == 4


def test_a_part_that_is_given_back_leaves_the_rest_to_decide(site):
    filled_from_there(site, "5")
    moved(site, "2", target="BIN-2")
    row = site.found(NEGATIVE)
    assert row["proposals"][0]["body"]["quantity"] == "3"
    assert site.settle(NEGATIVE).json()["state"] == "settled"
    taken_back(site, "2")
    assert open_kinds(site) == []
    assert site.on_hand() == {("BIN-2", ""): 2, ("customer", ""): 5, ("supplier", ""): -7}


def test_goods_of_another_filling_are_no_part_of_what_is_given_back(site):
    mistake = sold(site, "5", "BIN-1")
    assert site.settle(NEGATIVE, {"action": "adjust"}).status_code == 200
    undone(site, mistake)
    sold(site, "2", "BIN-2")  # Of a bin that gave nothing.
    assert site.settle(NEGATIVE).json()["state"] == "settled"
    taken_back(site, "5")
    assert site.found(NEGATIVE)["location"] == "BIN-1"


def test_what_comes_back_to_a_place_that_was_filled_since_is_told(site):
    received = moved(site, "4", target="BIN-2")
    mistake = sold(site, "4", "BIN-1")
    assert site.settle(NEGATIVE).status_code == 200
    undone(site, received)
    later(site)
    assert site.settle(NEGATIVE, {"action": "adjust"}).status_code == 200
    undone(site, mistake)
    later(site)
    assert site.settle(KIND).json()["state"] == "settled"
    assert site.found(KIND)["location"] == "BIN-2"
    taken_back(site, "4")
    assert site.on_hand() == {}


def test_a_filling_that_is_opened_again_leaves_nothing_filled_twice(site):
    mistake = sold(site, "5", "BIN-1")
    assert site.settle(NEGATIVE, {"action": "adjust"}).status_code == 200
    undone(site, mistake)
    row = site.found(NEGATIVE, "settled")
    site.post(f"/discrepancies/{row['id']}/reopen", {"reason": "another", "take_back": True})
    assert KIND not in open_kinds(site)
    assert site.on_hand() == {}


def test_a_filling_that_is_opened_again_tells_where_its_goods_come_back_twice(site):
    received = moved(site, "4", target="BIN-2")
    sold(site, "4", "BIN-1")
    assert site.settle(NEGATIVE).status_code == 200
    row = site.found(NEGATIVE, "settled")
    undone(site, received)
    later(site)
    assert site.settle(NEGATIVE, {"action": "adjust"}).status_code == 200
    later(site)
    site.post(f"/discrepancies/{row['id']}/reopen", {"reason": "another", "take_back": True})
    assert site.found(KIND)["location"] == "BIN-2"
    taken_back(site, "4")


def test_what_was_filled_from_another_lot_goes_back_to_that(site):
    moved(site, "5", lot="L2")
    mistake = sold(site, "5", "BIN-1")
    body = site.found(NEGATIVE)["proposals"][0]["body"]
    assert (body["action"], body["lot"]) == ("reassign", "L2")
    assert site.settle(NEGATIVE).status_code == 200
    undone(site, mistake)
    taken_back(site, "5")
    assert site.on_hand() == {("BIN-1", "L2"): 5, ("supplier", "L2"): -5}


def test_what_stays_of_a_filling_is_of_the_time_of_the_filling(site):
    sold(site, "5", "BIN-1")
    filled_ms = later(site)
    assert site.settle(NEGATIVE, {"action": "adjust"}).status_code == 200
    later(site)
    moved(site, "2", event_time_ms=NOW_MS)
    taken_back(site, "2")
    later(site)
    moved(site, "3", event_time_ms=filled_ms + 60_000)
    assert open_kinds(site) == []
    assert site.on_hand()["BIN-1", ""] == 3


def test_a_mistake_that_is_taken_back_after_a_part_of_it_was_filled_is_told(site):
    sold(site, "5", "BIN-1")
    moved(site, "3", target="BIN-2")
    later(site)
    assert site.settle(NEGATIVE).json()["state"] == "open"
    later(site)
    assert site.settle(NEGATIVE, {"action": "reverse"}).json()["state"] == "settled"
    taken_back(site, "5")  # As much came; three of it had filled the balance.
    assert site.on_hand() == {("BIN-2", ""): 3, ("supplier", ""): -3}
