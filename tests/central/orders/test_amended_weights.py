"""What a count's amendment takes back weighs what the count's own adjustment moved."""

import pytest
from sqlalchemy import select

from central.orders.counts.outdated_counts import OutdatedCounts
from central.storage import tables
from tests.central.orders.counting import Counting
from tests.central.scenery import NOW_MS


@pytest.fixture
def scene(database):
    made = Counting(database)
    made.policies({"item": "BOLT", "weight_unit": "KGM"})
    yield made
    assert made.faults() == []


def weighing(weight):
    return {"net_weight": str(weight), "weight_unit": "KGM"}


def lying(scene):
    """Pieces and kilograms at the place."""
    held = tables.balances.c
    query = select(held.on_hand_micro, held.weight_micro).where(
        held.item == "BOLT", held.location == "BIN-1"
    )
    with scene.database.read() as connection:
        found = connection.execute(query).all()
    return tuple(sum(some) / 1_000_000 for some in zip(*found, strict=True))


def counted(scene, quantity):
    code = scene.planned()
    scene.count(scene.counter, quantity, at=10, document=code, document_line=1)
    scene.send(scene.counter)
    scene.settle(code)
    return code


def open_ones(scene, kind="weight_missing"):
    return scene.get(f"/discrepancies?kind={kind}&state=open")["discrepancies"]


def weighed(scene, weight):
    (row,) = open_ones(scene)
    body = {"reason": "scales", "action": "reassign", "weight": str(weight)}
    return scene.post(f"/discrepancies/{row['id']}/settle", body, version="*")


def amended(scene, code):
    scene.send(scene.other)
    scene.act(code, "amend", actor="chief")


def test_what_was_missing_comes_back_with_the_weight_that_it_took(scene):
    scene.put(scene.counter, 4, at=1, **weighing(16))
    scene.take(scene.other, 1, at=2, **weighing(5))
    code = counted(scene, 3)
    assert lying(scene) == (3, 12)
    amended(scene, code)
    assert (lying(scene), open_ones(scene)) == ((3, 11), [])


def test_what_a_count_wrote_off_comes_back_beside_what_is_undone(scene):
    scene.put(scene.counter, 4, at=1, **weighing(16))
    mistaken = scene.put(scene.counter, 2, at=2, **weighing(14))
    code = counted(scene, 4)
    assert lying(scene) == (4, 20)
    scene.counter.reverse(mistaken, event_time_ms=NOW_MS - 1000)
    scene.send(scene.counter)
    amended(scene, code)
    assert (lying(scene), open_ones(scene)) == ((4, 16), [])


def test_what_was_found_and_weighed_since_goes_with_that_weight(scene):
    scene.put(scene.counter, 2, at=1, **weighing(8))
    scene.put(scene.other, 3, at=2, **weighing(13))
    code = counted(scene, 5)
    weighed(scene, 13)
    assert lying(scene) == (5, 21)
    amended(scene, code)
    assert (lying(scene), open_ones(scene)) == ((5, 21), [])


def test_what_was_found_and_never_weighed_goes_without_and_need_not_be_weighed(scene):
    scene.put(scene.counter, 2, at=1, **weighing(8))
    scene.put(scene.other, 3, at=2, **weighing(13))
    code = counted(scene, 5)
    assert (lying(scene), len(open_ones(scene))) == ((5, 8), 1)
    amended(scene, code)
    assert (lying(scene), open_ones(scene)) == ((5, 21), [])
    (row,) = scene.get("/discrepancies?kind=weight_missing&state=settled")["discrepancies"]
    assert row["settlement"] == f"{code} was amended by chief"


def test_what_is_left_of_it_is_still_to_be_weighed(scene):
    scene.put(scene.counter, 2, at=1, **weighing(8))
    scene.put(scene.other, 2, at=2, **weighing(9))
    code = counted(scene, 5)
    amended(scene, code)
    (row,) = open_ones(scene)
    assert (lying(scene), row["actual"]) == ((5, 17), "1")
    weighed(scene, 4)
    assert (lying(scene), open_ones(scene)) == ((5, 21), [])


def test_unweighed_goods_of_others_stay_to_be_weighed(scene):
    scene.put(scene.counter, 2, at=1)
    scene.put(scene.other, 3, at=2, **weighing(13))
    code = counted(scene, 5)
    amended(scene, code)
    (row,) = open_ones(scene)
    assert (lying(scene), row["subject"]) == ((5, 13), "BIN-1/BOLT////C62")


def test_several_amendments_take_back_the_newest_adjustment_first(scene):
    scene.put(scene.counter, 6, at=1, **weighing(24))
    code = counted(scene, 4)  # 2 of 8 kg are missing.
    scene.put(scene.other, 3, at=2, **weighing(6))
    amended(scene, code)  # 3 of 22 kg / 7 are missing besides.
    assert lying(scene) == (4, 12.571429)
    scene.take(scene.other, 3, at=3, **weighing(13))
    amended(scene, code)
    assert lying(scene) == (4, 9)  # As if those 3 had never been adjusted.
    scene.take(scene.other, 1, at=4, **weighing(5))
    amended(scene, code)
    assert (lying(scene), open_ones(scene)) == ((4, 8), [])
    scene.take(scene.other, 3, at=5, **weighing(6))
    amended(scene, code)  # One of 4 kg that was missing, and two that nobody has weighed.
    (row,) = open_ones(scene)
    assert (lying(scene), row["actual"]) == ((4, 6), "2")


def test_what_is_told_of_it_is_amended_so_too(scene):
    scene.put(scene.counter, 2, at=1, **weighing(8))
    scene.put(scene.other, 3, at=2, **weighing(13))
    counted(scene, 5)
    scene.send(scene.other)
    told = OutdatedCounts(scene.database, clock=scene.clock)
    while not told.tick():
        pass
    (row,) = open_ones(scene, "count_outdated")
    body = {"reason": "late", "action": "adjust"}
    scene.post(f"/discrepancies/{row['id']}/settle", body, version="*")
    assert (lying(scene), open_ones(scene)) == ((5, 21), [])
