"""A table as an .xlsx workbook. Edge of xlsxwriter."""

import io
from collections.abc import Iterable, Sequence

from central.orders.spreadsheets.sheets import escaped, number_of_cell

# Text stays text: nothing in it is run, linked or made a number.
OPTIONS = {
    "in_memory": True,
    "constant_memory": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
COLUMN_WIDTH = 16


def write_workbook(
    rows: Iterable[Sequence[str]], *, name: str, number_columns: frozenset[int]
) -> bytes:
    """Return a workbook of one sheet; the first row is its heading.

    number_columns: indexes of columns whose cells are numbers, where these keep every digit.
    """
    import xlsxwriter  # noqa: PLC0415 - 2 MB that a ledger needs only when somebody exports

    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, OPTIONS) as book:
        sheet = book.add_worksheet(name)
        heading = book.add_format({"bold": True})
        text = book.add_format({"num_format": "@"})
        for row_no, row in enumerate(rows):
            for column, cell in enumerate(row):
                if not cell:
                    continue
                number = number_of_cell(cell) if column in number_columns else None
                if row_no == 0:
                    sheet.write_string(row_no, column, cell, heading)
                elif number is not None:
                    sheet.write_number(row_no, column, number)
                else:
                    sheet.write_string(row_no, column, escaped(cell), text)
            if row_no == 0:
                sheet.set_column(0, len(row) - 1, COLUMN_WIDTH)
                sheet.freeze_panes(1, 0)
    return packed.getvalue()
