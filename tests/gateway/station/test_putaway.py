"""Putaway: goods in hand, then a bin."""

TEA, CASE = "6901234567892", "16901234567899"
SSCC = "006141411234567890"
MILK_L1, MILK_L2 = "010950110153000310L1", "010950110153000310L2"


def test_an_item_then_a_bin_is_one_movement_into_the_bin(bench):
    bench.scan("CMD-RECEIVE", CASE, "CMD-PUTAWAY")
    held = bench.scan("CMD-QTY-10", TEA)
    assert (held.kind, held.facts) == ("success", ())
    assert "10 pcs" in held.prompt
    seen = bench.scan("LOC-A-01-03")
    (fact,) = seen.facts
    assert (fact.from_location, fact.to_location, fact.quantity) == ("DOCK-1", "A-01-03", "10")
    assert (fact.business_step, fact.flags, seen.kind) == ("storing", (), "success")
    assert bench.stock() == {("DOCK-1", "TEA-250"): "2", ("A-01-03", "TEA-250"): "10"}


def test_a_pallet_takes_all_of_its_content(bench):
    bench.scan("CMD-RECEIVE", "00" + SSCC, CASE, MILK_L1, "CMD-CANCEL", TEA)
    seen = bench.scan("CMD-PUTAWAY", "00" + SSCC, "LOC-A-01-04")
    assert {(fact.item, fact.quantity, fact.sscc, fact.lot) for fact in seen.facts} == {
        ("TEA-250", "12", SSCC, ""),
        ("MILK-1", "1", SSCC, "L1"),
    }
    assert bench.stock()["DOCK-1", "TEA-250"] == "1"


def test_an_unknown_pallet_is_put_away_by_its_items(bench):
    warned = bench.scan("CMD-PUTAWAY", "00" + SSCC)
    assert warned.kind == "warning"
    assert "scan its items" in warned.text
    (fact,) = bench.scan(TEA, "LOC-A-01-03").facts
    assert (fact.sscc, fact.flags) == (SSCC, ("negative_stock",))


def test_more_than_the_book_has_is_recorded_with_a_warning(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY", TEA, TEA)
    seen = bench.scan("LOC-A-01-03")
    assert [fact.flags for fact in seen.facts] == [(), ("negative_stock",)]
    assert seen.kind == "warning"
    assert bench.stock()["DOCK-1", "TEA-250"] == "-1"


def test_the_only_lot_at_the_source_is_the_one_that_moves(bench):
    bench.scan("CMD-RECEIVE", MILK_L1, "CMD-PUTAWAY")
    (fact,) = bench.scan("0109501101530003", "LOC-A-01-03").facts
    assert (fact.lot, fact.flags) == ("L1", ("lot_assumed",))


def test_one_of_two_lots_is_not_guessed(bench):
    bench.scan("CMD-RECEIVE", MILK_L1, MILK_L2, "CMD-PUTAWAY")
    (fact,) = bench.scan("0109501101530003", "LOC-A-01-03").facts
    assert (fact.lot, fact.flags) == ("", ("negative_stock", "no_lot"))


def test_a_place_scanned_first_is_the_source(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY", TEA, "LOC-A-01-03")
    seen = bench.scan("LOC-A-01-03")
    assert "from A-01-03" in seen.prompt
    (fact,) = bench.scan(TEA, "LOC-A-01-04").facts
    assert (fact.from_location, fact.to_location) == ("A-01-03", "A-01-04")


def test_an_unknown_bin_is_recorded_with_a_warning(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY")
    seen = bench.scan(TEA, "LOC-Z-99")
    assert (seen.facts[0].to_location, seen.facts[0].flags) == ("Z-99", ("unknown_location",))
    assert seen.kind == "warning"


def test_a_bin_is_taken_by_its_name_alone(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY")
    (fact,) = bench.scan(TEA, "A-01-03").facts
    assert (fact.from_location, fact.to_location, fact.flags) == ("DOCK-1", "A-01-03", ())


def test_the_place_where_the_goods_are_is_no_bin_to_put_them(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY")
    seen = bench.scan(TEA, "LOC-DOCK-1")
    assert (seen.kind, seen.facts) == ("error", ())
    assert bench.scan("LOC-A-01-03").kind == "success"


def test_undo_with_goods_in_hand_takes_them_out_and_reverses_nothing(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY", TEA)
    seen = bench.scan("CMD-UNDO")
    assert (seen.kind, seen.facts) == ("success", ())
    assert bench.scan("CMD-UNDO").facts[0].reverses_seq == 1


def test_another_command_with_goods_in_hand_says_that_they_are_not_recorded(bench):
    seen = bench.scan("CMD-PUTAWAY", TEA, "CMD-RECEIVE")
    assert seen.kind == "warning"
    assert "not recorded" in seen.text


def test_done_with_goods_in_hand_asks_for_the_bin(bench):
    assert bench.scan("CMD-PUTAWAY", TEA, "CMD-DONE").kind == "error"


def test_the_quantity_command_multiplies_the_catch_weight_in_the_hand(bench):
    bench.scan("CMD-PUTAWAY", "CMD-QTY-3")
    bench.scan("0109501101530003310300125010L1", symbology="]C1")
    (fact,) = bench.scan("LOC-A-01-03").facts
    assert (fact.quantity, fact.net_weight, fact.weight_unit) == ("3", "3.75", "KGM")
