"""New labels for what is there; the last one again, marked so that nobody takes it for another."""

from dataclasses import replace
from decimal import Decimal

import pytest

from central.contract.facts import Print
from drivers.labels import Box, Code128, Gs1Code128, Gs1DataMatrix, Label, Text
from gateway.station.copy_mark import COPY_TEXT, is_copy, marked_as_copy
from gateway.station.templates.files import load_templates
from gateway.station.templates.fill import fill_template, text_width_mm
from gateway.station.templates.samples import sample_values
from tests.gateway.station.bench import SETUP, Bench

TEA, MILK_L1, PALLET = "6901234567892", "010950110153000310L1", "00006141411234567890"


def job(bench):
    return bench.journal.print_jobs(1)[0]


def codes(label):
    kinds = Code128 | Gs1Code128 | Gs1DataMatrix
    found = [one for one in label.elements if isinstance(one, kinds)]
    return [one.data if isinstance(one, Code128) else one.elements for one in found]


def test_a_place_and_an_item_get_new_labels(bench):
    assert bench.scan("CMD-RELABEL", "LOC-A-01-03").kind == "success"
    assert codes(job(bench).label) == ["LOC-A-01-03"]
    bench.scan("CMD-QTY-2", MILK_L1)
    with_lot = [("01", "09501101530003"), ("10", "L1")]
    assert codes(job(bench).label) == [(with_lot[0],), tuple(with_lot)]
    assert (job(bench).copies_count, job(bench).content) == (2, "MILK-1 L1")
    assert bench.fact_count() == 0


def test_a_pallet_keeps_its_number_and_says_what_is_on_it(bench):
    bench.scan("CMD-RECEIVE", PALLET, "CMD-QTY-12", TEA)
    bench.scan("CMD-RELABEL", PALLET)
    expected = [(("02", "06901234567892"), ("37", "12")), (("00", "006141411234567890"),)]
    assert codes(job(bench).label) == expected
    bench.scan("CMD-RECEIVE", PALLET, MILK_L1, "CMD-RELABEL", PALLET)  # Two kinds of goods.
    assert codes(job(bench).label) == [(("00", "006141411234567890"),)]


# What gets no label, and why.
REFUSED = [
    pytest.param(["CMD-RELABEL", "HELLO"], "is unknown here", id="unknown item"),
    pytest.param(["CMD-RELABEL", "CMD-QTY-0.5", TEA], "whole copies", id="half a label"),
    pytest.param(["CMD-RELABEL", "CMD-UNDO"], "A label is not undone", id="undo"),
    pytest.param(["CMD-PRINT-BIN", "CMD-UNDO"], "A label is not undone", id="undo a bin label"),
    pytest.param(["CMD-REPRINT"], "has printed no label", id="nothing to repeat"),
]


@pytest.mark.parametrize(("scanned", "why"), REFUSED)
def test_what_gets_no_label_is_told(bench, scanned, why):
    bench.scan("CMD-RECEIVE", TEA)
    seen = bench.scan(*scanned)
    assert (seen.kind, why in seen.text) == ("error", True)
    assert bench.stock() == {("DOCK-1", "TEA-250"): "1"}  # No movement was reversed either.
    assert bench.journal.print_jobs(9) == []


def test_a_reprint_is_marked_on_the_label_and_in_the_fact_and_changes_no_step(bench):
    bench.scan("OPR-ann", "CMD-PRINT-PALLET", "CMD-CONFIRM")
    first = job(bench)
    assert not is_copy(first.label)
    prompt = bench.scan("CMD-RECEIVE", TEA).prompt
    seen = bench.scan("CMD-REPRINT")
    assert (seen.prompt, seen.text) == (
        prompt,
        f"Copy of label {first.content} goes to dock-1-printer.",
    )
    copy = job(bench)
    assert is_copy(copy.label)
    assert codes(copy.label) == codes(first.label)
    for number in (first.number, copy.number):
        claimed = bench.journal.claim_print_job("dock-1-printer")
        assert claimed.number == number
        bench.journal.finish_print_job(number, outcome="printed", detail="")
    flags = {fact.job: fact.flags for _, fact in bench.journal.recent(9) if isinstance(fact, Print)}
    assert flags == {first.number: (), copy.number: ("copy",)}


def test_a_copy_of_a_copy_is_marked_once(bench):
    bench.scan("CMD-PRINT-BIN", "LOC-A-01-03", "CMD-REPRINT", "CMD-REPRINT")
    elements = job(bench).label.elements
    marks = [one for one in elements if isinstance(one, Text) and one.text == COPY_TEXT]
    assert len(marks) == 1


def test_labels_that_wait_for_the_same_commit_are_repeated_too(bench):
    for code in ("CMD-PRINT-BIN", "LOC-A-01-03", "CMD-REPRINT"):
        bench.queue_scan(code)
    bench.step()
    assert [is_copy(one.label) for one in bench.journal.print_jobs(9)] == [True, False]


def test_each_station_repeats_its_own_label(bench):
    bench.scan("CMD-PRINT-BIN", "LOC-A-01-03")
    other = Bench(bench.journal, replace(SETUP, station="dock-2"))
    assert "has printed no label" in other.scan("CMD-REPRINT").text


@pytest.mark.parametrize("name", ["bin", "item", "pallet"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_mark_stands_where_nothing_else_does(name, language):
    template = load_templates(None).find(name)
    values = sample_values(template.label.use, language=language)
    label = fill_template(template, values, language=language)
    *before, frame, text = marked_as_copy(label).elements
    assert tuple(before) == label.elements
    assert isinstance(frame, Box)
    assert text.height_mm >= 4
    right, bottom = frame.x_mm + frame.width_mm, frame.y_mm + frame.height_mm
    assert right <= label.width_mm
    assert bottom <= label.height_mm
    for one in before:
        if isinstance(one, Text):
            wide, high = text_width_mm(one.text, one.height_mm), one.height_mm
        elif isinstance(one, Code128 | Gs1Code128):
            wide, high = label.width_mm, one.height_mm
        else:
            continue
        apart = one.x_mm + wide <= frame.x_mm or right <= one.x_mm
        assert apart or one.y_mm + high <= frame.y_mm or bottom <= one.y_mm


def test_a_label_without_room_is_marked_over_its_corner():
    full = Label(Decimal(30), Decimal(10), (Code128(*map(Decimal, ("0", "0", "10", ".25")), "X"),))
    assert is_copy(marked_as_copy(full))
    tiny = Label(Decimal(5), Decimal(5), ())
    assert is_copy(marked_as_copy(tiny))
