"""Inspections of goods that a settlement takes back, or lets come again, say what they have."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_decided_arrivals import came, decided, inspections
from tests.central.orders.test_settled_decisions import opened_again
from tests.central.orders.test_settled_statuses import stock
from tests.central.scenery import set_policy


@pytest.fixture
def site(database):
    set_policy(database, "BOLT", inspected=True)
    made = Settling(database)
    yield made
    made.proved()


@pytest.mark.parametrize(
    ("decisions", "left", "figures"),
    [
        ([("accept", "120", {})], {"available": 100}, (100, 0, 0, 100, 0, 0)),
        (
            [("accept", "110", {}), ("reject", "10", {})],
            {"available": 90, "rejected": 10},
            (100, 0, 0, 90, 10, 0),
        ),
        (
            [("accept", "90", {}), ("hold", "20", {})],
            {"available": 80, "held": 20},
            (100, 0, 20, 80, 0, 0),
        ),
        ([("accept", "5", {})], {"available": 5, "inspection": 95}, (100, 95, 0, 5, 0, 0)),
        ([], {"inspection": 100}, (100, 100, 0, 0, 0, 0)),
    ],
)
def test_what_is_sent_back_of_too_much_is_no_more_of_its_inspection(site, decisions, left, figures):
    came(site, "120", document="PO-1")
    if decisions:
        decided(site, "PO-1", *decisions)
    there, before = stock(site, "BOLT"), inspections(site)["PO-1"]
    assert site.settle("over_received").status_code == 200
    assert stock(site, "BOLT") == {("BIN-1", status): n for status, n in left.items()}
    assert inspections(site)["PO-1"] == figures
    opened_again(site, "over_received")
    assert (stock(site, "BOLT"), inspections(site)["PO-1"]) == (there, before)


@pytest.mark.parametrize("document", ["", "PO-1"])
@pytest.mark.parametrize("accepted", [0, 8])
def test_goods_whose_lot_is_said_later_are_inspected_once(database, document, accepted):
    site = Settling(database)
    set_policy(database, "BOLT", inspected=True, lot_tracked=True)
    site.dock.move("BOLT", "10", document=document)
    site.send()
    (row,) = site.get("/inspections")["inspections"]
    if accepted:
        asked = {"decisions": [{"decision": "accept", "quantity": str(accepted)}]}
        site.post(f"/inspections/{row['code']}/decisions", asked)

    def figures():
        names = ("arrived", "in_inspection", "accepted")
        rows = site.get("/inspections")["inspections"]
        return {one["lot"]: tuple(int(one[name]) for name in names) for one in rows}

    before = figures()
    assert site.settle("lot_missing", {"action": "reassign", "lot": "L1"}).status_code == 200
    assert figures() == {"": (0, 0, 0), "L1": (10, 10, 0)}
    opened_again(site, "lot_missing")
    assert figures() == {**before, "L1": (0, 0, 0)}
    site.proved()
