"""Labels to ZPL II bytes. Pure.

    ^XA ^CI28 ^PW<dots> ^LL<dots> ^LH0,0   one format: UTF-8, width, length, origin
      ^FO<x>,<y> ^A0N,<height> ^FH_^FD<text>^FS
      ^FO<x>,<y> ^BY<module> ^BCN,<height>,N,N,N ^FH_^FD<data>^FS
      ^FO<x>,<y> ^BXN,<module>,200,,,,_ ^FD<data>^FS
      ^FO<x>,<y> ^GB<width>,<height>,<thickness>^FS
      ^FO<x>,<y> ^GFA,<bytes>,<bytes>,<bytes a row>,<dots>^FS
      ^PQ<copies>                          only for more than one
    ^XZ

Data can never become a command: `^`, `~` and `_` are always written as hexadecimal (^FH). What the
printer's resident font and commands do not have (Chinese, QR codes) must have become a picture
before: `prints_itself` tells which elements.

Source: Zebra ZPL II programming guide, the commands named above; "Alternative data compression
scheme for ~DG and ~DB commands" for the dots of ^GF.
"""

import re
from decimal import Decimal
from typing import Literal

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid
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
from drivers.protocols.label_layout import Layout, check_copies
from drivers.protocols.printer_zpl_symbols import (
    Symbol,
    encode_code_128,
    encode_gs1_code_128,
    encode_gs1_data_matrix,
)

BAR_MODULE_DOTS_MAX = 10  # ^BY: 1 to 10 dots.

DotsPerMm = Literal[8, 12, 24]


def prints_itself(element: Element, *, dots_per_mm: DotsPerMm) -> bool:
    """Return False for what must become a picture of the printer's dots before `render_label`."""
    if isinstance(element, Text):
        return _ASCII.fullmatch(element.text) is not None
    if isinstance(element, Qr):
        return False
    if isinstance(element, Picture):
        dots = element.width_mm * dots_per_mm
        return dots.is_finite() and abs(dots - element.bitmap.width) < Decimal("0.5")
    if isinstance(element, Code128 | Gs1Code128):
        dots = element.module_mm * dots_per_mm
        return not dots.is_finite() or dots < BAR_MODULE_DOTS_MAX + Decimal("0.5")
    return True


def render_label(label: Label, *, dots_per_mm: DotsPerMm, copies_count: int) -> bytes:
    """Return the label as one ZPL format, ^XA to ^XZ, pure ASCII.

    Raises LabelInvalid if an element, a bar code with its quiet zones included, does not lie
    wholly on the label, or holds what cannot be printed. Text is only cut at the right edge.
    """
    check_copies(copies_count)
    layout = Layout(label, dots_per_mm=dots_per_mm)
    fields = [_field(layout, element) for element in label.elements]
    quantity = f"^PQ{copies_count}\n" if copies_count > 1 else ""
    head = f"^XA^CI28^PW{layout.width}^LL{layout.height}^LH0,0\n"
    return (head + "".join(fields) + quantity + "^XZ").encode("ascii")


def _field(layout: Layout, element: Element) -> str:
    """Return the fields of one element, ended by a line feed."""
    match element:
        case Text():
            return _text(layout, element)
        case Line():
            spot = layout.line(element)
            # A box as thick as its smaller side is a filled rectangle.
            return _box(spot.x, spot.y, spot.width, spot.height, min(spot.width, spot.height))
        case Box():
            spot = layout.box(element)
            return _box(spot.x, spot.y, spot.width, spot.height, spot.module)
        case Code128():
            return _code_128(layout, element, encode_code_128(element.data))
        case Gs1Code128():
            return _code_128(layout, element, encode_gs1_code_128(element.elements))
        case Gs1DataMatrix():
            return _data_matrix(layout, element, encode_gs1_data_matrix(element.elements))
        case Picture():
            return _picture(layout, element)
        case Qr():
            raise LabelInvalid(
                "a QR code that is no picture yet", hint="Draw it before the label is rendered."
            )


def _text(layout: Layout, text: Text) -> str:
    spot = layout.text(text)
    if not _ASCII.fullmatch(text.text):
        raise LabelInvalid(
            f"the printer's own font cannot print {text.text!r}",
            hint="Draw this text as a picture, or use letters, digits and signs of ASCII.",
        )
    return f"^FO{spot.x},{spot.y}^A0N,{spot.height}^FH_^FD{_escaped(text.text)}^FS\n"


def _box(x: int, y: int, width: int, height: int, thickness: int) -> str:
    return f"^FO{x},{y}^GB{width},{height},{thickness}^FS\n"


def _code_128(layout: Layout, code: Code128 | Gs1Code128, symbol: Symbol) -> str:
    spot = layout.bars(code, symbol.width_modules, dots_max=BAR_MODULE_DOTS_MAX)
    data = _escaped(symbol.field_data)
    return f"^FO{spot.x},{spot.y}^BY{spot.module}^BCN,{spot.height},N,N,N^FH_^FD{data}^FS\n"


def _data_matrix(layout: Layout, code: Gs1DataMatrix, symbol: Symbol) -> str:
    spot = layout.data_matrix(code, symbol.width_modules)
    # No ^FH: `_` is the escape character of ^BX here, and GS1 data has neither ^ nor ~.
    return f"^FO{spot.x},{spot.y}^BXN,{spot.module},200,,,,_^FD{symbol.field_data}^FS\n"


def _picture(layout: Layout, picture: Picture) -> str:
    spot = layout.picture(picture)
    bitmap = picture.bitmap
    if spot.width != bitmap.width:
        raise LabelInvalid(
            f"a picture of {bitmap.width} dots where {spot.width} are wanted",
            hint="Scale the picture before the label is rendered.",
        )
    size = len(bitmap.rows)
    return f"^FO{spot.x},{spot.y}^GFA,{size},{size},{bitmap.row_bytes},{_hexadecimal(bitmap)}^FS\n"


def _hexadecimal(bitmap: Bitmap) -> str:
    """Return the rows in hexadecimal, compressed.

    `:` repeats the row above; `,` fills the row with white, `!` with black; G to Y before a digit
    repeat it 1 to 19 times, g to z 20 to 400 times in steps of 20.
    """
    written = ""
    above = ""
    for start in range(0, len(bitmap.rows), bitmap.row_bytes):
        row = bitmap.rows[start : start + bitmap.row_bytes].hex().upper()
        written += ":" if row == above else _compressed(row)
        above = row
    return written


def _compressed(row: str) -> str:
    end = ""
    if row[-1] in "0F":
        end = "," if row[-1] == "0" else "!"
        row = row.rstrip(row[-1])
    return _RUN.sub(lambda run: _repeated(run[1], len(run[0])), row) + end


def _repeated(digit: str, count: int) -> str:
    written = "z" * (count // 400)
    twenties, ones = divmod(count % 400, 20)
    if twenties:
        written += chr(ord("g") + twenties - 1)
    if ones:
        written += chr(ord("G") + ones - 1)
    return written + digit


_ASCII = re.compile(r"[ -~]*")
_RUN = re.compile(r"([0-9A-F])\1{2,}")


def _escaped(data: str) -> str:
    """Return `data` for a ^FH_ field: no byte of it can begin a command or an escape."""
    return re.sub(r"[\^~_]", lambda sign: f"_{ord(sign[0]):02X}", data)
