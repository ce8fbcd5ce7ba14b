"""Ink on a sheet of dots, laid over each other as whole rows. Pure.

A row is one number: its highest bit is the leftmost dot, 1 is black. A label at 600 dpi is a
megabyte so, an image library takes a byte a dot; equal rows, as of bars, are one number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.bitmap import BITMAP_BYTES_MAX, Bitmap
from drivers.errors import LabelInvalid
from drivers.protocols.label_layout import Spot


@dataclass(frozen=True, slots=True)
class Ink:
    """The dots of one element: `rows` are numbers of spot.width bits, spot.height of them."""

    spot: Spot
    rows: Sequence[int]


class Paper:
    """White paper that takes ink."""

    def __init__(self, width: int, height: int) -> None:
        """Raise LabelInvalid if there are more dots than a bitmap may have."""
        if (width + 7) // 8 * height > BITMAP_BYTES_MAX:
            raise LabelInvalid(
                f"a picture of {width} x {height} dots",
                hint="Choose a smaller label or a coarser resolution.",
            )
        self._width = width
        self._rows = [0] * height

    def lay(self, ink: Ink) -> None:
        """Put ink on the paper, on which its spot lies wholly."""
        spot = ink.spot
        shift = self._width - spot.x - spot.width
        assert shift >= 0 <= spot.y <= len(self._rows) - len(ink.rows)
        for place, row in enumerate(ink.rows, start=spot.y):
            if row:
                self._rows[place] |= row << shift

    def bitmap(self) -> Bitmap:
        """Return all dots."""
        return bitmap_of_rows(self._rows, width=self._width)


def bitmap_of_rows(rows: Sequence[int], *, width: int) -> Bitmap:
    """Return rows of so many bits as a bitmap."""
    row_bytes = (width + 7) // 8
    shift = row_bytes * 8 - width
    return Bitmap(
        width, len(rows), b"".join((row << shift).to_bytes(row_bytes, "big") for row in rows)
    )


def rows_of_bitmap(bitmap: Bitmap) -> list[int]:
    """Return the rows of a bitmap as numbers."""
    size, shift = bitmap.row_bytes, bitmap.row_bytes * 8 - bitmap.width
    return [
        int.from_bytes(bitmap.rows[start : start + size], "big") >> shift
        for start in range(0, len(bitmap.rows), size)
    ]


def filled_rows(width: int, height: int) -> list[int]:
    """Return a black rectangle."""
    return [(1 << width) - 1] * height


def box_rows(width: int, height: int, *, line: int) -> list[int]:
    """Return the outline of a rectangle; a line of half the smaller side or more fills it."""
    full = (1 << width) - 1
    inner_width, inner_height = max(0, width - 2 * line), max(0, height - 2 * line)
    sides = full ^ (((1 << inner_width) - 1) << line)
    edge = [full] * min(line, (height - inner_height + 1) // 2)
    rows = [*edge, *([sides] * inner_height), *edge]
    return rows[:height]


def bar_row(widths: Sequence[int], *, module: int) -> int:
    """Return bar, space, bar ... of so many modules each as one row."""
    row = 0
    for place, modules in enumerate(widths):
        dots = modules * module
        row = row << dots | ((1 << dots) - 1 if place % 2 == 0 else 0)
    return row


def enlarged(rows: Sequence[int], *, width: int, module: int) -> list[int]:
    """Return cells of one dot as cells of `module` dots a side."""
    zero, one = "0" * module, "1" * module
    wide = [
        int(f"{row:0{width}b}".replace("1", "x").replace("0", zero).replace("x", one), 2)
        for row in rows
    ]
    return [row for row in wide for _ in range(module)]


def cropped(ink: Ink) -> Ink | None:
    """Return the ink without white edges, None if there is none."""
    first = next((place for place, row in enumerate(ink.rows) if row), None)
    if first is None:
        return None
    last = max(place for place, row in enumerate(ink.rows) if row)
    every = 0
    for row in ink.rows:
        every |= row
    right = (every & -every).bit_length() - 1  # White dots at the right.
    left = ink.spot.width - every.bit_length()
    spot = Spot(
        ink.spot.x + left,
        ink.spot.y + first,
        ink.spot.width - left - right,
        last - first + 1,
    )
    return Ink(spot, [row >> right for row in ink.rows[first : last + 1]])
