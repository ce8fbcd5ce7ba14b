"""A label's picture to TSPL bytes. Pure.

    SIZE <width> mm,<height> mm      the label
    GAP <gap> mm,0 mm                from one label to the next; 0 for paper without end
    DIRECTION <0|1>,0                which edge comes out first
    REFERENCE 0,0
    CLS                              an empty image buffer
    BITMAP 0,0,<bytes>,<rows>,0,...  so many bytes a row, so many rows; a bit 0 is black
    PRINT 1,<copies>

Each line ends with CR LF. Nothing of a label is text here, so nothing of it can be a command. But a
printer obeys `ESC !` and a letter at any time, within a picture too (`ESC ! R` is a reset): where a
picture has these two bytes, one dot more is black. That never touches a bar code, whose bars are
two dots and more: the first byte holds a bar of one.

Source: TSC, TSPL/TSPL2 Programming (the commands above; <ESC>! immediate commands).
"""

from decimal import Decimal
from typing import Literal

from drivers.bitmap import Bitmap
from drivers.protocols.printer_conditions import check_job, inverted

WIDTH_DOTS_MAX = 5000  # 200 mm at 24 dots a millimetre; the widest heads have 8 inches.
HEIGHT_DOTS_MAX = 24_000

Direction = Literal[0, 1]


def render_bitmap(
    bitmap: Bitmap,
    *,
    width_mm: Decimal,
    height_mm: Decimal,
    gap_mm: Decimal,
    direction: Direction = 0,
    copies_count: int,
) -> bytes:
    """Return the whole job. Raises LabelInvalid for a picture or a number of copies too large."""
    check_job(
        bitmap, copies_count=copies_count, width_max=WIDTH_DOTS_MAX, height_max=HEIGHT_DOTS_MAX
    )
    head = (
        f"SIZE {width_mm:f} mm,{height_mm:f} mm\r\n"
        f"GAP {gap_mm:f} mm,0 mm\r\n"
        f"DIRECTION {direction},0\r\n"
        "REFERENCE 0,0\r\n"
        "CLS\r\n"
        f"BITMAP 0,0,{bitmap.row_bytes},{bitmap.height},0,"
    )
    tail = f"\r\nPRINT 1,{copies_count}\r\n"
    return head.encode("ascii") + _without_commands(inverted(bitmap.rows)) + tail.encode("ascii")


def _without_commands(data: bytes) -> bytes:
    return data.replace(b"\x1b!", b"\x0b!")
