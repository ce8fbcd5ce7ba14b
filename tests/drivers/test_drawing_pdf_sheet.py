"""A sheet of labels is opened by another PDF program, and every label on it is read."""

from dataclasses import replace
from decimal import Decimal

import pypdfium2
import pytest

from drivers.drawing.pdf_sheet import draw_sheet
from drivers.errors import LabelInvalid
from drivers.labels import Gs1Code128, Gs1DataMatrix, Label, Text
from drivers.protocols.pdf_sheet import Sheet
from tests.drivers.label_pictures import read_codes

SHEET = Sheet(columns=3, rows=8, margin_x_mm=Decimal(0), margin_y_mm=Decimal("0.5"))
NARROW = replace(SHEET, margin_x_mm=Decimal(5), gap_x_mm=Decimal(3), gap_y_mm=Decimal(2))


def lot_label(number: int) -> Label:
    elements = (("01", "09501101530003"), ("10", f"L{number}"))
    return Label(
        Decimal(60),
        Decimal(30),
        (
            Text(Decimal(5), Decimal(2), Decimal(4), f"绿茶 {number}"),
            Gs1DataMatrix(Decimal(40), Decimal(3), Decimal("0.5"), elements),
            Gs1Code128(Decimal(5), Decimal(16), Decimal(10), Decimal("0.25"), elements[1:]),
        ),
    )


def pages_of(pdf: bytes, dpi: int = 300):
    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            assert [round(side * 25.4 / 72) for side in page.get_size()] == [210, 297]
            yield page.render(scale=dpi / 72).to_pil().convert("L")
            page.close()
    finally:
        document.close()


def read_cells(picture, sheet: Sheet, dpi: int = 300):
    """Return what is read in each cell, by its position from 0."""
    per_mm = Decimal(dpi) / Decimal("25.4")
    found = {}
    for position in range(sheet.cells_count):
        x, y = (int(side * per_mm) for side in sheet.corner_mm(position))
        width, height = int(sheet.cell_width_mm * per_mm), int(sheet.cell_height_mm * per_mm)
        codes = read_codes(picture.crop((x, y, x + width, y + height)))
        if codes:
            found[position] = sorted(codes)
    return found


def codes_of(number: int):
    return [("]C1", f"10L{number}"), ("]d2", f"010950110153000310L{number}")]


@pytest.mark.parametrize("sheet", [SHEET, NARROW], ids=["without gaps", "with gaps"])
def test_every_label_of_a_page_is_read_in_its_cell(sheet):
    (page,) = pages_of(draw_sheet([lot_label(n) for n in range(24)], sheet=sheet))
    assert read_cells(page, sheet) == {n: codes_of(n) for n in range(24)}


def test_cells_stand_where_the_margins_and_gaps_put_them():
    assert NARROW.cell_width_mm == Decimal("64.66666666666666666666666667")
    assert [round(side, 2) for side in NARROW.corner_mm(4)] == [Decimal("72.67"), Decimal("37.75")]
    assert NARROW.corner_mm(24) == NARROW.corner_mm(0) == (Decimal(5), Decimal("0.5"))


def test_a_begun_sheet_goes_on_at_its_first_free_label_and_then_on_the_next_page():
    labels = [lot_label(n) for n in range(6)]
    first, second = pages_of(draw_sheet(labels, sheet=SHEET, first_position=21))
    assert read_cells(first, SHEET) == {20 + n: codes_of(n) for n in range(4)}
    assert read_cells(second, SHEET) == {n - 4: codes_of(n) for n in (4, 5)}


def test_copies_cost_no_room():
    one, many = (len(draw_sheet([lot_label(1)] * count, sheet=SHEET)) for count in (1, 240))
    assert many < one + 12_000


def test_a_page_is_small():
    assert len(draw_sheet([lot_label(n) for n in range(24)], sheet=SHEET)) < 150_000


WRONG = {
    "no label": ([], SHEET, 1),
    "label larger than the cell": ([replace(lot_label(1), width_mm=Decimal(71))], SHEET, 1),
    "position 0": ([lot_label(1)], SHEET, 0),
    "position beyond the sheet": ([lot_label(1)], SHEET, 25),
    "no columns": ([lot_label(1)], replace(SHEET, columns=0), 1),
    "margins without paper": ([lot_label(1)], replace(SHEET, margin_x_mm=Decimal(105)), 1),
    "no number": ([lot_label(1)], replace(SHEET, gap_x_mm=Decimal("NaN")), 1),
    "too many cells": ([lot_label(1)], replace(SHEET, columns=100, rows=100), 1),
    "too many labels": ([lot_label(1)] * 2001, SHEET, 1),
}


@pytest.mark.parametrize(("labels", "sheet", "first_position"), WRONG.values(), ids=WRONG)
def test_a_sheet_that_cannot_be_is_refused_with_a_hint(labels, sheet, first_position):
    with pytest.raises(LabelInvalid) as refused:
        draw_sheet(labels, sheet=sheet, first_position=first_position)
    assert refused.value.hint.endswith(".")
