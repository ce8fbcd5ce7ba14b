"""Marks a label as a copy, where nothing else stands on it. Pure.

Nobody may take a second label for that of a second pallet. The mark is in both languages, framed,
as large as there is room for; where there is none at all it goes over the top right corner.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from drivers.labels import (
    Box,
    Code128,
    Element,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)
from gateway.station.templates.fill import text_width_mm

COPY_TEXT = "COPY 副本"
HEIGHTS_MM = tuple(map(Decimal, ("8", "6", "5", "4", "3", "2.5")))
STEP_MM = Decimal(1)
PLACES_TRIED_MAX = 20_000  # Of a label of a metre square there are more; the corner does then.
SPACE_MM = Decimal("0.8")  # Around the letters, and the width that bars of any kind keep free.
LINE_MM = Decimal("0.4")
CLEAR_MM = Decimal(1)  # Above and below bars, lest the frame looks like a part of them.
# The most cells that a symbol of a label's content has on a side, with its quiet zone.
MATRIX_CELLS, QR_CELLS = 36, 61


@dataclass(frozen=True, slots=True)
class _Area:
    left: Decimal
    top: Decimal
    right: Decimal
    bottom: Decimal

    def meets(self, other: "_Area") -> bool:
        """Return whether two areas have a point in common."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def is_copy(label: Label) -> bool:
    """Return whether a label bears the mark."""
    return any(isinstance(one, Text) and one.text == COPY_TEXT for one in label.elements)


def marked_as_copy(label: Label) -> Label:
    """Return the label with the mark; one that bears it is returned as it is."""
    if is_copy(label):
        return label
    taken = [area for element in label.elements for area in _areas(element, label)]
    tried = 0
    for height in HEIGHTS_MM:
        for mark in _places(label, height):
            tried += 1
            if tried > PLACES_TRIED_MAX:
                break
            if not any(mark.meets(area) for area in taken):
                return _with_mark(label, mark, height)
    smallest = HEIGHTS_MM[-1]
    corner = next(_places(label, smallest), _Area(*(Decimal(0),) * 4))
    return _with_mark(label, corner, smallest)


def _places(label: Label, height: Decimal) -> Iterator[_Area]:
    """Yield where a mark of this height would fit on the paper, from the top right on."""
    wide = text_width_mm(COPY_TEXT, height) + 2 * SPACE_MM
    high = height + 2 * SPACE_MM
    top = Decimal(1)
    while top + high <= label.height_mm - 1:
        right = label.width_mm - 1
        while right - wide >= 1:
            yield _Area(right - wide, top, right, top + high)
            right -= STEP_MM
        top += STEP_MM


def _with_mark(label: Label, area: _Area, height: Decimal) -> Label:
    width, high = area.right - area.left, area.bottom - area.top
    elements = list(label.elements)
    if width > 0:
        elements.append(Box(area.left, area.top, width, high, LINE_MM))
    elements.append(Text(area.left + SPACE_MM, area.top + SPACE_MM, height, COPY_TEXT))
    return replace(label, elements=tuple(elements))


def _areas(element: Element, label: Label) -> Iterator[_Area]:
    """Yield what an element covers at most. The inside of a frame is free."""
    x, y = element.x_mm, element.y_mm
    match element:
        case Text():
            width = text_width_mm(element.text, element.height_mm)
            yield _Area(x, y, x + width, y + element.height_mm * Decimal("1.3"))
        case Code128() | Gs1Code128():  # Its quiet zone may reach to the edge.
            yield _Area(Decimal(0), y - CLEAR_MM, label.width_mm, y + element.height_mm + CLEAR_MM)
        case Gs1DataMatrix():
            side = MATRIX_CELLS * element.module_mm
            yield _Area(x - element.module_mm, y - element.module_mm, x + side, y + side)
        case Qr():
            side = QR_CELLS * element.module_mm
            yield _Area(x - 4 * element.module_mm, y - 4 * element.module_mm, x + side, y + side)
        case Line():
            yield _Area(x, y, x + element.width_mm, y + element.height_mm)
        case Box():
            right, bottom, line = x + element.width_mm, y + element.height_mm, element.line_mm
            yield _Area(x, y, right, y + line)
            yield _Area(x, bottom - line, right, bottom)
            yield _Area(x, y, x + line, bottom)
            yield _Area(right - line, y, right, bottom)
        case Picture():
            shape = Decimal(element.bitmap.height) / element.bitmap.width
            yield _Area(x, y, x + element.width_mm, y + element.width_mm * shape)
