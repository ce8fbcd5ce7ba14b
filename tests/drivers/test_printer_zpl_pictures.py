"""Chinese, QR codes and pictures on a ZPL printer: the dots we drew, and never a command."""

import io
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bitmap import Bitmap
from drivers.drawing.label import draw_label
from drivers.drawing.pictures import with_pictures
from drivers.drawing.png import png_bytes
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
from drivers.protocols.printer_zpl import prints_itself, render_label
from tests.drivers.label_pictures import draw, read_codes
from tests.drivers.second_readers import read_with_dmtx, read_with_zbar
from tests.drivers.test_printer_zpl_label import COMMAND, label


def mm(text: str) -> Decimal:
    return Decimal(text)


def printed(page: Label, dots_per_mm: int = 8) -> bytes:
    """What the driver sends."""

    def native(element: Element) -> bool:
        return prints_itself(element, dots_per_mm=dots_per_mm)

    ready = with_pictures(page, prints_itself=native, dots_per_mm=dots_per_mm)
    return render_label(ready, dots_per_mm=dots_per_mm, copies_count=1)


bitmaps = st.builds(
    lambda width, rows: Bitmap(
        width,
        len(rows),
        b"".join(
            (row & ((1 << width) - 1) << (-width % 8)).to_bytes((width + 7) // 8, "big")
            for row in ((one % (1 << width)) << (-width % 8) for one in rows)
        ),
    ),
    st.integers(1, 50),
    st.lists(
        st.one_of(st.sampled_from([0, (1 << 50) - 1, 0xF0F0F0F0F0F0]), st.integers(0, 1 << 50)),
        min_size=1,
        max_size=8,
    ),
)


@given(bitmaps)
def test_a_picture_is_printed_dot_by_dot(bitmap):
    element = Picture(mm("10"), mm("20"), Decimal(bitmap.width) / 8, bitmap)
    zpl = render_label(label(element), dots_per_mm=8, copies_count=1)
    assert draw(zpl).tobytes() == draw_by_us(label(element))


@pytest.mark.parametrize("digits", [399, 400, 401, 419, 420, 800, 801])
def test_long_runs_of_one_digit_are_printed_dot_by_dot(digits):
    row = (int("5" * digits + "3", 16)).to_bytes((digits + 2) // 2, "big")
    bitmap = Bitmap(len(row) * 8, 1, row)
    page = Label(mm("600"), mm("60"), (Picture(mm("10"), mm("20"), len(row) * mm("1"), bitmap),))
    zpl = render_label(page, dots_per_mm=8, copies_count=1)
    assert draw(zpl).tobytes() == draw_by_us(page)


def draw_by_us(page: Label) -> bytes:
    bitmap = draw_label(page, dots_per_mm=8)
    bits = "".join(f"{byte:08b}" for byte in bitmap.rows)  # Whole bytes: no padding in a row.
    return bits.translate({ord("1"): "\x00", ord("0"): "\xff"}).encode("latin-1")


@pytest.mark.parametrize("dots_per_mm", [8, 12, 24])
def test_all_that_is_foreign_to_the_printer_is_printed_as_we_draw_it(dots_per_mm):
    page = Label(
        mm("100"),
        mm("60"),
        (
            Text(mm("5"), mm("3"), mm("5"), "绿茶 250g"),
            Qr(mm("70"), mm("5"), mm("0.5"), "茶叶 x"),
            Box(mm("1"), mm("1"), mm("98"), mm("58"), mm("0.5")),
            Picture(mm("60"), mm("40"), mm("10"), Bitmap(2, 2, bytes((0x80, 0x40)))),
            Code128(mm("10"), mm("20"), mm("5"), mm("0.5"), "LOC-1"),
            Gs1Code128(mm("10"), mm("35"), mm("12"), mm("0.25"), (("10", "A"),)),
            Gs1DataMatrix(mm("70"), mm("25"), mm("0.5"), (("10", "A"),)),
            Line(mm("5"), mm("55"), mm("90"), mm("0.25")),
        ),
    )
    theirs = draw(printed(page, dots_per_mm), dots_per_mm=dots_per_mm)
    bitmap = draw_label(page, dots_per_mm=dots_per_mm)
    assert theirs.point(lambda shade: 255 - shade).convert("1").tobytes() == bitmap.rows
    read = {text for _, text in read_codes(theirs)}
    assert read == {"LOC-1", "10A", "茶叶 x"}


def test_decoders_of_other_people_read_the_same(tmp_path):
    matrix = Gs1DataMatrix(mm("5"), mm("2"), mm("0.5"), (("10", "a(b)_1"), ("21", "S/9")))
    small = Label(mm("20"), mm("15"), (matrix,))
    assert read_with_dmtx(png_of(printed(small)), tmp_path) == "\x1d10a(b)_1\x1d21S/9"
    page = label(
        Code128(mm("5"), mm("3"), mm("12"), mm("0.25"), "12345>a^~_"),
        Gs1Code128(mm("5"), mm("20"), mm("12"), mm("0.25"), (("10", "L7"), ("21", "S/9"))),
        Qr(mm("60"), mm("5"), mm("0.5"), "^XZ~JR 茶叶"),
    )
    read = read_with_zbar(png_of(printed(page)), tmp_path)
    assert read == {"12345>a^~_", "10L7\x1d21S/9", "^XZ~JR 茶叶"}


def png_of(zpl: bytes) -> bytes:
    file = io.BytesIO()
    draw(zpl).save(file, "PNG")
    return file.getvalue()


HARMLESS = re.compile(COMMAND.pattern.replace(rb"|PQ)", rb"|PQ|GF)"))
numbers = st.decimals(-5, 200, places=1)
sizes = st.decimals(0, 5, places=2)
texts = st.one_of(st.text(max_size=30), st.text(alphabet="^~_>\\,:;XZFD\x1b\n收A1", max_size=30))
pairs = st.lists(st.tuples(st.sampled_from(["10", "21", "240", "00", "^X"]), texts), max_size=3)
anything = st.one_of(
    st.builds(Text, numbers, numbers, sizes, texts),
    st.builds(Code128, numbers, numbers, sizes, sizes, texts),
    st.builds(Gs1Code128, numbers, numbers, sizes, sizes, pairs.map(tuple)),
    st.builds(Gs1DataMatrix, numbers, numbers, sizes, pairs.map(tuple)),
    st.builds(Qr, numbers, numbers, sizes, texts),
)


@given(anything)
def test_nothing_in_an_element_is_a_command(element):
    try:
        zpl = printed(label(element))
    except LabelInvalid:
        return
    assert zpl.count(b"^") == len(HARMLESS.findall(zpl))
    assert b"~" not in zpl
    assert zpl.count(b"^XA") == zpl.count(b"^XZ") == zpl.count(b"^FD") + zpl.count(b"^GF")
    assert all(byte in range(0x20, 0x7F) or byte == 0x0A for byte in zpl)


@given(texts)
def test_no_text_is_a_command(text):
    element = Text(mm("5"), mm("5"), mm("5"), text)
    try:
        zpl = printed(label(element))
    except LabelInvalid:
        assert not (text.isprintable() and text.isascii())
        return
    assert zpl.count(b"^") == len(HARMLESS.findall(zpl)) in {9, 11}
    assert b"~" not in zpl


def test_a_picture_that_was_not_scaled_and_a_qr_code_are_refused_by_the_pure_part():
    for element in (
        Picture(mm("5"), mm("5"), mm("10"), Bitmap(2, 1, b"\x80")),
        Qr(mm("5"), mm("5"), mm("1"), "x"),
    ):
        assert not prints_itself(element, dots_per_mm=8)
        with pytest.raises(LabelInvalid):
            render_label(label(element), dots_per_mm=8, copies_count=1)


def test_an_ascii_label_is_left_as_it_is():
    page = label(Text(mm("5"), mm("5"), mm("5"), "plain"), Line(mm("1"), mm("1"), mm("2"), mm("1")))
    assert all(prints_itself(element, dots_per_mm=8) for element in page.elements)


def test_chinese_spaces_leave_no_picture():
    assert b"^GF" not in printed(label(Text(mm("5"), mm("5"), mm("5"), "\u3000\u3000")))


def test_a_compressed_picture_is_small():
    page = label(Qr(mm("10"), mm("5"), mm("0.5"), "https://x.example/01/09501101530003"))
    assert len(printed(page)) < 4000
    assert png_bytes(draw_label(page, dots_per_mm=8), dots_per_mm=8)
