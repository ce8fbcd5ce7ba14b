"""Goods go out under a shipment, a transfer or a return: scans to facts, signal and prompt."""

from dataclasses import replace

import pytest

from tests.gateway.station.bench import SETUP, bench_at

TEA, CASE, SALT = "6901234567892", "16901234567899", "96385074"
MILK, MILK_L1, MILK_L2 = "0109501101530003", "010950110153000310L1", "010950110153000310L2"
SSCC, OTHER_SSCC = "006141411234567890", "106141412345678908"


def stocked(bench):
    """24 of tea and a pallet of 12 at A-01-03, milk of two lots at A-01-04, 12 tea at the dock."""
    bench.scan("CMD-RECEIVE", CASE, CASE, "CMD-PUTAWAY", "CMD-QTY-24", TEA, "LOC-A-01-03")
    bench.scan("CMD-RECEIVE", MILK_L1, MILK_L1, MILK_L2, "CMD-PUTAWAY")
    bench.scan(MILK_L1, MILK_L1, MILK_L2, "LOC-A-01-04")
    bench.scan("CMD-RECEIVE", "00" + SSCC, CASE, "CMD-CANCEL", CASE)
    bench.scan("CMD-PUTAWAY", "00" + SSCC, "LOC-A-01-03", "CMD-DONE")
    return bench


def told(fact):
    return (fact.item, fact.quantity, fact.lot, fact.from_location, fact.document_line, fact.flags)


@pytest.mark.parametrize(
    ("document", "place"),
    [("SO-1", "customer"), ("TO-1", "in_transit"), ("RS-1", "supplier"), ("SO-9", "customer")],
)
def test_goods_go_where_the_kind_of_the_document_says(bench, document, place):
    stocked(bench).scan("CMD-SHIP", f"DOC-{document}")
    (fact,) = bench.scan(TEA).facts
    assert (fact.business_step, fact.to_location, fact.document) == ("shipping", place, document)


def test_the_prompt_names_where_to_go_on_only_where_one_place_has_not_enough(bench):
    stocked(bench)
    assert bench.scan("DOC-TO-1").prompt.endswith(
        "12 pcs Green tea 250 g (TEA-250) at DOCK-1 and scan it"
    )
    bench.scan("CMD-DONE", "CMD-SHIP", "LOC-DOCK-1", "CMD-QTY-5", TEA, "CMD-DONE")
    assert bench.scan("DOC-TO-1").prompt.endswith("at DOCK-1, then at A-01-03")


ROWS = [
    # name, scans, (item, quantity, lot, from, line, flags), signal
    ("line's place", [TEA], ("TEA-250", "1", "", "A-01-03", 1, ()), "success"),
    ("case", [CASE], ("TEA-250", "12", "", "A-01-03", 1, ()), "success"),
    ("scanned place", ["LOC-DOCK-1", TEA], ("TEA-250", "1", "", "DOCK-1", 1, ()), "success"),
    (
        "place that is unknown",
        ["LOC-Z-9", TEA],
        ("TEA-250", "1", "", "Z-9", 1, ("negative_stock", "unknown_location")),
        "warning",
    ),
    ("lot", [MILK_L1], ("MILK-1", "1", "L1", "A-01-04", 2, ()), "success"),
    (
        "other lot",
        [MILK_L2],
        ("MILK-1", "1", "L2", "A-01-04", 2, ("lot_differs",)),
        "warning",
    ),
    (
        "the lot that the line names",
        [MILK],
        ("MILK-1", "1", "L1", "A-01-04", 2, ("lot_assumed",)),
        "success",
    ),
    (
        "over",
        ["CMD-QTY-3", MILK_L1],
        ("MILK-1", "3", "L1", "A-01-04", 2, ("negative_stock", "over_expected")),
        "warning",
    ),
    (
        "not on it",
        ["96385074"],
        ("SALT", "1", "", "DOCK-1", 0, ("negative_stock", "unexpected")),
        "warning",
    ),
    (
        "unknown item",
        ["HELLO"],
        ("HELLO", "1", "", "DOCK-1", 0, ("negative_stock", "unexpected", "unknown_item")),
        "warning",
    ),
]


@pytest.mark.parametrize(
    ("scans", "expected", "kind"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_each_scan_is_recorded_at_once_from_where_the_goods_are(bench, scans, expected, kind):
    stocked(bench).scan("DOC-SO-1")
    seen = bench.scan(*scans)
    (fact,) = seen.facts
    assert told(fact) == expected
    assert seen.kind == kind


def test_goods_that_are_not_at_the_lines_place_leave_from_where_they_wait(bench):
    bench.scan("CMD-RECEIVE", TEA)
    (fact,) = bench.scan("DOC-SO-1", TEA).facts
    assert (fact.from_location, fact.flags) == ("DOCK-1", ())


def test_goods_leave_from_where_the_station_lets_them_wait(tmp_path):
    with bench_at(tmp_path, replace(SETUP, ship_location="STAGE-1")) as bench:
        bench.scan("CMD-RECEIVE", TEA, TEA, "CMD-PUTAWAY", TEA, "LOC-STAGE-1")
        scanned = [("DOC-TO-1", TEA), (TEA,), (TEA,)]
        facts = [bench.scan(*scans).facts[0] for scans in scanned]
    assert [fact.from_location for fact in facts] == ["STAGE-1", "DOCK-1", "STAGE-1"]
    assert [fact.flags for fact in facts] == [(), (), ("negative_stock",)]


def test_a_line_without_a_place_goes_from_where_the_book_has_most_and_the_prompt_names_it(bench):
    stocked(bench).scan("CMD-SHIP", "LOC-DOCK-1", CASE, "CMD-DONE")
    bench.scan("CMD-MOVE", "LOC-A-01-03", TEA, "LOC-A-01-04")
    opened = bench.scan("DOC-TO-1")
    assert "take 12 pcs Green tea 250 g (TEA-250) at A-01-03" in opened.prompt
    assert bench.board.state().step.lines[0].place == "A-01-03"
    (fact,) = bench.scan(CASE).facts
    assert (fact.from_location, fact.flags) == ("A-01-03", ())


def test_goods_that_the_book_has_nowhere_are_to_be_scanned_with_their_place(bench):
    opened = bench.scan("DOC-TO-1")
    assert " at " not in opened.prompt
    seen = bench.scan(TEA)
    assert (seen.kind, seen.facts[0].from_location) == ("warning", "DOCK-1")
    assert "from DOCK-1" in seen.text
    assert "scan the place you took it from" in seen.text
    seen = bench.scan("LOC-A-01-03", TEA)
    assert "count this place" in seen.text


def test_a_pallet_goes_out_with_all_of_its_content_from_where_it_is(bench):
    stocked(bench).scan("DOC-SO-1")
    seen = bench.scan("00" + SSCC)
    assert [told(fact) for fact in seen.facts] == [("TEA-250", "12", "", "A-01-03", 3, ())]
    assert seen.facts[0].sscc == SSCC
    assert bench.stock()["A-01-03", "TEA-250"] == "24"
    again = bench.scan("00" + SSCC)
    assert (again.kind, again.facts) == ("warning", ())
    assert "sent already" in again.text


def test_a_pallet_that_only_the_document_knows_goes_out_as_the_document_says(bench):
    seen = bench.scan("DOC-SO-1", "00" + SSCC)
    assert [told(fact) for fact in seen.facts] == [
        ("TEA-250", "12", "", "DOCK-1", 3, ("negative_stock",))
    ]


def test_a_pallet_that_nobody_knows_is_sent_by_its_items(bench):
    seen = bench.scan("DOC-SO-1", "00" + OTHER_SSCC)
    assert (seen.kind, seen.facts) == ("warning", ())
    assert bench.scan(TEA).facts[0].sscc == OTHER_SSCC
    assert bench.scan("CMD-CANCEL", TEA).facts[0].sscc == ""


def test_the_prompt_says_what_is_next_until_everything_is_there(bench):
    stocked(bench)
    assert "take 24 pcs Green tea" in bench.scan("DOC-SO-1").prompt
    assert "take 12 pcs" in bench.scan(CASE).prompt
    seen = bench.scan(CASE)
    assert "24 pcs of 36 pcs" in seen.text
    assert "take 2 pcs Milk (MILK-1) L1 at A-01-04" in seen.prompt
    bench.scan(MILK_L1, MILK_L1)
    assert SSCC in bench.scan("CMD-UNDO", MILK_L1).prompt
    assert "scan DONE" in bench.scan("00" + SSCC).prompt
    assert bench.scan("CMD-DONE").kind == "success"


def test_done_says_what_is_missing(bench):
    seen = stocked(bench).scan("DOC-SO-1", CASE, "CMD-DONE")
    assert seen.kind == "warning"
    assert "12 pcs of 24 pcs; open lines: 3" in seen.text


def test_what_was_sent_outlives_a_restart_and_an_undo_takes_it_back(bench):
    stocked(bench).scan("DOC-SO-1", CASE)
    assert bench.journal.received("SO-1") == {1: 12}
    bench.scan("CMD-UNDO")
    assert bench.journal.received("SO-1").get(1, 0) == 0


def test_goods_go_to_a_customer_without_a_document_too(bench):
    (fact,) = stocked(bench).scan("CMD-SHIP", TEA).facts
    assert (fact.to_location, fact.document, fact.flags) == ("customer", "", ())


def test_cancel_steps_back_over_pallet_and_place_to_the_menu(bench):
    bench.scan("CMD-SHIP", "LOC-A-01-03", "00" + OTHER_SSCC)
    assert "loose" in bench.scan("CMD-CANCEL").text
    assert "place" in bench.scan("CMD-CANCEL").text
    assert "Back" in bench.scan("CMD-CANCEL").text


@pytest.mark.parametrize(
    ("document", "source"), [("TI-1", "in_transit"), ("RC-1", "customer"), ("PO-7", "supplier")]
)
def test_goods_come_from_where_the_kind_of_the_document_says(bench, document, source):
    (fact,) = bench.scan(f"DOC-{document}", MILK_L1).facts
    assert (fact.business_step, fact.from_location) == ("receiving", source)
    assert (fact.to_location, fact.document) == ("DOCK-1", document)


def test_a_pallet_that_the_document_names_is_received_with_one_scan(bench):
    seen = bench.scan("DOC-TI-1", "00" + SSCC)
    assert [(fact.item, fact.quantity, fact.lot, fact.document_line) for fact in seen.facts] == [
        ("TEA-250", "12", "", 1),
        ("MILK-1", "3", "L1", 2),
    ]
    assert {(fact.sscc, fact.from_location) for fact in seen.facts} == {(SSCC, "in_transit")}
    again = bench.scan("00" + SSCC)
    assert (again.kind, again.facts) == ("warning", ())
    (fact,) = bench.scan("CMD-CANCEL", TEA).facts
    assert (fact.document_line, fact.sscc) == (3, "")


def test_another_lot_than_the_document_names_is_received_with_a_warning(bench):
    seen = bench.scan("DOC-RC-1", MILK_L2)
    assert (seen.kind, seen.facts[0].flags) == ("warning", ("lot_differs",))


def test_goods_go_where_a_document_said_that_is_withdrawn_meanwhile(bench):
    stocked(bench).scan("DOC-TO-1", TEA)
    bench.forget_documents()
    (fact,) = bench.scan(TEA).facts
    assert (fact.to_location, fact.flags) == ("in_transit", ("unknown_document",))


def test_goods_come_from_where_a_document_said_that_is_withdrawn_meanwhile(bench):
    for start, step in (("DOC-TI-1", TEA), ("CMD-WEIGH", "CMD-CONFIRM")):
        bench.scan(start)
        if start == "CMD-WEIGH":
            bench.scan("DOC-TI-1", SALT)
            bench.weigh("5.0")
        bench.forget_documents()
        fact = bench.scan(step).facts[-1]
        assert (fact.from_location, fact.document) == ("in_transit", "TI-1")
        bench.know_document("X", kind="receipt")


@pytest.mark.parametrize("codes", [["00" + SSCC], [f"00{SSCC}0216901234567899371"]])
def test_a_pallet_leaves_from_where_it_is_whatever_place_was_scanned_before(bench, codes):
    place = ["LOC-DOCK-1"] if codes == ["00" + SSCC] else []
    seen = stocked(bench).scan("CMD-SHIP", *place, *codes)
    assert [told(fact) for fact in seen.facts] == [("TEA-250", "12", "", "A-01-03", 0, ())]


def test_a_shipment_brings_nothing_in_to_weigh(bench):
    seen = bench.scan("CMD-WEIGH", "DOC-SO-1")
    assert (seen.kind, seen.facts) == ("error", ())
    assert bench.scan("DOC-PO-7").kind == "success"


def test_a_document_of_a_kind_of_the_future_is_kept_and_refused_with_the_reason(bench):
    bench.know_document("RENT-1", kind="rental")
    for start in ("CMD-RECEIVE", "CMD-WEIGH", "CMD-COUNT"):
        seen = bench.scan(start, "DOC-RENT-1")
        assert (seen.kind, seen.facts) == ("error", ())
        assert "too old" in seen.text
    assert bench.scan("CMD-RECEIVE", TEA).kind == "success"
