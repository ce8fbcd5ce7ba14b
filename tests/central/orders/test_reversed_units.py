"""What a reversal brings back in a unit of before is told, and comes into the item's own."""

import pytest

from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import rows


@pytest.fixture
def site(database):
    return Settling(database)


def sold_and_changed(site, *, unit="GRM"):
    """50 kg of sugar came and went; then it is kept in another unit, and the sale is taken back."""
    card = {"code": "SUGAR", "name": "Sugar", "unit": "KGM", "kind": "bulk"}
    assert site.ask("POST", "/items", card).status_code == 201
    fields = {"item": "SUGAR", "unit": "KGM"}
    site.dock.move(quantity="50", source="supplier", target="BIN-1", **fields)
    site.dock.move(quantity="50", source="BIN-1", target="customer", **fields)
    site.send()
    answer = site.ask("PATCH", "/items/SUGAR", {"unit": unit}, If_Match="*")
    assert answer.status_code == 200, answer.text
    site.dock.reverse(2)
    site.send()


def test_goods_that_come_back_in_the_unit_of_then_are_brought_into_that_of_now(site):
    sold_and_changed(site)
    found = site.found("unit_differs")
    assert found["detail"] == "50 KGM of an item kept in GRM"
    assert (found["location"], found["actual"]) == ("BIN-1", "50")
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand("SUGAR")["BIN-1", ""] == 50_000
    site.proved()


def test_goods_that_were_weighed_keep_their_weight(site, database):
    card = {"code": "MEAT", "name": "Meat", "unit": "XCT", "policy": {"weight_unit": "KGM"}}
    assert site.ask("POST", "/items", card).status_code == 201
    fields = {"item": "MEAT", "unit": "XCT", "weight_unit": "KGM"}
    site.dock.move(quantity="5", net_weight="10", source="supplier", target="BIN-1", **fields)
    out = {"source": "BIN-1", "target": "customer"}
    site.dock.move(quantity="5", net_weight="10", **out, **fields)
    site.send()
    pack = {"unit": "C62", "packs": [{"unit": "XCT", "numerator": 12}]}
    assert site.ask("PATCH", "/items/MEAT", pack, If_Match="*").status_code == 200
    site.dock.reverse(2)
    site.dock.move(quantity="24", net_weight="4", **out, **fields | {"unit": "C62"})
    site.send()
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand("MEAT")["BIN-1", ""] == 36
    names = ("location", "unit", "weight_micro")
    found = {row[:2]: row[2] for row in rows(database, tables.balances, *names)}
    assert (found["BIN-1", "C62"], found["BIN-1", "XCT"]) == (6_000_000, 0)
    assert site.get("/discrepancies?kind=weight_missing")["discrepancies"] == []
    site.proved()


def test_what_was_sold_since_was_not_missing(site):
    sold_and_changed(site)
    fields = {"item": "SUGAR", "unit": "KGM"}
    site.dock.move(quantity="30", source="BIN-1", target="customer", **fields)
    site.send()
    assert site.found("negative_balance")["subject"] == "BIN-1/SUGAR////GRM"
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand("SUGAR")["BIN-1", ""] == 20_000
    assert site.found("negative_balance", state="settled")
    row = site.found("unit_differs", state="settled")
    body = {"reason": "looked again", "take_back": True}
    answer = site.ask("POST", f"/discrepancies/{row['id']}/reopen", body, If_Match="*")
    assert answer.status_code == 200, answer.text
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand("SUGAR")["BIN-1", ""] == 20_000
    site.proved()


def test_what_does_not_convert_waits_until_somebody_says_how_much_it_is(site):
    sold_and_changed(site, unit="LTR")
    found = site.found("unit_differs")
    assert found["proposals"] == []
    assert "one KGM of SUGAR" in found["advice"][0]["text"]
    pack = {"packs": [{"unit": "KGM", "numerator": 2}]}
    assert site.ask("PATCH", "/items/SUGAR", pack, If_Match="*").status_code == 200
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand("SUGAR")["BIN-1", ""] == 100
    site.proved()


def test_a_reversal_that_leaves_nothing_in_that_unit_is_no_matter(site):
    sold_and_changed(site)
    site.settle("unit_differs")
    fields = {"item": "BOLT", "unit": "C62"}
    site.dock.move(quantity="5", source="supplier", target="BIN-1", **fields)
    site.dock.reverse(4)
    site.send()
    assert site.get("/discrepancies?state=open")["discrepancies"] == []
    site.proved()


@pytest.mark.parametrize(
    ("then", "now", "kept"),
    [("DZN", "C62", 600), ("MTR", "CMT", 5000), ("LTR", "MLT", 50_000), ("H87", "C62", 50)],
)
def test_units_that_measure_the_same_convert(site, then, now, kept):
    card = {"code": "WIRE", "name": "Wire", "unit": then}
    assert site.ask("POST", "/items", card).status_code == 201
    fields = {"item": "WIRE", "unit": then}
    site.dock.move(quantity="50", source="supplier", target="BIN-1", **fields)
    site.dock.move(quantity="50", source="BIN-1", target="customer", **fields)
    site.send()
    assert site.ask("PATCH", "/items/WIRE", {"unit": now}, If_Match="*").status_code == 200
    site.dock.reverse(2)
    site.send()
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand("WIRE")["BIN-1", ""] == kept
    site.proved()
