"""What a sheet shows of its cells beside their values: number formats, merged cells. Pure.

A cell that shows 5% holds 0.05, one that shows 00123 holds 123, and a value that is merged over
three rows stands in the first of them alone. Zeros are taken as they are shown; whatever else says
another thing than the value is a trouble of its cell.

Source: ECMA-376, part 1, 18.3.1.4 (c), 18.3.1.55 (mergeCell), 18.8.10 (cellXfs), 18.8.30 (numFmt,
with the formats that are built in), 18.8.31 (numFmts).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from central.orders.spreadsheets.sheets import Trouble

TAG = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])([^<>]*)>")
ATTRIBUTE = re.compile(rb"(?<![\w:])(r|s|t)\s*=\s*[\"']([^\"']*)[\"']")
MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref\s*=\s*[\"']([A-Za-z]+)(\d+):([A-Za-z]+)(\d+)"
)
FORMAT = re.compile(rb"<(?:\w+:)?numFmt\s([^<>]*)>")
FORMAT_ID = re.compile(rb"numFmtId\s*=\s*[\"'](\d+)[\"']")
FORMAT_CODE = re.compile(rb"formatCode\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
STYLES = re.compile(rb"<(?:\w+:)?cellXfs[\s>](.*?)</(?:\w+:)?cellXfs>", re.DOTALL)
STYLE = re.compile(rb"<(?:\w+:)?xf\s([^<>]*)>")
BUILT_IN_PLAIN = frozenset({0, 1, 49})  # General, 0, @
BUILT_IN_PERCENT = frozenset({9, 10})
QUOTED = re.compile(r"\"[^\"]*\"|\\.|_.|\*.|\[[^\]]*\]")
PLAIN_FORMATS = frozenset({"", "general", "0", "#", "@"})
ZEROS = re.compile(r"0{2,64}")
PERCENT, OTHER = -1, 0  # Beside these, how many digits are shown at least.
WHOLE = re.compile(r"\d+", re.ASCII)


def formats_of(styles: bytes) -> dict[int, int]:
    """Return the styles of a workbook that show another thing than the number, and which.

    PERCENT, OTHER, or of a format of zeros how many digits it shows.
    """
    codes = {}
    for tag in FORMAT.findall(styles):
        number, code = FORMAT_ID.search(tag), FORMAT_CODE.search(tag)
        if number is not None and code is not None:
            codes[int(number[1])] = (code[1] or code[2] or b"").decode(errors="replace")
    block = STYLES.search(styles)
    found = {}
    for index, tag in enumerate(STYLE.findall(block[1]) if block is not None else ()):
        number = FORMAT_ID.search(tag)
        shows = _shows(int(number[1]), codes) if number is not None else None
        if shows is not None:
            found[index] = shows
    return found


def formatted_cells(content: bytes, formats: Mapping[int, int]) -> dict[tuple[int, int], int]:
    """Return the cells with a number that have one of these styles: row and column, from 1."""
    if not formats:
        return {}
    row = column = 0
    found: dict[tuple[int, int], int] = {}
    for match in TAG.finditer(content):
        said = {name: value.decode(errors="replace") for name, value in ATTRIBUTE.findall(match[2])}
        place = said.get(b"r", "").strip()
        if match[1] == b"row":
            row, column = (int(place) if place.isdecimal() else row + 1), 0
            continue
        letters = place.rstrip("0123456789")
        column = column_of(letters.encode()) if letters else column + 1
        style = said.get(b"s", "0")
        shows = formats.get(int(style)) if style.isdecimal() else None
        if shows is not None and said.get(b"t", "n") == "n":
            found[row, column] = shows
    return found


def as_shown(text: str, shows: int) -> str:
    """Return the text of a number with the zeros that its format shows in front."""
    return text.zfill(shows) if shows > 0 and WHOLE.fullmatch(text) else text


def format_troubles(
    rows: Sequence[Sequence[str]], cells: Mapping[tuple[int, int], int]
) -> Iterator[Trouble]:
    """Yield the cells that hold another figure than they show. rows: as texts, from row 1."""
    for (row, column), shows in cells.items():
        text = (
            rows[row - 1][column - 1] if row <= len(rows) and column <= len(rows[row - 1]) else ""
        )
        if not text:
            continue
        if shows == PERCENT:
            yield Trouble(
                row,
                column,
                message=f"holds {text[:40]} and shows it as a percentage",
                hint="Write the number of percent into a cell without that format: 5 for 5 %.",
            )
        elif shows == OTHER or not WHOLE.fullmatch(text):
            yield Trouble(
                row,
                column,
                message="holds a number or a day and shows it in another way",
                hint="Make it a cell of text, and write it as it is meant.",
                of_names=True,
            )


def merged_troubles(content: bytes, *, rows_count: int, columns_count: int) -> Iterator[Trouble]:
    """Yield the cells of the table that are merged with others: nobody can tell what they say.

    A value that is merged over rows may be that of each or of all of them together; one that is
    merged within a row is that of the first cell.
    """
    for match in MERGED.finditer(content):
        left, right = column_of(match[1][:8]), column_of(match[3][:8])
        top, bottom = int(match[2][:12]), int(match[4][:12])
        for row in range(max(top, 2), min(bottom, rows_count) + 1):
            for column in range(left, min(right, columns_count) + 1):
                if top != bottom or column != left:
                    yield Trouble(
                        row,
                        column,
                        message=f"is merged with others ({match[1].decode()}{top} to"
                        f" {match[3].decode()}{bottom})",
                        hint="Divide the merged cell, and write into each row what it is.",
                    )


def column_of(letters: bytes) -> int:
    """Return the number of a column, from 1, by its letters."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _shows(number: int, codes: Mapping[int, str]) -> int | None:
    if number not in codes:
        if number in BUILT_IN_PERCENT:
            return PERCENT
        return None if number in BUILT_IN_PLAIN else OTHER
    code = codes[number].replace("&quot;", '"')
    bare = QUOTED.sub("", code).split(";")[0].strip()
    if "%" in bare:
        return PERCENT
    if ZEROS.fullmatch(code.split(";")[0].strip()):
        return len(bare)
    return None if code.strip().casefold() in PLAIN_FORMATS else OTHER
