"""What was told of goods that went is settled once what took them is taken back."""

import re

import pytest

from central.web.taken_back_words import TAKEN_BACK
from tests.central.orders.settling import Settling
from tests.central.orders.test_counted_there import available, order, sold
from tests.central.scenery import set_policy

WEIGHED = {"lot": "L1", "weight_unit": "KGM"}


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move("BOLT", "5")
    made.send()
    made.post("/partners", {"code": "SHOP", "name": "SHOP", "kind": "customer"})
    yield made
    made.proved()


def lost(site, quantity):
    """The number of a fact by which goods went that were set aside."""
    site.dock.move("BOLT", quantity, source="BIN-1", target="customer", business_step="shipping")
    site.send()
    return len(site.dock.bodies)


def undone(site, seq):
    site.dock.reverse(seq)
    site.send()


def test_an_order_has_its_goods_again_once_a_station_undid_what_took_them(site):
    code = sold(site)
    seq = lost(site, "3")
    assert site.found("reservation_short")["document"] == code
    assert available(site) == ("2", "2")
    undone(site, seq)
    assert available(site) == ("5", "5")
    why = site.found("reservation_short", "settled")["settlement"]
    assert re.fullmatch(r"record \d+ was taken back, and what was lost is set aside again", why)
    assert any(re.fullmatch(pattern, why) for pattern, _ in TAKEN_BACK)
    (line,) = site.get(f"/sales-orders/{code}")["lines"]
    assert (line["reserved"], line["backorder"]) == ("5", "0")


def test_it_stays_open_while_others_have_the_goods(site):
    code = sold(site)
    first, _ = lost(site, "3"), lost(site, "2")
    undone(site, first)
    assert available(site) == ("3", "3")
    assert site.found("reservation_short")["document"] == code


def test_an_order_that_waits_for_them_no_longer_has_nothing_short(site):
    code = sold(site)
    seq = lost(site, "5")
    site.post(f"/sales-orders/{code}/cancel", {"reason": "gone"})
    undone(site, seq)
    assert site.get("/discrepancies?kind=reservation_short&state=open")["discrepancies"] == []
    assert order(site, "/sales-orders", code)[0] == "cancelled"


def test_a_weight_that_a_settlement_gave_back_differs_no_longer(database):
    set_policy(database, "NUT", weight_unit="KGM")
    site = Settling(database)
    site.dock.move("NUT", "2", net_weight="8.5", **WEIGHED)
    out = {"source": "BIN-1", "target": "customer", "document": "SO-77"}
    site.dock.move("NUT", "2", net_weight="8", **out, **WEIGHED)
    site.send()
    row = site.found("unknown_document")
    assert site.found("weight_differs")
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert "nothing else is behind it" in site.found("weight_differs", "settled")["settlement"]
    body = {"reason": "they are gone after all", "take_back": True}
    assert site.ask("POST", f"/discrepancies/{row['id']}/reopen", body).status_code == 200
    assert site.found("weight_differs")
    site.proved()


def test_an_order_has_its_goods_again_once_a_settlement_took_back_what_took_them(site):
    code = sold(site)
    site.dock.move("BOLT", "3", source="BIN-1", target="customer", document="SO-77")
    site.send()
    assert site.found("reservation_short")["document"] == code
    row = site.found("unknown_document")
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert available(site) == ("5", "5")
    why = site.found("reservation_short", "settled")["settlement"]
    assert why == "unknown_document SO-77 was settled, and what was lost is set aside again"
    assert any(re.fullmatch(pattern, why) for pattern, _ in TAKEN_BACK)
    # Sold after all: the order has lost them once more, and that is told.
    body = {"reason": "they are gone after all", "take_back": True}
    assert site.ask("POST", f"/discrepancies/{row['id']}/reopen", body).status_code == 200
    assert site.found("reservation_short")["document"] == code
    assert available(site) == ("2", "2")


def test_what_a_settlement_takes_again_is_not_set_aside(site):
    code = sold(site)
    site.dock.move("BOLT", "3", source="BIN-1", target="customer", document="SO-77")
    site.send()
    site.dock.move("BOLT", "4", target="BIN-2")
    site.send()
    other = sold(site, "1")
    meant = {"action": "reassign", "document": other}
    assert site.settle("unknown_document", meant).status_code == 200
    assert site.found("reservation_short")["document"] == code
