"""CSV as spreadsheet programs of several countries write it. Edge of CSV.

Excel in China writes GB18030 without saying so, in Germany semicolons; what copies from a sheet has
tabs. UTF-8 with a byte order mark is what every Excel reads rightly, so that is written.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from central.errors import Unusable
from central.orders.spreadsheets.sheets import (
    CELL_CHARACTERS_MAX,
    ROWS_MAX,
    Sheet,
    Trouble,
    check_size,
    guarded,
    trimmed,
    unguarded,
)

SEPARATORS = (",", ";", "\t")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# A cell this long has swallowed the rest of the file behind a quotation mark that never closes.
FIELD_CHARACTERS_MAX = 100 * CELL_CHARACTERS_MAX
LINES_MAX = 2 * ROWS_MAX  # With empty ones.
FORMULA = "holds a formula, not its value"
FORMULA_HINT = "Save the values; or put an apostrophe in front, if it is meant as text."


def read_csv(data: bytes, *, known_columns: Callable[[Sequence[str]], int]) -> Sheet:
    """Return the table in a CSV file.

    known_columns: how many cells of a heading are columns that are known; the separator that gives
    most of them is the right one. Raises Unusable for text that cannot be read or is too large.
    """
    text, encoding = _decoded(data)
    separator = max(SEPARATORS, key=lambda one: known_columns(_heading(text, one)))
    rows: list[tuple[str, ...]] = []
    troubles: list[Trouble] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            check_size(rows_count=number if number > LINES_MAX else 0, columns_count=len(cells))
            rows.append(tuple(map(unguarded, cells)))
            troubles += (
                Trouble(number, column, message=FORMULA, hint=FORMULA_HINT)
                for column, cell in enumerate(cells, 1)
                if cell.startswith("=")
            )
    except csv.Error as error:
        raise Unusable(
            f"the file cannot be read at line {reader.line_num}: {error}",
            hint="Write a quotation mark within a cell twice, and close every one that is open.",
            fields={"line": reader.line_num},
        ) from error
    rows = trimmed(rows)
    check_size(rows_count=len(rows), columns_count=0)
    shown = "tab" if separator == "\t" else f"'{separator}'"
    return Sheet(rows, f"CSV, {encoding}, separated by {shown}", tuple(troubles))


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file: UTF-8 with its mark, commas, nothing in it that a program would run."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith(UTF_16_MARKS):
        candidates: tuple[str, ...] = ("utf-16",)
    else:
        candidates = ("utf-8-sig", "gb18030")
    for encoding in candidates:
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise Unusable(
        f"the file is not text in {' or '.join(candidates)}",
        hint="Save it as CSV UTF-8, or as .xlsx.",
    )


def _heading(text: str, separator: str) -> list[str]:
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return []
