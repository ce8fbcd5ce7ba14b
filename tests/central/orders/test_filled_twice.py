"""Goods that came after all for a balance below zero that somebody had filled."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_settlement_proposals import DOCUMENT, ordered
from tests.central.scenery import NOW_MS

KIND = "filled_twice"
HOUR_MS = 3_600_000
SOLD = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    yield made
    made.proved()


def adjusted(site, item="BOLT", **fields):
    """Five are sold that the book does not have, which is adjusted; an hour later."""
    sold = site.dock.move(item, "5", **SOLD, **fields)
    site.send()
    assert site.settle("negative_balance", {"action": "adjust"}).status_code == 200
    site.clock.time_ms += HOUR_MS
    return sold


def open_kinds(site):
    rows = site.get("/discrepancies?state=open")["discrepancies"]
    return sorted(row["kind"] for row in rows)


def taken_back(site, amount):
    """What came is told, and its first proposal puts the book right."""
    row = site.found(KIND)
    assert (row["actual"], row["proposals"][0]["body"]["action"]) == (amount, "reverse")
    assert site.settle(KIND).json()["state"] == "settled"
    assert KIND not in open_kinds(site)


def test_a_late_receipt_from_before_an_adjustment_is_told(site):
    adjusted(site)
    site.dock.move(quantity="5", event_time_ms=NOW_MS - 60_000)
    site.send()
    assert site.on_hand()["BIN-1", ""] == 5
    assert site.found(KIND)["facts"][0]["seq"] == 2
    taken_back(site, "5")
    assert ("BIN-1", "") not in site.on_hand()
    # What filled it is taken back: what comes of that time now is there.
    site.dock.move(quantity="5", event_time_ms=NOW_MS - 50_000)
    site.send()
    assert (open_kinds(site), site.on_hand()["BIN-1", ""]) == ([], 5)


def test_only_as_much_as_came_is_taken_back_and_the_rest_of_the_filling_stays(site):
    adjusted(site)
    site.dock.move(quantity="2", event_time_ms=NOW_MS - 60_000)
    site.send()
    taken_back(site, "2")
    assert ("BIN-1", "") not in site.on_hand()
    site.dock.move(quantity="9", event_time_ms=NOW_MS - 50_000)
    site.send()
    taken_back(site, "9")  # Three of the filling stood.
    assert site.on_hand()["BIN-1", ""] == 6


def test_ordinary_receipts_after_an_adjustment_are_no_matter(site):
    adjusted(site)
    for when_ms in (NOW_MS + 1000, site.clock.time_ms - 1000):
        site.dock.move(quantity="5", event_time_ms=when_ms)
        site.send()
    late = site.dock.move(quantity="5", target="BIN-2", event_time_ms=NOW_MS - 60_000)
    site.send()
    site.dock.reverse(late)
    site.send()
    assert open_kinds(site) == []


def test_what_goes_again_of_what_came_late_settles_it(site):
    adjusted(site)
    site.dock.move(quantity="5", event_time_ms=NOW_MS - 60_000)
    site.send()
    assert site.found(KIND)["actual"] == "5"
    site.dock.move(quantity="5", event_time_ms=NOW_MS - 50_000, **SOLD)
    site.send()
    assert open_kinds(site) == []
    assert "brought it to 0" in site.found(KIND, "settled")["settlement"]


def test_a_sale_undone_after_its_adjustment_is_told(site):
    sold = adjusted(site)
    site.dock.reverse(sold)
    site.send()
    assert site.found(KIND)["facts"][0]["seq"] == 2
    taken_back(site, "5")
    assert ("BIN-1", "") not in site.on_hand()


def test_what_was_brought_from_another_place_goes_back_there(site):
    site.dock.move(quantity="5", target="BIN-2")
    sold = site.dock.move(quantity="5", **SOLD)
    site.send()
    assert site.settle("negative_balance").status_code == 200
    site.dock.reverse(sold)
    site.send()
    taken_back(site, "5")
    assert site.on_hand() == {("BIN-2", ""): 5, ("supplier", ""): -5}


def test_what_a_settlement_brings_back_after_an_adjustment_is_told(site):
    site.dock.move(quantity="5")
    site.send()
    order = ordered(site, "5")
    answer = site.ask("POST", f"/sales-orders/{order}/release", {}, If_Match="*")
    assert answer.status_code == 200, answer.text
    site.dock.move(quantity="10", document=order, document_line=1, **SOLD)
    site.send()
    assert site.settle("negative_balance", {"action": "adjust"}).status_code == 200
    assert site.settle("over_shipped").status_code == 200
    taken_back(site, "5")
    assert ("BIN-1", "") not in site.on_hand()


def test_a_code_that_is_bound_after_its_adjustment_leaves_nothing_under_it(site):
    adjusted(site, "QQ")
    assert site.settle("unknown_item", {"action": "reassign", "item": "BOLT"}).status_code == 200
    taken_back(site, "5")
    assert ("BIN-1", "") not in site.on_hand("QQ")


def test_opened_again_what_a_settlement_brought_is_gone_and_it_settles_itself(site):
    adjusted(site, "QQ")
    assert site.settle("unknown_item", {"action": "reassign", "item": "BOLT"}).status_code == 200
    assert site.found(KIND)["actual"] == "5"
    row = site.found("unknown_item", "settled")
    site.post(f"/discrepancies/{row['id']}/reopen", {"reason": "another", "take_back": True})
    assert KIND not in open_kinds(site)


def test_the_rest_of_a_filling_is_of_its_time_when_it_goes_back_too(site):
    """Two moves never were; each left a hole that was filled from where its goods had gone."""
    carry = {"business_step": "storing"}
    site.dock.move(quantity="9", target="BIN-1")
    first = site.dock.move(quantity="3", source="BIN-3", target="BIN-2", **carry)
    site.send()
    assert site.settle("negative_balance").status_code == 200
    site.clock.time_ms += HOUR_MS
    happened = {"event_time_ms": site.clock.time_ms - 1}
    second = site.dock.move(quantity="1", source="BIN-2", target="BIN-1", **carry, **happened)
    site.send()
    assert site.settle("negative_balance").status_code == 200
    for number in (second, first):
        site.clock.time_ms += HOUR_MS
        site.dock.reverse(number, event_time_ms=site.clock.time_ms - 1)
        site.send()
    assert open_kinds(site) == [KIND, "negative_balance"]
    body = {"action": "reassign", "location": "BIN-3", "quantity": "2"}
    assert site.settle("negative_balance", body).status_code == 200
    while KIND in open_kinds(site):
        assert site.settle(KIND).status_code == 200
    assert site.on_hand() == {("BIN-1", ""): 9, ("supplier", ""): -9}


def test_what_filled_a_part_of_a_hole_that_is_still_open_is_told_too(site):
    """Six are sold that never were; one of another bin is given for them, and five stay missing."""
    site.dock.move(quantity="1", target="BIN-2")
    sold = site.dock.move(quantity="6", **SOLD)
    site.send()
    part = {"action": "reassign", "location": "BIN-2", "quantity": "1"}
    assert site.settle("negative_balance", part).status_code == 200
    site.clock.time_ms += HOUR_MS
    wrong = site.dock.move(quantity="3", **SOLD, event_time_ms=site.clock.time_ms - 1)
    site.dock.reverse(sold, event_time_ms=site.clock.time_ms - 1)
    site.send()
    assert open_kinds(site) == [KIND, "negative_balance"]
    site.dock.reverse(wrong, event_time_ms=site.clock.time_ms - 1)
    site.send()
    assert open_kinds(site) == [KIND]
    assert site.settle(KIND).status_code == 200
    assert site.on_hand() == {("BIN-2", ""): 1, ("supplier", ""): -1}
