"""Labels on sheets of paper as a PDF for any office printer. Edge of Pillow.

Labels are drawn at 600 dpi: bars are whole dots of an office printer, and Chinese needs no font in
the printer or on the computer that prints.
"""

from collections.abc import Sequence
from decimal import Decimal

from drivers.drawing.label import draw_label
from drivers.errors import LabelInvalid
from drivers.labels import Label
from drivers.protocols.pdf_sheet import Sheet, check_sheet, render_sheet

SHEET_DOTS_PER_MM = Decimal(600) / Decimal("25.4")


def draw_sheet(
    labels: Sequence[Label], *, sheet: Sheet, first_position: int = 1, font_file: str = ""
) -> bytes:
    """Return the PDF, one label a cell; equal labels are drawn and stored once.

    first_position: the first free cell of the first page, from 1. Raises LabelInvalid, also for a
    label that is larger than the sheet's.
    """
    check_sheet(sheet)
    for label in dict.fromkeys(labels):
        if label.width_mm > sheet.cell_width_mm or label.height_mm > sheet.cell_height_mm:
            raise LabelInvalid(
                f"a label of {label.width_mm} x {label.height_mm} mm on a sheet of labels of "
                f"{sheet.cell_width_mm:.1f} x {sheet.cell_height_mm:.1f} mm",
                hint="Use a smaller label template or a sheet of larger labels.",
            )
    drawn = {
        label: draw_label(label, dots_per_mm=SHEET_DOTS_PER_MM, font_file=font_file)
        for label in dict.fromkeys(labels)
    }
    return render_sheet(
        [drawn[label] for label in labels],
        sheet=sheet,
        dots_per_mm=SHEET_DOTS_PER_MM,
        first_position=first_position,
    )
