"""The first sheet of an .xlsx workbook as text. Edge of python-calamine.

A workbook is an archive of XML files, and a few kilobytes of one can ask for gigabytes: packed tens
of thousands of times, with a single cell in the last row and column of a sheet, for which the
reader allots every cell before it, or with a count of texts that are not there. So it is unpacked
here first, within bounds, looked through, and given on as a new archive without such counts: what
is read is what was measured.

Source: ECMA-376, part 1, 18.3.1.4 (c), 18.3.1.40 (f), 18.3.1.73 (row); part 2, 6.3 (packages).
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import TYPE_CHECKING

from central.errors import Unusable
from central.orders.spreadsheets.sheets import (
    COLUMNS_MAX,
    ROWS_MAX,
    Sheet,
    Trouble,
    plain,
    trimmed,
    unguarded,
)
from central.orders.spreadsheets.workbook_cells import (
    as_shown,
    column_of,
    format_troubles,
    formats_of,
    formatted_cells,
    merged_troubles,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MAGIC = b"PK\x03\x04"
MEMBERS_MAX = 500
UNPACKED_BYTES_MAX = 256 * 1024 * 1024
LAST_ROW_MAX = 2 * ROWS_MAX  # Some empty rows may be between.
LAST_COLUMN_MAX = 4 * COLUMNS_MAX
CELLS_MAX = (ROWS_MAX + 1) * COLUMNS_MAX  # Of the rectangle that all cells are in.
TROUBLES_MAX = 500_000
# Cut as the reader cuts it, in one pass whatever it holds: a tag ends at ">" outside of quotes.
TAG_REST = rb"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>"
PREFIX = rb"(?:[^<>\s:\"'=/]++:)?"
NEXT_CELL = re.compile(
    rb"(?:[^<]++|<(?!" + PREFIX + rb"(?:c|row)[\s/>])" + TAG_REST + rb")*+"
    rb"(<" + PREFIX + rb"(c|row)(?=[\s/>])" + TAG_REST + rb")?"
)
PLACE = re.compile(rb"[\s\"']r\s*=\s*[\"']\s*([A-Za-z]*)(\d+)\s*[\"']")
FAILED = re.compile(rb"<(?:\w+:)?c\s(?=[^<>]*?\bt\s*=\s*[\"']e[\"'])[^<>]*?\br\s*=\s*[\"'](\w+)")
# A cell with a formula and no value: written by a program that does not compute.
VALUELESS = re.compile(
    rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"'](\w+)[\"'][^<>]*>\s*"
    rb"<(?:\w+:)?f(?:/>|\s[^<>]*/>|(?:\s[^<>]*)?>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
COUNTED = re.compile(rb"<" + PREFIX + rb"sst(?=[\s/>])" + TAG_REST)
COUNT = re.compile(rb"\b(?:uniqueC|c)ount\s*=\s*(?:\"[^\"]*\"|'[^']*')")
SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^<>]*>")
ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
RELATIONSHIP = re.compile(rb"<(?:\w+:)?Relationship\s[^<>]*>")
DAY = timedelta(days=1)

CellValue = int | float | str | bool | time | date | datetime | timedelta


def read_workbook(data: bytes) -> Sheet:
    """Return the first sheet of a workbook that is not hidden; numbers as a sheet shows them.

    Raises Unusable for what is no workbook, is too large, or cannot be read.
    """
    from python_calamine import (  # noqa: PLC0415 - only whoever imports a workbook needs it
        CalamineError,
        SheetVisibleEnum,
        load_workbook,
    )

    members = _unpacked(data)
    for content in members.values():
        _check_extent(content)
    try:
        with load_workbook(io.BytesIO(_packed(members))) as book:
            visible = [
                one.name for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible
            ]
            if not visible:
                raise _unreadable("it has no sheet that is not hidden")
            name = visible[0]
            rows = _texts(book.get_sheet_by_name(name))
    except (CalamineError, ValueError, OSError) as error:
        raise _unreadable(str(error)) from error
    content = _sheet_content(members, name)
    cells = formatted_cells(content, formats_of(members.get("xl/styles.xml", b"")))
    rows = trimmed(_as_shown(rows, cells))
    width = max(map(len, rows), default=0)
    found = chain(
        format_troubles(rows, cells),
        merged_troubles(content, rows_count=len(rows), columns_count=width),
        _troubles(content),
    )
    troubles = tuple(islice(found, TROUBLES_MAX + 1))
    if len(troubles) > TROUBLES_MAX:
        raise _unreadable(f"more than {TROUBLES_MAX} of its cells do not say what they mean")
    return Sheet(rows, f"workbook, sheet {name!r}", troubles)


def _unpacked(data: bytes) -> dict[str, bytes]:
    """Return the XML files of an archive, unpacked as far as they say and no further."""
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = [
                one
                for one in archive.infolist()
                if one.filename.lower().endswith((".xml", ".rels"))
            ]
            total = sum(one.file_size for one in wanted)
            if len(wanted) > MEMBERS_MAX or total > UNPACKED_BYTES_MAX:
                raise _unreadable(f"{len(wanted)} parts of {total} bytes are too much")
            for one in wanted:
                members[one.filename] = archive.read(one)
    # zipfile raises RuntimeError for an encrypted part, NotImplementedError for a packing that it
    # does not know (docs.python.org/3/library/zipfile.html).
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise _unreadable(str(error)) from error
    except (ValueError, OSError, KeyError) as error:
        raise _unreadable("its archive is damaged") from error
    if "xl/workbook.xml" not in members:
        raise _unreadable("it is another kind of archive")
    return members


def _packed(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, COUNTED.sub(_uncounted, content))
    return packed.getvalue()


def _uncounted(tag: re.Match[bytes]) -> bytes:
    """Return a tag of shared texts without how many there are, for which room would be allotted."""
    return COUNT.sub(b"", tag[0])


def _check_extent(content: bytes) -> None:
    """Raise Unusable if the cells of a part take more room than a table may.

    A cell or row that does not say where it is follows the one before.
    """
    head = content[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    if not head.startswith(b"<") or b"\x00" in head or b"<!" in content:
        raise _unreadable("a part of it is not plain XML in UTF-8")
    row = column = last_row = last_column = at = 0
    while at < len(content):
        match = NEXT_CELL.match(content, at)
        if match is None or (match[1] is None and match.end() < len(content)):
            raise _unreadable("a part of it is not whole")
        if match[1] is None:
            break
        at = match.end()
        is_row = match[2] == b"row"
        places = PLACE.findall(match[1])
        if not places:
            row, column = (row + 1, 0) if is_row else (row, column + 1)
        for letters, digits in places:
            column = 0 if is_row else column_of(letters[:8])
            row = int(digits[:12])
            last_row = max(last_row, row)
            last_column = max(last_column, column)
        last_row, last_column = max(last_row, row), max(last_column, column)
        if last_row > LAST_ROW_MAX or last_column > LAST_COLUMN_MAX:
            raise _unreadable(f"it has a cell in row {last_row}, column {last_column}")
    if last_row * last_column > CELLS_MAX:
        raise _unreadable(f"{last_row} rows of {last_column} columns are too many")


def _texts(sheet: "CalamineSheet") -> list[tuple[str, ...]]:
    rows = sheet.to_python(skip_empty_area=False)
    return [tuple(_text(cell) for cell in row) for row in rows]


def _as_shown(
    rows: list[tuple[str, ...]], cells: Mapping[tuple[int, int], int]
) -> list[tuple[str, ...]]:
    """Return the rows with the zeros in front that their cells show."""
    shown = [list(row) for row in rows] if cells else []
    for (row, column), shows in cells.items():
        if row <= len(shown) and column <= len(shown[row - 1]):
            shown[row - 1][column - 1] = as_shown(shown[row - 1][column - 1], shows)
    return [tuple(row) for row in shown] if cells else rows


def _text(cell: CellValue) -> str:
    """Return a cell as text. A number has 15 digits, which is what a sheet shows and keeps."""
    if isinstance(cell, str):
        return unguarded(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return plain(Decimal(f"{cell:.15g}"))
    if isinstance(cell, datetime):
        midnight = cell.time() == time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    if isinstance(cell, timedelta):
        return plain(
            Decimal(cell // timedelta(microseconds=1)) / (DAY // timedelta(microseconds=1))
        )
    return cell.isoformat()


def _sheet_content(members: dict[str, bytes], name: str) -> bytes:
    """Return the XML of a sheet, b"" if it is not where workbooks have it."""
    relations = {
        attributes.get("Id", ""): attributes.get("Target", "")
        for tag in RELATIONSHIP.findall(members.get("xl/_rels/workbook.xml.rels", b""))
        if (attributes := _attributes(tag))
    }
    for tag in SHEET.findall(members["xl/workbook.xml"]):
        attributes = _attributes(tag)
        if _unescaped(attributes.get("name", "")) == name:
            key = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            target = relations.get(key, "").lstrip("/")
            return members.get(target, members.get(f"xl/{target}", b""))
    return b""


def _attributes(tag: bytes) -> dict[str, str]:
    return {
        name.decode(errors="replace"): (double or single).decode(errors="replace")
        for name, double, single in ATTRIBUTE.findall(tag)
    }


def _unescaped(text: str) -> str:
    for code, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'")):
        text = text.replace(code, sign)
    return text.replace("&amp;", "&")


def _troubles(content: bytes) -> Iterator[Trouble]:
    for row, column in _places(FAILED, content):
        hint = "Correct the formula, or write the value itself."
        yield Trouble(row, column, message="its formula has failed", hint=hint)
    for row, column in _places(VALUELESS, content):
        hint = "Open the file in a spreadsheet program and save it, or write the value itself."
        yield Trouble(row, column, message="its formula was never computed", hint=hint)


def _places(pattern: re.Pattern[bytes], content: bytes) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(content):
        letters = match[1].rstrip(b"0123456789")
        row = match[1][len(letters) :]
        if letters and row:
            yield int(row), column_of(letters)


def _unreadable(why: str) -> Unusable:
    return Unusable(
        f"the workbook cannot be read: {why[:200]}",
        hint="Save it anew as .xlsx with the table alone, or as CSV UTF-8.",
    )
