"""A posted count says what is there: beside a balance that was filled, and one below zero."""

import pytest

from central.orders.counts.outdated_counts import OutdatedCounts
from tests.central.orders.counting import Counting

HOUR_MS = 3_600_000
NOW = 600  # The minute of the first scans that the desk settles.
ADJUSTED = {"action": "adjust", "counted": "0"}
FROM_BIN_1 = {"action": "reassign", "location": "BIN-1", "quantity": "2"}
FROM_BIN_2 = {"action": "reassign", "location": "BIN-2", "quantity": "5"}


@pytest.fixture
def scene(database):
    made = Counting(database)
    made.outdated = OutdatedCounts(database, clock=made.clock)
    yield made
    assert made.faults() == []


def opened(scene):
    """{kind: discrepancy} of all that is open."""
    while not scene.outdated.tick():
        pass
    rows = scene.get("/discrepancies?state=open")["discrepancies"]
    assert len({row["kind"] for row in rows}) == len(rows)
    return {row["kind"]: scene.get(f"/discrepancies/{row['id']}") for row in rows}


def settled(scene, kind, body=None):
    row = opened(scene)[kind]
    body = body or row["proposals"][0]["body"]
    scene.post(f"/discrepancies/{row['id']}/settle", {"reason": "looked"} | body, version="*")
    scene.clock.time_ms += HOUR_MS


def counted(scene, quantity, *, at):
    code = scene.planned()
    scene.count(scene.counter, quantity, at=at, document=code, document_line=1)
    scene.send(scene.counter)
    scene.settle(code)
    scene.clock.time_ms += HOUR_MS
    return code


def undone(scene, number):
    scene.counter.reverse(number, event_time_ms=scene.clock.time_ms - 1000)
    scene.send(scene.counter)


def filled(scene, body):
    """Five are sold that the book does not have, which somebody fills; what was scanned."""
    sale = scene.take(scene.counter, 5, at=NOW - 1)
    scene.send(scene.counter)
    settled(scene, "negative_balance", body)
    return sale


def test_a_count_says_what_is_there_of_goods_that_were_found_twice(scene):
    sale = filled(scene, ADJUSTED)
    undone(scene, sale)
    assert list(opened(scene)) == ["filled_twice"]
    scene.put(scene.counter, 7, at=NOW + 90)
    code = counted(scene, 7, at=NOW + 100)
    assert (scene.stock(), opened(scene)) == (7, {})
    (row,) = scene.get("/discrepancies?kind=filled_twice&state=settled")["discrepancies"]
    assert row["settlement"] == f"{code} was accepted by chief"


@pytest.mark.parametrize("is_undone", [True, False], ids=["undone", "late"])
def test_what_a_count_should_have_known_is_told_once(scene, is_undone):
    sale = filled(scene, ADJUSTED)
    scene.put(scene.counter, 7, at=NOW + 30)
    counted(scene, 7, at=NOW + 40)
    if is_undone:
        undone(scene, sale)
    else:
        scene.put(scene.other, 5, at=NOW - 2)
        scene.send(scene.other)
    assert scene.stock() == 12
    assert list(opened(scene)) == ["count_outdated"]
    settled(scene, "count_outdated")
    assert (scene.stock(), opened(scene)) == (7, {})


@pytest.mark.parametrize("is_undone", [True, False], ids=["undone", "late"])
@pytest.mark.parametrize("first", ["filled_twice", "count_outdated"])
def test_goods_of_another_place_go_back_there_whatever_was_counted(scene, first, is_undone):
    scene.put(scene.counter, 5, at=1, location="BIN-2")
    sale = filled(scene, FROM_BIN_2)
    scene.put(scene.counter, 7, at=NOW + 30)
    counted(scene, 7, at=NOW + 40)
    if is_undone:
        undone(scene, sale)
    else:
        scene.put(scene.other, 5, at=NOW - 2)
        scene.send(scene.other)
    assert sorted(opened(scene)) == ["count_outdated", "filled_twice"]
    settled(scene, first)
    while found := opened(scene):
        settled(scene, max(found))
    assert (scene.stock(), scene.stock(location="BIN-2")) == (7, 5)


@pytest.mark.parametrize("first", ["negative_balance", "count_outdated"])
@pytest.mark.parametrize("counts", [1, 2])
def test_what_was_counted_away_and_is_undone_is_taken_from_no_other_place(scene, counts, first):
    scene.put(scene.counter, 3, at=1, location="BIN-2")
    receipt = scene.put(scene.counter, 3, at=2)
    for number in range(counts):
        code = counted(scene, 0, at=10 + number)
    undone(scene, receipt)
    assert scene.stock() == -3
    why = opened(scene)["negative_balance"]["proposals"][0]["why"]
    assert why == (
        f"{code} counted BIN-1, and something came late for it: the book alone lacks 3 C62."
    )
    settled(scene, first)
    while found := opened(scene):
        settled(scene, max(found))
    assert (scene.stock(), scene.stock(location="BIN-2")) == (0, 3)


def test_what_is_missing_without_any_count_may_be_of_another_place(scene):
    scene.put(scene.counter, 3, at=1, location="BIN-2")
    counted(scene, 0, at=10)
    scene.take(scene.counter, 3, at=20)
    scene.send(scene.counter)
    body = opened(scene)["negative_balance"]["proposals"][0]["body"]
    assert (body["action"], body["location"]) == ("reassign", "BIN-2")


@pytest.mark.parametrize("late", [3, -3], ids=["came", "went"])
def test_what_is_late_for_a_count_before_the_filling_is_none_of_the_filling(scene, late):
    scene.put(scene.counter, 8, at=1)
    scene.put(scene.counter, 9, at=2, location="BIN-2")
    counted(scene, 0, at=10)
    sale = filled(scene, FROM_BIN_2)
    undone(scene, sale)
    assert (scene.stock(), list(opened(scene))) == (5, ["filled_twice"])
    (scene.put if late > 0 else scene.take)(scene.other, abs(late), at=5)
    scene.send(scene.other)
    rows = opened(scene)
    assert sorted(rows) == ["count_outdated", "filled_twice"]
    assert rows["filled_twice"]["actual"] == "5"
    settled(scene, "count_outdated")
    settled(scene, "filled_twice")
    assert (scene.stock(), scene.stock(location="BIN-2"), opened(scene)) == (0, 9, {})


def test_what_came_late_for_a_count_alone_does_not_tell_of_a_later_filling(scene):
    scene.put(scene.counter, 9, at=2, location="BIN-2")
    counted(scene, 0, at=10)
    filled(scene, FROM_BIN_2)
    scene.put(scene.other, 5, at=5)
    scene.send(scene.other)
    assert list(opened(scene)) == ["count_outdated"]
    settled(scene, "count_outdated")
    assert (scene.stock(), scene.stock(location="BIN-2"), opened(scene)) == (0, 4, {})


def test_what_goes_back_to_a_place_that_was_counted_between_two_fillings_is_told(scene):
    scene.put(scene.counter, 3, at=1)
    sale = scene.take(scene.counter, 5, at=NOW - 1, location="BIN-2")
    scene.send(scene.counter)
    settled(scene, "negative_balance", {"action": "reassign", "location": "BIN-1", "quantity": "3"})
    counted(scene, 3, at=NOW + 30)
    scene.put(scene.counter, 2, at=NOW + 70, location="BIN-3")
    scene.send(scene.counter)
    settled(scene, "negative_balance", {"action": "reassign", "location": "BIN-3", "quantity": "2"})
    undone(scene, sale)
    settled(scene, "filled_twice")
    assert [scene.stock(location=f"BIN-{number}") for number in (1, 2, 3)] == [6, 0, 2]
    assert list(opened(scene)) == ["count_outdated"]
    settled(scene, "count_outdated")
    assert (scene.stock(), opened(scene)) == (3, {})


def test_a_filling_that_is_taken_back_by_and_by_is_of_the_time_of_the_filling(scene):
    scene.put(scene.counter, 5, at=1, location="BIN-2")
    sale = filled(scene, FROM_BIN_2)
    counted(scene, 0, at=NOW + 30)
    undone(scene, sale)
    scene.take(scene.counter, 2, at=NOW + 150, location="BIN-2")
    scene.send(scene.counter)
    settled(scene, "negative_balance", FROM_BIN_1)
    assert (scene.stock(), scene.stock(location="BIN-2")) == (3, 0)
    settled(scene, "count_outdated")
    settled(scene, "filled_twice")
    assert (scene.stock(), scene.stock(location="BIN-2")) == (-3, 3)
    rows = opened(scene)
    assert sorted(rows) == ["count_outdated", "negative_balance"]
    assert [one["body"]["action"] for one in rows["negative_balance"]["proposals"]] == ["adjust"]
    settled(scene, "count_outdated")
    assert (scene.stock(), scene.stock(location="BIN-2"), opened(scene)) == (0, 3, {})


def test_what_a_count_has_taken_back_as_it_was_amended_is_not_taken_back_again(scene):
    mistake = scene.take(scene.other, 2, at=1)
    counted(scene, 0, at=10)
    scene.send(scene.other)
    scene.put(scene.other, 1, at=NOW - 1)
    settled(scene, "negative_balance")
    scene.other.reverse(mistake, event_time_ms=scene.clock.time_ms - 1000)
    scene.send(scene.other)
    assert scene.stock() == 3
    assert sorted(opened(scene)) == ["count_outdated", "filled_twice"]
    settled(scene, "count_outdated")
    assert (scene.stock(), opened(scene)) == (1, {})
