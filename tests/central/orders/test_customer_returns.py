"""Goods that customers send back: taken in, decided on once, in parts, and never twice."""

import pytest

from central.errors import Conflict, NotThere, Outdated, Unusable
from central.orders.sales.customer_return_book import (
    DecisionAsked,
    ReturnAsked,
    ReturnLineAsked,
    act_on_return,
    decide_on_return,
    request_return,
)
from central.orders.sales.customer_return_reading import ReturnFilter, list_returns, read_return
from central.orders.sales.sales_store import read_order
from central.storage import bulk, catalogue_tables, tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.scenery import discrepancies, on_hand, rows


def requested(scene, pieces=4, upto="released", **fields):
    """The code of a return of BOLT."""
    lines = (ReturnLineAsked(1, "BOLT", pieces * ONE),)
    asked = ReturnAsked(
        **{"warehouse": "SH1", "customer": "SHOP", "reason": "damaged", "lines": lines} | fields
    )
    code = scene.change(request_return, asked).returned.code
    for action in () if upto == "requested" else ("approve", "release"):
        scene.change(act_on_return, code, action, version=None)
    return code


def come_back(scene, code, pieces, **fields):
    scene.move(
        *("customer", "BIN-1", pieces), step="receiving", document=code, document_line=1, **fields
    )


def decide(scene, code, *decisions, version=None):
    asked = [
        DecisionAsked(
            *(1, decision, pieces * ONE), location="BIN-1", reason="looked at", **(more or {})
        )
        for decision, pieces, more in decisions
    ]
    return scene.change(decide_on_return, code, asked, version=version)


def view(scene, code):
    with scene.database.read() as connection:
        return read_return(connection, code)


def test_what_comes_back_is_taken_in_decided_on_in_parts_and_closed(database):
    scene = Scene(database)
    code = requested(scene)
    documents = rows(database, tables.documents, "document", "kind", "partner")
    assert (code, "customer_return", "The shop") in documents
    assert view(scene, code).stage == "released"
    come_back(scene, code, 3)
    assert view(scene, code).stage == "part_received"
    decide(scene, code, ("restock", 1, None), ("restock", 1, {"to_location": "BIN-2"}))
    with pytest.raises(Conflict, match="1 can be decided on"):
        decide(scene, code, ("scrap", 2, None))
    assert on_hand(database) == {
        ("SH1", "BIN-1", ""): 2 * ONE,
        ("SH1", "BIN-2", ""): ONE,
        ("SH1", "customer", ""): -3 * ONE,
    }
    with pytest.raises(Conflict, match="not decided on"):
        scene.change(act_on_return, code, "close", version=None)
    decide(scene, code, ("scrap", 1, None))
    assert on_hand(database)["SH1", "scrap", ""] == ONE
    with pytest.raises(Conflict, match="did not come in full"):
        scene.change(act_on_return, code, "close", version=None)
    scene.change(act_on_return, code, "close", version=None, reason="the rest is lost")
    closed = view(scene, code)
    assert (closed.stage, closed.returned.end_reason) == ("closed", "the rest is lost")
    assert [(one.decision, bool(one.seq)) for one in closed.returned.decisions] == [
        ("restock", False),
        ("restock", True),
        ("scrap", True),
    ]
    assert discrepancies(database) == []
    scene.check()


def test_goods_that_have_to_be_inspected_are_decided_on_through_their_inspection(database):
    scene = Scene(database)
    row = ("BOLT", 1, True, "", False, False, 0, 0, 0, 0, 0, 0, 0, "fefo", "", "", "", 0)
    with database.write() as connection:
        bulk.insert_rows(connection, catalogue_tables.item_policies, [row])
    code = requested(scene)
    come_back(scene, code, 4)
    assert scene.stage(scene.order(1)) == "backorder"
    decide(scene, code, ("restock", 3, None), ("scrap", 1, None))
    assert {
        (location, status): quantity // ONE
        for location, status, quantity in rows(
            database, tables.balances, "location", "status", "on_hand_micro"
        )
        if quantity > 0
    } == {("BIN-1", "available"): 3, ("scrap", "rejected"): 1}
    with pytest.raises(Conflict):
        decide(scene, code, ("restock", 1, None))
    scene.change(act_on_return, code, "close", version=None)
    scene.check()


def test_an_exchange_drafts_an_order_of_the_same_goods(database):
    scene = Scene(database, stock=[("BIN-3", 5)])
    code = requested(scene)
    made = decide(scene, code, ("exchange", 4, None)).returned.decisions[0]
    with database.read() as connection:
        order = read_order(connection, made.exchange_order)
    assert (order.customer, order.reference, order.state) == ("SHOP", code, "draft")
    assert order.lines[0].quantity_micro == 4 * ONE
    with pytest.raises(Conflict, match="0 can be decided on"):
        decide(scene, code, ("exchange", 1, None))


def test_what_is_set_aside_or_elsewhere_is_not_thrown_away(database):
    scene = Scene(database)
    code = requested(scene)
    come_back(scene, code, 4)
    assert scene.held(scene.order(3)) == [(1, "BIN-1", "", 3)]
    with pytest.raises(Conflict, match="is free at BIN-1") as caught:
        decide(scene, code, ("scrap", 2, None))
    assert caught.value.fields["free"] == "1"
    decide(scene, code, ("scrap", 1, None))
    scene.check()


def test_a_return_is_refused_called_off_and_changed_only_in_its_turn(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    with pytest.raises(NotThere):
        requested(scene, order_code="SO-9")
    with pytest.raises(Unusable, match="cannot have these lines"):
        requested(scene, lines=())
    code = requested(scene, upto="requested")
    with pytest.raises(Outdated):
        scene.change(act_on_return, code, "approve", version=9)
    with pytest.raises(Conflict, match="release is not possible"):
        scene.change(act_on_return, code, "release", version=1)
    with pytest.raises(Unusable, match="needs a reason"):
        scene.change(act_on_return, code, "reject", version=1)
    scene.change(act_on_return, code, "reject", version=1, reason="too late")
    other = requested(scene)
    come_back(scene, other, 1)
    with pytest.raises(Conflict, match="came already"):
        scene.change(act_on_return, other, "cancel", version=None, reason="x")
    third = requested(scene)
    scene.change(act_on_return, third, "cancel", version=None, reason="kept it")
    with database.read() as connection:
        found = list_returns(connection, ReturnFilter(state="released"), after="", limit=9)
        assert [one.returned.code for one in found] == [other]
        found = list_returns(connection, ReturnFilter(item="BOLT"), after=code, limit=9)
        assert [one.returned.code for one in found] == [other, third]


PLACES_OF_NO_GOODS = [
    ("restock", {"to_location": "NOWHERE"}),
    ("restock", {"to_location": "customer"}),
    ("restock", {"to_location": "supplier"}),
    ("restock", {"to_location": "in_transit"}),
    ("restock", {"location": "NOWHERE"}),
    ("restock", {"location": "customer", "to_location": "BIN-2"}),
    ("scrap", {"location": "NOWHERE"}),
    ("scrap", {"to_location": "NOWHERE"}),
]


@pytest.mark.parametrize(("decision", "places"), PLACES_OF_NO_GOODS)
def test_goods_go_to_and_are_taken_from_no_place_that_the_warehouse_has_not(
    database, decision, places
):
    scene = Scene(database)
    code = requested(scene)
    come_back(scene, code, 4)
    before = on_hand(database)
    asked = DecisionAsked(1, decision, ONE, reason="x", **{"location": "BIN-1"} | places)
    with pytest.raises(Unusable, match="SH1 has no place") as caught:
        scene.change(decide_on_return, code, [asked], version=None)
    assert caught.value.fields.items() <= places.items()
    assert on_hand(database) == before


def test_goods_are_taken_from_a_place_that_only_a_station_knows(database):
    scene = Scene(database)
    code = requested(scene)
    come_back(scene, code, 2)
    scene.move("BIN-1", "FLOOR", 2)
    asked = DecisionAsked(1, "restock", ONE, location="FLOOR")
    scene.change(decide_on_return, code, [asked], version=None)
    asked = DecisionAsked(1, "restock", ONE, location="FLOOR", to_location="BIN-2")
    scene.change(decide_on_return, code, [asked], version=None)
    assert on_hand(database)["SH1", "BIN-2", ""] == ONE
