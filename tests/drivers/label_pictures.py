"""Renders ZPL to pixels and reads the bar codes back, with code that is not ours. Pure."""

import io

import zplkit
import zxingcpp
from PIL import Image

DOTS_PER_INCH = {8: 203, 12: 300, 24: 600}


def draw(zpl: bytes, *, dots_per_mm: int = 8) -> Image.Image:
    """Return the picture of the only label in `zpl`; the pure label, without ^PQ."""
    document = zplkit.render(zpl, zplkit.Options(dpi=DOTS_PER_INCH[dots_per_mm]))
    assert len(document.labels) == 1
    return Image.open(io.BytesIO(document.labels[0].png())).convert("L")


def read_codes(picture: Image.Image) -> list[tuple[str, str]]:
    """Return (AIM symbology identifier, text with FNC1 as GS) of all codes, top to bottom."""
    codes = zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)
    codes.sort(key=lambda code: code.position.top_left.y)
    return [(code.symbology_identifier, code.text) for code in codes]
