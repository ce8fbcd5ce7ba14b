"""What is set aside for a transfer, and did not leave: other goods did, or it may no longer."""

import pytest

from central.errors import Conflict
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.sales.stale_guidance import StaleGuidance
from central.orders.transfers.transfer_picks import lines_of_picks
from central.orders.transfers.transfer_store import load_transfer, read_standing
from central.storage import tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.orders.test_transfer_goods import (
    EARLY,
    LATE,
    act,
    held,
    kept,
    line,
    load_truck,
    released,
    shipped,
    told,
)
from tests.central.scenery import discrepancies, rows

YEAR_MS = 365 * 24 * 60 * 60 * 1000


def is_stale(scene, code):
    with scene.database.read() as connection:
        return load_transfer(connection, code).stale


def told_left(scene, code):
    """{line: what stations see as left to load of it}, by the numbers that they know."""
    with scene.database.read() as connection:
        transfer = load_transfer(connection, code)
        standing = read_standing(connection, transfer)
        of_line = lines_of_picks(read_reservations(connection, [transfer.holder]))
    counted = {}
    for key, micro in standing.counted.items():
        counted[key.line] = counted.get(key.line, 0) + micro / ONE
    left = dict.fromkeys(standing.figures.lines, 0)
    for number, _, _, quantity in told(scene, code):
        left[of_line.get(number, number)] += max(quantity - counted.get(number, 0), 0)
    return left


def to_ship(scene, code):
    with scene.database.read() as connection:
        standing = read_standing(connection, load_transfer(connection, code))
    return {number: one.to_ship_micro / ONE for number, one in standing.figures.lines.items()}


@pytest.mark.parametrize(
    ("number", "last"),
    [(2, [(2, "BIN-1", "L2", 10)]), (0, [])],
    ids=["as its pick", "without a pick"],
)
def test_other_goods_that_left_are_in_the_document_of_the_source_and_nothing_stays_open(
    database, number, last
):
    scene = Scene(database, stock=[("BIN-2", 6, EARLY), ("BIN-1", 10, LATE)])
    code = released(scene, line(10))
    assert told(scene, code) == [(1, "BIN-2", "L1", 6), (2, "BIN-1", "L2", 4)]
    load_truck(scene, code, "BIN-1", 10, number=number, lot="L2")
    assert (shipped(scene, code), held(scene, code)) == (({1: 10}, "in_transit"), [])
    assert is_stale(scene, code)
    noted = [(kind, subject) for kind, subject, _ in discrepancies(database)]
    assert noted == ([("over_shipped", f"{code}/2/BOLT")] if number else [])
    assert StaleGuidance(database, desk=scene.desk).tick() == 1
    # Stations count by numbers: what left under none of them is nothing that is left to load.
    assert (told(scene, code), is_stale(scene, code)) == (last, False)
    assert all(state == "settled" for (state,) in rows(database, tables.discrepancies, "state"))
    assert StaleGuidance(database, desk=scene.desk).tick() == 0
    scene.check()


def test_the_source_is_told_what_is_left_to_take_once_other_goods_took_the_place_of_some(database):
    scene = Scene(database, stock=[("BIN-2", 6, EARLY), ("BIN-1", 10, LATE)])
    code = released(scene, line(10))
    load_truck(scene, code, "BIN-2", 2, lot="L1")
    assert not is_stale(scene, code)  # What was set aside left: the document is right.
    load_truck(scene, code, "BIN-1", 6, number=2, lot="L2")
    assert held(scene, code) == [(1, "BIN-2", "L1", 2)]
    assert StaleGuidance(database, desk=scene.desk).tick() == 1
    assert told(scene, code) == [(1, "BIN-2", "L1", 4), (2, "BIN-1", "L2", 6)]
    load_truck(scene, code, "BIN-2", 2, lot="L1")
    assert held(scene, code) == []
    assert shipped(scene, code) == ({1: 10}, "in_transit")
    states = rows(database, tables.discrepancies, "kind", "state")
    assert states == [("over_shipped", "settled")]
    scene.check()


def test_the_source_is_told_when_goods_are_only_freed_because_a_line_has_what_it_asked_for(
    database,
):
    scene = Scene(database, stock=[("BIN-1", 5, EARLY), ("BIN-2", 4, LATE)])
    code = released(scene, line(5, lot="L1"), line(4, lot="L2"))
    load_truck(scene, code, "BIN-2", 4, number=0, lot="L2")
    # They filled line 1, which frees as much; line 2 asks for a lot of which there is no more.
    assert (shipped(scene, code)[0], held(scene, code)) == ({1: 4, 2: 0}, [(1, "BIN-1", "L1", 1)])
    assert is_stale(scene, code)
    assert StaleGuidance(database, desk=scene.desk).tick() == 1
    assert told(scene, code) == [(1, "BIN-1", "L1", 1), (2, "", "L2", 4)]
    load_truck(scene, code, "BIN-1", 1, lot="L1")
    assert told_left(scene, code) == to_ship(scene, code) == {1: 0, 2: 4}
    assert discrepancies(database) == []
    scene.check()


@pytest.mark.parametrize("may_be_short", [True, False], ids=["short", "set aside"])
def test_the_source_is_told_of_each_line_what_is_left_to_load_whatever_names_no_pick(
    database, may_be_short
):
    # Where nothing at all is set aside, too.
    scene = Scene(database, stock=[] if may_be_short else [("BIN-1", 10), ("BIN-2", 20)])
    code = released(scene, line(6), line(9), backorders=may_be_short)
    if may_be_short:
        scene.receive("BIN-1", 10)
        scene.receive("BIN-2", 20)
    guidance = StaleGuidance(database, desk=scene.desk)
    for number, quantity, left in (
        (0, 2, {1: 4, 2: 9}),
        (2, 3, {1: 4, 2: 6}),
        (0, 5, {1: 0, 2: 5}),
        (2, 4, {1: 0, 2: 1}),
        (0, 1, {1: 0, 2: 0}),
    ):
        load_truck(scene, code, "BIN-2", quantity, number=number)
        guidance.tick()
        assert told_left(scene, code) == to_ship(scene, code) == left
    # Of BIN-2 more went out than its pick, which was as much as it may have once that was told.
    assert all(state == "settled" for (state,) in rows(database, tables.discrepancies, "state"))
    scene.check()


def test_what_leaves_or_comes_back_without_a_pick_after_all_was_loaded_is_judged_as_it_is(database):
    scene = Scene(database, stock=[("BIN-1", 10)])
    code = released(scene, line(6))
    guidance = StaleGuidance(database, desk=scene.desk)
    load_truck(scene, code, "BIN-1", 6, number=0)
    assert (guidance.tick(), told(scene, code)) == (1, [])
    load_truck(scene, code, "BIN-1", 1, number=0)
    assert (guidance.tick(), told(scene, code)) == (1, [])
    assert discrepancies(database) == [("unexpected", f"{code}/BOLT", 1)]
    said = {"document": code, "document_line": 0, "step": "shipping"}
    scene.move("in_transit", "BIN-1", 3, **said)
    assert guidance.tick() == 1
    assert told_left(scene, code) == to_ship(scene, code) == {1: 2}
    # What came back under no number is asked for again under that of the line.
    load_truck(scene, code, "BIN-1", 2)
    assert (shipped(scene, code), told_left(scene, code)) == (({1: 6}, "in_transit"), {1: 0})
    # More came back than had not been asked for: nothing of that is left.
    assert rows(database, tables.discrepancies, "kind", "state") == [("unexpected", "settled")]
    scene.check()


@pytest.mark.parametrize("may_be_short", [True, False], ids=["may be short", "may not"])
def test_goods_that_expired_are_given_up_by_a_transfer_that_may_be_short_if_nothing_else_is_there(
    database, may_be_short
):
    scene = Scene(database, stock=[("BIN-1", 5, EARLY)])
    code = released(scene, line(5), backorders=may_be_short)
    scene.clock.time_ms += YEAR_MS
    if not may_be_short:
        with pytest.raises(Conflict, match="of BOLT 0 of 5 are available"):
            act(scene, code, "reserve")
        assert (held(scene, code), told(scene, code)) == (
            [(1, "BIN-1", "L1", 5)],
            [(1, "BIN-1", "L1", 5)],
        )
        return
    act(scene, code, "reserve")
    assert (held(scene, code), told(scene, code)) == ([], [(1, "", "", 5)])
    (row,) = kept(scene, code)
    assert (row.freed_micro, row.reason) == (5 * ONE, "may no longer be shipped")
    # What was given up is nothing to give up again.
    with pytest.raises(Conflict, match="of BOLT 0 of 5 are available") as caught:
        act(scene, code, "reserve")
    assert caught.value.fields["lines"][0]["unfit"] == {"expires_too_soon": "5"}
    scene.receive("BIN-2", 5)
    act(scene, code, "reserve")
    assert sorted(held(scene, code)) == [(1, "BIN-2", "", 5)]
    scene.check()
