"""Units in units: an outer label brings, moves and sends all that is in it."""

import pytest

from central.contract.facts import Movement, Packing, Reversal
from central.contract.notices import PackedUnit, StockChanged
from central.contract.reference import DocumentLine, UnitUnderWay
from tests.gateway.journal.test_settlements import snapshot

TEA, CASE = "6901234567892", "16901234567899"
PALLET, LAYER = "106141412345678908", "006141411234567913"
OTHER_PALLET = "106141412345678915"
CARTONS = ("006141411234567890", "006141411234567906")
ON = {"carried_by": (LAYER, PALLET)}


@pytest.fixture
def received(bench):
    """Two cartons of 12 tea on a layer on a pallet, brought by the label of the pallet."""
    lines = [
        DocumentLine(line=number, item="TEA-250", quantity="12", sscc=sscc, **ON)
        for number, sscc in enumerate(CARTONS, 1)
    ]
    bench.tell_lines("PO-7", *lines)
    bench.seen = bench.scan("DOC-PO-7", "00" + PALLET)
    return bench


def moved(seen):
    return [
        (one.sscc, one.from_location, one.to_location, one.quantity)
        for one in seen.facts
        if isinstance(one, Movement)
    ]


def packed(seen):
    return [
        (one.action, one.parent, one.children) for one in seen.facts if isinstance(one, Packing)
    ]


def test_the_label_of_a_pallet_packs_what_the_notice_says_is_in_it(received):
    assert moved(received.seen) == [(one, "supplier", "DOCK-1", "12") for one in CARTONS]
    assert packed(received.seen) == [("pack", LAYER, CARTONS), ("pack", PALLET, (LAYER,))]


def test_the_label_of_a_carton_says_nothing_of_its_pallet(bench):
    line = DocumentLine(line=1, item="TEA-250", quantity="12", sscc=CARTONS[0], **ON)
    bench.tell_lines("PO-7", line)
    seen = bench.scan("DOC-PO-7", "00" + CARTONS[0])
    assert (len(moved(seen)), packed(seen)) == (1, [])
    assert bench.scan("00" + PALLET).kind == "warning"


@pytest.mark.parametrize("sscc", ["", CARTONS[0]])
def test_a_notice_that_names_no_carton_or_one_twice_is_received_all_the_same(bench, sscc):
    carried_by = tuple(filter(None, (sscc, LAYER, PALLET)))
    line = DocumentLine(line=1, item="TEA-250", quantity="12", sscc=sscc, carried_by=carried_by)
    bench.tell_lines("PO-7", line)
    seen = bench.scan("DOC-PO-7", "00" + LAYER)
    assert moved(seen) == [(sscc, "supplier", "DOCK-1", "12")]
    assert packed(seen) == ([("pack", LAYER, (sscc,))] if sscc else [])


def test_a_pallet_that_moves_takes_its_cartons_along(received):
    received.scan("CMD-MOVE", "LOC-DOCK-1", "00" + PALLET)
    assert received.scan("00" + CARTONS[0]).kind == "error"  # It is in hand with its pallet.
    seen = received.scan("LOC-A-01-03")
    assert moved(seen) == [(one, "DOCK-1", "A-01-03", "12") for one in CARTONS]


def test_a_receipt_that_is_taken_back_leaves_the_pallet_as_it_was_before(received):
    seen = received.scan("CMD-UNDO")
    assert [type(one) for one in seen.facts] == [Reversal, Packing]
    assert packed(seen) == [("unpack", LAYER, CARTONS[1:])]
    assert received.journal.inside(PALLET) == [PALLET, LAYER, CARTONS[0]]
    seen = received.scan("CMD-UNDO")
    assert packed(seen) == [("unpack", LAYER, CARTONS[:1]), ("unpack", PALLET, (LAYER,))]
    assert received.journal.inside(PALLET) == [PALLET]
    assert received.scan("CMD-UNDO").kind == "error"
    again = received.scan("00" + PALLET)
    assert (moved(again), packed(again)) == (moved(received.seen), packed(received.seen))


def test_one_goods_of_two_that_is_taken_back_leaves_its_carton_in_place(bench):
    lines = [
        DocumentLine(line=number, item=item, quantity="2", sscc=CARTONS[0], **ON)
        for number, item in enumerate(("TEA-250", "SALT"), 1)
    ]
    bench.tell_lines("PO-7", *lines)
    bench.scan("DOC-PO-7", "00" + PALLET)
    assert packed(bench.scan("CMD-UNDO")) == []
    assert len(packed(bench.scan("CMD-UNDO"))) == 2


def test_what_was_packed_anew_since_stays_where_it_is(received):
    received.scan("CMD-UNPACK", "00" + LAYER, "00" + CARTONS[1], "CMD-DONE", "CMD-DONE")
    assert packed(received.scan("CMD-UNDO")) == []
    received.scan("CMD-PACK", "00" + OTHER_PALLET, "00" + CARTONS[0], "CMD-DONE", "CMD-DONE")
    assert packed(received.scan("CMD-UNDO")) == []
    assert received.journal.inside(OTHER_PALLET) == [OTHER_PALLET, CARTONS[0]]


def test_what_people_packed_is_not_unpacked_with_a_receipt(bench):
    bench.scan("CMD-RECEIVE", "00" + CARTONS[0], CASE, "CMD-PACK", "00" + PALLET)
    bench.scan("00" + CARTONS[0], "CMD-DONE", "CMD-DONE")
    seen = bench.scan("CMD-UNDO")
    assert [type(one) for one in seen.facts] == [Reversal]
    assert bench.journal.inside(PALLET) == [PALLET, CARTONS[0]]


def test_a_putaway_that_is_taken_back_leaves_the_pallet_packed(received):
    received.scan("CMD-PUTAWAY", "00" + PALLET, "LOC-A-01-03")
    assert packed(received.scan("CMD-UNDO")) == []
    assert received.journal.inside(PALLET) == [PALLET, LAYER, *CARTONS]


def test_a_carton_that_was_taken_out_stays(received):
    received.scan("CMD-UNPACK", "00" + LAYER, "00" + CARTONS[1], "CMD-DONE")
    seen = received.scan("CMD-PUTAWAY", "00" + PALLET, "LOC-A-01-03")
    assert [one[0] for one in moved(seen)] == [CARTONS[0]]


def test_a_carton_that_stands_elsewhere_does_not_go_with_its_pallet(received):
    received.scan("CMD-PUTAWAY", "00" + CARTONS[1], "LOC-A-01-04")
    received.scan("CMD-PUTAWAY", "00" + PALLET, "LOC-A-01-03")
    text = received.scan("CMD-LOOKUP", "00" + PALLET).text
    assert "1 goods" in text


def test_a_pallet_that_is_sent_takes_its_cartons_along(received):
    received.scan("CMD-DONE", "CMD-SHIP", "DOC-TO-1")
    seen = received.scan("00" + PALLET)
    assert moved(seen) == [(one, "DOCK-1", "in_transit", "12") for one in CARTONS]
    assert received.stock() == {}


@pytest.mark.parametrize(
    "begin", [("CMD-SHIP",), ("CMD-SHIP", "DOC-TO-1"), ("CMD-PICK", "DOC-TO-1")]
)
def test_of_what_was_in_a_pallet_and_stands_apart_only_that_of_a_scanned_place_goes(
    received, begin
):
    received.scan("CMD-PUTAWAY", "00" + CARTONS[1], "LOC-A-01-04", "CMD-DONE", *begin)
    asked = received.scan("00" + PALLET)
    assert (asked.kind, asked.facts) == ("error", ())
    assert "stands at A-01-04, DOCK-1: scan the place" in asked.text
    seen = received.scan("LOC-A-01-04", "00" + PALLET)
    assert [one[:2] for one in moved(seen)] == [(CARTONS[1], "A-01-04")]
    again = received.scan("LOC-A-01-04", "00" + PALLET)  # Scanned twice, it takes no more along.
    assert (again.kind, again.facts) == ("error", ())


def test_what_waits_for_the_same_commit_counts(bench):
    bench.scan("CMD-RECEIVE", "00" + CARTONS[0], CASE, "00" + CARTONS[1], CASE, "CMD-PACK")
    bench.scan("00" + PALLET, "00" + CARTONS[0], "00" + CARTONS[1])
    for code in ("CMD-DONE", "CMD-UNPACK", "00" + PALLET, "00" + CARTONS[1], "CMD-DONE"):
        bench.queue_scan(code)
    for code in ("CMD-MOVE", "LOC-DOCK-1", "00" + PALLET, "LOC-A-01-03"):
        bench.queue_scan(code)
    assert [one[0] for one in moved(bench.step())] == [CARTONS[0]]


def under_way(*numbers, **fields):
    return [
        UnitUnderWay(sscc=CARTONS[one], item="TEA-250", quantity="12", unit="C62", **(ON | fields))
        for one in numbers
    ]


def test_the_label_of_a_pallet_brings_what_is_under_way_on_it(bench):
    bench.tell_lines("TI-1", DocumentLine(line=3, item="TEA-250", quantity="24"))
    bench.tell_units("TI-1", *under_way(0, 1))
    bench.scan("DOC-TI-1")
    seen = bench.scan("00" + PALLET)
    assert moved(seen) == [(one, "in_transit", "DOCK-1", "12") for one in CARTONS]
    assert packed(seen) == [("pack", LAYER, CARTONS), ("pack", PALLET, (LAYER,))]
    assert {one.document for one in seen.facts if isinstance(one, Movement)} == {"TI-1"}
    assert bench.scan("00" + PALLET).kind == "warning"  # Central has not heard of it yet.


def test_a_carton_that_is_on_the_pallet_no_more_does_not_come_with_it(bench):
    bench.tell_units("TI-1", *under_way(0), *under_way(1, carried_by=()))
    bench.scan("DOC-TI-1")
    assert [one[0] for one in moved(bench.scan("00" + PALLET))] == [CARTONS[0]]
    seen = bench.scan("CMD-DONE")
    assert seen.kind == "warning" and "is not complete" in seen.text


def test_what_no_line_asks_for_comes_with_a_flag(bench):
    milk = UnitUnderWay(sscc=PALLET, item="SALT", quantity="5", unit="KGM", lot="L7", serial="S1")
    bench.tell_units("TI-1", milk)
    (fact,) = bench.scan("DOC-TI-1", "00" + PALLET).facts
    assert (fact.item, fact.quantity, fact.lot, fact.serial) == ("SALT", "5", "L7", "S1")
    assert (fact.flags, fact.document_line) == (("unexpected",), 0)


def told(*units, number=1, revision=2):
    levels = tuple(PackedUnit(*one) for one in units)
    return StockChanged(revision=revision, levels=(), positions=(), packing=levels)


def test_what_others_packed_counts_here_until_central_says_otherwise(bench):
    journal = bench.journal
    journal.knowledge.apply_snapshot(snapshot())
    journal.knowledge.apply_notices("s1", 1, [told((CARTONS[0], PALLET), (CARTONS[1], LAYER))])
    assert journal.inside(PALLET) == [PALLET, CARTONS[0]]
    journal.knowledge.apply_notices("s1", 2, [told((LAYER, PALLET), (CARTONS[0], ""))])
    assert journal.inside(PALLET) == [PALLET, LAYER, CARTONS[1]]
    bench.scan("CMD-PACK", "00" + PALLET, "00" + CARTONS[0], "CMD-DONE")
    assert set(journal.inside(PALLET)) == {PALLET, LAYER, *CARTONS}
    journal.knowledge.apply_snapshot(snapshot("s2"))
    assert journal.inside(PALLET) == [PALLET]


def test_units_that_would_be_in_each_other_are_found_once(bench):
    bench.journal.knowledge.apply_snapshot(snapshot())
    around = [(PALLET, LAYER), (LAYER, PALLET), (CARTONS[0], CARTONS[0])]
    bench.journal.knowledge.apply_notices("s1", 1, [told(*around)])
    assert set(bench.journal.inside(PALLET)) == {PALLET, LAYER}
    assert bench.journal.inside(CARTONS[0]) == [CARTONS[0]]
