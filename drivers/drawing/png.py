"""PNG files of bitmaps, and bitmaps of PNG files. Edge of Pillow.

Files are written without it: Pillow takes a byte a dot, 125 MB for a label of a metre.

Source: W3C, Portable Network Graphics: 5.3 (chunks), 11.2 (IHDR, IDAT), 11.3.4.3 (pHYs).
"""

import io
import struct
import zlib
from decimal import Decimal

from PIL import Image

from drivers.bitmap import Bitmap
from drivers.drawing.label import bitmap_of
from drivers.errors import LabelInvalid

PNG_BYTES_MAX = 4 * 1024 * 1024
SIDE_DOTS_MAX = 8192
READ_DOTS_MAX = 1024 * 1024  # Reading takes 12 bytes a dot.
GREY_MIDDLE = 128
_HINT = "Save the picture as PNG, black on white, at most 1000 x 1000 dots."
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INVERTED = bytes(value ^ 0xFF for value in range(256))


def png_bytes(bitmap: Bitmap, *, dots_per_mm: Decimal | int) -> bytes:
    """Return a PNG of black dots on white that knows its size in millimetres."""
    per_metre = round(Decimal(dots_per_mm) * 1000)
    packer = zlib.compressobj()
    size = bitmap.row_bytes
    packed = bytearray()
    for start in range(0, len(bitmap.rows), size):
        # Each row begins with its filter, 0 is none; 0 is black.
        packed += packer.compress(b"\0" + bitmap.rows[start : start + size].translate(_INVERTED))
    packed += packer.flush()
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", bitmap.width, bitmap.height, 1, 0, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            _chunk(b"IDAT", bytes(packed)),
            _chunk(b"IEND", b""),
        )
    )


def read_png(data: bytes) -> Bitmap:
    """Return a PNG as dots: what is darker than middle grey is ink, what is transparent is not.

    Raises LabelInvalid.
    """
    if len(data) > PNG_BYTES_MAX:
        raise LabelInvalid(f"a picture file of {len(data)} bytes", hint=_HINT)
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        if max(image.size) > SIDE_DOTS_MAX or image.width * image.height > READ_DOTS_MAX:
            raise LabelInvalid(f"a picture of {image.width} x {image.height} dots", hint=_HINT)
        coloured = image.convert("RGBA")
    # Pillow's PNG reader raises SyntaxError and ValueError for broken chunks.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise LabelInvalid(f"not a readable PNG: {error}", hint=_HINT) from error
    paper = Image.new("RGBA", coloured.size, "white")
    grey = Image.alpha_composite(paper, coloured).convert("L")
    return bitmap_of(grey.point([255] * GREY_MIDDLE + [0] * (256 - GREY_MIDDLE), mode="1"))


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
