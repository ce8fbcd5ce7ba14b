"""A label without a printer: what stands where, in millimetres. Pure.

Origin is the top left corner; x to the right, y down. ZPL is written from it element by element,
every other printer gets it as a `Bitmap`. Text is data: no element can carry printer commands.
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.bitmap import Bitmap


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text in any script; `height_mm` is the character height; cut at the edge."""

    x_mm: Decimal
    y_mm: Decimal
    height_mm: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Code128:
    """A Code 128 bar code of printable ASCII; `module_mm` is the width of the narrowest bar."""

    x_mm: Decimal
    y_mm: Decimal
    height_mm: Decimal
    module_mm: Decimal
    data: str


@dataclass(frozen=True, slots=True)
class Gs1Code128:
    """A GS1-128 bar code. `elements`: (application identifier, value) in the order to encode."""

    x_mm: Decimal
    y_mm: Decimal
    height_mm: Decimal
    module_mm: Decimal
    elements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Gs1DataMatrix:
    """A GS1 DataMatrix symbol; `module_mm` is the side of one cell."""

    x_mm: Decimal
    y_mm: Decimal
    module_mm: Decimal
    elements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Qr:
    """A QR code (ISO/IEC 18004), level M; `module_mm` is the side of one cell. Any text, UTF-8."""

    x_mm: Decimal
    y_mm: Decimal
    module_mm: Decimal
    data: str


@dataclass(frozen=True, slots=True)
class Box:
    """The outline of a rectangle; `line_mm` is the width of its line, inside the rectangle."""

    x_mm: Decimal
    y_mm: Decimal
    width_mm: Decimal
    height_mm: Decimal
    line_mm: Decimal


@dataclass(frozen=True, slots=True)
class Picture:
    """A black and white picture, scaled to `width_mm`, its height follows."""

    x_mm: Decimal
    y_mm: Decimal
    width_mm: Decimal
    bitmap: Bitmap


@dataclass(frozen=True, slots=True)
class Line:
    """A filled rectangle, used as a rule."""

    x_mm: Decimal
    y_mm: Decimal
    width_mm: Decimal
    height_mm: Decimal


Element = Text | Code128 | Gs1Code128 | Gs1DataMatrix | Qr | Line | Box | Picture


@dataclass(frozen=True, slots=True)
class Label:
    """One label. The renderer refuses elements outside it with LabelInvalid."""

    width_mm: Decimal
    height_mm: Decimal
    elements: tuple[Element, ...]
