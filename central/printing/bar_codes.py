"""Draws bar codes as SVG. Edge of zxing-cpp.

Source: ISO/IEC 15417 (Code 128); GS1 General Specifications, section 5.4 (GS1-128).
"""

import re
from dataclasses import dataclass

from central.errors import Unusable
from central.printing.sheets import BarCode

DATA_CHARACTERS_MAX = 80  # "LOC-" and the longest code.
QR_CHARACTERS_MAX = 500
WIDTH = re.compile(r'<svg width="(\d+)"')


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bar code as SVG. modules_count: how many of its narrowest bars it is wide, with margins."""

    svg: str
    modules_count: int


def draw_qr(text: str) -> Drawn:
    """Return a QR code (ISO/IEC 18004) of a text as SVG. Raises Unusable for one too long."""
    if not 0 < len(text) <= QR_CHARACTERS_MAX or not text.isascii():
        raise Unusable("the text does not fit a QR code", hint="Draw a shorter text.")
    import zxingcpp  # noqa: PLC0415 - as below

    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    svg = made.to_svg(scale=4)
    width = WIDTH.search(svg)
    assert width is not None, "the library says how wide its pictures are"
    # Without it a page cannot draw the picture larger or smaller.
    box = f'<svg viewBox="0 0 {width[1]} {width[1]}" '
    return Drawn(svg.replace("<svg ", box, 1), int(width[1]))


def draw(code: BarCode) -> Drawn:
    """Return a bar code as SVG. Raises Unusable for text that it cannot hold."""
    if not 0 < len(code.data) <= DATA_CHARACTERS_MAX or not code.data.isascii():
        raise Unusable(
            f"{code.data[:80]!r} does not fit a bar code",
            hint="Use a code of letters and digits, at most 64 of them.",
        )
    import zxingcpp  # noqa: PLC0415 - with typst, 10 MB that a ledger needs only for printing

    try:
        made = zxingcpp.create_barcode(
            code.data, zxingcpp.BarcodeFormat.Code128, gs1=code.symbology == "gs1"
        )
    except (ValueError, RuntimeError) as error:
        raise Unusable(
            f"{code.data[:80]!r} does not fit a bar code: {error}",
            hint="Correct the code that is to be printed.",
        ) from error
    svg = made.to_svg(scale=1)
    width = WIDTH.search(svg)
    assert width is not None, "the library says how wide its pictures are"
    return Drawn(svg, int(width[1]))
