"""Bin and pallet labels: what is queued, and that it scans."""

from dataclasses import replace

import pytest

from central.contract.gs1 import check_key
from drivers.drawing.label import draw_label
from drivers.labels import Code128, Gs1Code128, Text
from gateway.station.label_templates import PalletContent, bin_label, pallet_label
from gateway.station.templates.files import SHIPPED_FOLDER, load_templates
from tests.gateway.station.bench import SETUP, bench_at

SSCC, GTIN = "069012340000000012", "16901234567899"
BIN = load_templates(None).find("bin")
PALLET = load_templates(None).find("pallet")


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
        lambda language: bin_label(BIN, "A", language=language),
        lambda language: bin_label(BIN, "A-01-03-04-05", language=language),
        lambda language: bin_label(BIN, "A" * 24, language=language),
        lambda language: pallet_label(PALLET, SSCC, None, language=language),
        lambda language: pallet_label(
            PALLET, SSCC, PalletContent("茶 tea", GTIN, 99_999_999), language=language
        ),
        lambda language: pallet_label(
            PALLET,
            SSCC,
            PalletContent("T" * 200, GTIN, 1, "L" * 20, "龙井" * 60),
            language=language,
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("dots_per_mm", [8, 12, 24])
def test_every_label_fits_its_paper(label, language, dots_per_mm):
    made = label(language)
    assert made is not None
    assert draw_label(made, dots_per_mm=dots_per_mm)


def test_an_item_is_printed_by_its_name_in_the_language_of_the_labels(tmp_path):
    with bench_at(tmp_path, replace(SETUP, language="zh")) as bench:
        bench.scan("CMD-PRINT-PALLET", "0116901234567899" + "10L7")
        (job,) = bench.journal.print_jobs(9)
        texts = [element.text for element in job.label.elements if isinstance(element, Text)]
        assert "Lv cha" in texts
        assert "批号 L7" in texts


@pytest.mark.parametrize("scans", [["CMD-PRINT-BIN", "LOC-A"], ["CMD-PRINT-PALLET", "CMD-CONFIRM"]])
def test_a_template_that_is_not_there_is_named(tmp_path, scans):
    setup = replace(SETUP, place_template="mine", pallet_template="mine")
    with bench_at(tmp_path, setup) as bench:
        seen = bench.scan(*scans)
        assert seen.kind == "error"
        assert "mine" in seen.text


def test_a_template_of_another_name_is_printed_when_it_is_configured(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    shipped = SHIPPED_FOLDER / "bin.toml"
    (folder / "shelf.toml").write_text(shipped.read_text("utf-8").replace("LOC-{", "LOC-X{"))
    setup = replace(SETUP, templates=load_templates(folder), place_template="shelf")
    with bench_at(tmp_path, setup) as bench:
        bench.scan("CMD-PRINT-BIN", "LOC-A-01-03")
        (job,) = bench.journal.print_jobs(9)
        assert [code.data for code in barcodes(job.label)] == ["LOC-XA-01-03"]
