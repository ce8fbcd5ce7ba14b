"""Receipt, blind and against a document: scans to facts, signal and prompt."""

import pytest

from central.contract.reference import DocumentLine

TEA, CASE, MILK = "6901234567892", "16901234567899", "010950110153000310L1"
SSCC = "006141411234567890"
CASES = ("069012345000000011", "069012345000000028")

ROWS = [
    # name, scans, item, quantity, flags, line, signal
    ("blind", ["CMD-RECEIVE", TEA], ("TEA-250", "1", (), 0), "success"),
    ("case", ["CMD-RECEIVE", CASE], ("TEA-250", "12", (), 0), "success"),
    ("times", ["CMD-RECEIVE", "CMD-QTY-5", CASE], ("TEA-250", "60", (), 0), "success"),
    ("part", ["CMD-RECEIVE", "CMD-QTY-0.5", TEA], ("TEA-250", "0.5", (), 0), "success"),
    ("lot", ["CMD-RECEIVE", MILK], ("MILK-1", "1", (), 0), "success"),
    ("no lot", ["CMD-RECEIVE", "0109501101530003"], ("MILK-1", "1", ("no_lot",), 0), "warning"),
    (
        "unknown",
        ["CMD-RECEIVE", "4006381333931"],
        ("04006381333931", "1", ("unknown_item",), 0),
        "warning",
    ),
    ("document", ["DOC-PO-7", TEA], ("TEA-250", "1", (), 1), "success"),
    (
        "unexpected",
        ["DOC-PO-7", MILK],
        ("MILK-1", "1", ("unexpected",), 0),
        "warning",
    ),
    (
        "unknown and unexpected",
        ["DOC-PO-7", "HELLO"],
        ("HELLO", "1", ("unexpected", "unknown_item"), 0),
        "warning",
    ),
    (
        "unknown document",
        ["DOC-PO-8", TEA],
        ("TEA-250", "1", ("unknown_document",), 0),
        "warning",
    ),
    (
        "over",
        ["DOC-PO-7", CASE, CASE, TEA],
        ("TEA-250", "1", ("over_expected",), 1),
        "warning",
    ),
    (
        "unknown person",
        ["OPR-bob", "CMD-RECEIVE", TEA],
        ("TEA-250", "1", ("unknown_operator",), 0),
        "success",
    ),
]


@pytest.mark.parametrize(
    ("scans", "expected", "kind"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_each_item_scan_is_recorded_at_once(bench, scans, expected, kind):
    seen = bench.scan(*scans)
    (fact,) = seen.facts
    assert (fact.item, fact.quantity, fact.flags, fact.document_line) == expected
    assert (fact.from_location, fact.to_location) == ("supplier", "DOCK-1")
    assert fact.business_step == "receiving"
    assert seen.kind == kind


def test_pounds_on_a_label_are_recorded_with_a_warning_and_answer_no_line(bench):
    bench.scan("DOC-PO-7")
    seen = bench.scan("01000000963850743202001234", symbology="]C1")
    (fact,) = seen.facts
    assert (fact.item, fact.quantity, fact.unit) == ("SALT", "12.34", "LBR")
    assert (fact.flags, fact.document, fact.document_line) == (("unit_differs",), "PO-7", 0)
    assert seen.kind == "warning"
    assert "labelled" in seen.text
    seen = bench.scan("01000000963850743103012500", symbology="]C1")
    assert (seen.kind, seen.facts[0].document_line) == ("success", 2)
    assert "12.5 kg of 100 kg" in seen.text


def test_the_quantity_command_multiplies_the_catch_weight(bench):
    bench.scan("CMD-RECEIVE", "CMD-QTY-3")
    (fact,) = bench.scan("0109501101530003310300125010L1", symbology="]C1").facts
    assert (fact.quantity, fact.net_weight, fact.weight_unit) == ("3", "3.75", "KGM")
    (fact,) = bench.scan("0109501101530003310300125010L1", symbology="]C1").facts
    assert (fact.quantity, fact.net_weight) == ("1", "1.25")


def test_a_document_shows_what_is_done_of_what_is_expected(bench):
    bench.scan("DOC-PO-7", CASE)
    assert "14 pcs of 24 pcs" in bench.scan("CMD-QTY-2", TEA).text


def test_scans_that_wait_together_count_together_against_the_document(bench):
    bench.scan("DOC-PO-7")
    for _ in range(3):
        bench.queue_scan(CASE)
    seen = bench.step()
    assert [fact.flags for fact in seen.facts] == [(), (), ("over_expected",)]


def test_an_item_carries_the_pallet_that_was_scanned_before_it(bench):
    seen = bench.scan("CMD-RECEIVE", "00" + SSCC, TEA)
    assert seen.facts[0].sscc == SSCC
    assert "pallet" in seen.prompt
    assert bench.scan("CMD-CANCEL", TEA).facts[0].sscc == ""


def test_the_label_of_a_pallet_brings_the_cases_that_stand_on_it(bench):
    bench.tell_lines(
        "PO-7",
        *(
            DocumentLine(line=number, item="TEA-250", quantity="12", sscc=case, carried_by=carriers)
            for number, (case, carriers) in enumerate(
                [(CASES[0], (SSCC,)), (CASES[1], (CASES[0], SSCC)), ("", ())], start=1
            )
        ),
    )
    bench.scan("DOC-PO-7", "00" + CASES[1])
    seen = bench.scan("00" + SSCC)
    moved, packed = seen.facts
    assert (moved.sscc, moved.document_line, moved.quantity) == (CASES[0], 1, "12")
    assert (packed.parent, packed.children, packed.action) == (SSCC, (CASES[0],), "pack")
    assert bench.scan("00" + SSCC).kind == "warning"  # All of it is here already.
    assert bench.scan("CMD-CANCEL", CASE).facts[0].document_line == 3


def test_a_pallet_label_with_content_scanned_twice_is_recorded_with_a_warning(bench):
    label = f"00{SSCC}020690123456789237" + "7"
    assert bench.scan("CMD-RECEIVE", label).kind == "success"
    seen = bench.scan(label)
    assert seen.facts[0].flags == ("sscc_repeated",)
    assert seen.kind == "warning"


def test_closing_a_document_says_what_is_missing(bench):
    seen = bench.scan("DOC-PO-7", CASE, "CMD-DONE")
    assert seen.kind == "warning"
    assert "12 pcs of 24 pcs" in seen.text


def test_who_scanned_and_the_raw_scan_are_part_of_the_fact(bench):
    bench.clock.disciplined = False
    (fact,) = bench.scan("OPR-ann", "CMD-RECEIVE", TEA).facts
    assert fact.operator == "ann"
    assert fact.flags == ("clock_unsynced",)
    assert fact.evidence[0].raw == TEA.encode()


def test_undo_reverses_the_last_movement_and_then_the_one_before(bench):
    bench.scan("CMD-RECEIVE", TEA, CASE)
    seen = bench.scan("CMD-UNDO")
    assert seen.facts[0].reverses_seq == 2
    assert "12 pcs" in seen.text
    assert bench.scan("CMD-UNDO").facts[0].reverses_seq == 1
    assert bench.stock() == {}
    assert bench.scan("CMD-UNDO").kind == "error"


def test_undo_that_waits_behind_its_scan_finds_it(bench):
    bench.scan("CMD-RECEIVE")
    for code in (TEA, "CMD-UNDO", "CMD-UNDO", CASE):
        bench.queue_scan(code)
    bench.step()
    assert bench.stock() == {("DOCK-1", "TEA-250"): "12"}


def test_a_scan_that_waits_behind_an_undo_counts_without_what_was_undone(bench):
    bench.scan("DOC-PO-7", CASE, CASE)
    bench.queue_scan("CMD-UNDO")
    bench.queue_scan(CASE)
    assert [fact.flags for fact in bench.step().facts] == [(), ()]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("6901234567893", "scan again"),
        ("0109501101530004", "relabel"),
        ("CMD-FLY", "command sheet"),
        ("LOC-A-01-03", "do what the screen asks"),
    ],
)
def test_bad_input_records_nothing_names_what_to_do_and_keeps_the_session(bench, code, hint):
    bench.scan("DOC-PO-7", "00" + SSCC, "CMD-QTY-3")
    seen = bench.scan(code)
    assert (seen.kind, seen.facts) == ("error", ())
    assert hint in seen.text
    (fact,) = bench.scan(TEA).facts
    assert (fact.document, fact.sscc, fact.quantity) == ("PO-7", SSCC, "3")


def test_a_quantity_beyond_all_bounds_is_refused_alone(bench):
    bench.scan("CMD-RECEIVE", "CMD-QTY-9999999999")
    bench.queue_scan(CASE)
    seen = bench.step()
    assert (seen.kind, seen.facts) == ("error", ())
    assert bench.scan("CMD-CANCEL", TEA).kind == "success"


def test_a_scan_before_any_command_is_not_recorded_and_says_so(bench):
    seen = bench.scan(TEA)
    assert (seen.kind, seen.facts) == ("error", ())
    assert "scan what to do first" in seen.text


def test_more_than_expected_and_without_a_lot_are_both_told(bench):
    bench.scan("DOC-RC-1")
    seen = bench.scan("CMD-QTY-3", "0109501101530003")
    assert set(seen.facts[0].flags) == {"over_expected", "no_lot"}
    assert "more than expected" in seen.text
    assert "without a lot" in seen.text
