"""Counts, asked for and not: scans to facts, and never a word of what the book has."""

import pytest

TEA, CASE, SALT = "6901234567892", "16901234567899", "96385074"
MILK, MILK_L1, MILK_L2 = "0109501101530003", "010950110153000310L1", "010950110153000310L2"
SSCC = "006141411234567890"


def stocked(bench):
    """24 of tea and a pallet of 12 at A-01-03, one of milk of each of two lots at A-01-04."""
    bench.scan("CMD-RECEIVE", CASE, CASE, "CMD-PUTAWAY", "CMD-QTY-24", TEA, "LOC-A-01-03")
    bench.scan("CMD-RECEIVE", MILK_L1, MILK_L2, "CMD-PUTAWAY", MILK_L1, MILK_L2, "LOC-A-01-04")
    bench.scan("CMD-RECEIVE", "00" + SSCC, CASE)
    bench.scan("CMD-PUTAWAY", "00" + SSCC, "LOC-A-01-03", "CMD-DONE")
    return bench


def told(facts):
    return [(one.location, one.item, one.quantity, one.lot, one.sscc, one.flags) for one in facts]


def test_scans_add_up_and_confirm_records_one_count_of_each(bench):
    stocked(bench)
    seen = bench.scan("CMD-COUNT", "LOC-A-01-04", MILK_L1, MILK_L1, "CMD-QTY-5", MILK_L2, MILK_L1)
    assert seen.facts == ()
    assert "3 pcs" in seen.prompt
    seen = bench.scan("CMD-CONFIRM")
    assert told(seen.facts) == [
        ("A-01-04", "MILK-1", "5", "L2", "", ()),
        ("A-01-04", "MILK-1", "3", "L1", "", ()),
    ]
    assert {(one.document, one.document_line, one.round) for one in seen.facts} == {("", 0, 1)}
    assert seen.kind == "success"


def test_a_count_changes_no_stock_and_is_not_undone(bench):
    before = stocked(bench).stock()
    bench.scan("CMD-COUNT", "LOC-A-01-04", MILK_L1, "CMD-CONFIRM")
    seen = bench.scan("CMD-UNDO")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "count this place again" in seen.text
    assert bench.stock() == before
    assert bench.scan(MILK_L1, "CMD-CONFIRM").facts[0].quantity == "1"


def test_nobody_who_counts_is_told_what_the_book_has(bench):
    stocked(bench)
    codes = ["DOC-CNT-1", "LOC-A-01-03", TEA, "CMD-CONFIRM", "CMD-EMPTY", "LOC-A-01-04"]
    for code in [*codes, "00" + SSCC, "CMD-CONFIRM", MILK_L1, "CMD-EMPTY", "CMD-DONE"]:
        seen = bench.scan(code)
        for figure in ("24 pcs", "12 pcs", "36 pcs", "2 pcs"):
            assert figure not in seen.text + seen.prompt


def test_an_empty_place_is_a_count_of_nothing_of_each_thing_that_the_book_has_there(bench):
    seen = stocked(bench).scan("CMD-COUNT", "LOC-A-01-03", "CMD-EMPTY")
    assert told(seen.facts) == [
        ("A-01-03", "TEA-250", "0", "", "", ("absent",)),
        ("A-01-03", "TEA-250", "0", "", SSCC, ("absent",)),
    ]


def test_a_place_that_is_empty_in_the_book_too_is_counted_as_holding_nothing_at_all(bench):
    seen = bench.scan("CMD-COUNT", "LOC-A-01-03", "CMD-EMPTY")
    assert told(seen.facts) == [("A-01-03", "", "0", "", "", ())]
    assert seen.kind == "success"


def test_nothing_else_here_leaves_what_was_counted_alone(bench):
    stocked(bench).scan("CMD-COUNT", "LOC-A-01-04", MILK_L1, "CMD-CONFIRM")
    seen = bench.scan("CMD-EMPTY")
    assert told(seen.facts) == [("A-01-04", "MILK-1", "0", "L2", "", ("absent",))]
    assert bench.scan("CMD-EMPTY").kind == "success"
    seen = bench.scan("LOC-A-01-04", MILK_L2, "CMD-EMPTY")
    assert [one.quantity for one in seen.facts] == ["1", "0"]


def test_the_only_lot_and_the_only_pallet_are_those_that_were_counted(bench):
    bench.scan("CMD-RECEIVE", MILK_L1, "00" + SSCC, TEA)
    bench.scan("CMD-COUNT", "LOC-DOCK-1", MILK, TEA)
    assert told(bench.scan("CMD-CONFIRM").facts) == [
        ("DOCK-1", "MILK-1", "1", "L1", "", ("lot_assumed",)),
        ("DOCK-1", "TEA-250", "1", "", SSCC, ()),
    ]


def test_goods_that_fit_several_lots_say_so_and_none_of_them_is_absent(bench):
    stocked(bench).scan("CMD-COUNT", "LOC-A-01-04", MILK)
    seen = bench.scan("CMD-EMPTY")
    assert told(seen.facts) == [("A-01-04", "MILK-1", "1", "", "", ("no_lot", "several_match"))]
    assert seen.kind == "warning"


def test_loose_goods_beside_a_counted_pallet_are_not_counted_on_it(bench):
    stocked(bench).scan("CMD-COUNT", "LOC-A-01-03", "00" + SSCC, TEA, "CMD-CANCEL")
    bench.scan("00" + SSCC, CASE, "CMD-CONFIRM")
    seen = bench.scan(TEA, "CMD-EMPTY")
    assert told(seen.facts) == [("A-01-03", "TEA-250", "1", "", "", ())]


def test_a_closed_pallet_is_counted_whole(bench):
    seen = stocked(bench).scan("CMD-COUNT", "LOC-A-01-04", "00" + SSCC, "CMD-CONFIRM")
    assert told(seen.facts) == [("A-01-04", "TEA-250", "12", "", SSCC, ("pallet_whole",))]
    seen = bench.scan("00106141412345678908", "CMD-CONFIRM")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "open it" in seen.text


def test_a_pallet_that_was_scanned_is_decided_before_anything_else_comes(bench):
    stocked(bench).scan("CMD-COUNT", "LOC-A-01-03", "00" + SSCC)
    for code in ("CMD-EMPTY", "LOC-A-01-04", "DOC-CNT-1", "CMD-DONE", "00106141412345678908"):
        seen = bench.scan(code)
        assert (seen.kind, seen.facts) == ("error", ())
        assert SSCC in seen.text
    assert "loose" in bench.scan("CMD-UNDO").text
    assert [one.sscc for one in bench.scan("CMD-EMPTY").facts] == ["", SSCC]


def test_a_closed_pallet_beside_loose_goods_is_counted_with_them(bench):
    seen = stocked(bench).scan("DOC-CNT-1", "LOC-A-01-03", "CMD-QTY-24", TEA, "00" + SSCC)
    assert SSCC in seen.prompt
    assert told(bench.scan("CMD-CONFIRM").facts) == [
        ("A-01-03", "TEA-250", "24", "", "", ()),
        ("A-01-03", "TEA-250", "12", "", SSCC, ("pallet_whole",)),
    ]
    seen = bench.scan("CMD-EMPTY")
    assert (seen.kind, seen.facts) == ("success", ())


def test_what_is_counted_a_second_time_at_a_place_replaces_the_first_and_says_so(bench):
    stocked(bench).scan("CMD-COUNT", "LOC-A-01-04", MILK_L1, "CMD-CONFIRM")
    seen = bench.scan(MILK_L1, MILK_L1, "CMD-CONFIRM")
    assert told(seen.facts) == [("A-01-04", "MILK-1", "2", "L1", "", ("counted_again",))]
    assert (seen.kind, "only this later figure" in seen.text) == ("warning", True)


def test_goods_on_a_pallet_that_are_counted_again_are_of_the_same_lot(bench):
    bench.scan("CMD-RECEIVE", "00" + SSCC, MILK_L1)
    bench.scan("CMD-COUNT", "LOC-DOCK-1", "00" + SSCC, MILK, "CMD-CONFIRM")
    (fact,) = bench.scan("00" + SSCC, MILK, "CMD-CONFIRM").facts
    assert (fact.lot, fact.flags) == ("L1", ("counted_again", "lot_assumed"))


@pytest.mark.parametrize("start", [["CMD-COUNT", "LOC-A-01-03"], ["CMD-PUTAWAY"]])
def test_goods_beyond_all_bounds_are_refused_before_they_are_among_others(bench, start):
    assert bench.scan(*start, TEA, "CMD-QTY-9999999999", CASE).kind == "error"
    bench.scan("CMD-CANCEL")
    facts = bench.scan("CMD-CONFIRM" if "CMD-COUNT" in start else "LOC-A-01-04").facts
    assert [one.quantity for one in facts] == ["1"]


def test_a_tally_is_not_added_up_beyond_all_bounds(bench):
    bench.scan("CMD-COUNT", "LOC-A-01-03", "CMD-QTY-9999999999", TEA)
    assert bench.scan(TEA).kind == "error"
    assert [one.quantity for one in bench.scan("CMD-CONFIRM").facts] == ["9999999999"]


def test_a_recount_whose_document_is_withdrawn_meanwhile_stays_one(bench):
    bench.scan("DOC-CNT-1", "LOC-A-01-03", TEA)
    bench.forget_documents()
    (fact,) = bench.scan("CMD-CONFIRM").facts
    assert (fact.document, fact.round, fact.flags) == ("CNT-1", 2, ("unknown_document",))


def test_a_document_leads_from_place_to_place_and_says_what_is_left(bench):
    stocked(bench)
    assert "go to A-01-03 and scan it (2 left)" in bench.scan("DOC-CNT-1").prompt
    assert "everything" in bench.scan("LOC-A-01-03").text
    seen = bench.scan(TEA, "CMD-CONFIRM")  # The place is asked for as a whole.
    assert [(one.document_line, one.round, one.quantity) for one in seen.facts] == [(1, 2, "1")]
    seen = bench.scan("LOC-A-01-04")
    assert "TEA-250, MILK-1" in seen.text
    seen = bench.scan(MILK_L2, "CMD-CONFIRM")
    assert [one.document_line for one in seen.facts] == [3]
    seen = bench.scan("CMD-EMPTY")
    assert [(one.item, one.lot, one.document_line, one.flags) for one in seen.facts] == [
        ("MILK-1", "L1", 0, ("absent", "not_asked")),
        ("TEA-250", "", 2, ("absent",)),
    ]
    seen = bench.scan("CMD-CANCEL")
    assert "places of SALT" in seen.prompt
    seen = bench.scan("CMD-DONE")
    assert (seen.kind, seen.text) == ("warning", "CNT-1 closed, not counted here: SALT.")


def test_a_place_that_is_asked_for_as_a_whole_is_done_with_confirm(bench):
    bench.scan("CMD-RECEIVE", TEA, MILK_L1, "CMD-PUTAWAY", TEA, MILK_L1, "LOC-A-01-03")
    seen = bench.scan("DOC-CNT-1", "LOC-A-01-03", TEA, "CMD-CONFIRM")
    assert told(seen.facts) == [
        ("A-01-03", "TEA-250", "1", "", "", ()),
        ("A-01-03", "MILK-1", "0", "L1", "", ("absent",)),
    ]
    assert {one.document_line for one in seen.facts} == {1}
    assert bench.scan(MILK_L1, "CMD-CONFIRM").facts[0].quantity == "1"


def test_what_was_counted_for_a_document_outlives_a_restart(bench):
    stocked(bench).scan("DOC-CNT-1", "LOC-STAGE-1", "CMD-QTY-12.5", SALT, "CMD-CONFIRM")
    assert bench.journal.received("CNT-1#2") == {4: 1}
    assert bench.journal.received("CNT-1") == {}
    bench.scan("CMD-DONE", "DOC-CNT-1")
    assert "SALT" not in bench.scan("CMD-DONE").text


def test_what_nobody_asked_for_is_counted_with_a_warning(bench):
    seen = bench.scan("DOC-CNT-1", "LOC-A-01-04", MILK_L1, "CMD-CONFIRM")
    assert (seen.kind, seen.facts[0].flags) == ("warning", ("not_asked",))


def test_a_place_an_item_and_a_document_that_are_unknown_are_counted_with_flags(bench):
    seen = bench.scan("CMD-COUNT", "DOC-CNT-9", "LOC-Z-9", "HELLO", "CMD-CONFIRM")
    (fact,) = seen.facts
    assert fact.flags == ("unknown_document", "unknown_item", "unknown_location")
    assert (seen.kind, fact.document) == ("warning", "CNT-9")


@pytest.mark.parametrize("code", ["LOC-A-01-04", "DOC-CNT-1", "CMD-DONE"])
def test_what_is_counted_is_confirmed_before_anything_else_comes(bench, code):
    bench.scan("CMD-COUNT", "LOC-A-01-03", TEA)
    seen = bench.scan(code)
    assert (seen.kind, seen.facts) == ("error", ())
    assert "CONFIRM" in seen.text
    assert bench.scan("CMD-CONFIRM").facts[0].quantity == "1"


def test_cancel_and_undo_take_the_last_tally_back_and_then_step_out(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-COUNT", "LOC-A-01-03", TEA, TEA, MILK_L1)
    assert "MILK-1" in bench.scan("CMD-UNDO").text
    assert "TEA-250" in bench.scan("CMD-CANCEL").text
    assert bench.scan("CMD-CONFIRM").kind == "error"
    bench.scan("00" + SSCC)
    for word in ("loose", "another place", "Back"):
        assert word in bench.scan("CMD-CANCEL").text


def test_another_command_says_that_what_is_counted_is_not_recorded(bench):
    seen = bench.scan("CMD-COUNT", "LOC-A-01-03", TEA, "CMD-RECEIVE")
    assert (seen.kind, seen.facts) == ("warning", ())
    assert "not recorded" in seen.text


def test_goods_before_a_place_are_refused(bench):
    for code in (TEA, "00" + SSCC, "CMD-EMPTY"):
        seen = bench.scan("CMD-COUNT", code)
        assert (seen.kind, seen.facts) == ("error", ())


def test_a_place_of_more_than_one_step_can_hold_says_empty_again(bench):
    for number in range(120):
        bench.queue_scan("CMD-RECEIVE" if not number else f"ITEM-{number:03}")
    while bench.step().facts:
        pass
    seen = bench.scan("CMD-COUNT", "LOC-DOCK-1", "CMD-EMPTY")
    assert (seen.kind, len(seen.facts)) == ("warning", 100)
    assert "NOTHING ELSE HERE again" in seen.text
    assert len(bench.scan("CMD-EMPTY").facts) == 19
