"""A label's picture to Brother QL raster bytes. Pure.

    00 * 400                         ends whatever was begun
    1B 40                            ESC @      start anew
    1B 69 61 01                      ESC i a    raster mode
    1B 69 21 00                      ESC i !    tell by itself what happens
    for each copy:
    1B 69 7A f k w l r r r r p 00    ESC i z    what is loaded: kind, width and length in mm, rows
    1B 69 4D 40                      ESC i M    cut
    1B 69 41 01                      ESC i A    after each label
    1B 69 4B 08                      ESC i K    at the end
    1B 69 64 lo hi                   ESC i d    margin in dots: 35 on tape, 0 on die-cut labels
    4D 00                            M          no compression
    67 00 5A <90 bytes>              g          one row each, mirrored
    0C, after the last copy 1A                  print; print and feed

The head has 720 pins, 300 to the inch. The picture lies in the middle of what can be printed; what
hangs over must be white. Nothing of a label is text here, so nothing of it can be a command.

Source: Brother, Raster Command Reference QL-800/810W/820NWB and QL-710W/720NW, sections 2 and 4.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid
from drivers.protocols.printer_conditions import check_copies_bytes, check_job

HEAD_PINS = 720
ROW_BYTES = HEAD_PINS // 8
WIDTH_DOTS_MAX = 1000
HEIGHT_DOTS_MAX = 11_811  # One metre of tape.
ROWS_MIN = 150  # Half an inch: less tape does not reach the cutter.
JOB_BYTES_MAX = 32 * 1024 * 1024
TAPE_MARGIN_DOTS = 35
DOTS_PER_MM = Decimal("11.811")

START = bytes(400) + b"\x1b@\x1bia\x01\x1bi!\x00"
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_VALID = 0x80 | 0x02 | 0x04  # Recover; kind and width are to be checked by the printer.
_LENGTH_IS_VALID = 0x08
_CUT = b"\x1biM\x40\x1biA\x01\x1biK\x08"


@dataclass(frozen=True, slots=True)
class Media:
    """A roll. length_mm: of a die-cut label; 0: tape. Pins and rows: what can be printed."""

    width_mm: int
    length_mm: int
    pins_count: int
    first_pin: int
    rows_count: int = 0


# Section 2.3.2 "Page size" of the reference: width, length, pins, offset of the first one, rows.
MEDIA: dict[str, Media] = {
    "12": Media(12, 0, 106, 29),
    "29": Media(29, 0, 306, 6),
    "38": Media(38, 0, 413, 12),
    "50": Media(50, 0, 554, 12),
    "54": Media(54, 0, 590, 0),
    "62": Media(62, 0, 696, 12),
    "17x54": Media(17, 54, 165, 0, 566),
    "17x87": Media(17, 87, 165, 0, 956),
    "23x23": Media(23, 23, 202, 42, 202),
    "29x42": Media(29, 42, 306, 6, 425),
    "29x90": Media(29, 90, 306, 6, 991),
    "38x90": Media(38, 90, 413, 12, 991),
    "39x48": Media(39, 48, 425, 6, 495),
    "52x29": Media(52, 29, 578, 0, 271),
    "62x29": Media(62, 29, 696, 12, 271),
    "62x100": Media(62, 100, 696, 12, 1109),
}


def render_bitmap(bitmap: Bitmap, *, media: Media, copies_count: int) -> bytes:
    """Return the whole job.

    Raises LabelInvalid for a number of copies too large, and for a picture with something black
    where the printer cannot print.
    """
    check_job(
        bitmap, copies_count=copies_count, width_max=WIDTH_DOTS_MAX, height_max=HEIGHT_DOTS_MAX
    )
    rows_count = media.rows_count or max(bitmap.height, ROWS_MIN)
    check_copies_bytes(
        copies_count, copy_bytes=rows_count * (ROW_BYTES + 3), job_bytes_max=JOB_BYTES_MAX
    )
    rows = _head_rows(bitmap, media)
    raster = b"".join(b"g\x00\x5a" + row for row in rows)
    margin_dots = 0 if media.length_mm else TAPE_MARGIN_DOTS
    settings = _CUT + b"\x1bid" + margin_dots.to_bytes(2, "little") + b"M\x00"
    pages = [
        _print_information(media, rows_count=len(rows), is_first=index == 0) + settings + raster
        for index in range(copies_count)
    ]
    return START + b"\x0c".join(pages) + b"\x1a"


def _print_information(media: Media, *, rows_count: int, is_first: bool) -> bytes:
    is_die_cut = media.length_mm > 0
    flags = _VALID | (_LENGTH_IS_VALID if is_die_cut else 0)
    kind = 0x0B if is_die_cut else 0x0A
    sizes = bytes([flags, kind, media.width_mm, media.length_mm])
    page = bytes([0 if is_first else 1, 0])
    return b"\x1biz" + sizes + rows_count.to_bytes(4, "little") + page


def _head_rows(bitmap: Bitmap, media: Media) -> list[bytes]:
    """Return the rows as the pins print them: mirrored, moved, 90 bytes each."""
    first, kept_count, added_count = _kept_rows(bitmap, media)
    left = (bitmap.width - media.pins_count) // 2  # Below 0: so many pins stay white.
    right = bitmap.width - media.pins_count - left
    _check_white(bitmap, left=left, right=right, first=first, kept_count=kept_count)
    # One number for all rows, so that one shift moves them all. Between two rows is room enough.
    size = bitmap.row_bytes
    end = (first + kept_count) * size
    mirrored = bitmap.rows[first * size : end][::-1].translate(_MIRRORED)
    stride = size + ROW_BYTES
    room = bytes(ROW_BYTES)
    spread = b"".join(
        mirrored[start : start + size] + room for start in range(len(mirrored) - size, -1, -size)
    )
    shift = media.first_pin - right - (size * 8 - bitmap.width)
    whole = int.from_bytes(spread, "big")
    whole = whole >> shift if shift > 0 else whole << -shift
    moved = whole.to_bytes(len(spread), "big")
    rows = [moved[start : start + ROW_BYTES] for start in range(0, len(moved), stride)]
    white = bytes(ROW_BYTES)
    above = added_count // 2 if media.length_mm else 0
    return [white] * above + rows + [white] * (added_count - above)


def _kept_rows(bitmap: Bitmap, media: Media) -> tuple[int, int, int]:
    """Return the first row to print, how many, and how many white ones to add."""
    if not media.rows_count:
        return 0, bitmap.height, max(0, ROWS_MIN - bitmap.height)
    over = bitmap.height - media.rows_count
    return (over // 2, media.rows_count, 0) if over > 0 else (0, bitmap.height, -over)


def _check_white(bitmap: Bitmap, *, left: int, right: int, first: int, kept_count: int) -> None:
    size = bitmap.row_bytes
    rows, end = bitmap.rows, (first + kept_count) * size
    columns = reduce(
        or_, (int.from_bytes(rows[i : i + size], "big") for i in range(first * size, end, size))
    )
    columns >>= size * 8 - bitmap.width
    outside = any(rows[: first * size]) or any(rows[end:])
    outside = outside or (left > 0 and columns >> (bitmap.width - left) > 0)
    outside = outside or (right > 0 and columns & ((1 << right) - 1) > 0)
    if outside:
        raise LabelInvalid(
            "something of the label lies where the printer cannot print",
            hint="Keep 2 mm at the sides and 3 mm at the ends of a label free, or set `media` to "
            "what is loaded.",
        )
