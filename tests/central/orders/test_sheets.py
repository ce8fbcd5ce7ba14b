"""Files of tables: what is written is read again, nothing is run, and no file is too much."""

import io
import zipfile
from contextlib import suppress

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from central.errors import Unusable
from central.orders.spreadsheets.csv_sheets import read_csv, write_csv
from central.orders.spreadsheets.sheets import escaped, guarded, number_of_cell, unguarded
from central.orders.spreadsheets.workbook_reading import read_workbook
from central.orders.spreadsheets.workbook_writing import write_workbook

CELLS = st.text(
    st.one_of(st.sampled_from("=+-@'\"\t,;0123456789."), st.characters(codec="utf-8")), max_size=20
)
# What a workbook keeps: no control characters, no text that stands for one.
SHOWN = st.text(
    st.one_of(
        st.sampled_from("=+-@'\"0123456789.,"),
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")),
    ),
    max_size=20,
).filter(lambda text: "_x" not in text and text == text.strip())


def read(data):
    return read_csv(data, known_columns=len)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=5))
def test_a_csv_file_that_is_written_is_read_again(rows):
    rows = [["name", "key"], *rows, ["end", "end"]]
    sheet = read(write_csv(rows))
    assert sheet.rows == [tuple(row) for row in rows]
    assert sheet.troubles == ()


@given(CELLS)
def test_no_cell_of_a_written_csv_file_is_a_formula(text):
    cell = guarded(text)
    assert unguarded(cell) == text
    assert unguarded(escaped(text)) == text
    assert cell[:1] not in {"=", "@", "+", "\t", "\r"} or not cell
    assert (
        not cell.startswith("-")
        or number_of_cell(cell) is not None
        or cell[1:].isdigit()
        or ("." in cell)
    )


@given(st.lists(SHOWN, min_size=1, max_size=4))
def test_a_workbook_that_is_written_is_read_again(cells):
    rows = [("a", "b", "c", "d"), (*cells, *("",) * (4 - len(cells))), ("end", "", "", "")]
    data = write_workbook(rows, name="items", number_columns=frozenset({0, 1}))
    assert [(*row, "", "", "")[:4] for row in read_workbook(data).rows] == rows


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("12.5", True),
        ("-3", True),
        ("0", True),
        ("007", False),
        ("1.50", False),
        ("-0", False),
        ("1234567890.123456", False),
        ("123456789012345", True),
        ("1e5", False),
        ("", False),
    ],
)
def test_a_number_is_written_as_one_only_if_that_keeps_its_digits(text, kept):
    assert (number_of_cell(text) is not None) == kept


def test_a_cell_with_a_formula_in_a_csv_file_is_named():
    (trouble,) = read(b"item,name\nA,=1+1\nB,'=1+1\nC,-1\n").troubles
    assert (trouble.row, trouble.column) == (2, 2)


def book_of(write, **options):
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True} | options) as book:
        write(book)
    return packed.getvalue()


def changed(data, name, change):
    """A workbook of which one part is another."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for one in old.namelist():
            content = old.read(one)
            new.writestr(one, change(content) if one == name else content)
    return packed.getvalue()


def simple(book):
    sheet = book.add_worksheet("Table")
    sheet.write_row(0, 0, ["item", "min"])
    sheet.write_row(1, 0, ["GEAR", 5])


SHEET = "xl/worksheets/sheet1.xml"


def test_formulas_that_failed_or_were_never_computed_are_named():
    def write(book):
        sheet = book.add_worksheet("A & <B>")
        sheet.write_row(0, 0, ["item", "min", "max"])
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 1, "=1+1", None, 2)
        sheet.write_formula(3, 2, "=1+1", None, "")

    data = book_of(write)
    never = changed(data, SHEET, lambda xml: xml.replace(b"<v></v>", b"").replace(b' t="str"', b""))
    for one in (data, never):
        sheet = read_workbook(one)
        assert sheet.rows[2][1] == "2"
        assert [(trouble.row, trouble.column) for trouble in sheet.troubles] == [(2, 2), (4, 3)]


def test_the_first_sheet_that_is_not_hidden_is_read():
    def write(book):
        book.add_worksheet("Hidden").hide()
        second = book.add_worksheet("Second")
        second.activate()
        second.set_first_sheet()
        second.write(0, 0, "item")

    sheet = read_workbook(book_of(write))
    assert (sheet.told, sheet.rows) == ("workbook, sheet 'Second'", [("item",)])


def grown(pattern, replacement):
    return lambda xml: xml.replace(pattern, replacement)


def bomb(_xml):
    return b"<worksheet>" + b" " * (300 * 1024 * 1024) + b"</worksheet>"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(grown(b'r="A2"', b'r="A1048576"'), "row 1048576", id="far row"),
        pytest.param(grown(b'r="B2"', b"r = 'XFD2'"), "column 16384", id="far column"),
        pytest.param(grown(b'<row r="2"', b'<row r="999999"'), "row 999999", id="row alone"),
        pytest.param(grown(b'r="A2"', b'r="AAAAAAAAAAAA2"'), "it has a cell", id="no such column"),
        pytest.param(
            grown(b'r="B2"', b'x=">" r="XFD2"'), "column 16384", id="behind a quoted sign"
        ),
        pytest.param(grown(b'r="B2"', b"x='<' r='XFD2'"), "column 16384", id="behind another"),
        pytest.param(grown(b'<c r="B2"', b'<c r="IA99999"/><c'), "too many", id="large rectangle"),
        pytest.param(grown(b'<c r="B2"', b"<c/>" * 300 + b"<c"), "column 257", id="cells in a row"),
        pytest.param(grown(b'<row r="2"', b"<row/>" * 100_001 + b"<row"), "row 100001", id="rows"),
        pytest.param(lambda xml: xml[: len(xml) // 2], "cannot be read", id="cut off"),
        pytest.param(lambda xml: xml[:-3], "not whole", id="last tag cut off"),
        pytest.param(lambda xml: b"\xff\xfe" + xml, "not plain XML", id="another encoding"),
        pytest.param(
            grown(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'),
            "not plain XML",
            id="entities",
        ),
        pytest.param(lambda xml: b"", "not plain XML", id="empty part"),
    ],
)
def test_a_workbook_that_asks_for_too_much_is_refused(change, words):
    with pytest.raises(Unusable, match=words):
        read_workbook(changed(book_of(simple), SHEET, change))


@pytest.mark.parametrize(
    ("bytes_count", "words"),
    [
        pytest.param(300 * 1024 * 1024, "too much", id="more than may be unpacked"),
        pytest.param(16, "cannot be read", id="more than it says"),
    ],
)
def test_a_part_that_unpacks_to_something_else_than_it_says_is_refused(bytes_count, words):
    data = book_of(simple)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(SHEET).file_size
    lying = data.replace(size.to_bytes(4, "little"), bytes_count.to_bytes(4, "little"))
    assert lying != data
    with pytest.raises(Unusable, match=words):
        read_workbook(lying)


def test_a_workbook_of_too_many_parts_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(501):
            archive.writestr(f"xl/{number}.xml", "<x/>")
    with pytest.raises(Unusable, match="501 parts"):
        read_workbook(packed.getvalue())


def test_room_for_texts_is_not_allotted_as_a_file_says():
    texts = "xl/sharedStrings.xml"
    counted = grown(b'uniqueCount="', b'x=">" uniqueCount="99999999999')
    sheet = read_workbook(changed(book_of(simple), texts, counted))
    assert sheet.rows == [("item", "min"), ("GEAR", "5")]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"PK\x03\x04" + bytes(100), id="no archive"),
        pytest.param(book_of(simple)[:-30], id="cut off"),
        pytest.param(
            changed(book_of(simple), "xl/workbook.xml", lambda xml: b"<workbook/>"), id="no sheets"
        ),
    ],
)
def test_what_is_no_workbook_is_refused(data):
    with pytest.raises(Unusable, match="cannot be read"):
        read_workbook(data)


@given(st.data())
def test_a_workbook_with_damaged_parts_is_read_or_refused(data):
    name = data.draw(st.sampled_from([SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"]))

    def damage(xml):
        part = bytearray(xml)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(part) - 1))
            part[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        return bytes(part)

    damaged = changed(book_of(simple), name, damage)
    with suppress(Unusable):
        assert len(read_workbook(damaged).rows) <= 2
