"""Under an order no more comes back than it shipped, of no other lot, to any warehouse."""

import pytest

from central.errors import Conflict
from central.orders.sales.customer_return_book import ReturnLineAsked, act_on_return
from central.storage import tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.orders.test_customer_returns import requested
from tests.central.scenery import rows

LOTS = [("BIN-1", 5, {"lot": "A"}), ("BIN-2", 5, {"lot": "B"}), ("BIN-3", 5)]


def sold(scene, *shipped):
    """The code of an order of 9 of which this went out: (place, lot, pieces)."""
    order = scene.order(9, upto="released")
    for place, lot, pieces in shipped:
        scene.ship(order, place, pieces, lot=lot)
    return order


def wanted(scene, order, pieces, lot="", **fields):
    lines = (ReturnLineAsked(1, "BOLT", pieces * ONE, lot=lot),)
    return requested(scene, lines=lines, order_code=order, **{"upto": "requested"} | fields)


def test_of_a_lot_comes_back_what_went_out_of_it(database):
    scene = Scene(database, stock=[*LOTS, ("BIN-2", 5, {"lot": "C"})])
    order = sold(scene, ("BIN-1", "A", 4), ("BIN-2", "B", 2))
    with pytest.raises(Conflict, match="shipped 0 of it, and returns took up 0") as caught:
        wanted(scene, order, 2, "C")
    assert caught.value.fields == {"item": "BOLT", "lot": "C", "shipped": {"A": "4", "B": "2"}}
    wanted(scene, order, 3, "A")
    with pytest.raises(Conflict, match="shipped 4 of it, and returns took up 3 of that"):
        wanted(scene, order, 2, "A")
    wanted(scene, order, 1, "A")


def test_another_lot_that_went_out_than_was_set_aside_comes_back(database):
    scene = Scene(database, stock=LOTS[:2])
    order = scene.order(4, upto="released")
    (aside,) = {row[2] for row in scene.held(order)}
    other, place = {"A": ("B", "BIN-2"), "B": ("A", "BIN-1")}[aside]
    scene.ship(order, place, 4, lot=other)
    with pytest.raises(Conflict, match=f"of lot {aside} of BOLT cannot come back"):
        wanted(scene, order, 1, aside)
    wanted(scene, order, 4, other)


def test_what_went_out_without_a_lot_may_be_of_any(database):
    scene = Scene(database, stock=LOTS)
    order = sold(scene, ("BIN-3", "", 3), ("BIN-1", "A", 2))
    wanted(scene, order, 3, "B")
    with pytest.raises(Conflict, match="cannot come back"):
        wanted(scene, order, 3, "A")
    wanted(scene, order, 2, "A")


@pytest.mark.parametrize("upto", ["requested", "approved"])
def test_a_return_of_a_shipment_that_was_taken_back_goes_no_further(database, upto):
    scene = Scene(database, stock=LOTS[2:])
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    code = wanted(scene, order, 5)
    step = "approve"
    if upto == "approved":
        scene.change(act_on_return, code, step, version=None)
        step = "release"
    scene.gateway.reverse(shipment)
    scene.send()
    with pytest.raises(Conflict, match=r"5 of BOLT cannot come back: .* shipped 0"):
        scene.change(act_on_return, code, step, version=None)
    scene.change(act_on_return, code, "cancel", version=None, reason="it never left")


def test_goods_may_come_back_to_a_warehouse_that_did_not_ship_them(database):
    scene = Scene(database, stock=LOTS)
    order = sold(scene, ("BIN-1", "A", 4))
    code = wanted(scene, order, 3, "A", warehouse="BJ1", upto="released")
    assert (code, "BJ1") in rows(database, tables.documents, "document", "warehouse")
    with pytest.raises(Conflict, match="returns took up 3 of that"):
        wanted(scene, order, 2, "A")
