"""Bin and pallet labels: what is queued, and that it scans."""

from dataclasses import replace

import pytest

from central.contract.gs1 import check_key
from drivers.labels import Code128, Gs1Code128
from drivers.protocols.printer_zpl import render_label
from gateway.station.label_templates import PalletContent, bin_label, pallet_label
from tests.gateway.station.bench import SETUP, bench_at


def barcodes(label):
    return [e for e in label.elements if isinstance(e, Code128 | Gs1Code128)]


def test_a_bin_label_is_queued_for_the_place_that_was_scanned(bench):
    seen = bench.scan("CMD-PRINT-BIN", "CMD-QTY-3", "LOC-A-01-03")
    assert (seen.kind, seen.facts) == ("success", ())
    (job,) = bench.journal.print_jobs(9)
    assert (job.printer, job.template, job.content) == ("dock-1-printer", "bin", "A-01-03")
    assert job.copies_count == 3
    assert [code.data for code in barcodes(job.label)] == ["LOC-A-01-03"]


def test_each_pallet_label_has_an_sscc_of_its_own(bench):
    bench.scan("CMD-PRINT-PALLET", "CMD-CONFIRM", "CMD-CONFIRM", "CMD-RECEIVE")
    bench.scan("CMD-PRINT-PALLET", "CMD-CONFIRM")
    jobs = bench.journal.print_jobs(9)
    numbers = {job.content for job in jobs}
    assert len(numbers) == 3
    assert all(check_key(number, what="SSCC").startswith("06901234") for number in numbers)


def test_labels_that_wait_together_have_an_sscc_each(bench):
    bench.scan("CMD-PRINT-PALLET")
    bench.queue_scan("CMD-CONFIRM")
    bench.queue_scan("CMD-CONFIRM")
    bench.step()
    assert len({job.content for job in bench.journal.print_jobs(9)}) == 2


def test_a_pallet_label_names_its_content_and_count(bench):
    bench.scan("CMD-PRINT-PALLET", "CMD-QTY-40", "0116901234567899" + "10L7")
    (job,) = bench.journal.print_jobs(9)
    content, lot, sscc = barcodes(job.label)
    assert content.elements == (("02", "16901234567899"), ("37", "40"))
    assert lot.elements == (("10", "L7"),)
    assert sscc.elements[0][0] == "00"


BAD = [
    ("part", {}, ["CMD-PRINT-BIN", "CMD-QTY-0.5", "LOC-A-01-03"], "whole copies"),
    ("many", {}, ["CMD-PRINT-BIN", "CMD-QTY-101", "LOC-A-01-03"], "At most 100"),
    ("long", {}, ["CMD-PRINT-BIN", "LOC-" + "A" * 40], "shorter code"),
    ("item", {}, ["CMD-PRINT-BIN", "6901234567892"], "what the screen asks"),
    ("no printer", {"printers": ()}, ["CMD-PRINT-BIN", "LOC-A-01-03"], "label printer"),
    (
        "no prefix",
        {"sscc_company_prefix": ""},
        ["CMD-PRINT-PALLET", "CMD-CONFIRM"],
        "company_prefix",
    ),
    ("no gtin", {}, ["CMD-PRINT-PALLET", "TEA-250"], "GTIN"),
    ("half", {}, ["CMD-PRINT-PALLET", "CMD-QTY-0.5", "6901234567892"], "whole items"),
]


@pytest.mark.parametrize(
    ("setup", "scans", "hint"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_label_that_cannot_be_says_what_to_do_instead(tmp_path, setup, scans, hint):
    with bench_at(tmp_path, replace(SETUP, **setup)) as bench:
        seen = bench.scan(*scans)
        assert seen.kind == "error"
        assert hint in seen.text
        assert bench.journal.print_jobs(9) == []


@pytest.mark.parametrize(
    "label",
    [
        bin_label("A"),
        bin_label("A-01-03-04-05"),
        bin_label("A" * 24),
        pallet_label("069012340000000012", None),
        pallet_label("069012340000000012", PalletContent("茶 tea", "16901234567899", 99_999_999)),
        pallet_label("069012340000000012", PalletContent("T", "16901234567899", 1, "L" * 20)),
    ],
)
def test_every_label_fits_its_paper_at_203_dpi(label):
    assert label is not None
    assert render_label(label, dots_per_mm=8, copies_count=1)
