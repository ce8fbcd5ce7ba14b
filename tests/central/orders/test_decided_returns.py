"""What a station takes back of goods that came back and were decided on: what they became."""

import pytest

from central.orders.holding.hold_book import change_status
from central.orders.holding.holds import HoldAsked, Scope
from central.orders.sales.customer_returns import open_micro
from central.storage import tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.orders.test_customer_returns import come_back, decide, requested, view
from tests.central.scenery import discrepancies, rows, set_policy


@pytest.fixture
def scene(database):
    """Of a return of 8 that is released."""
    made = Scene(database)
    made.code = requested(made, 8)
    yield made
    made.check()


def undone(scene, *seqs):
    for seq in seqs:
        scene.gateway.reverse(seq)
    scene.send()


def stock(scene):
    """{(place, status): whole units}, customers and suppliers left out."""
    names = ("location", "status", "on_hand_micro")
    return {
        (location, status): micro // ONE
        for location, status, micro in rows(scene.database, tables.balances, *names)
        if micro and location not in {"customer", "supplier"}
    }


def decisions(scene):
    """{decision: whole units} of a return, zeros left out."""
    found = {}
    for one in view(scene, scene.code).returned.decisions:
        found[one.decision] = found.get(one.decision, 0) + one.quantity_micro // ONE
    return {name: micro for name, micro in found.items() if micro}


def undecided(scene):
    return open_micro(view(scene, scene.code), 1) // ONE


@pytest.mark.parametrize("there", [0, 5])
@pytest.mark.parametrize(
    "made",
    [
        [("scrap", 4, {})],
        [("scrap", 1, {})],
        [("restock", 4, {"to_location": "BIN-2"})],
        [("restock", 4, {})],
        [("restock", 1, {}), ("scrap", 2, {}), ("restock", 1, {"to_location": "BIN-2"})],
    ],
)
def test_what_was_decided_of_a_receipt_goes_with_it(scene, there, made):
    seq = 1
    if there:
        scene.receive("BIN-1", there)
        seq = 2
    come_back(scene, scene.code, 4)
    decide(scene, scene.code, *made)
    undone(scene, seq)
    assert stock(scene) == ({("BIN-1", "available"): there} if there else {})
    assert (decisions(scene), undecided(scene)) == ({}, 0)
    assert discrepancies(scene.database) == []
    come_back(scene, scene.code, 4)
    assert undecided(scene) == 4


def test_of_two_receipts_what_nobody_decided_on_goes_first(scene):
    come_back(scene, scene.code, 4)
    come_back(scene, scene.code, 4)
    decide(scene, scene.code, ("scrap", 4, {}))
    undone(scene, 2)
    assert stock(scene) == {("scrap", "available"): 4}
    assert (decisions(scene), undecided(scene)) == ({"scrap": 4}, 0)
    undone(scene, 1)
    assert (stock(scene), decisions(scene)) == ({}, {})


def test_two_receipts_taken_back_at_once_share_what_was_decided(scene):
    come_back(scene, scene.code, 4)
    come_back(scene, scene.code, 4)
    decide(scene, scene.code, ("scrap", 5, {}), ("restock", 1, {}))
    undone(scene, 1, 2)
    assert (stock(scene), decisions(scene), undecided(scene)) == ({}, {}, 0)
    assert discrepancies(scene.database) == []


def test_what_waits_at_another_place_is_not_taken_here(scene):
    scene.receive("BIN-1", 5)
    come_back(scene, scene.code, 4)
    scene.move(*("customer", "BIN-2", 3), step="receiving", document=scene.code, document_line=1)
    decide(scene, scene.code, ("scrap", 4, {}))
    undone(scene, 2)
    assert stock(scene) == {("BIN-1", "available"): 5, ("BIN-2", "available"): 3}
    assert (decisions(scene), undecided(scene)) == ({}, 3)


def test_what_was_restocked_and_is_held_goes_as_held(scene):
    come_back(scene, scene.code, 4)
    decide(scene, scene.code, ("restock", 4, {}))
    scope = Scope(item="BOLT", warehouse="SH1", location="BIN-1")
    scene.change(
        change_status, HoldAsked("hold", scope, "held", ("available",), "looked at"), version=None
    )
    undone(scene, 1)
    assert (stock(scene), decisions(scene)) == ({}, {})


def test_a_receipt_for_no_line_takes_back_what_was_decided_of_its_item(scene):
    scene.move("customer", "BIN-1", 4, step="receiving", document=scene.code)
    decide(scene, scene.code, ("scrap", 4, {}))
    undone(scene, 1)
    assert (stock(scene), decisions(scene)) == ({}, {})


@pytest.mark.parametrize(
    ("policy", "goods", "quantity"),
    [
        ({"lot_tracked": True}, {"lot": "L1"}, 4),
        ({"serial_tracked": True}, {"serial": "S1"}, 1),
    ],
)
def test_goods_with_numbers_go_back_by_them(scene, policy, goods, quantity):
    set_policy(scene.database, "BOLT", **policy)
    come_back(scene, scene.code, quantity, **goods)
    others = {name: code + "9" for name, code in goods.items()}
    come_back(scene, scene.code, quantity, **others)
    decide(scene, scene.code, ("scrap", quantity, goods))
    undone(scene, 2)  # Others.
    assert (stock(scene), decisions(scene)) == (
        {("scrap", "available"): quantity},
        {"scrap": quantity},
    )
    undone(scene, 1)
    assert (stock(scene), decisions(scene)) == ({}, {})


def test_goods_of_a_catch_weight_go_back_with_what_they_weighed(scene):
    set_policy(scene.database, "BOLT", weight_unit="KGM")
    come_back(scene, scene.code, 3, net_weight="12.1", weight_unit="KGM")
    decide(scene, scene.code, ("scrap", 1, {}))
    undone(scene, 1)
    assert (stock(scene), decisions(scene)) == ({}, {})
    assert discrepancies(scene.database) == []
