"""Moving: both places are scanned; nothing leaves a place that nobody named."""

import pytest

TEA, CASE, PALLET = "6901234567892", "16901234567899", "00006141411234567890"


@pytest.fixture
def stocked(bench):
    bench.scan("CMD-RECEIVE", "CMD-QTY-24", TEA, "CMD-PUTAWAY", "CMD-QTY-24", TEA, "LOC-A-01-03")
    return bench


def test_goods_go_from_the_scanned_place_to_the_other(stocked):
    seen = stocked.scan("CMD-MOVE", "LOC-A-01-03", CASE, "LOC-A-01-04")
    (fact,) = seen.facts
    assert (fact.from_location, fact.to_location, fact.quantity) == ("A-01-03", "A-01-04", "12")
    assert (fact.business_step, fact.flags, seen.kind) == ("storing", (), "success")
    assert seen.prompt == "Move from A-01-03: scan an item or a pallet"


def test_goods_without_a_place_are_not_taken(stocked):
    seen = stocked.scan("CMD-MOVE", TEA)
    assert (seen.kind, seen.facts) == ("error", ())
    assert "Scan the place" in seen.text
    assert stocked.scan("CMD-MOVE").prompt == "Move: scan the place where you take the goods"


def test_a_pallet_moves_with_all_that_is_on_it(bench):
    bench.scan("DOC-TI-1", PALLET)
    seen = bench.scan("CMD-MOVE", "LOC-DOCK-1", PALLET, "LOC-A-01-03")
    assert [(one.item, one.sscc) for one in seen.facts] == [
        ("MILK-1", "006141411234567890"),
        ("TEA-250", "006141411234567890"),
    ]


@pytest.mark.parametrize("back", ["CMD-CANCEL", "CMD-UNDO"])
def test_the_last_goods_in_hand_are_put_back(stocked, back):
    seen = stocked.scan("CMD-MOVE", "LOC-A-01-03", TEA, CASE, back, "LOC-A-01-04")
    assert [one.quantity for one in seen.facts] == ["1"]


def test_undo_with_nothing_in_hand_takes_the_last_move_back(stocked):
    seen = stocked.scan("CMD-MOVE", "LOC-A-01-03", TEA, "LOC-A-01-04", "CMD-UNDO")
    assert "back from A-01-04 to A-01-03" in seen.text
    assert stocked.stock() == {("A-01-03", "TEA-250"): "24"}


def test_a_place_is_left_with_nothing_in_hand_only(stocked):
    seen = stocked.scan("CMD-MOVE", "LOC-A-01-03", TEA, "CMD-DONE")
    assert (seen.kind, "Goods are still in hand" in seen.text) == ("error", True)
    assert stocked.scan("LOC-A-01-03").kind == "error"  # They are there already.
    assert "The place no longer counts." in stocked.scan("CMD-CANCEL", "CMD-CANCEL").text


def test_the_answer_to_a_move_says_moved(bench):
    seen = bench.scan("CMD-MOVE", "LOC-A-01-03", "TEA-250", "LOC-A-01-04")
    assert seen.facts[0].to_location == "A-01-04"
    assert "Moved {amount}" in str(bench.board.state().done)
