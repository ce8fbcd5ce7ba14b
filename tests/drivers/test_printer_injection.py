"""No text and no picture becomes a command, in any language. Pure."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.bitmap import Bitmap
from drivers.drawing.label import draw_label
from drivers.errors import LabelInvalid
from drivers.labels import Label, Qr, Text
from drivers.protocols import printer_brother_ql, printer_epl, printer_escpos, printer_tspl
from drivers.simulators.printer_brother_ql import BrotherQlInterpreter
from drivers.simulators.printer_epl import EplInterpreter
from drivers.simulators.printer_escpos import EscPosInterpreter
from drivers.simulators.printer_language import Interpreter
from drivers.simulators.printer_tspl import TsplInterpreter
from tests.drivers.picture_printers import codes_on, understood

TAPE = printer_brother_ql.MEDIA["62"]


def tspl(bitmap: Bitmap) -> bytes:
    return printer_tspl.render_bitmap(
        bitmap,
        width_mm=Decimal(bitmap.width) / 8,
        height_mm=Decimal(bitmap.height) / 8,
        gap_mm=Decimal(2),
        copies_count=2,
    )


def epl(bitmap: Bitmap) -> bytes:
    return printer_epl.render_bitmap(bitmap, gap_dots=24, copies_count=2)


def escpos(bitmap: Bitmap) -> bytes:
    return printer_escpos.render_bitmap(
        bitmap, width_dots=576, feed_lines=2, cuts=True, is_confirmed=True, copies_count=2
    )


def brother(bitmap: Bitmap) -> bytes:
    return printer_brother_ql.render_bitmap(bitmap, media=TAPE, copies_count=2)


def bands(bitmap: Bitmap) -> list[str]:
    return ["GS v 0"] * -(-bitmap.height // 64)


def brother_page(bitmap: Bitmap) -> list[str]:
    settings_names = ["z", "M", "A", "K", "d"]
    rows = ["g"] * max(bitmap.height, 150)
    return [*(f"ESC i {name}" for name in settings_names), "M", *rows]


LANGUAGES: dict[
    str,
    tuple[Callable[[Bitmap], bytes], Callable[[], Interpreter], Callable[[Bitmap], list[str]]],
] = {
    "tspl": (
        tspl,
        TsplInterpreter,
        lambda _: ["SIZE", "GAP", "DIRECTION", "REFERENCE", "CLS", "BITMAP", "empty line", "PRINT"],
    ),
    "epl": (epl, EplInterpreter, lambda _: ["N", "q", "Q", "Z", "GW", "P"]),
    "escpos": (
        escpos,
        EscPosInterpreter,
        lambda one: ["ESC @", *([*bands(one), "ESC d", "GS V"] * 2), "GS r"],
    ),
    "brother-ql": (
        brother,
        BrotherQlInterpreter,
        lambda one: [
            *("NULL", "ESC @", "ESC i a", "ESC i !"),
            *brother_page(one),
            "FF",
            *brother_page(one),
            "SUB",
        ],
    ),
}

# Bytes that are commands in one language or another, as they are and inverted.
FRAGMENTS = [
    *(b"\x1b!R", b"\x1b!?", b"\x1b!", b"\x1b", b"^@", b"^ee", b"^", b"\x10\x04\x01"),
    *(b"\x10\x14\x02", b"\x10\x05\x01", b"\x10", b"\x14\x01\x08", b"\x1b@", b"\x1diS"),
    *(b"g\x00\x5a", b"\x1a", b"\x0c", b"\r\nPRINT 1,9\r\n", b"\nP9\n", b"BITMAP 0,0,1,1,0,"),
    *(b"\x1dV\x00", b"\x00", b"\xff"),
]
FRAGMENTS += [bytes(value ^ 0xFF for value in one) for one in FRAGMENTS]
ROW_BYTES = 12
PICTURES = st.lists(
    st.sampled_from(FRAGMENTS) | st.binary(max_size=8), min_size=1, max_size=60
).map(lambda parts: picture_of(b"".join(parts)))


def picture_of(data: bytes) -> Bitmap:
    rows_count = -(-len(data) // ROW_BYTES) or 1
    return Bitmap(ROW_BYTES * 8, rows_count, data.ljust(ROW_BYTES * rows_count, b"\0"))


def pixels(picture: Bitmap, *, x: int, width: int, height: int) -> list[int]:
    """Return the rows of a part of a picture, each as a number."""
    rows = []
    for start in range(0, height * picture.row_bytes, picture.row_bytes):
        row = int.from_bytes(picture.rows[start : start + picture.row_bytes], "big")
        rows.append(row >> (picture.row_bytes * 8 - x - width) & (1 << width) - 1)
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60)
@given(bitmap=PICTURES)
@example(bitmap=picture_of(b"".join(FRAGMENTS)))
@example(bitmap=picture_of(b"\xff" * 11 + b"\x10\x04\x01" + b"\xff"))
def test_a_printer_sees_our_commands_alone_and_the_whole_picture(
    language: str, bitmap: Bitmap
) -> None:
    render, new_interpreter, names = LANGUAGES[language]
    commands, pictures = understood(new_interpreter(), render(bitmap))
    assert commands == names(bitmap)
    assert len(pictures) == 2 and pictures[0] == pictures[1]
    left = {"brother-ql": 12 + (TAPE.pins_count - bitmap.width + 1) // 2}.get(language, 0)
    printed = pixels(pictures[0], x=left, width=bitmap.width, height=bitmap.height)
    drawn = pixels(bitmap, x=0, width=bitmap.width, height=bitmap.height)
    added_count = 0
    for printed_row, drawn_row in zip(printed, drawn, strict=True):
        assert printed_row & drawn_row == drawn_row, "a dot is missing"
        added_count += (printed_row ^ drawn_row).bit_count()
    assert added_count <= len(bitmap.rows) // 2
    if language == "brother-ql":
        assert added_count == 0


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(text=st.text(alphabet="^~!?@_\\\"'<>托盘箱AZaz09 ,.;:PRINT\x1b", max_size=40))
@example(text="\x1b!R")
@example(text='A","PRINT 1,9\r\n^XZ^@~JR')
def test_any_text_of_a_label_is_dots_or_refused(language: str, text: str) -> None:
    label = Label(
        Decimal(50),
        Decimal(40),
        (
            Text(Decimal(2), Decimal(2), Decimal(4), text),
            Qr(Decimal(10), Decimal(10), Decimal("0.5"), text + "x"),
        ),
    )
    try:
        bitmap = draw_label(label, dots_per_mm=8)
    except LabelInvalid:
        return
    render, new_interpreter, names = LANGUAGES[language]
    commands, pictures = understood(new_interpreter(), render(bitmap))
    assert commands == names(bitmap)
    assert {data for _, data in codes_on(pictures[0])} == {text + "x"}
