"""Goods of a code whose card was made after they came, and asks for what they lack."""

import pytest

from central.contract.reference import Item
from central.ledger.reference_desk import put_item
from tests.central.orders.settling import Settling
from tests.central.orders.test_settled_decisions import opened_again
from tests.central.orders.test_settled_statuses import PUT_AWAY, stock
from tests.central.scenery import set_policy


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move("GADGET", "3")
    made.dock.move("GADGET", "1", **PUT_AWAY)
    made.send()
    yield made
    made.proved()


def carded(site, *, lot_tracked=False, **asks):
    set_policy(site.database, "GADGET", **asks)
    item = Item(code="GADGET", name="G", name_zh="G", unit="C62", lot_tracked=lot_tracked)
    with site.desk.change(actor="x") as change:
        put_item(change, item)


@pytest.mark.parametrize(
    ("asks", "kind", "count"),
    [
        ({"lot_tracked": True}, "lot_missing", 2),
        ({"serial_tracked": True}, "serial_missing", 2),
        ({"weight_unit": "KGM"}, "weight_missing", 1),
    ],
)
def test_what_goods_lack_is_told_once_their_item_is_known(site, asks, kind, count):
    carded(site, **asks)
    refused = site.settle("unknown_item", {"action": "accept"})
    assert refused.status_code == 409
    assert f"{count} of its movements lack that" in refused.json()["detail"]
    before = stock(site, "GADGET")
    answer = site.settle("unknown_item")
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert stock(site, "GADGET") == before
    assert site.found(kind)["facts_count"] == count
    opened_again(site, "unknown_item")
    assert site.found(kind, "settled")["facts_count"] == count
    assert stock(site, "GADGET") == before


def test_what_lacks_nothing_stays(site):
    carded(site, lot_tracked=True)
    site.dock.move("GADGET", "5", target="BIN-3", lot="L-1")
    site.send()
    settled = site.settle("unknown_item").json()
    assert (settled["state"], len(settled["settlements"][0]["facts"])) == ("settled", 4)


def test_a_date_that_nobody_said_is_asked_for(database):
    site = Settling(database)
    site.dock.move("GADGET", "3", lot="L-1")
    site.dock.move("GADGET", "2", lot="L-2", expiry_date="2027-01-01")
    site.send()
    carded(site, expiry_tracked=True)
    site.settle("unknown_item")
    assert site.found("expiry_missing")["lot"] == "L-1"
    assert site.get("/discrepancies?kind=unknown_item&state=open")["discrepancies"] == []


def test_uninspected_goods_are_inspected_beside_others_that_were(database):
    site = Settling(database)
    site.dock.move("GADGET", "3")
    site.send()
    carded(site, inspected=True)
    site.dock.move("GADGET", "5")
    site.send()
    assert stock(site, "GADGET") == {("BIN-1", "available"): 3, ("BIN-1", "inspection"): 5}
    assert site.settle("unknown_item", {"action": "accept"}).status_code == 409
    assert site.settle("unknown_item").json()["state"] == "settled"
    assert stock(site, "GADGET") == {("BIN-1", "inspection"): 8}
    site.proved()


def test_goods_of_which_nobody_can_tell_are_accepted(database):
    site = Settling(database)
    site.dock.move("GADGET", "3")
    site.send()
    carded(site, inspected=True)
    site.dock.move("GADGET", "5")
    site.dock.move("GADGET", "3", source="BIN-1", target="customer", business_step="shipping")
    site.send()
    assert site.settle("unknown_item").json()["state"] == "settled"
    assert stock(site, "GADGET") == {("BIN-1", "inspection"): 5}
    site.proved()
