"""What is taken back of a lot that was put on hold meanwhile comes back held."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_settled_statuses import stock
from tests.central.scenery import set_policy

RECALL = {"item": "BOLT", "lot": "L1", "reason": "recalled"}


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move("BOLT", "10", lot="L1")
    made.dock.move("BOLT", "10", lot="L2")
    made.send()
    yield made
    made.proved()


def gone(site, quantity="3", *, lot="L1", target="customer", **fields):
    site.dock.move("BOLT", quantity, source="BIN-1", target=target, lot=lot, **fields)
    site.send()
    return len(site.dock.bodies)


def undone(site, seq):
    site.dock.reverse(seq)
    site.send()


@pytest.mark.parametrize("target", ["customer", "in_transit", "adjustment"])
def test_what_had_left_before_the_hold_comes_back_held(site, target):
    fields = {"document": "TR-9"} if target == "in_transit" else {}
    seq = gone(site, target=target, **fields)
    site.post("/holds", RECALL)
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10, ("BIN-1", "held"): 10}


def test_what_is_of_another_lot_or_stays_inside_keeps_its_status(site):
    other, inside = gone(site, lot="L2"), gone(site, target="BIN-2", business_step="storing")
    gone(site)
    site.post("/holds", RECALL)
    site.post("/holds/release", {**RECALL, "warehouse": "SH1", "location": "BIN-2"})
    undone(site, other)
    undone(site, inside)
    rows = site.get("/stock?item=BOLT&warehouse=SH1&location=BIN-1")["stock"]
    assert {(row["lot"], row["status"], row["on_hand"]) for row in rows} == {
        ("L1", "available", "3"),
        ("L1", "held", "4"),
        ("L2", "available", "10"),
    }


def test_what_had_left_with_its_whole_weight_brings_it_back_held(database):
    set_policy(database, "NUT", weight_unit="KGM")
    site = Settling(database)
    weighed = {"lot": "L1", "weight_unit": "KGM"}
    site.dock.move("NUT", "2", net_weight="8.5", **weighed)
    site.dock.move("NUT", "2", source="BIN-1", target="customer", net_weight="8", **weighed)
    site.dock.move("NUT", "1", target="BIN-2", net_weight="4", **weighed)
    site.send()
    site.post("/holds", {"item": "NUT", "lot": "L1", "reason": "recalled"})
    undone(site, 2)
    rows = site.get("/stock?item=NUT&warehouse=SH1")["stock"]
    found = {(row["location"], row["status"], row["on_hand"], row["weight"]) for row in rows}
    assert found == {("BIN-1", "held", "2", "8.5"), ("BIN-2", "held", "1", "4")}
    site.proved()


def test_what_somebody_settles_to_take_back_comes_back_held(site):
    gone(site, document="SO-77")
    site.post("/holds", RECALL)
    row = site.found("unknown_document")
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10, ("BIN-1", "held"): 10}
    body = {"reason": "they are gone after all", "take_back": True}
    assert site.ask("POST", f"/discrepancies/{row['id']}/reopen", body).status_code == 200
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10, ("BIN-1", "held"): 7}


def test_a_lot_of_which_nothing_is_left_is_put_on_hold_and_given_free(site):
    first, second = gone(site, "6"), gone(site, "4")
    before = site.get("/discrepancies")["discrepancies"]
    done = site.post("/holds", RECALL)
    assert done["goods"] == []
    undone(site, first)
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10, ("BIN-1", "held"): 6}
    site.dock.move(
        "BOLT", "6", source="BIN-1", target="scrap", lot="L1", business_step="inspecting"
    )
    site.send()
    assert site.ask("POST", "/holds", RECALL).status_code == 409
    assert site.post("/holds/release", RECALL)["goods"] == []
    assert site.ask("POST", "/holds/release", RECALL).status_code == 409
    undone(site, second)
    rows = site.get("/stock?item=BOLT&warehouse=SH1&location=BIN-1")["stock"]
    found = {(row["lot"], row["status"], row["on_hand"]) for row in rows if row["on_hand"] != "0"}
    assert found == {("L1", "available", "4"), ("L2", "available", "10")}
    assert site.get("/discrepancies")["discrepancies"] == before
    unknown = {**RECALL, "lot": "L-404"}
    assert site.ask("POST", "/holds", unknown).status_code == 409
