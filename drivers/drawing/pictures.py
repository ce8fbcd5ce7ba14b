"""Replaces what a printer cannot draw by itself with pictures. Edge of Pillow.

For printers with a language of their own (ZPL): text that their font does not have, QR codes and
pictures that want scaling become a `Picture` of exactly the printer's dots each.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from drivers.drawing.dots import Ink, bitmap_of_rows, cropped
from drivers.drawing.label import draw_element
from drivers.labels import Element, Label, Picture, Text
from drivers.protocols.label_layout import Layout


def with_pictures(
    label: Label,
    *,
    prints_itself: Callable[[Element], bool],
    dots_per_mm: Decimal | int,
    font_file: str = "",
) -> Label:
    """Return the label with a picture for each element that the printer does not print itself.

    font_file: see `find_font`. Raises LabelInvalid.
    """
    layout = Layout(label, dots_per_mm=dots_per_mm)
    dot_mm = 1 / Decimal(dots_per_mm)
    elements = tuple(
        element
        if prints_itself(element)
        else _picture_of(draw_element(layout, element, font_file=font_file), dot_mm)
        for element in label.elements
    )
    return replace(label, elements=elements)


def _picture_of(ink: Ink, dot_mm: Decimal) -> Element:
    found = cropped(ink)
    if found is None:  # Spaces of a foreign script.
        return Text(Decimal(0), Decimal(0), Decimal(1), "")
    spot = found.spot
    bitmap = bitmap_of_rows(found.rows, width=spot.width)
    return Picture(spot.x * dot_mm, spot.y * dot_mm, spot.width * dot_mm, bitmap)
