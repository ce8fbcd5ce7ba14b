"""Reads a printed label back with code that is not ours. Edge of zplkit and zxing-cpp."""

import io

import zplkit
import zxingcpp
from PIL import Image

DOTS_PER_INCH = 203


def read_label(zpl: str) -> tuple[str, ...]:
    """Return the bar codes on a label, top to bottom, as a scanner would send them."""
    document = zplkit.render(zpl.encode(), zplkit.Options(dpi=DOTS_PER_INCH))
    codes = [
        code
        for label in document.labels
        for code in zxingcpp.read_barcodes(
            Image.open(io.BytesIO(label.png())).convert("L"), text_mode=zxingcpp.TextMode.Plain
        )
    ]
    codes.sort(key=lambda code: code.position.top_left.y)
    return tuple(code.text for code in codes)
