"""Stations are told anew of an order once what is left to take is not what they were told."""

import pytest

from central.orders.sales.sales_lines import LineAsked
from central.orders.sales.stale_guidance import StaleGuidance
from central.storage import tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.scenery import rows

EARLY = {"lot": "L1", "expiry_date": "2026-12-31"}
LATE = {"lot": "L2", "expiry_date": "2027-12-31"}


def left_to_take(scene, code):
    """(location, lot, pieces) of what stations still see to take: they count by picks alone."""
    done = {key.line: micro / ONE for key, micro in scene.figures(code).counted.items()}
    left = [
        (location, lot, pieces - done.get(line, 0))
        for line, location, lot, pieces in scene.document(code)
    ]
    return sorted(one for one in left if one[2])


def tell(scene, code):
    assert scene.figures(code).order.stale
    assert StaleGuidance(scene.database, desk=scene.desk).tick() == 1
    assert not scene.figures(code).order.stale
    held = [(location, lot, pieces) for _, location, lot, pieces in scene.held(code)]
    assert left_to_take(scene, code) == held
    assert StaleGuidance(scene.database, desk=scene.desk).tick() == 0
    scene.check()


def test_other_goods_that_a_line_gets_since_a_station_named_no_pick_are_told(database):
    scene = Scene(database, stock=[("BIN-1", 4, EARLY), ("BIN-2", 9, LATE)])
    code = scene.order(4, 2, upto="released")
    scene.ship(code, "BIN-2", 2, lot="L2")
    assert scene.held(code) == [(1, "BIN-1", "L1", 2), (2, "BIN-1", "L1", 2)]
    tell(scene, code)
    assert scene.document(code) == [(2, "BIN-1", "L1", 2), (3, "BIN-1", "L1", 2)]


def test_goods_that_are_only_freed_since_a_station_named_no_pick_are_told(database):
    scene = Scene(database, stock=[("BIN-1", 5, EARLY), ("BIN-2", 4, LATE)])
    first, second = LineAsked(1, "BOLT", 5 * ONE, lot="L1"), LineAsked(2, "BOLT", 4 * ONE, lot="L2")
    code = scene.order(first, second, upto="released")
    scene.ship(code, "BIN-2", 4, lot="L2")
    assert scene.held(code) == [(1, "BIN-1", "L1", 1)]
    tell(scene, code)
    assert scene.document(code) == [(2, "BIN-1", "L1", 1)]
    scene.ship(code, "BIN-1", 1, line=2, lot="L1")
    assert rows(database, tables.discrepancies, "kind") == []


@pytest.mark.parametrize("number", [2, 0], ids=["as its pick", "without a pick"])
@pytest.mark.parametrize("pieces", [10, 7], ids=["all", "some"])
def test_other_goods_that_left_are_told_and_nothing_stays_open(database, number, pieces):
    scene = Scene(database, stock=[("BIN-2", 6, EARLY), ("BIN-1", 10, LATE)])
    code = scene.order(10, upto="released")
    assert scene.document(code) == [(1, "BIN-2", "L1", 6), (2, "BIN-1", "L2", 4)]
    scene.ship(code, "BIN-1", pieces, line=number, lot="L2")
    assert sum(one[3] for one in scene.held(code)) == 10 - pieces
    tell(scene, code)
    assert all(state == "settled" for (state,) in rows(database, tables.discrepancies, "state"))


def test_what_went_out_as_it_was_set_aside_is_told_only_if_a_station_named_no_pick(database):
    scene = Scene(database, stock=[("BIN-1", 5, EARLY)])
    code = scene.order(5, upto="released")
    scene.ship(code, "BIN-1", 2, line=1, lot="L1")
    assert not scene.figures(code).order.stale
    assert left_to_take(scene, code) == [("BIN-1", "L1", 3)]
    scene.ship(code, "BIN-1", 1, lot="L1")
    tell(scene, code)
    assert left_to_take(scene, code) == [("BIN-1", "L1", 2)]


def test_goods_of_one_pick_that_left_under_the_number_of_another_are_no_more_than_was_asked_for(
    database,
):
    scene = Scene(database, stock=[("BIN-1", 10), ("BIN-2", 10)])
    code = scene.order(20, upto="released")
    scene.ship(code, "BIN-1", 10, line=1)
    scene.ship(code, "BIN-2", 10, line=1)
    assert scene.stage(code) == "shipped"
    assert StaleGuidance(database, desk=scene.desk).tick() == 1
    # Nothing is left to take under the other number, and nothing was too much.
    assert [line[::3] for line in scene.document(code)] == [(1, 20)]
    found = rows(database, tables.discrepancies, "kind", "state")
    assert found == [("over_shipped", "settled")]
    scene.check()
