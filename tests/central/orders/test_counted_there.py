"""What one warehouse moved under another's order is counted there, in one action."""

import re

import pytest

from central.web.proposal_words import PATTERNS
from tests.central.orders.settling import Settling
from tests.central.scenery import set_policy

MICRO = 10**6


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move("BOLT", "10", target="BIN-1")
    made.other.move("BOLT", "20", target="BIN-1", lot="L-9")
    made.send(made.dock, made.other)
    for code, kind in (("SHOP", "customer"), ("ACME", "supplier")):
        made.post("/partners", {"code": code, "name": code, "kind": kind})
    yield made
    made.proved()


def ordered(site, path, quantity, *steps, item="BOLT", **fields):
    """The code of an order of SH1."""
    line = {"line": 1, "item": item, "quantity": quantity, "unit": "C62"}
    code = site.post(path, {"warehouse": "SH1", "lines": [line], **fields})["code"]
    for step in steps:
        site.post(f"{path}/{code}/{step}")
    return code


def sold(site, quantity="5"):
    fields = {"customer": "SHOP", "promised_on": "2026-06-05"}
    return ordered(site, "/sales-orders", quantity, "submit", "approve", "release", **fields)


def bought(site, **fields):
    steps = ("submit", "approve", "send")
    return ordered(site, "/purchase-orders", "10", *steps, supplier="ACME", **fields)


def ship(site, code, quantity, **fields):
    site.other.move(
        "BOLT",
        quantity,
        **{"source": "BIN-1", "target": "customer", "lot": "L-9", "business_step": "shipping"}
        | {"document": code, "document_line": 1}
        | fields,
    )
    site.send(site.other)


def sums(site):
    """Whole pieces at places of no warehouse, over all books."""
    found = {}
    for warehouse in ("SH1", "BJ1"):
        for (place, _), quantity in site.on_hand(warehouse=warehouse).items():
            if not place.startswith("BIN"):
                found[place] = found.get(place, 0) + quantity
    return {place: quantity for place, quantity in found.items() if quantity}


def order(site, path, code):
    found = site.get(f"{path}/{code}")
    return found["state"], found["lines"][0]


def test_what_another_warehouse_shipped_is_counted_for_the_order(site):
    code = sold(site)
    ship(site, code, "5")
    (proposal, left) = site.found("unknown_document")["proposals"]
    assert proposal["why"] == f"{code} of SH1 still expects 5 C62: let these count there."
    assert any(re.fullmatch(pattern, proposal["why"]) for pattern, _ in PATTERNS)
    assert left["body"]["action"] == "accept"
    answer = site.settle("unknown_document")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "settled"
    state, line = order(site, "/sales-orders", code)
    assert (state, line["shipped"]) == ("shipped", "5")
    assert site.on_hand()["BIN-1", ""] == 10
    assert site.on_hand(warehouse="BJ1")["BIN-1", "L-9"] == 15
    assert sums(site) == {"supplier": -30, "customer": 5}
    assert site.get("/in-transit")["in_transit"] == []
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


def test_what_was_shipped_of_it_is_no_longer_set_aside(site):
    code = sold(site)
    assert available(site) == ("10", "5")
    ship(site, code, "5")
    site.settle("unknown_document")
    assert available(site) == ("10", "0")


def available(site):
    (row,) = site.get("/availability?item=BOLT&warehouse=SH1")["availability"]
    return row["on_hand"], row["allocated"]


def test_the_rest_of_the_order_is_right_afterwards(site):
    code = sold(site)
    ship(site, code, "2")
    site.settle("unknown_document")
    state, line = order(site, "/sales-orders", code)
    assert (state, line["shipped"]) == ("part_shipped", "2")
    assert available(site) == ("10", "3")
    site.dock.move("BOLT", "3", source="BIN-1", target="customer", document=code, document_line=1)
    site.send()
    assert order(site, "/sales-orders", code)[0] == "shipped"
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


def test_what_is_more_than_the_order_asks_for_stays_open(site):
    code = sold(site)
    ship(site, code, "7")
    proposal = site.found("unknown_document")["proposals"][0]
    assert proposal["body"]["quantity"] == "5"
    assert proposal["why"].endswith("2 C62 are left, and it stays open.")
    assert site.settle("unknown_document").json()["state"] == "open"
    assert order(site, "/sales-orders", code)[0] == "shipped"
    (left,) = site.found("unknown_document")["proposals"]
    assert left["body"]["action"] == "accept"
    assert sums(site) == {"supplier": -30, "customer": 7}


def test_what_another_warehouse_received_is_counted_for_the_order(site):
    code = bought(site)
    come = {"document": code, "document_line": 1, "lot": "L-9"}
    site.other.move("BOLT", "4", target="BIN-1", **come)
    site.send(site.other)
    assert site.settle("unknown_document").json()["state"] == "settled"
    state, line = order(site, "/purchase-orders", code)
    assert (state, line["received"]) == ("part_received", "4")
    assert site.on_hand(warehouse="BJ1")["BIN-1", "L-9"] == 24
    assert sums(site) == {"supplier": -34}
    assert site.get("/in-transit")["in_transit"] == []


def test_inspected_goods_still_wait_for_inspection(site):
    set_policy(site.database, "NUT", inspected=True)
    code = bought(site, item="NUT")
    site.other.move("NUT", "4", target="BIN-1", document=code, document_line=1)
    site.send(site.other)
    assert waiting(site) == {"inspection": "4"}
    site.settle("unknown_document")
    assert waiting(site) == {"inspection": "4"}
    assert order(site, "/purchase-orders", code)[1]["received"] == "4"


def waiting(site):
    rows = site.get("/stock?item=NUT&warehouse=BJ1")["stock"]
    return {row["status"]: row["on_hand"] for row in rows if row["on_hand"] != "0"}


def test_opened_again_everything_is_as_before(site):
    code = sold(site)
    ship(site, code, "5")
    row = site.found("unknown_document")
    site.settle("unknown_document")
    body = {"reason": "it was another order", "take_back": True}
    assert site.ask("POST", f"/discrepancies/{row['id']}/reopen", body).status_code == 200
    state, line = order(site, "/sales-orders", code)
    assert (state, line["shipped"]) == ("released", "0")
    assert sums(site) == {"supplier": -30, "customer": 5}
    assert site.on_hand(warehouse="BJ1")["customer", "L-9"] == 5
    # The station may take it back now.
    site.other.reverse(len(site.other.bodies))
    site.send(site.other)
    assert site.on_hand(warehouse="BJ1")["BIN-1", "L-9"] == 20
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


def test_a_station_that_undoes_it_is_told_that_it_was_settled(site):
    code = sold(site)
    ship(site, code, "5")
    site.settle("unknown_document")
    site.other.reverse(len(site.other.bodies))
    site.send(site.other)
    assert site.found("reversal_unmatched")["warehouse"] == "BJ1"
    assert order(site, "/sales-orders", code)[1]["shipped"] == "5"


def test_an_order_with_several_picks_takes_it_all(site):
    site.dock.move("BOLT", "10", target="BIN-2", lot="L-1")
    site.send()
    code = sold(site, "15")
    ship(site, code, "15")
    (proposal, _) = site.found("unknown_document")["proposals"]
    assert "quantity" not in proposal["body"]
    assert site.settle("unknown_document").json()["state"] == "settled"
    state, line = order(site, "/sales-orders", code)
    assert (state, line["shipped"]) == ("shipped", "15")
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


def test_a_transfer_is_no_order_of_one_warehouse(site):
    line = {"item": "BOLT", "quantity": "4", "unit": "C62"}
    ends = {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}
    code = site.post("/transfers", {**ends, "lines": [line]})["code"]
    for step in ("request", "approve", "release"):
        site.post(f"/transfers/{code}/{step}")
    ship(site, "OTHER", "4", target="in_transit")
    body = {"action": "reassign", "warehouse": "SH1", "document": code, "document_line": 1}
    answer = site.settle("unknown_document", body)
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"{code} is no order of SH1 alone"


def test_weights_and_serial_numbers_go_along(site):
    set_policy(site.database, "NUT", weight_unit="KGM", serial_tracked=True)
    code = bought(site, item="NUT")
    come = {"document": code, "document_line": 1, "target": "BIN-1"}
    for serial, weight in (("S1", "4.5"), ("S2", "")):
        weighed = {"net_weight": weight, "weight_unit": "KGM"} if weight else {}
        site.other.move("NUT", "1", serial=serial, **come, **weighed)
    site.send(site.other)
    assert site.settle("unknown_document").json()["state"] == "settled"
    assert order(site, "/purchase-orders", code)[1]["received"] == "2"
    rows = site.get("/stock?item=NUT&warehouse=BJ1")["stock"]
    there = {(row["serial"], row["weight"]) for row in rows if row["on_hand"] != "0"}
    assert there == {("S1", "4.5"), ("S2", "0")}
    assert [one["kind"] for one in site.get("/discrepancies?state=open")["discrepancies"]] == [
        "weight_missing"
    ]


def test_what_is_in_a_unit_that_does_not_convert_would_count_for_no_line(site):
    code = sold(site)
    ship(site, code, "5", unit="MTR")
    assert site.found("unit_differs")
    (left,) = site.found("unknown_document")["proposals"]
    assert left["body"]["action"] == "accept"
