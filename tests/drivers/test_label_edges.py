"""Codes at the label's edge fit at every resolution; what takes too much memory is refused."""

import io
from decimal import Decimal

import pytest
from PIL import Image

from drivers.drawing.label import draw_label
from drivers.drawing.png import png_bytes
from drivers.errors import LabelInvalid
from drivers.labels import Code128, Element, Gs1DataMatrix, Label, Picture, Qr, Text
from drivers.protocols.label_layout import Layout
from drivers.protocols.printer_brother_ql import MEDIA
from drivers.protocols.printer_brother_ql import render_bitmap as render_brother
from drivers.protocols.printer_escpos import render_bitmap as render_escpos
from gateway.station.label_templates import PalletContent, bin_label, pallet_label
from gateway.station.templates.files import load_templates
from tests.drivers.label_pictures import read_codes
from tests.drivers.test_drawing_label import DIAMOND, RESOLUTIONS, mm
from tests.drivers.test_printer_jobs import dot

TSPL_RESOLUTIONS = {"300 dpi": Decimal("11.811"), "600 dpi": Decimal("23.622")}
ALL_RESOLUTIONS = RESOLUTIONS | {f"TSPL {name}": one for name, one in TSPL_RESOLUTIONS.items()}


def codes_of(label: Label | None, dots_per_mm: Decimal) -> list[str]:
    assert label is not None
    bitmap = draw_label(label, dots_per_mm=dots_per_mm)
    picture = Image.open(io.BytesIO(png_bytes(bitmap, dots_per_mm=dots_per_mm))).convert("L")
    return sorted(text for _, text in read_codes(picture))


@pytest.mark.parametrize("dots_per_mm", ALL_RESOLUTIONS.values(), ids=ALL_RESOLUTIONS)
@pytest.mark.parametrize("place", ["1", "A-01-03", "12345678", "HALL-7-RACK-0123"])
def test_the_shipped_label_of_a_place_is_printed_at_every_resolution(
    dots_per_mm: Decimal, place: str
) -> None:
    template = load_templates(None).find("bin")
    assert template is not None
    label = bin_label(template, place, language="en")
    assert codes_of(label, dots_per_mm) == [f"LOC-{place}"]


@pytest.mark.parametrize("dots_per_mm", ALL_RESOLUTIONS.values(), ids=ALL_RESOLUTIONS)
def test_the_shipped_label_of_a_pallet_is_printed_at_every_resolution(
    dots_per_mm: Decimal,
) -> None:
    template = load_templates(None).find("pallet")
    assert template is not None
    content = PalletContent("Tea", "16901234567899", 99_999_999, "ABCDEFGHIJ1234567890")
    label = pallet_label(template, "069012340000000012", content, language="zh")
    assert codes_of(label, dots_per_mm) == [
        *("00069012340000000012", "02169012345678993799999999", "10ABCDEFGHIJ1234567890")
    ]


@pytest.mark.parametrize("dots_per_mm", ALL_RESOLUTIONS.values(), ids=ALL_RESOLUTIONS)
@pytest.mark.parametrize("module", ["0.25", "0.38", "0.5", "0.7", "1"])
def test_a_quiet_zone_that_fits_in_millimetres_fits_in_dots(
    dots_per_mm: Decimal, module: str
) -> None:
    layout = Layout(Label(mm("200"), mm("100"), (Text(mm("1"), mm("1"), mm("5"), "x"),)),
                    dots_per_mm=dots_per_mm)  # fmt: skip
    one = mm(module)
    bars = layout.bars(Code128(10 * one, mm("5"), mm("5"), one, "12"), 68)
    assert bars.x >= 10 * bars.module and bars.x - 10 * one * dots_per_mm <= 6
    qr = layout.qr(Qr(4 * one, 4 * one, one, "x"), 21)
    assert min(qr.x, qr.y) >= 4 * qr.module
    matrix = layout.data_matrix(Gs1DataMatrix(one, one, one, (("10", "A"),)), 10)
    assert min(matrix.x, matrix.y) >= matrix.module
    with pytest.raises(LabelInvalid):
        layout.bars(Code128(7 * one, mm("5"), mm("5"), one, "12"), 68)


@pytest.mark.parametrize(
    ("element", "height", "dots_per_mm"),
    [
        (Text(mm("0"), mm("0"), mm("100"), "W" * 30), "110", mm("23.622")),
        (Picture(mm("0"), mm("0"), mm("500"), DIAMOND), "500", mm("15")),
    ],
    ids=["text", "picture"],
)
def test_what_would_take_much_memory_is_refused(
    element: Element, height: str, dots_per_mm: Decimal
) -> None:
    with pytest.raises(LabelInvalid) as refused:
        draw_label(Label(mm("500"), mm(height), (element,)), dots_per_mm=dots_per_mm)
    assert "on the label smaller" in refused.value.hint


@pytest.mark.parametrize("text", ["שלום", "PALLET سلام"], ids=["Hebrew", "Arabic"])
def test_a_text_from_right_to_left_is_refused_not_turned_round(text: str) -> None:
    with pytest.raises(LabelInvalid, match="right to left"):
        draw_label(Label(mm("50"), mm("30"), (Text(mm("1"), mm("1"), mm("5"), text),)),
                   dots_per_mm=8)  # fmt: skip


def test_too_many_copies_are_answered_with_how_many_can_be_printed() -> None:
    with pytest.raises(LabelInvalid) as refused:
        render_brother(dot(696, 11_000, 300, 9), media=MEDIA["62"], copies_count=100)
    assert refused.value.hint == "Print at most 32 copies of this label at once."
    assert render_brother(dot(696, 11_000, 300, 9), media=MEDIA["62"], copies_count=32)
    with pytest.raises(LabelInvalid, match="300 copies of"):
        render_escpos(dot(576, 1200, 3, 9), width_dots=576, feed_lines=2, cuts=True,
                      is_confirmed=True, copies_count=300)  # fmt: skip
