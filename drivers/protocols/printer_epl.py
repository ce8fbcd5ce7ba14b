"""A label's picture to EPL2 bytes. Pure.

    <LF>                             ends what another program may have left of a line
    N                                an empty image buffer
    q<dots>                          width of the label
    Q<dots>,<gap>                    height of the label and of the gap; gap 0: paper without end
    ZT                               the top of the image comes out first
    GW0,0,<bytes>,<rows>,...         so many bytes a row, so many rows; a bit 0 is black
    P<copies>

Each line ends with LF. Nothing of a label is text here, so nothing of it can be a command. But a
printer obeys commands that begin with `^` at once (`^@` is a reset): where a picture has a `^`
before a letter or `@`, one dot more is black. That never touches a bar code, whose bars are two
dots and more: `^` holds a bar of one.

Source: Zebra, EPL2 Programmer's Manual 980352-001 (the commands above, ^@ and ^ee).
"""

import re

from drivers.bitmap import Bitmap
from drivers.protocols.printer_conditions import check_job, inverted

WIDTH_DOTS_MAX = 1248  # The 4 inch heads at 300 dpi; at 203 dpi they have 832.
HEIGHT_DOTS_MAX = 6500  # Q: up to 65535, but the image buffer of the small printers ends before.

_COMMAND_IN_PICTURE = re.compile(rb"\^(?=[@A-Za-z])")


def render_bitmap(bitmap: Bitmap, *, gap_dots: int, copies_count: int) -> bytes:
    """Return the whole job. Raises LabelInvalid for a picture or a number of copies too large."""
    check_job(
        bitmap, copies_count=copies_count, width_max=WIDTH_DOTS_MAX, height_max=HEIGHT_DOTS_MAX
    )
    head = (
        f"\nN\nq{bitmap.width}\nQ{bitmap.height},{gap_dots}\nZT\n"
        f"GW0,0,{bitmap.row_bytes},{bitmap.height},"
    )
    data = _COMMAND_IN_PICTURE.sub(rb"\\", inverted(bitmap.rows))
    return head.encode("ascii") + data + f"\nP{copies_count}\n".encode("ascii")
