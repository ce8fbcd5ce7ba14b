"""Data Matrix and QR codes, one dot a cell. Edge of zxing-cpp.

QR codes of ASCII are written plain. Others carry the mark of UTF-8 (ECI 26): without it the
standard says Latin-1, the library would write Chinese as Shift-JIS, and readers guess.

Sources: ISO/IEC 18004 (QR, 7.4.2 ECI), GS1 General Specifications 5.6 (GS1 DataMatrix).
"""

import zxingcpp

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid
from drivers.gs1_elements import check_gs1_elements

QR_BYTES_MAX = 1000  # Our own limit; version 40 at level M holds 2331, no label does.


def data_matrix_cells(elements: tuple[tuple[str, str], ...]) -> Bitmap:
    """Return the square GS1 DataMatrix of the elements. Raises LabelInvalid."""
    check_gs1_elements(elements)
    # Square brackets are no GS1 characters; round ones are, and may stand in a value.
    content = "".join(f"[{identifier}]{value}" for identifier, value in elements)
    try:
        code = zxingcpp.create_barcode(
            content, zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True
        )
    except ValueError as error:
        raise LabelInvalid(
            f"no GS1 DataMatrix of {content!r}: {error}",
            hint="Use application identifiers of GS1 with values of their length.",
        ) from error
    return _cells(code)


def qr_cells(data: str) -> Bitmap:
    """Return the QR code of any text, error correction level M. Raises LabelInvalid."""
    hint = f"Use 1 to {QR_BYTES_MAX} bytes of text in a QR code."
    try:
        size_bytes = len(data.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise LabelInvalid(f"no text: {data[:40]!r}", hint=hint) from error
    if not 1 <= size_bytes <= QR_BYTES_MAX:
        raise LabelInvalid(f"a QR code of {size_bytes} bytes", hint=hint)
    options = {} if data.isascii() else {"eci": "UTF-8"}
    try:
        code = zxingcpp.create_barcode(data, zxingcpp.BarcodeFormat.QRCode, ec_level="M", **options)
    except ValueError as error:
        raise LabelInvalid(f"no QR code of {data[:40]!r}: {error}", hint=hint) from error
    return _cells(code)


def _cells(code: zxingcpp.Barcode) -> Bitmap:
    picture = code.to_image(scale=1, add_quiet_zones=False)
    height, width = picture.shape
    shades = bytes(memoryview(picture))  # type: ignore[arg-type]  # A buffer, 0 is black.
    row_bytes = (width + 7) // 8
    rows = bytearray()
    for start in range(0, width * height, width):
        dots = int(shades[start : start + width].translate(_BINARY_DIGITS), 2)
        rows += (dots << (8 * row_bytes - width)).to_bytes(row_bytes, "big")
    return Bitmap(width, height, bytes(rows))


_BINARY_DIGITS = b"1" + b"0" * 255
