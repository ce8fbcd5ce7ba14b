"""A table as a spreadsheet program shows it: rows of text, bounded, safe to open. Pure.

A spreadsheet program takes a cell of a CSV file that begins with "=", "+", "-" or "@" for a formula
and runs it. What is written here has an apostrophe in front of such text, and what is read has it
taken off again, so that a file that is written and read is the same. Source of the list of signs:
OWASP, "CSV Injection".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from central.errors import Unusable

FILE_BYTES_MAX = 16 * 1024 * 1024
ROWS_MAX = 50_000
COLUMNS_MAX = 64
CELL_CHARACTERS_MAX = 1000
BEGINS_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
PLAIN_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,12})?", re.ASCII)
NUMBER_DIGITS_MAX = 15  # What a cell with a number keeps exactly.


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cell that does not say what it means, by its row and column, both from 1.

    of_names: only where it is a code, a lot or another text: as a number it is sound.
    """

    row: int
    column: int
    message: str
    hint: str
    of_names: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was read. rows: with the heading, first row 1; cells as text, "" for empty.

    told: how it was understood, e.g. "CSV, gb18030, separated by ';'".
    """

    rows: Sequence[tuple[str, ...]]
    told: str
    troubles: tuple[Trouble, ...] = ()


def guarded(text: str) -> str:
    """Return a cell for a CSV file, with an apostrophe before what would be run."""
    return f"'{text}" if BEGINS_FORMULA.match(text) and not PLAIN_NUMBER.fullmatch(text) else text


def escaped(text: str) -> str:
    """Return a cell for a workbook, whose texts are never run; `unguarded` gives it back."""
    return f"'{text}" if GUARDED.match(text) else text


def unguarded(text: str) -> str:
    """Return what a cell says, without the apostrophe of `guarded` or `escaped`."""
    return text[1:] if GUARDED.match(text) else text


def number_of_cell(text: str) -> Decimal | None:
    """Return the number that a cell may hold as a number, None if that would change its digits."""
    if not PLAIN_NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    digits = len(value.as_tuple().digits)
    return value if digits <= NUMBER_DIGITS_MAX and plain(value) == text else None


def plain(value: Decimal) -> str:
    """Return a number in plain notation without trailing zeros."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def check_size(*, rows_count: int, columns_count: int) -> None:
    """Raise Unusable if a table is larger than an import may be. rows_count: with the heading."""
    if rows_count > ROWS_MAX + 1:
        raise Unusable(
            f"the table has {rows_count - 1} rows, more than {ROWS_MAX}",
            hint="Divide it into several files.",
        )
    if columns_count > COLUMNS_MAX:
        raise Unusable(
            f"the table has {columns_count} columns, more than {COLUMNS_MAX}",
            hint="Keep the columns that are imported and delete the rest.",
        )


def trimmed(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return rows without the empty ones at the end."""
    last = next((n for n in range(len(rows), 0, -1) if any(map(str.strip, rows[n - 1]))), 0)
    return list(rows[:last])
