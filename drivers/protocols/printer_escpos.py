"""A label's picture to ESC/POS bytes, for receipt printers with paper without end. Pure.

    1B 40                            ESC @     start anew
    1D 76 30 00 xL xH yL yH ...      GS v 0    a band of the picture: x bytes a row, y rows
    1B 64 n                          ESC d     feed n lines, to the tear-off edge
    1D 56 42 00                      GS V B    feed to the cutter and cut all but one point
    1D 72 01                         GS r 1    answered when all before it has been worked off

A band is low, for some printers hold no more at once; bands join without a gap. Copies are the
same bytes again. Nothing of a label is text here, so nothing of it can be a command. But a
printer obeys `DLE EOT`, `DLE ENQ` and `DLE DC4` at any time, within a picture too (DLE DC4 can
switch it off): where a picture has these two bytes, one dot more is black. That never touches a bar
code, whose bars are two dots and more: DLE is a bar of one.

Source: Epson, ESC/POS command reference (the commands above; DLE DC4: "real-time command").
"""

from drivers.bitmap import Bitmap
from drivers.protocols.printer_conditions import check_copies_bytes, check_job

WIDTH_DOTS_MAX = 2048
HEIGHT_DOTS_MAX = 8000  # A metre of paper.
BAND_ROWS = 64  # 4.6 kB at 576 dots.
COPIES_BYTES_MAX = 16 * 1024 * 1024

START = b"\x1b@"
CUT = b"\x1dVB\x00"
TELL_WHEN_WORKED_OFF = b"\x1dr\x01"


def render_bitmap(
    bitmap: Bitmap,
    *,
    width_dots: int,
    feed_lines: int,
    cuts: bool,
    is_confirmed: bool,
    copies_count: int,
) -> bytes:
    """Return the whole job.

    width_dots: of the print head. is_confirmed: ask the printer to tell when it has worked it off.
    Raises LabelInvalid for a picture or a number of copies too large.
    """
    check_job(
        bitmap,
        copies_count=copies_count,
        width_max=min(width_dots, WIDTH_DOTS_MAX),
        height_max=HEIGHT_DOTS_MAX,
    )
    check_copies_bytes(copies_count, copy_bytes=len(bitmap.rows), job_bytes_max=COPIES_BYTES_MAX)
    rows = _without_commands(bitmap.rows)
    band_bytes = bitmap.row_bytes * BAND_ROWS
    bands = [rows[start : start + band_bytes] for start in range(0, len(rows), band_bytes)]
    picture = b"".join(_band_head(bitmap.row_bytes, len(band)) + band for band in bands)
    end = (b"\x1bd" + bytes([feed_lines])) + (CUT if cuts else b"")
    told = TELL_WHEN_WORKED_OFF if is_confirmed else b""
    return START + (picture + end) * copies_count + told


def _band_head(row_bytes: int, band_bytes: int) -> bytes:
    rows_count = band_bytes // row_bytes
    return b"\x1dv0\x00" + row_bytes.to_bytes(2, "little") + rows_count.to_bytes(2, "little")


def _without_commands(rows: bytes) -> bytes:
    for second in (b"\x04", b"\x05", b"\x14"):
        rows = rows.replace(b"\x10" + second, b"\x18" + second)
    return rows
