"""A drawn label is read back by decoders that are not ours, and nothing on it is grey or lost."""

import io
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.bitmap import Bitmap
from drivers.drawing.fonts import find_font
from drivers.drawing.label import TEXT_DOTS_MAX, draw_label
from drivers.drawing.matrix_codes import data_matrix_cells
from drivers.drawing.png import png_bytes, read_png
from drivers.errors import LabelInvalid
from drivers.labels import (
    Box,
    Code128,
    Element,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)
from drivers.protocols.printer_zpl import render_label
from tests.drivers.label_pictures import read_codes
from tests.drivers.second_readers import read_with_dmtx, read_with_zbar
from tests.drivers.test_printer_zpl_label import GS1_MESSAGES, WRONG_ELEMENTS, label

DPI = {f"{dpi} dpi": Decimal(dpi) / Decimal("25.4") for dpi in (180, 203, 300, 600)}
RESOLUTIONS = {"8": Decimal(8), "12": Decimal(12), "24": Decimal(24)} | DPI
DIAMOND = Bitmap(5, 5, bytes((0x20, 0x70, 0xF8, 0x70, 0x20)))


def mm(text: str) -> Decimal:
    return Decimal(text)


def drawn(*elements: Element, dots_per_mm: Decimal = Decimal(8)) -> Image.Image:
    bitmap = draw_label(label(*elements), dots_per_mm=dots_per_mm)
    return Image.open(io.BytesIO(png_bytes(bitmap, dots_per_mm=dots_per_mm)))


def dark_box(picture: Image.Image) -> tuple[int, int, int, int] | None:
    return picture.convert("L").point(lambda shade: 255 - shade).getbbox()


def gs1_pair(elements: tuple[tuple[str, str], ...]) -> tuple[Gs1Code128, Gs1DataMatrix]:
    return (
        Gs1Code128(mm("10"), mm("5"), mm("15"), mm("0.25"), elements),
        Gs1DataMatrix(mm("10"), mm("30"), mm("0.75"), elements),
    )


@pytest.mark.parametrize(("elements", "message"), GS1_MESSAGES.values(), ids=GS1_MESSAGES)
def test_gs1_elements_are_read_back_from_both_symbols(elements, message):
    picture = drawn(*gs1_pair(elements)).convert("L")
    assert read_codes(picture) == [("]C1", message), ("]d2", message)]


@pytest.mark.parametrize("dots_per_mm", RESOLUTIONS.values(), ids=RESOLUTIONS)
def test_every_resolution_is_read_back(dots_per_mm):
    elements = GS1_MESSAGES["AI after a lot"][0]
    qr = Qr(mm("60"), mm("30"), mm("0.75"), "https://x.example/01/0950")
    picture = drawn(*gs1_pair(elements), qr, dots_per_mm=dots_per_mm).convert("L")
    assert picture.size == (round(100 * dots_per_mm), round(60 * dots_per_mm))
    assert sorted(read_codes(picture)) == [
        ("]C1", "010950110153000310L7\x1d21S/9"),
        ("]Q1", "https://x.example/01/0950"),
        ("]d2", "010950110153000310L7\x1d21S/9"),
    ]


@pytest.mark.parametrize(
    "data", ["A", "4711", "123", "12345", "0012345678ab", " ", ">8>;>6", "_5E_7E^~", "~JR^XZ"]
)
def test_code_128_is_read_back(data):
    code = Code128(mm("10"), mm("5"), mm("15"), mm("0.25"), data)
    assert read_codes(drawn(code).convert("L")) == [("]C0", data)]


QR_TEXTS = ["茶叶 250g 龙井", "É", "日本カナ", "😀", "(01)0950", "\\x41", "a\nb\tc", "1" * 300]


@pytest.mark.parametrize("text", QR_TEXTS)
def test_a_qr_code_holds_any_text(text):
    picture = drawn(Qr(mm("10"), mm("5"), mm("0.5"), text)).convert("L")
    assert [read for _, read in read_codes(picture)] == [text]


def test_decoders_of_other_people_read_the_same(tmp_path):
    elements = (("01", "09501101530003"), ("10", "a(b)_1"), ("21", "S/9"))
    matrix = Gs1DataMatrix(mm("5"), mm("2"), mm("0.5"), elements)
    small = draw_label(Label(mm("20"), mm("15"), (matrix,)), dots_per_mm=8)
    message = "\x1d010950110153000310a(b)_1\x1d21S/9"
    assert read_with_dmtx(png_bytes(small, dots_per_mm=8), tmp_path) == message
    rest = (
        Gs1Code128(mm("5"), mm("3"), mm("12"), mm("0.25"), (("10", "L7"), ("21", "S/9"))),
        Code128(mm("5"), mm("20"), mm("12"), mm("0.25"), "LOC-A-01"),
        Qr(mm("60"), mm("5"), mm("0.5"), "É"),  # Taken for Shift-JIS where no ECI says UTF-8.
        Qr(mm("60"), mm("35"), mm("0.5"), "https://x.example/a?b=1"),
    )
    png = png_bytes(draw_label(label(*rest), dots_per_mm=8), dots_per_mm=8)
    assert read_with_zbar(png, tmp_path) == {
        "10L7\x1d21S/9",
        "LOC-A-01",
        "É",
        "https://x.example/a?b=1",
    }


@pytest.mark.parametrize("text", ["收货 250g", "绿茶龙井", "Größe Å", "plain"])
def test_text_fills_its_height_and_stays_in_it(text):
    box = dark_box(drawn(Text(mm("10"), mm("20"), mm("5"), text)))
    assert box is not None
    left, top, _, bottom = box
    assert 80 <= left < 90
    assert 160 <= top < 176
    assert 185 < bottom <= 200


def test_chinese_text_is_made_of_different_characters():
    pictures = {drawn(Text(mm("5"), mm("5"), mm("6"), sign)).tobytes() for sign in "收货绿茶叶"}
    assert len(pictures) == 5


def test_strokes_are_neither_lost_nor_run_together():
    picture = drawn(Text(mm("5"), mm("5"), mm("4"), "国"))
    left, top, right, bottom = dark_box(picture)
    ink = picture.convert("L").tobytes().count(0) / ((right - left) * (bottom - top))
    assert 0.5 < ink < 0.6


@pytest.mark.parametrize("length", [1, 3, 8, 12, 20])
def test_a_data_matrix_is_always_square(length):
    cells = data_matrix_cells((("10", "A" * length),))
    assert cells.width == cells.height


def test_a_long_text_is_cut_at_the_edge_and_costs_no_more():
    box = dark_box(drawn(Text(mm("50"), mm("5"), mm("10"), "国" * 200)))
    assert box is not None and box[2] > 780


def test_lines_and_boxes_are_whole_dots():
    picture = drawn(
        Line(mm("10"), mm("10"), mm("20"), mm("0.5")),
        Box(mm("50"), mm("20"), mm("10"), mm("30"), mm("0.5")),
    )
    assert dark_box(picture.crop((0, 0, 400, 480))) == (80, 80, 240, 84)
    assert dark_box(picture.crop((400, 0, 800, 480))) == (0, 160, 80, 400)
    assert dark_box(picture.crop((404, 164, 476, 396))) is None
    assert dark_box(picture.crop((403, 0, 800, 480))) == (0, 160, 77, 400)


def test_a_box_with_a_thick_line_is_filled():
    picture = drawn(Box(mm("10"), mm("10"), mm("2"), mm("4"), mm("3")))
    assert sum(1 for dot in picture.convert("L").tobytes() if dot == 0) == 16 * 32


def test_pictures_are_scaled_to_their_width():
    picture = drawn(Picture(mm("10"), mm("20"), mm("10"), DIAMOND)).convert("L")
    assert dark_box(picture) == (80, 160, 160, 240)
    assert picture.getpixel((119, 199)) == 0
    assert picture.getpixel((85, 165)) == 255


def test_ink_lies_over_ink():
    both = (
        Line(mm("10"), mm("10"), mm("20"), mm("5")),
        Picture(mm("10"), mm("10"), mm("5"), DIAMOND),
    )
    assert drawn(*both).tobytes() == drawn(both[0]).tobytes()


WRONG_PICTURES = {
    name: element for name, element in WRONG_ELEMENTS.items() if name != "Chinese text"
} | {
    "QR without quiet zone": Qr(mm("1"), mm("10"), mm("0.5"), "x"),
    "QR too large": Qr(mm("5"), mm("5"), mm("2"), "x" * 300),
    "empty QR": Qr(mm("5"), mm("5"), mm("0.5"), ""),
    "QR of too much": Qr(mm("5"), mm("5"), mm("0.125"), "x" * 1001),
    "half a character": Qr(mm("5"), mm("5"), mm("0.5"), "\ud800"),
    "unknown AI": Gs1DataMatrix(mm("10"), mm("30"), mm("0.75"), (("05", "1"),)),
    "control character": Text(mm("5"), mm("5"), mm("5"), "a\x1b@"),
    "picture beyond the edge": Picture(mm("95"), mm("5"), mm("10"), DIAMOND),
    "picture of no width": Picture(mm("5"), mm("5"), mm("0"), DIAMOND),
    "box beyond the edge": Box(mm("95"), mm("5"), mm("10"), mm("5"), mm("1")),
    "box of no line": Box(mm("5"), mm("5"), mm("10"), mm("5"), mm("0.01")),
}


@pytest.mark.parametrize("element", WRONG_PICTURES.values(), ids=WRONG_PICTURES)
def test_what_cannot_be_drawn_right_is_refused_with_a_hint(element):
    with pytest.raises(LabelInvalid) as refused:
        drawn(element)
    assert refused.value.hint.endswith(".")


@pytest.mark.parametrize("name", sorted(set(WRONG_ELEMENTS) - {"Chinese text", "module too large"}))
def test_a_picture_and_a_zpl_job_refuse_alike(name):
    reasons = set()
    for refuse in (
        lambda: drawn(WRONG_ELEMENTS[name]),
        lambda: render_label(label(WRONG_ELEMENTS[name]), dots_per_mm=8, copies_count=1),
    ):
        with pytest.raises(LabelInvalid) as refused:
            refuse()
        reasons.add(str(refused.value))
    assert len(reasons) == 1


@pytest.mark.parametrize(("side", "dots_per_mm"), [("990", 12), ("5000", 8), ("NaN", 8)])
def test_a_senseless_size_is_refused(side, dots_per_mm):
    page = Label(mm(side), mm("990"), (Line(mm("1"), mm("1"), mm("1"), mm("1")),))
    with pytest.raises(LabelInvalid):
        draw_label(page, dots_per_mm=dots_per_mm)


def test_a_giant_letter_is_refused():
    page = Label(mm("400"), mm("400"), (Text(mm("1"), mm("1"), mm("390"), "x"),))
    assert TEXT_DOTS_MAX < 390 * 8
    with pytest.raises(LabelInvalid):
        draw_label(page, dots_per_mm=8)


def test_a_character_that_no_font_has_names_the_package_to_install():
    with pytest.raises(LabelInvalid) as refused:
        find_font("ok \U000f1234")
    assert "\U000f1234" in str(refused.value) or "f1234" in str(refused.value)
    assert "fonts-" in refused.value.hint


def test_a_font_file_is_preferred_and_must_be_there(tmp_path):
    latin = next(path for path in map(str, (find_font("A"), find_font("Å"))))
    assert str(find_font("A", font_file=latin)) == latin
    with pytest.raises(LabelInvalid) as refused:
        find_font("A", font_file=str(tmp_path / "no.ttf"))
    assert "font_file" in refused.value.hint
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"\0\1\0\0\0\1cmap")
    with pytest.raises(LabelInvalid):
        find_font("A", font_file=str(broken))


@given(st.text(max_size=60))
def test_any_text_is_drawn_or_refused(text):
    with suppress(LabelInvalid):
        drawn(Text(mm("5"), mm("5"), mm("4"), text))


@given(st.binary(max_size=200), st.booleans())
def test_any_png_is_read_or_refused(data, with_head):
    head = png_bytes(DIAMOND, dots_per_mm=8)[:33] if with_head else b""
    with suppress(LabelInvalid):
        read_png(head + data)


def test_a_png_is_read_back_dot_by_dot():
    assert read_png(png_bytes(DIAMOND, dots_per_mm=8)) == DIAMOND


def test_transparent_paint_is_paper():
    file = io.BytesIO()
    Image.new("RGBA", (9, 2), (0, 0, 0, 0)).save(file, "PNG")
    assert read_png(file.getvalue()) == Bitmap(9, 2, bytes(4))
