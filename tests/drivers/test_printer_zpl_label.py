"""What a label says is what a scanner reads back, and nothing in it is a command."""

import re
from decimal import Decimal

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import LabelInvalid
from drivers.labels import Code128, Element, Gs1Code128, Gs1DataMatrix, Label, Line, Text
from drivers.protocols.label_layout import COPIES_COUNT_MAX
from drivers.protocols.printer_zpl import DotsPerMm, render_label
from drivers.protocols.printer_zpl_symbols import (
    encode_code_128,
    encode_gs1_code_128,
    encode_gs1_data_matrix,
)
from tests.drivers.label_pictures import draw, read_codes

PRINTABLE_ASCII = "".join(chr(code) for code in range(0x20, 0x7F))

GS1_MESSAGES = {
    "SSCC": ((("00", "106141412345678908"),), "00106141412345678908"),
    "GTIN, expiry, lot with letters": (
        (("01", "09501101530003"), ("17", "261231"), ("10", "AB-12c")),
        "01095011015300031726123110AB-12c",
    ),
    "AI after a lot": (
        (("01", "09501101530003"), ("10", "L7"), ("21", "S/9")),
        "010950110153000310L7\x1d21S/9",
    ),
    "AI after a lot of even digits": (
        (("10", "1234"), ("21", "5678")),
        "101234\x1d215678",
    ),
    "AI after a count of odd digits": (
        (("02", "09501101530003"), ("37", "125"), ("10", "X1")),
        "020950110153000337125\x1d10X1",
    ),
    "predefined after predefined needs no FNC1": (
        (("3103", "012345"), ("410", "9501101530003"), ("15", "270101")),
        "3103012345410950110153000315270101",
    ),
    "signs that are special to ZPL": (
        (("10", "a>b_c>8"), ("21", "_1>6>;__")),
        "10a>b_c>8\x1d21_1>6>;__",
    ),
    "four-digit AI of variable length last": (
        (("8006", "095011015300030102"), ("8020", "REF%1")),
        "8006095011015300030102\x1d8020REF%1",
    ),
}


def label(*elements: Element, width_mm: str = "100", height_mm: str = "60") -> Label:
    return Label(Decimal(width_mm), Decimal(height_mm), elements)


def code_128(data: str, module_mm: str = "0.125") -> Code128:
    return Code128(Decimal(10), Decimal(5), Decimal(15), Decimal(module_mm), data)


def gs1_code_128(elements: tuple[tuple[str, str], ...], *, x_mm: str = "10") -> Gs1Code128:
    return Gs1Code128(Decimal(x_mm), Decimal(5), Decimal(15), Decimal("0.25"), elements)


def gs1_data_matrix(elements: tuple[tuple[str, str], ...]) -> Gs1DataMatrix:
    return Gs1DataMatrix(Decimal(10), Decimal(30), Decimal("0.75"), elements)


def rendered(*elements: Element) -> bytes:
    return render_label(label(*elements), dots_per_mm=8, copies_count=1)


@pytest.mark.parametrize(("elements", "message"), GS1_MESSAGES.values(), ids=GS1_MESSAGES)
def test_gs1_elements_are_read_back_from_both_symbols(
    elements: tuple[tuple[str, str], ...], message: str
) -> None:
    zpl = rendered(gs1_code_128(elements), gs1_data_matrix(elements))
    assert read_codes(draw(zpl)) == [("]C1", message), ("]d2", message)]


@pytest.mark.parametrize(
    "data",
    [
        "A",
        "4711",
        "123",
        "12345",
        "0012345678ab",
        "BIN-A-01-02",
        " ",
        ">8>;>6",
        "_5E_7E^~",
        "~JR^XZ",
    ],
)
def test_code_128_is_read_back(data: str) -> None:
    assert read_codes(draw(rendered(code_128(data, "0.25")))) == [("]C0", data)]


@pytest.mark.parametrize("start", range(0, len(PRINTABLE_ASCII), 24))
def test_code_128_holds_every_printable_ascii_character(start: int) -> None:
    data = PRINTABLE_ASCII[start : start + 24]
    assert read_codes(draw(rendered(code_128(data, "0.25")))) == [("]C0", data)]


@pytest.mark.parametrize("dots_per_mm", [8, 12, 24])
def test_every_resolution_gives_the_same_label(dots_per_mm: DotsPerMm) -> None:
    elements = GS1_MESSAGES["AI after a lot"][0]
    zpl = render_label(
        label(gs1_code_128(elements), gs1_data_matrix(elements)),
        dots_per_mm=dots_per_mm,
        copies_count=1,
    )
    picture = draw(zpl, dots_per_mm=dots_per_mm)
    assert picture.size == (100 * dots_per_mm, 60 * dots_per_mm)
    assert [identifier for identifier, _ in read_codes(picture)] == ["]C1", "]d2"]


@pytest.mark.parametrize("name", GS1_MESSAGES)
def test_the_width_that_is_checked_is_the_width_that_is_printed(name: str) -> None:
    elements = GS1_MESSAGES[name][0]
    picture = draw(rendered(gs1_code_128(elements, x_mm="10")))
    left, _, right, _ = picture.point(lambda shade: 255 - shade).getbbox()
    assert (left, right) == (80, 80 + 2 * encode_gs1_code_128(elements).width_modules)


@pytest.mark.parametrize("name", GS1_MESSAGES)
def test_a_data_matrix_is_never_larger_than_what_is_checked(name: str) -> None:
    elements = GS1_MESSAGES[name][0]
    picture = draw(rendered(gs1_data_matrix(elements)))
    left, top, right, bottom = picture.point(lambda shade: 255 - shade).getbbox()
    assert (left, top) == (80, 240)
    assert max(right - left, bottom - top) <= 6 * encode_gs1_data_matrix(elements).width_modules


COMMAND = re.compile(rb"\^(XA|XZ|CI|PW|LL|LH|FO|A0|FH|FD|FS|BY|BC|BX|GB|PQ)")


@given(st.text(alphabet=PRINTABLE_ASCII, max_size=60))
def test_text_is_never_a_command(text: str) -> None:
    zpl = rendered(Text(Decimal(5), Decimal(5), Decimal(5), text))
    assert zpl.count(b"^") == len(COMMAND.findall(zpl)) == 11
    assert b"~" not in zpl
    assert zpl.count(b"^XA") == zpl.count(b"^XZ") == 1


@pytest.mark.parametrize(
    "attack", ["^XZ^XA~JR", "_5EXZ", "^FS^FO0,0^GB800,480,480^FS", "~HS", "\\&"]
)
def test_an_attack_in_a_text_prints_as_a_text(attack: str) -> None:
    code = code_128("AFTER", "0.25")
    picture = draw(rendered(Text(Decimal(5), Decimal(40), Decimal(4), attack), code))
    assert read_codes(picture) == [("]C0", "AFTER")]
    box = picture.crop((0, 300, 800, 480)).point(lambda shade: 255 - shade).getbbox()
    assert box is not None and box[3] - box[1] < 60  # One line of text, no black label.


@given(st.text(alphabet=PRINTABLE_ASCII, min_size=1, max_size=20))
def test_no_code_128_data_is_a_command(data: str) -> None:
    zpl = rendered(Code128(Decimal(10), Decimal(5), Decimal(15), Decimal("0.125"), data))
    assert zpl.count(b"^") == len(COMMAND.findall(zpl))
    assert b"~" not in zpl
    invocations = re.findall(r">(.?)", encode_code_128(data).field_data)
    assert set(invocations) <= set("0:;6")


def test_copies_are_asked_for_only_when_there_are_several() -> None:
    one = label(Text(Decimal(5), Decimal(5), Decimal(5), "x"))
    assert b"^PQ" not in render_label(one, dots_per_mm=8, copies_count=1)
    assert b"^PQ3\n^XZ" in render_label(one, dots_per_mm=8, copies_count=3)


def test_lines_are_filled_rectangles() -> None:
    picture = draw(
        rendered(
            Line(Decimal(10), Decimal(10), Decimal(20), Decimal("0.5")),
            Line(Decimal(50), Decimal(20), Decimal(1), Decimal(30)),
        )
    )
    dark = picture.point(lambda shade: 255 - shade)
    assert dark.crop((0, 0, 400, 480)).getbbox() == (80, 80, 240, 84)
    assert dark.crop((400, 0, 800, 480)).getbbox() == (0, 160, 8, 400)


WRONG_ELEMENTS = {
    "Chinese text": Text(Decimal(5), Decimal(5), Decimal(5), "收货"),
    "line break in a text": Text(Decimal(5), Decimal(5), Decimal(5), "a\r\n^XZ"),
    "text too long": Text(Decimal(5), Decimal(5), Decimal(5), "x" * 201),
    "text below the label": Text(Decimal(5), Decimal(58), Decimal(5), "x"),
    "text right of the label": Text(Decimal(100), Decimal(5), Decimal(5), "x"),
    "text left of the label": Text(Decimal(-1), Decimal(5), Decimal(5), "x"),
    "text without height": Text(Decimal(5), Decimal(5), Decimal(0), "x"),
    "no number": Text(Decimal("NaN"), Decimal(5), Decimal(5), "x"),
    "line too long": Line(Decimal(5), Decimal(5), Decimal(96), Decimal(1)),
    "empty code": code_128(""),
    "control character in a code": code_128("a\x1db"),
    "Chinese in a code": code_128("货"),
    "code too wide": code_128("A" * 80, "0.25"),
    "code without quiet zone at the left": gs1_code_128((("10", "A"),), x_mm="2"),
    "code without quiet zone at the right": gs1_code_128((("10", "A"),), x_mm="80"),
    "module under one dot": code_128("A", "0.05"),
    "module too large": code_128("A", "2"),
    "Data Matrix too large": Gs1DataMatrix(
        Decimal(10), Decimal(30), Decimal("1.25"), (("10", "A" * 80),)
    ),
    "no GS1 elements": gs1_code_128(()),
    "GTIN of 13 digits": gs1_code_128((("01", "9501101530003"),)),
    "letters in a GTIN": gs1_code_128((("01", "0950110153000X"),)),
    "empty lot": gs1_code_128((("10", ""),)),
    "separator in a lot": gs1_data_matrix((("10", "A\x1d21B"),)),
    "circumflex in a lot": gs1_data_matrix((("10", "A^XZ"),)),
    "AI of letters": gs1_data_matrix((("1X", "A"),)),
    "AI of Arabic digits": gs1_data_matrix((("١٠", "A"),)),
    "GS1-128 over 48 characters": gs1_code_128((("10", "1" * 20), ("21", "1" * 26))),
}


@pytest.mark.parametrize("element", WRONG_ELEMENTS.values(), ids=WRONG_ELEMENTS)
def test_what_cannot_be_printed_right_is_refused_with_a_hint(element: Element) -> None:
    with pytest.raises(LabelInvalid) as refused:
        rendered(element)
    assert refused.value.hint.endswith(".")


@pytest.mark.parametrize("copies_count", [0, -1, COPIES_COUNT_MAX + 1])
def test_a_senseless_number_of_copies_is_refused(copies_count: int) -> None:
    with pytest.raises(LabelInvalid):
        render_label(
            label(Text(Decimal(5), Decimal(5), Decimal(5), "x")),
            dots_per_mm=8,
            copies_count=copies_count,
        )


@pytest.mark.parametrize("side", ["0", "-5", "NaN", "Infinity", "5000"])
def test_a_senseless_label_size_is_refused(side: str) -> None:
    with pytest.raises(LabelInvalid):
        render_label(
            label(Text(Decimal(1), Decimal(1), Decimal(1), "x"), width_mm=side),
            dots_per_mm=8,
            copies_count=1,
        )


def test_an_independent_encoder_agrees_on_the_separators() -> None:
    elements = GS1_MESSAGES["AI after a lot"][0]
    theirs = zxingcpp.create_barcode(
        "".join(f"({identifier}){value}" for identifier, value in elements),
        zxingcpp.BarcodeFormat.Code128,
        gs1=True,
    )
    their_picture = theirs.to_image(scale=3)
    read = zxingcpp.read_barcodes(their_picture, text_mode=zxingcpp.TextMode.Plain)
    assert read[0].text == GS1_MESSAGES["AI after a lot"][1]
