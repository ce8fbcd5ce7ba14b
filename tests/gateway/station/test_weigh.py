"""Bulk receipt by weight: only a stable, live gross weight becomes a fact, and only once."""

import pytest

from tests.gateway.station.bench import english

SALT = "96385074"


def loaded(bench):
    """Weigh against PO-7 up to the moment of CONFIRM: tare 2.5 kg, gross 52.50 kg."""
    bench.scan("CMD-WEIGH", "DOC-PO-7")
    bench.weigh("2.50")
    bench.scan("CMD-TARE")
    return bench.weigh("52.50")


def test_gross_minus_tare_is_a_weighing_and_its_movement(bench):
    assert "tare 2.5 kg" in loaded(bench).prompt
    seen = bench.scan("CMD-CONFIRM")
    proof, moved = seen.facts
    assert (proof.gross, proof.tare, proof.net, proof.unit) == ("52.50", "2.50", "50.00", "KGM")
    assert (proof.scale, proof.alibi_number, proof.document_line) == ("dock-1-scale", 1, 2)
    assert (moved.item, moved.quantity, moved.unit, moved.flags) == ("SALT", "50", "KGM", ())
    assert (moved.weighing_seq, moved.document, moved.document_line) == (proof.seq, "PO-7", 2)
    assert (moved.from_location, moved.to_location) == ("supplier", "DOCK-1")
    assert seen.kind == "success"
    assert "50 / 100 kg" in seen.text
    assert proof.evidence[0].raw == b"52.50 KGM"


def test_without_a_tare_gross_is_net(bench):
    bench.scan("CMD-WEIGH", SALT)
    bench.weigh("10.0")
    proof, moved = bench.scan("CMD-CONFIRM").facts
    assert (proof.tare, proof.net, moved.quantity) == ("0.0", "10.0", "10")


BAD_WEIGHTS = [
    ("moving", lambda bench: bench.weigh("52.60", stable=False), "wait until the weight stands"),
    ("overload", lambda bench: bench.fault("overload"), "take load off"),
    ("underload", lambda bench: bench.fault("underload"), "zero it"),
    ("not ready", lambda bench: bench.fault("not_ready"), "wait"),
    ("zero", lambda bench: bench.fault("zero_error"), "zero it"),
    ("noise", lambda bench: bench.fault("unreadable"), "cable"),
    ("scale's tare", lambda bench: bench.weigh("50.00", kind="net"), "clear it at the scale"),
    ("empty", lambda bench: bench.weigh("2.50"), "put the full container on"),
    ("other unit", lambda bench: bench.weigh("52500", unit="GRM"), "TARE again"),
]


@pytest.mark.parametrize(
    ("spoil", "hint"), [row[1:] for row in BAD_WEIGHTS], ids=[row[0] for row in BAD_WEIGHTS]
)
def test_no_bad_weight_becomes_a_fact_and_nothing_is_lost(bench, spoil, hint):
    loaded(bench)
    spoil(bench)
    seen = bench.scan("CMD-CONFIRM")
    assert (seen.kind, seen.facts) == ("error", ())
    assert hint in seen.text
    bench.weigh("52.50")
    proof, _ = bench.scan("CMD-CONFIRM").facts
    assert (proof.tare, proof.net) == ("2.50", "50.00")


def test_a_scale_that_went_silent_gives_no_weight(bench):
    loaded(bench)
    bench.clock.elapsed_ns += 3_000_000_001
    seen = bench.scan("CMD-CONFIRM")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "silent" in seen.text


def test_no_scale_at_all_says_what_to_check(bench):
    seen = bench.scan("CMD-WEIGH", SALT, "CMD-CONFIRM")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "check that it is on" in seen.text


def test_one_load_is_recorded_once_however_often_confirm_is_scanned(bench):
    loaded(bench)
    seen = bench.scan("CMD-CONFIRM")
    assert "take the load off" in seen.prompt
    for _ in range(2):  # The same load again, touched and set down in between.
        bench.weigh("52.70", stable=False)
        bench.weigh("52.48")
        again = bench.scan("CMD-CONFIRM")
        assert (again.kind, again.facts) == ("error", ())
    assert "empty container on" in bench.weigh("0.00").prompt
    bench.weigh("30.00")
    assert bench.scan("CMD-CONFIRM").facts[1].quantity == "30"


@pytest.mark.parametrize(
    "flicker",
    [
        {"value": "0.00", "kind": "net"},
        {"value": "0.05", "unit": "TNE"},
        {"value": "3", "stable": False},
    ],
    ids=["tare key", "unit key", "knock"],
)
def test_a_load_that_only_seems_lighter_is_not_recorded_again(bench, flicker):
    loaded(bench)
    bench.scan("CMD-CONFIRM")
    bench.weigh(**flicker)
    again = bench.scan("CMD-CONFIRM")
    assert (again.kind, again.facts) == ("error", ())
    bench.weigh("52.50")
    again = bench.scan("CMD-CONFIRM")
    assert (again.kind, again.facts) == ("error", ())
    assert bench.stock() == {("DOCK-1", "SALT"): "50"}


def test_after_the_unit_key_the_empty_scale_is_tared_and_weighing_goes_on(bench):
    bench.scan("CMD-WEIGH", SALT)
    bench.weigh("52.50")
    bench.scan("CMD-CONFIRM")
    bench.weigh("0", unit="GRM")
    assert "take the load off, then TARE" in bench.scan("CMD-CONFIRM").text
    bench.scan("CMD-TARE")
    bench.weigh("30000", unit="GRM")
    assert bench.scan("CMD-CONFIRM").facts[1].quantity == "30"


def test_pounds_do_not_answer_a_line_in_kilograms(bench):
    bench.scan("CMD-WEIGH", "DOC-PO-7")
    bench.weigh("99.2", unit="LBR")
    proof, moved = bench.scan("CMD-CONFIRM").facts
    assert (moved.quantity, moved.unit, moved.flags) == ("99.2", "LBR", ("unit_differs",))
    assert (moved.document, moved.document_line, proof.document_line) == ("PO-7", 0, 0)
    done = english(bench.board.state().done)
    assert "99.2 lb" in done
    assert "/" not in done
    bench.weigh("0", unit="LBR")
    bench.weigh("40")
    seen = bench.scan("CMD-CONFIRM")
    assert (seen.facts[1].document_line, seen.facts[1].flags) == (2, ())
    assert "40 / 100 kg" in seen.text


def test_the_scale_is_believed_not_the_weight_on_the_label(bench):
    bench.scan("CMD-WEIGH")
    bench.scan(f"01000000{SALT}3202001234", symbology="]C1")
    bench.weigh("5.6")
    proof, moved = bench.scan("CMD-CONFIRM").facts
    assert (moved.quantity, moved.unit, moved.flags) == ("5.6", "KGM", ())
    assert proof.flags == ()


def test_leaving_and_coming_back_does_not_record_the_same_load_again(bench):
    loaded(bench)
    bench.scan("CMD-CONFIRM")
    seen = bench.scan("CMD-RECEIVE", "CMD-WEIGH", SALT, "CMD-CONFIRM")
    assert (seen.kind, seen.facts) == ("error", ())


def test_more_may_be_heaped_on_after_the_load_is_tared(bench):
    loaded(bench)
    bench.scan("CMD-CONFIRM", "CMD-TARE")
    bench.weigh("60.00")
    assert bench.scan("CMD-CONFIRM").facts[0].net == "7.50"


def test_over_the_tolerance_is_recorded_with_a_warning(bench):
    bench.scan("CMD-WEIGH", "DOC-PO-7")
    bench.weigh("102.0")
    assert bench.scan("CMD-CONFIRM").facts[1].flags == ()
    bench.weigh("0.0")
    bench.weigh("0.5")
    seen = bench.scan("CMD-CONFIRM")
    assert seen.facts[1].flags == ("outside_tolerance",)
    assert seen.kind == "warning"
    assert "tolerance" in seen.text


def test_under_the_tolerance_is_told_when_the_document_is_closed(bench):
    bench.scan("CMD-WEIGH", "DOC-PO-7")
    bench.weigh("97.9")
    assert bench.scan("CMD-CONFIRM").kind == "success"
    bench.scan("CMD-RECEIVE", "DOC-PO-7", "CMD-QTY-2", "16901234567899")
    seen = bench.scan("CMD-WEIGH", "DOC-PO-7", "CMD-DONE")
    assert seen.kind == "warning"
    assert "97.9 kg of 100 kg" in seen.text


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("12500", "GRM", ("12.5", "KGM", ())),
        ("0.5", "TNE", ("500", "KGM", ())),
        ("10", "LBR", ("10", "LBR", ("unit_differs",))),
    ],
)
def test_the_net_weight_is_converted_exactly_or_kept_in_the_scales_unit(
    bench, value, unit, expected
):
    bench.scan("CMD-WEIGH", SALT)
    bench.weigh(value, unit=unit)
    _, moved = bench.scan("CMD-CONFIRM").facts
    assert (moved.quantity, moved.unit, moved.flags) == expected


def test_an_item_kept_by_the_piece_is_recorded_in_the_scales_unit(bench):
    bench.scan("CMD-WEIGH", "6901234567892")
    bench.weigh("1.25")
    _, moved = bench.scan("CMD-CONFIRM").facts
    assert (moved.quantity, moved.unit, moved.flags) == ("1.25", "KGM", ("unit_differs",))


def test_an_unknown_item_is_weighed_and_flagged(bench):
    bench.scan("CMD-WEIGH", "SAND")
    bench.weigh("7.5")
    seen = bench.scan("CMD-CONFIRM")
    assert [fact.item for fact in seen.facts] == ["SAND", "SAND"]
    assert "unknown_item" in seen.facts[1].flags
    assert seen.kind == "warning"


def test_confirm_without_an_item_asks_for_it(bench):
    bench.weigh("7.5")
    seen = bench.scan("CMD-WEIGH", "CMD-CONFIRM")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "Scan the item" in seen.text


def test_a_fault_is_told_once_while_weighing_and_not_at_all_elsewhere(bench):
    bench.scan("CMD-WEIGH")
    assert bench.fault("overload").kind == "error"
    assert bench.fault("overload").kind == ""
    bench.weigh("1.0")
    assert bench.fault("overload").kind == "error"
    bench.scan("CMD-RECEIVE")
    bench.clock.elapsed_ns += 200_000_000
    assert bench.fault("underload").kind == ""
    assert "below zero" in bench.board.state().weight.problem.text


def test_cancel_goes_back_step_by_step(bench):
    loaded(bench)
    assert "empty container" in bench.scan("CMD-CANCEL").prompt
    assert "scan the item" in bench.scan("CMD-CANCEL").prompt
    assert "Scan what to do" in bench.scan("CMD-CANCEL").prompt
