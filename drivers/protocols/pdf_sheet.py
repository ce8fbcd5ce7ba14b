"""Sheets of labels as a PDF: each label a picture of one bit a dot, none drawn twice. Pure.

    +--margin--------------------------+      position 1 is the top left cell, then to the
    |  +-----+ gap +-----+ gap +-----+ |      right, then down, then the next page
    |  |  1  |     |  2  |     |  3  | |
    |  +-----+     +-----+     +-----+ |      1 Catalog -> 2 Pages -> pages, each with its content
    |  |  4  |     |  5  |     |  6  | |      and the images that stand on it

A PDF of pictures needs six kinds of objects, so no library writes it: reportlab knows pictures of
eight bits only and takes 15 MB; Pillow wants a whole page in memory, 35 MB at 600 dpi. Cost: the
text of a label cannot be searched in the PDF.

Source: ISO 32000-1: 7.5 (file structure), 7.7.3 (pages), 8.9.5 (images; Decode [1 0]: 1 is black).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid

PAGE_SIDE_MM_MAX = Decimal(1000)
CELLS_MAX = 500
SHEET_LABELS_MAX = 2000
POINTS_PER_MM = Decimal(72) / Decimal("25.4")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The paper: how many labels it has and where. Margins are the same on opposite sides."""

    columns: int
    rows: int
    margin_x_mm: Decimal
    margin_y_mm: Decimal
    gap_x_mm: Decimal = Decimal(0)
    gap_y_mm: Decimal = Decimal(0)
    page_width_mm: Decimal = Decimal(210)
    page_height_mm: Decimal = Decimal(297)

    @property
    def cells_count(self) -> int:
        """Return how many labels a page has."""
        return self.columns * self.rows

    @property
    def cell_width_mm(self) -> Decimal:
        """Return the width of one label of the sheet."""
        free = self.page_width_mm - 2 * self.margin_x_mm - (self.columns - 1) * self.gap_x_mm
        return free / self.columns

    @property
    def cell_height_mm(self) -> Decimal:
        """Return the height of one label of the sheet."""
        free = self.page_height_mm - 2 * self.margin_y_mm - (self.rows - 1) * self.gap_y_mm
        return free / self.rows

    def corner_mm(self, position: int) -> tuple[Decimal, Decimal]:
        """Return the top left corner of a position, counted from 0, from the page's top left."""
        row, column = divmod(position % self.cells_count, self.columns)
        return (
            self.margin_x_mm + column * (self.cell_width_mm + self.gap_x_mm),
            self.margin_y_mm + row * (self.cell_height_mm + self.gap_y_mm),
        )


def check_sheet(sheet: Sheet) -> None:
    """Raise LabelInvalid for paper that has no room for its labels."""
    lengths = (sheet.margin_x_mm, sheet.margin_y_mm, sheet.gap_x_mm, sheet.gap_y_mm)
    sides = (sheet.page_width_mm, sheet.page_height_mm)
    sound = (
        sheet.columns >= 1
        and sheet.rows >= 1
        and sheet.cells_count <= CELLS_MAX
        and all(length.is_finite() and 0 <= length <= PAGE_SIDE_MM_MAX for length in lengths)
        and all(side.is_finite() and 10 <= side <= PAGE_SIDE_MM_MAX for side in sides)
        and min(sheet.cell_width_mm, sheet.cell_height_mm) >= 5
    )
    if not sound:
        raise LabelInvalid(
            f"a sheet of {sheet.columns} x {sheet.rows} labels on {sheet.page_width_mm} x "
            f"{sheet.page_height_mm} mm",
            hint="Correct columns, rows, margins and gaps of the sheet: no label has room.",
        )


def render_sheet(
    pictures: Sequence[Bitmap], *, sheet: Sheet, dots_per_mm: Decimal | int, first_position: int
) -> bytes:
    """Return the PDF with one picture a cell, equal ones stored once.

    first_position: the first free cell of the first page, from 1. Raises LabelInvalid.
    """
    check_sheet(sheet)
    if not 1 <= len(pictures) <= SHEET_LABELS_MAX:
        raise LabelInvalid(
            f"{len(pictures)} labels on sheets", hint=f"Print 1 to {SHEET_LABELS_MAX} labels."
        )
    if not 1 <= first_position <= sheet.cells_count:
        raise LabelInvalid(
            f"position {first_position} on a sheet of {sheet.cells_count}",
            hint=f"Begin at a position from 1 to {sheet.cells_count}.",
        )
    document = _Document()
    images = {picture: document.add(_image(picture)) for picture in dict.fromkeys(pictures)}
    begin = first_position - 1
    pages: list[int] = []
    for page in range((begin + len(pictures) - 1) // sheet.cells_count + 1):
        first, last = page * sheet.cells_count - begin, (page + 1) * sheet.cells_count - begin
        shown = {
            position: pictures[position]
            for position in range(max(0, first), min(last, len(pictures)))
        }
        content = "".join(
            _placed(picture, images[picture], sheet, begin + position, Decimal(dots_per_mm))
            for position, picture in shown.items()
        )
        content_number = document.add(_stream("", content.encode("ascii")))
        used = "".join(
            f"/L{images[one]} {images[one]} 0 R " for one in dict.fromkeys(shown.values())
        )
        width, height = (
            side * POINTS_PER_MM for side in (sheet.page_width_mm, sheet.page_height_mm)
        )
        pages.append(
            document.add(
                f"<</Type /Page /Parent {PAGES_NUMBER} 0 R /MediaBox [0 0 {width:.4f} {height:.4f}]"
                f" /Contents {content_number} 0 R /Resources <</XObject <<{used}>>>>>>".encode()
            )
        )
    return document.written(pages)


CATALOG_NUMBER, PAGES_NUMBER = 1, 2


class _Document:
    """Numbers objects from 3 on; catalogue and page tree come last and are 1 and 2."""

    def __init__(self) -> None:
        self._objects: list[bytes] = []

    def add(self, body: bytes) -> int:
        """Return the number of the object."""
        self._objects.append(body)
        return len(self._objects) + PAGES_NUMBER

    def written(self, pages: list[int]) -> bytes:
        """Return the file of all objects and these pages."""
        kids = " ".join(f"{number} 0 R" for number in pages)
        bodies = [
            f"<</Type /Catalog /Pages {PAGES_NUMBER} 0 R"
            f" /ViewerPreferences <</PrintScaling /None>>>>".encode(),
            f"<</Type /Pages /Count {len(pages)} /Kids [{kids}]>>".encode(),
            *self._objects,
        ]
        # The comment of bytes above 127 tells programs on the way that the file is binary.
        data = bytearray(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")
        places: list[int] = []
        for number, body in enumerate(bodies, start=1):
            places.append(len(data))
            data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
        table = "".join(f"{place:010d} 00000 n \n" for place in places)
        size = len(bodies) + 1
        data += (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}"
            f"trailer\n<</Size {size} /Root {CATALOG_NUMBER} 0 R>>\nstartxref\n{len(data)}\n%%EOF\n"
        ).encode()
        return bytes(data)


def _image(picture: Bitmap) -> bytes:
    return _stream(
        f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height}"
        " /ColorSpace /DeviceGray /BitsPerComponent 1 /Decode [1 0] ",
        picture.rows,
    )


def _stream(keys: str, content: bytes) -> bytes:
    packed = zlib.compress(content)
    head = f"<<{keys}/Filter /FlateDecode /Length {len(packed)}>>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def _placed(picture: Bitmap, number: int, sheet: Sheet, position: int, dots_per_mm: Decimal) -> str:
    """Return the operators that paint a picture, its corner on a whole dot of the page."""
    x_mm, y_mm = sheet.corner_mm(position)
    points_per_dot = POINTS_PER_MM / dots_per_mm
    x, y = (int(length * dots_per_mm) * points_per_dot for length in (x_mm, y_mm))
    width, height = picture.width * points_per_dot, picture.height * points_per_dot
    bottom = sheet.page_height_mm * POINTS_PER_MM - y - height
    return f"q {width:.4f} 0 0 {height:.4f} {x:.4f} {bottom:.4f} cm /L{number} Do Q\n"
