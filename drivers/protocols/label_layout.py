"""Where the elements of a label stand, in whole dots, or why one cannot. Pure.

The one place that decides what fits: every printer language and every picture refuses the same
labels. Modules of bar codes are whole dots; quiet zones belong to their symbol:

    Code 128, GS1-128   10 modules left and right     GS1 General Specifications 5.4.2
    Data Matrix         1 module all around           ISO/IEC 16022, 7.4
    QR                  4 modules all around          ISO/IEC 18004, 6.3.8

Text has no width here: it is cut at the label's right edge, and one dot of it must be on it.
"""

import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from drivers.code_128 import CODE_128_QUIET_ZONE_MODULES
from drivers.errors import LabelInvalid
from drivers.labels import (
    Box,
    Code128,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)
from drivers.protocols.printer_zpl_symbols import DATA_MATRIX_QUIET_ZONE_MODULES

LABEL_SIDE_MM_MIN = Decimal(5)
LABEL_SIDE_MM_MAX = Decimal(990)
ELEMENTS_MAX = 100
TEXT_CHARACTERS_MAX = 200
COPIES_COUNT_MAX = 999
MODULE_SHARE_MIN = Decimal("0.8")  # Of what was asked: below, a scanner may not read it.
MODULE_DOTS_MAX = 48  # 2 mm at the finest resolution.
QR_QUIET_ZONE_MODULES = 4


@dataclass(frozen=True, slots=True)
class Spot:
    """A rectangle on the label in dots, quiet zones not included. module: dots, 0 without one."""

    x: int
    y: int
    width: int
    height: int
    module: int = 0


def check_copies(copies_count: int) -> None:
    """Raise LabelInvalid for a number of copies that makes no sense."""
    if not 1 <= copies_count <= COPIES_COUNT_MAX:
        raise LabelInvalid(
            f"{copies_count} copies of a label", hint=f"Print 1 to {COPIES_COUNT_MAX} copies."
        )


def is_one_line(text: str) -> bool:
    """Return True if the text has no control, format or private character and no line break."""
    # Python calls every space but the ASCII one unprintable; Chinese text has spaces of its own.
    return all(sign.isprintable() or unicodedata.category(sign) == "Zs" for sign in text)


class Layout:
    """Places elements on one label; knows its size and the resolution.

    All methods raise LabelInvalid for what does not lie wholly on the label.
    """

    def __init__(self, label: Label, *, dots_per_mm: Decimal | int) -> None:
        self._dots_per_mm = Decimal(dots_per_mm)
        self._label = label
        _check_frame(label)
        self.width = self.dots(label.width_mm)
        self.height = self.dots(label.height_mm)

    def dots(self, length_mm: Decimal) -> int:
        """Return the nearest whole number of dots."""
        if not length_mm.is_finite() or not 0 <= length_mm <= LABEL_SIDE_MM_MAX:
            raise LabelInvalid(
                f"a length or position of {length_mm} mm",
                hint="Give lengths and positions in millimetres, from 0 to the label's edge.",
            )
        return int((length_mm * self._dots_per_mm).to_integral_value(rounding=ROUND_HALF_UP))

    def text(self, text: Text) -> Spot:
        """Return the place of a text; its width is what the label leaves it."""
        if len(text.text) > TEXT_CHARACTERS_MAX or not is_one_line(text.text):
            raise LabelInvalid(
                f"no text of a label: {text.text[: TEXT_CHARACTERS_MAX + 1]!r}",
                hint=f"Use up to {TEXT_CHARACTERS_MAX} letters, digits and signs, no line break.",
            )
        height = self._size("text height", text.height_mm)
        spot = self._spot(text.x_mm, text.y_mm, width=1, height=height, what="text")
        return Spot(spot.x, spot.y, self.width - spot.x, height)

    def line(self, line: Line) -> Spot:
        """Return the place of a filled rectangle."""
        width = self._size("line width", line.width_mm)
        height = self._size("line height", line.height_mm)
        return self._spot(line.x_mm, line.y_mm, width=width, height=height, what="line")

    def box(self, box: Box) -> Spot:
        """Return the place of a box; `module` is the width of its line in dots."""
        width = self._size("box width", box.width_mm)
        height = self._size("box height", box.height_mm)
        # A line thicker than half the box fills it.
        module = min(self._size("box line", box.line_mm), (min(width, height) + 1) // 2)
        return self._spot(box.x_mm, box.y_mm, width=width, height=height, what="box", module=module)

    def picture(self, picture: Picture) -> Spot:
        """Return the place of a picture, scaled to its width."""
        width = self._size("picture width", picture.width_mm)
        height = max(1, round(picture.bitmap.height * width / picture.bitmap.width))
        return self._spot(picture.x_mm, picture.y_mm, width=width, height=height, what="picture")

    def bars(
        self, code: Code128 | Gs1Code128, width_modules: int, *, dots_max: int = MODULE_DOTS_MAX
    ) -> Spot:
        """Return the place of a Code 128 of so many modules, of at most `dots_max` dots each.

        Where rounding has made it too wide for the label, its modules are one dot narrower.
        """
        module = self.module(code.module_mm, dots_max=dots_max)
        quiet = CODE_128_QUIET_ZONE_MODULES
        whole = (width_modules + quiet) * module  # The left quiet zone is before x.
        wanted = code.module_mm * self._dots_per_mm
        x = self._clear_of_edge(code.x_mm, code.module_mm, quiet=quiet * module, module=module)
        too_wide = x + whole > self.width
        if too_wide and wanted * MODULE_SHARE_MIN <= module - 1 < wanted < module:
            module -= 1
        return self._spot(
            code.x_mm,
            code.y_mm,
            width=width_modules * module,
            height=self._size("bar height", code.height_mm),
            what="Code 128",
            module=module,
            module_mm=code.module_mm,
            quiet_left_right=quiet * module,
        )

    def data_matrix(self, code: Gs1DataMatrix, side_modules: int) -> Spot:
        """Return the place of a Data Matrix of so many cells a side."""
        return self._square(
            code, side_modules, what="Data Matrix", quiet=DATA_MATRIX_QUIET_ZONE_MODULES
        )

    def qr(self, code: Qr, side_modules: int) -> Spot:
        """Return the place of a QR code of so many cells a side."""
        return self._square(code, side_modules, what="QR code", quiet=QR_QUIET_ZONE_MODULES)

    def module(self, module_mm: Decimal, *, dots_max: int = MODULE_DOTS_MAX) -> int:
        """Return the module in whole dots, at least one."""
        module = self.dots(module_mm)
        if not 1 <= module <= dots_max:
            raise LabelInvalid(
                f"a module of {module_mm} mm is {module} dots",
                hint=f"Choose a module of 1 to {dots_max} dots "
                f"({self._dots_per_mm:.4g} dots are 1 mm).",
            )
        return module

    def _square(
        self, code: Gs1DataMatrix | Qr, side_modules: int, *, what: str, quiet: int
    ) -> Spot:
        module = self.module(code.module_mm)
        side = side_modules * module
        return self._spot(
            code.x_mm,
            code.y_mm,
            width=side,
            height=side,
            what=what,
            module=module,
            module_mm=code.module_mm,
            quiet_left_right=quiet * module,
            quiet_above_below=quiet * module,
        )

    def _clear_of_edge(
        self, length_mm: Decimal, module_mm: Decimal, *, quiet: int, module: int
    ) -> int:
        """Return a position, moved so far from the edge as rounding has made the quiet zone wider.

        quiet: in dots. Without this, a code 10 modules of 0.5 mm from the edge would fit a label at
        8 dots a millimetre and no label at 11.811, where such a module is 6 dots and not 5.9.
        """
        position = self.dots(length_mm)
        if module and position < quiet and quiet // module * module_mm <= length_mm:
            return quiet
        return position

    def _size(self, what: str, length_mm: Decimal) -> int:
        length = self.dots(length_mm)
        if length < 1:
            raise LabelInvalid(f"a {what} of {length_mm} mm", hint=f"Give a larger {what}.")
        return length

    def _spot(
        self,
        x_mm: Decimal,
        y_mm: Decimal,
        *,
        width: int,
        height: int,
        what: str,
        module: int = 0,
        module_mm: Decimal = Decimal(0),
        quiet_left_right: int = 0,
        quiet_above_below: int = 0,
    ) -> Spot:
        x = self._clear_of_edge(x_mm, module_mm, quiet=quiet_left_right, module=module)
        y = self._clear_of_edge(y_mm, module_mm, quiet=quiet_above_below, module=module)
        fits_across = quiet_left_right <= x and x + width + quiet_left_right <= self.width
        fits_down = quiet_above_below <= y and y + height + quiet_above_below <= self.height
        if not (fits_across and fits_down):
            per_mm = self._dots_per_mm
            raise LabelInvalid(
                f"{what} at {x_mm}, {y_mm} mm needs {(width + 2 * quiet_left_right) / per_mm:.1f}"
                f" x {(height + 2 * quiet_above_below) / per_mm:.1f} mm, quiet zones included; "
                f"the label is {self._label.width_mm} x {self._label.height_mm} mm",
                hint=f"Move the {what}, make it smaller or use a larger label.",
            )
        return Spot(x, y, width, height, module)


def _check_frame(label: Label) -> None:
    if not 1 <= len(label.elements) <= ELEMENTS_MAX:
        raise LabelInvalid(
            f"a label of {len(label.elements)} elements",
            hint=f"Put 1 to {ELEMENTS_MAX} elements on a label.",
        )
    for side_mm in (label.width_mm, label.height_mm):
        if not side_mm.is_finite() or not LABEL_SIDE_MM_MIN <= side_mm <= LABEL_SIDE_MM_MAX:
            raise LabelInvalid(
                f"a label of {label.width_mm} x {label.height_mm} mm",
                hint=f"Give both sides of the label in millimetres, {LABEL_SIDE_MM_MIN} "
                f"to {LABEL_SIDE_MM_MAX}.",
            )
