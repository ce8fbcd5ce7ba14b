"""Returned goods are decided on once: what their inspection decided, the return knows."""

from collections import Counter

import pytest

from central.errors import Conflict
from central.orders.purchasing import inspection_book
from central.orders.sales.customer_return_book import DecisionAsked, act_on_return, decide_on_return
from central.orders.sales.customer_returns import open_micro
from central.storage import bulk, catalogue_tables, purchasing_tables, tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.orders.test_customer_returns import requested, view
from tests.central.scenery import rows


@pytest.fixture
def scene(database):
    """Six good bolts at BIN-1; what comes from now on is inspected."""
    scene = Scene(database, stock=[("BIN-1", 6)])
    row = ("BOLT", 1, True, "", False, False, 0, 0, 0, 0, 0, 0, 0, "fefo", "", "", "", 0)
    with scene.desk.change(actor="li.na") as change:
        bulk.insert_rows(change.connection, catalogue_tables.item_policies, [row])
        change.touch(("all", "", ""))  # What is known of the item is known anew.
    return scene


def come_back(scene, code, pieces, *, line=1, **fields):
    move = {"step": "receiving", "document": code, "document_line": line} | fields
    scene.move("customer", "BIN-1", pieces, **move)


def inspections(scene):
    return [code for (code,) in rows(scene.database, purchasing_tables.inspections, "code")]


def inspect(scene, *decisions, code=""):
    asked = [
        inspection_book.DecisionAsked(decision, pieces * ONE, reason="looked at", **fields)
        for decision, pieces, fields in decisions
    ]
    code = code or inspections(scene)[0]
    scene.change(inspection_book.decide, code, asked, version=None)


def decide(scene, code, decision, pieces, **fields):
    fields = {"location": "BIN-1", "reason": "looked at"} | fields
    asked = DecisionAsked(1, decision, pieces * ONE, **fields)
    return scene.change(decide_on_return, code, [asked], version=None)


def standing(scene):
    """Pieces by place and status, of all lots."""
    names = ("location", "status", "on_hand_micro")
    found = Counter()
    for location, status, micro in rows(scene.database, tables.balances, *names):
        found[location, status] += max(micro, 0) // ONE
    return +found


def undecided(scene, code):
    return open_micro(view(scene, code), 1) // ONE


@pytest.mark.parametrize("decision", ["scrap", "restock"])
def test_what_the_inspector_rejected_is_decided_and_good_pieces_stay(scene, decision):
    code = requested(scene)
    come_back(scene, code, 4)
    inspect(scene, ("reject", 4, {}))
    assert undecided(scene, code) == 0
    with pytest.raises(Conflict, match="on 4 of it its inspection has decided") as caught:
        decide(scene, code, decision, 4)
    assert caught.value.fields == {"line": 1, "left": "0", "inspected": "4"}
    assert standing(scene) == {("BIN-1", "available"): 6, ("BIN-1", "rejected"): 4}
    assert scene.change(act_on_return, code, "close", version=None).stage == "closed"
    scene.check()


def test_what_the_inspector_accepted_used_up_or_missed_is_decided_what_he_holds_is_not(scene):
    code = requested(scene, pieces=9)
    come_back(scene, code, 9)
    inspect(scene, ("accept", 3, {}), ("sample_used", 1, {}), ("hold", 2, {}))
    assert undecided(scene, code) == 5
    with pytest.raises(Conflict, match="4 is more than the 3 of it that is inspection"):
        decide(scene, code, "restock", 4)
    decide(scene, code, "restock", 2)
    decide(scene, code, "scrap", 1)
    with pytest.raises(Conflict, match="not decided on"):
        scene.change(act_on_return, code, "close", version=None)
    inspect(scene, ("reject", 2, {"source": "held"}))
    assert undecided(scene, code) == 0
    assert standing(scene) == {
        ("BIN-1", "available"): 11,
        ("BIN-1", "rejected"): 2,
        ("scrap", "inspection"): 1,
        ("scrap", "rejected"): 1,
    }
    scene.change(act_on_return, code, "close", version=None)
    scene.check()


def test_goods_that_came_for_no_line_are_those_of_the_line(scene):
    code = requested(scene)
    come_back(scene, code, 4, line=0)
    decide(scene, code, "scrap", 1)
    inspect(scene, ("reject", 2, {}))
    assert undecided(scene, code) == 1
    decide(scene, code, "restock", 1)
    assert standing(scene)["BIN-1", "available"] == 7
    scene.change(act_on_return, code, "close", version=None)
    scene.check()


def test_good_pieces_of_another_lot_are_not_taken_for_what_waits_for_inspection(scene):
    scene.move("supplier", "BIN-1", 4, step="receiving", lot="L2")
    inspect(scene, ("accept", 4, {}))
    code = requested(scene)
    come_back(scene, code, 4, lot="L1")
    with pytest.raises(Conflict, match=r"4 of line 1 .* waits for inspection") as caught:
        decide(scene, code, "scrap", 4, lot="L2")
    assert caught.value.fields == {"line": 1, "lot": "L2", "waiting": "4"}
    decide(scene, code, "scrap", 4, lot="L1")
    assert standing(scene)["BIN-1", "available"] == 10
    scene.check()


def test_goods_that_stay_are_restocked_only_where_they_are_available(database):
    scene = Scene(database)
    code = requested(scene)
    come_back(scene, code, 3, to_status="rejected")
    come_back(scene, code, 1)
    for place in ("BIN-1", ""):
        with pytest.raises(Conflict, match=r"of BOLT 1 is available at .*, not 3") as caught:
            decide(scene, code, "restock", 3, location=place)
        assert caught.value.fields == {"location": place, "available": "1", "rejected": "3"}
    with pytest.raises(Conflict, match="of BOLT 0 is available at BIN-3, not 1"):
        decide(scene, code, "restock", 1, location="BIN-3")
    decide(scene, code, "restock", 1)
    assert undecided(scene, code) == 3


def test_goods_that_were_sold_again_since_they_came_are_restocked_without_a_place(database):
    scene = Scene(database)
    code = requested(scene)
    come_back(scene, code, 4)
    scene.move("BIN-1", "customer", 4, step="shipping")
    with pytest.raises(Conflict, match="of BOLT 0 is available at BIN-1, not 4"):
        decide(scene, code, "restock", 4)
    decide(scene, code, "restock", 4, location="")
    scene.change(act_on_return, code, "close", version=None)
    scene.check()
