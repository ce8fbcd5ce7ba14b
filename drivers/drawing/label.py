"""Draws labels as dots, for every printer that takes a picture. Edge of Pillow.

All elements are laid over each other, black on white, without shades. What fits and where is
decided in `label_layout`, as it is for printers that draw by themselves. Pillow writes the letters
and scales pictures; bars, cells and lines are numbers (`dots`).
"""

import unicodedata
from decimal import Decimal

from PIL import Image, ImageDraw

from drivers.bitmap import Bitmap
from drivers.code_128 import (
    bar_widths,
    code_128_symbols,
    gs1_code_128_symbols,
    width_modules,
)
from drivers.drawing.dots import (
    Ink,
    Paper,
    bar_row,
    box_rows,
    enlarged,
    filled_rows,
    rows_of_bitmap,
)
from drivers.drawing.fonts import find_font, open_font
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
from drivers.protocols.label_layout import Layout, Spot
from drivers.protocols.printer_zpl_symbols import encode_gs1_data_matrix

TEXT_DOTS_MAX = 2400  # Height of a text: 100 mm at 600 dpi.
SHADED_DOTS_MAX = 16_000_000  # Of one text or picture: Pillow takes two bytes for each.
# A font's letters reach above and below its em; so much of the text's height is the em, and so
# far below its top is the base line. Chinese and capital letters then fill two thirds of it.
EM_SHARE = Decimal("0.88")
BASE_LINE_SHARE = Decimal("0.8")
DARK_SHADE_MIN = 112  # Of 255: thin strokes stay closed.


def draw_label(label: Label, *, dots_per_mm: Decimal | int, font_file: str = "") -> Bitmap:
    """Return the whole label as dots.

    dots_per_mm: any resolution: 8, 12 or 24, or dots per inch / Decimal("25.4").
    font_file: see `find_font`. Raises LabelInvalid for what does not fit or cannot be drawn.
    """
    layout = Layout(label, dots_per_mm=dots_per_mm)
    paper = Paper(layout.width, layout.height)
    for element in label.elements:
        paper.lay(draw_element(layout, element, font_file=font_file))
    return paper.bitmap()


def draw_element(layout: Layout, element: Element, *, font_file: str = "") -> Ink:
    """Return one element in its place. Raises LabelInvalid."""
    match element:
        case Text():
            spot = layout.text(element)
            return Ink(spot, _draw_text(element, spot, font_file=font_file))
        case Line():
            spot = layout.line(element)
            return Ink(spot, filled_rows(spot.width, spot.height))
        case Box():
            spot = layout.box(element)
            return Ink(spot, box_rows(spot.width, spot.height, line=spot.module))
        case Code128():
            return _draw_bars(layout, element, code_128_symbols(element.data))
        case Gs1Code128():
            return _draw_bars(layout, element, gs1_code_128_symbols(element.elements))
        case Gs1DataMatrix() | Qr():
            return _draw_matrix(layout, element)
        case Picture():
            spot = layout.picture(element)
            return Ink(spot, _scaled(element.bitmap, spot))


def bitmap_of(image: Image.Image) -> Bitmap:
    """Return the dots of an image in which ink is 1 (Pillow's mode "1", not its usual white)."""
    return Bitmap(image.width, image.height, image.tobytes())


def image_of(bitmap: Bitmap) -> Image.Image:
    """Return the image of a bitmap, ink is 1."""
    return Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.rows)


def _draw_text(text: Text, spot: Spot, *, font_file: str) -> list[int]:
    if spot.height > TEXT_DOTS_MAX:
        raise LabelInvalid(
            f"a text {text.height_mm} mm high", hint="Choose a text height of at most 100 mm."
        )
    if any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text.text):
        raise LabelInvalid(
            f"a text from right to left: {text.text[:40]!r}",
            hint="Write this text in Latin letters or in Chinese.",
        )
    size = max(1, round(spot.height * EM_SHARE))
    font = open_font(find_font(text.text, font_file=font_file), size)
    shown = text.text
    # Only what is on the label is drawn: a long text costs no more than the label's width.
    while (length := font.getlength(shown)) > spot.width + size and len(shown) > 1:
        shown = shown[: max(1, int(len(shown) * (spot.width + size) / length))]
    width = max(1, min(spot.width, int(length) + size))  # A last letter may lean over its width.
    _check_shaded(width, spot.height, what="text")
    shades = Image.new("L", (width, spot.height), 0)
    base_line = round(spot.height * BASE_LINE_SHARE)
    ImageDraw.Draw(shades).text((0, base_line), shown, fill=255, font=font, anchor="ls")
    rows = rows_of_bitmap(bitmap_of(shades.point(_DARK, mode="1")))
    return [row << (spot.width - width) for row in rows]


def _scaled(bitmap: Bitmap, spot: Spot) -> list[int]:
    if (bitmap.width, bitmap.height) == (spot.width, spot.height):
        return rows_of_bitmap(bitmap)
    _check_shaded(spot.width, spot.height, what="picture")
    shades = image_of(bitmap).convert("L")
    resized = shades.resize((spot.width, spot.height), Image.Resampling.BOX)
    return rows_of_bitmap(bitmap_of(resized.point(_DARK, mode="1")))


def _check_shaded(width: int, height: int, *, what: str) -> None:
    if width * height > SHADED_DOTS_MAX:
        raise LabelInvalid(
            f"a {what} of {width} x {height} dots", hint=f"Make the {what} on the label smaller."
        )


def _draw_bars(layout: Layout, code: Code128 | Gs1Code128, symbols: tuple[int, ...]) -> Ink:
    spot = layout.bars(code, width_modules(symbols))
    return Ink(spot, [bar_row(bar_widths(symbols), module=spot.module)] * spot.height)


def _draw_matrix(layout: Layout, code: Gs1DataMatrix | Qr) -> Ink:
    # Loaded with the first such code: zxing-cpp takes 2 MB.
    from drivers.drawing.matrix_codes import data_matrix_cells, qr_cells  # noqa: PLC0415

    if isinstance(code, Qr):
        cells = qr_cells(code.data)
        spot = layout.qr(code, cells.width)
    else:
        # As wide as a printer might draw it, so that all printers refuse the same labels.
        layout.data_matrix(code, encode_gs1_data_matrix(code.elements).width_modules)
        cells = data_matrix_cells(code.elements)
        spot = layout.data_matrix(code, cells.width)
    return Ink(spot, enlarged(rows_of_bitmap(cells), width=cells.width, module=spot.module))


_DARK = [0] * DARK_SHADE_MIN + [255] * (256 - DARK_SHADE_MIN)
