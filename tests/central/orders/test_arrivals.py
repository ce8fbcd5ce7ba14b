"""FIFO where goods have no lot: what came first goes first, wherever it was put since."""

import pytest

from central.orders.reserving import arrival_reading
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.arrivals import LONG_AGO, Move, first_arrivals
from tests.central.orders.sales_scenes import Scene
from tests.central.orders.test_reservations import policy


def stock(location, status="available"):
    return StockKey("SH1", "BOLT", location, "", "", "", "C62"), status


DOCK, BIN, HELD = stock("DOCK"), stock("BIN-1"), stock("BIN-1", "held")


@pytest.mark.parametrize(
    ("moves", "before", "came"),
    [
        ([Move(7, None, DOCK, 10)], {}, {DOCK: 7}),
        ([Move(7, None, DOCK, 10), Move(8, DOCK, BIN, 6)], {}, {DOCK: 7, BIN: 7}),
        ([Move(7, None, BIN, 6), Move(9, None, BIN, 5), Move(12, BIN, None, 8)], {}, {BIN: 9}),
        ([Move(7, None, BIN, 6), Move(8, BIN, None, 6)], {}, {}),
        ([Move(7, None, BIN, 6)], {BIN: 1}, {BIN: LONG_AGO}),
        ([Move(7, None, BIN, 6), Move(8, BIN, None, 1)], {BIN: 1}, {BIN: 7}),
        ([Move(7, None, BIN, 6), Move(8, DOCK, BIN, 1)], {DOCK: 4}, {DOCK: 0, BIN: 0}),
        ([Move(7, DOCK, BIN, 3)], {}, {BIN: LONG_AGO}),
        ([Move(7, None, HELD, 3), Move(9, None, BIN, 3)], {}, {HELD: 7, BIN: 9}),
    ],
    ids=[
        "came",
        "put away",
        "the oldest have left",
        "all have left",
        "some lay there before",
        "what lay there before has left",
        "older ones are put to younger",
        "nobody has seen it come",
        "older ones there are held",
    ],
)
def test_what_leaves_a_place_is_what_came_first(moves, before, came):
    assert first_arrivals(moves, before) == came


def places(scene, pieces):
    return [(place, count) for _, place, _, count in scene.held(scene.order(pieces))]


def test_bins_without_lots_are_emptied_in_the_order_in_which_goods_came(database):
    scene = Scene(database, stock=[("BIN-3", 5), ("BIN-1", 9), ("BIN-2", 5)])
    assert places(scene, 9) == [("BIN-1", 9)]
    policy(database, rotation="fifo")
    assert places(scene, 5) == [("BIN-3", 5)]
    assert places(scene, 2) == [("BIN-2", 2)]
    scene.check()


def test_goods_that_were_put_elsewhere_are_as_old_as_before(database):
    scene = Scene(database, stock=[("BIN-3", 5), ("BIN-1", 9)])
    policy(database, rotation="fifo")
    scene.move("BIN-3", "BIN-2", 5)
    assert places(scene, 8) == [("BIN-1", 3), ("BIN-2", 5)]
    scene.check()


def test_what_is_held_in_a_bin_makes_what_is_free_there_no_older(database):
    scene = Scene(database)
    scene.receive("BIN-1", 5, to_status="held")
    for place in ("BIN-2", "BIN-1"):
        scene.receive(place, 5)
    policy(database, rotation="fifo")
    assert places(scene, 4) == [("BIN-2", 4)]
    scene.check()


def test_the_serial_number_that_came_first_goes_first(database):
    scene = Scene(database, stock=[("BIN-1", 1, {"serial": "S9"}), ("BIN-1", 1, {"serial": "S1"})])
    policy(database, rotation="fifo")
    held = scene.figures(scene.order(1)).reservations
    assert [row.stock.serial for row in held] == ["S9"]
    scene.check()


def test_what_lies_there_longer_than_is_looked_back_goes_first(database, monkeypatch):
    monkeypatch.setattr(arrival_reading, "FACTS_MAX", 2)
    scene = Scene(database, stock=[("BIN-3", 5), ("BIN-1", 9), ("BIN-2", 5)])
    policy(database, rotation="fifo")
    assert places(scene, 6) == [("BIN-1", 1), ("BIN-3", 5)]
    scene.check()
