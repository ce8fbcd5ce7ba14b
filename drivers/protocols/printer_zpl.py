"""Labels to ZPL II bytes. Pure.

    ^XA ^CI28 ^PW<dots> ^LL<dots> ^LH0,0   one format: UTF-8, width, length, origin
      ^FO<x>,<y> ^A0N,<height> ^FH_^FD<text>^FS
      ^FO<x>,<y> ^BY<module> ^BCN,<height>,N,N,N ^FH_^FD<data>^FS
      ^FO<x>,<y> ^BXN,<module>,200,,,,_ ^FD<data>^FS
      ^FO<x>,<y> ^GB<width>,<height>,<thickness>^FS
      ^PQ<copies>                          only for more than one
    ^XZ

Data can never become a command: `^`, `~` and `_` are always written as hexadecimal (^FH), and
all that is not printable ASCII is refused, for the printer's resident font has no glyphs for it.

Source: Zebra ZPL II programming guide, the commands named above.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from drivers.errors import LabelInvalid
from drivers.labels import Code128, Element, Gs1Code128, Gs1DataMatrix, Label, Line, Text
from drivers.protocols.printer_zpl_symbols import (
    CODE_128_QUIET_ZONE_MODULES,
    DATA_MATRIX_QUIET_ZONE_MODULES,
    Symbol,
    encode_code_128,
    encode_gs1_code_128,
    encode_gs1_data_matrix,
)

LABEL_SIDE_MM_MAX = Decimal(990)  # ^LL ends at 32000 dots, far above; this is about sense.
ELEMENTS_MAX = 100
TEXT_CHARACTERS_MAX = 200
COPIES_COUNT_MAX = 999
BAR_MODULE_DOTS_MAX = 10  # ^BY: 1 to 10 dots.
CELL_DOTS_MAX = 48  # 2 mm at the finest resolution.

DotsPerMm = Literal[8, 12, 24]


def render_label(label: Label, *, dots_per_mm: DotsPerMm, copies_count: int) -> bytes:
    """Return the label as one ZPL format, ^XA to ^XZ, pure ASCII.

    Raises LabelInvalid if an element, a bar code with its quiet zones included, does not lie
    wholly on the label, or holds what cannot be printed. Text is only cut at the right edge.
    """
    _check_frame(label, copies_count)
    canvas = _Canvas(label, dots_per_mm)
    fields = [canvas.render(element) for element in label.elements]
    quantity = f"^PQ{copies_count}\n" if copies_count > 1 else ""
    head = f"^XA^CI28^PW{canvas.dots(label.width_mm)}^LL{canvas.dots(label.height_mm)}^LH0,0\n"
    return (head + "".join(fields) + quantity + "^XZ").encode("ascii")


def _check_frame(label: Label, copies_count: int) -> None:
    if not 1 <= copies_count <= COPIES_COUNT_MAX:
        raise LabelInvalid(
            f"{copies_count} copies of a label", hint=f"Print 1 to {COPIES_COUNT_MAX} copies."
        )
    if not 1 <= len(label.elements) <= ELEMENTS_MAX:
        raise LabelInvalid(
            f"a label of {len(label.elements)} elements",
            hint=f"Put 1 to {ELEMENTS_MAX} elements on a label.",
        )
    for side_mm in (label.width_mm, label.height_mm):
        if not side_mm.is_finite() or not 5 <= side_mm <= LABEL_SIDE_MM_MAX:
            raise LabelInvalid(
                f"a label of {label.width_mm} x {label.height_mm} mm",
                hint=f"Give both sides of the label in millimetres, 5 to {LABEL_SIDE_MM_MAX}.",
            )


class _Canvas:
    """Places elements on one label; knows its size and the printer's resolution."""

    def __init__(self, label: Label, dots_per_mm: DotsPerMm) -> None:
        self._label = label
        self._dots_per_mm = dots_per_mm
        self._width = self.dots(label.width_mm)
        self._height = self.dots(label.height_mm)

    def dots(self, length_mm: Decimal) -> int:
        """Return the nearest whole number of dots."""
        if not length_mm.is_finite() or not 0 <= length_mm <= LABEL_SIDE_MM_MAX:
            raise LabelInvalid(
                f"a length or position of {length_mm} mm",
                hint="Give lengths and positions in millimetres, from 0 to the label's edge.",
            )
        return int((length_mm * self._dots_per_mm).to_integral_value(rounding=ROUND_HALF_UP))

    def render(self, element: Element) -> str:
        """Return the fields of one element, ended by a line feed."""
        match element:
            case Text():
                return self._text(element)
            case Line():
                return self._line(element)
            case Code128():
                return self._code_128(element, encode_code_128(element.data))
            case Gs1Code128():
                return self._code_128(element, encode_gs1_code_128(element.elements))
            case Gs1DataMatrix():
                return self._data_matrix(element, encode_gs1_data_matrix(element.elements))

    def _text(self, text: Text) -> str:
        if not re.fullmatch(rf"[ -~]{{0,{TEXT_CHARACTERS_MAX}}}", text.text):
            raise LabelInvalid(
                f"the printer's own font cannot print {text.text!r}",
                hint=f"Use up to {TEXT_CHARACTERS_MAX} letters, digits and signs of ASCII.",
            )
        height = self._size("text height", text.height_mm)
        # A text has no width here: a printer cuts it at the edge, and one dot must be on it.
        origin = self._origin(text.x_mm, text.y_mm, width=1, height=height, what="text")
        return f"{origin}^A0N,{height}^FH_^FD{_escaped(text.text)}^FS\n"

    def _line(self, line: Line) -> str:
        width = self._size("line width", line.width_mm)
        height = self._size("line height", line.height_mm)
        origin = self._origin(line.x_mm, line.y_mm, width=width, height=height, what="line")
        # A box as thick as its smaller side is a filled rectangle.
        return f"{origin}^GB{width},{height},{min(width, height)}^FS\n"

    def _code_128(self, code: Code128 | Gs1Code128, symbol: Symbol) -> str:
        module = self._module(code.module_mm, dots_max=BAR_MODULE_DOTS_MAX)
        height = self._size("bar height", code.height_mm)
        origin = self._origin(
            code.x_mm,
            code.y_mm,
            width=symbol.width_modules * module,
            height=height,
            what="Code 128",
            quiet_left_right=CODE_128_QUIET_ZONE_MODULES * module,
        )
        data = _escaped(symbol.field_data)
        return f"{origin}^BY{module}^BCN,{height},N,N,N^FH_^FD{data}^FS\n"

    def _data_matrix(self, code: Gs1DataMatrix, symbol: Symbol) -> str:
        module = self._module(code.module_mm, dots_max=CELL_DOTS_MAX)
        side = symbol.width_modules * module
        quiet = DATA_MATRIX_QUIET_ZONE_MODULES * module
        origin = self._origin(
            code.x_mm,
            code.y_mm,
            width=side,
            height=side,
            what="Data Matrix",
            quiet_left_right=quiet,
            quiet_above_below=quiet,
        )
        # No ^FH: `_` is the escape character of ^BX here, and GS1 data has neither ^ nor ~.
        return f"{origin}^BXN,{module},200,,,,_^FD{symbol.field_data}^FS\n"

    def _module(self, module_mm: Decimal, *, dots_max: int) -> int:
        module = self.dots(module_mm)
        if not 1 <= module <= dots_max:
            raise LabelInvalid(
                f"a module of {module_mm} mm is {module} dots",
                hint=f"Choose a module of 1 to {dots_max} dots "
                f"({self._dots_per_mm} dots are 1 mm).",
            )
        return module

    def _size(self, what: str, length_mm: Decimal) -> int:
        length = self.dots(length_mm)
        if length < 1:
            raise LabelInvalid(f"a {what} of {length_mm} mm", hint=f"Give a larger {what}.")
        return length

    def _origin(
        self,
        x_mm: Decimal,
        y_mm: Decimal,
        *,
        width: int,
        height: int,
        what: str,
        quiet_left_right: int = 0,
        quiet_above_below: int = 0,
    ) -> str:
        """Return ^FO. Raises LabelInvalid if the rectangle in dots is not on the label."""
        x = self.dots(x_mm)
        y = self.dots(y_mm)
        fits_across = quiet_left_right <= x and x + width + quiet_left_right <= self._width
        fits_down = quiet_above_below <= y and y + height + quiet_above_below <= self._height
        if not (fits_across and fits_down):
            per_mm = Decimal(self._dots_per_mm)
            raise LabelInvalid(
                f"{what} at {x_mm}, {y_mm} mm needs {(width + 2 * quiet_left_right) / per_mm:.1f}"
                f" x {(height + 2 * quiet_above_below) / per_mm:.1f} mm, quiet zones included; "
                f"the label is {self._label.width_mm} x {self._label.height_mm} mm",
                hint=f"Move the {what}, make it smaller or use a larger label.",
            )
        return f"^FO{x},{y}"


def _escaped(data: str) -> str:
    """Return `data` for a ^FH_ field: no byte of it can begin a command or an escape."""
    return re.sub(r"[\^~_]", lambda sign: f"_{ord(sign[0]):02X}", data)
